//! Finds the JSON in a text: whole values, records in sequence, and what can be read of a value that is cut.
//!
//! What a cut left of a record stays as it is, up to the first line that is no JSON or to a place where a record
//! certainly begins: its first key is one that the records before the cut have, and an array or a comma precedes it. A
//! quote in a string is escaped, so nothing within a string looks like that.

use std::ops::Range;

use headroom_json::document::{ReadablePart, Sequence, readable};
use memchr::{memchr, memmem};

use crate::{
    text::{lines, notice},
    tuning::tuning,
};

/// Limit on bytes searched in vain, as a multiple of the text's length.
const MAX_WORK: usize = 4;

/// Whether most of a text is JSON, whole or not.
fn is_mostly_json(text: &str) -> bool {
    let mut bytes = 0;
    for line in lines::split(text) {
        let is_long = line.len() >= tuning().detect.part_min_long_line;
        let keys = || {
            memmem::find_iter(line.as_bytes(), "\":").count() * tuning().detect.part_bytes_per_key
                >= line.len()
        };
        if if is_long { keys() } else { is_like_json(line) } {
            bytes += line.len() + 1;
        }
    }
    let keys = memmem::find_iter(text.as_bytes(), "\":").count();
    keys > 0
        && bytes * 100 >= text.len() * tuning().detect.part_cut
        && keys * tuning().detect.part_key_distance >= text.len()
}

/// Whether every line is one object: lines of JSON of which none is cut.
pub(crate) fn are_whole_lines(text: &str) -> bool {
    lines::split(text).all(|line| line.is_empty() || line.starts_with('{') && line.trim_end().ends_with('}'))
}

/// The JSON of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct JsonParts {
    /// In order and disjoint.
    pub(crate) parts: Vec<ReadablePart>,
    /// What is left of values that are cut, and the labels before values. In order and disjoint.
    pub(crate) verbatim: Vec<Range<usize>>,
    /// Whether most of the text is JSON whose records cannot be told apart by lines.
    pub(crate) is_json: bool,
}

/// Finds the JSON of a text. In text that may be code only whole values at the start of a line count, unless most of it
/// is JSON.
pub(crate) fn find(text: &str, may_be_code: bool) -> JsonParts {
    let is_json = is_mostly_json(text);
    let mut finder = Finder {
        text,
        is_json,
        is_code: may_be_code && !is_json,
        notes: notice::inside_strings(text),
        work: text.len().saturating_mul(MAX_WORK),
        damage: None,
        keys: Vec::new(),
        found: JsonParts { is_json, ..JsonParts::default() },
    };
    finder.run();
    finder.found.without_short(text)
}

struct Finder<'t> {
    text: &'t str,
    is_json: bool,
    is_code: bool,
    /// Places that no value may contain.
    notes: Vec<Range<usize>>,
    /// Bytes that may still be read.
    work: usize,
    /// Where the rest of a cut value begins, while it lasts.
    damage: Option<usize>,
    /// The first keys of the records around the cut, as lexemes.
    keys: Vec<&'t str>,
    found: JsonParts,
}

impl<'t> Finder<'t> {
    fn run(&mut self) {
        let mut at = 0;
        // Whether a line begins here.
        let mut fresh = true;
        while at < self.text.len() {
            let end = self.line_end(at);
            match self.candidate(at..end, fresh).filter(|_| self.work > 0) {
                Some(start) => {
                    let next = self.read(start);
                    (at, fresh) = next.map_or((start + 1, false), |next| (next, false));
                    // A line that is no JSON has no second chance, unless it may begin in the middle of some.
                    if next.is_none()
                        && self.damage.is_none()
                        && end - start < tuning().detect.part_min_long_line
                    {
                        (at, fresh) = (end + 1, true);
                    }
                }
                None => {
                    let line = self.text.get(at..end).unwrap_or_default();
                    if fresh && self.damage.is_some() && !is_like_json(line) && !self.is_behind_note(at) {
                        self.end_damage(at);
                    }
                    (at, fresh) = (end + 1, true);
                }
            }
        }
        self.end_damage(self.text.len());
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        memchr(b'\n', rest).map_or(self.text.len(), |end| at + end)
    }

    /// Returns where a value may begin in this line, or the rest of a line.
    fn candidate(&self, line: Range<usize>, fresh: bool) -> Option<usize> {
        let text = self.text.get(line.clone())?;
        let inside = text.trim_start_matches([' ', '\t']);
        if fresh && inside.starts_with(['{', '[']) && !(self.is_code && inside.len() < text.len()) {
            return Some(line.start + text.len() - inside.len());
        }
        let record = self.keys.iter().filter_map(|key| self.record(&line, key)).min();
        let begins_anywhere = || {
            let is_first = || self.text.get(..line.start).is_some_and(|before| before.trim().is_empty());
            text.len() >= tuning().detect.part_min_long_line
                && !self.is_code
                && (!fresh || self.is_json || is_first() || self.is_behind_note(line.start))
        };
        let record = record.or_else(|| if begins_anywhere() { self.any_record(&line) } else { None });
        let may_be_labeled = fresh && self.damage.is_none() && !self.is_code;
        let label = || label(text).filter(|_| may_be_labeled).map(|length| line.start + length);
        record.or_else(label)
    }

    /// Returns where a record with this first key begins within a line.
    fn record(&self, line: &Range<usize>, key: &str) -> Option<usize> {
        let text = self.text.as_bytes().get(..line.end)?;
        let inside = text.get(line.start..)?;
        memmem::find_iter(inside, key.as_bytes()).find_map(|at| {
            let before = text.get(..line.start + at)?.trim_ascii_end();
            let record = before.strip_suffix(b"{")?;
            let outside = record.trim_ascii_end();
            let fits = outside.ends_with(b",") || outside.ends_with(b"[");
            (fits && record.len() >= line.start).then_some(record.len())
        })
    }

    /// Returns where any record begins within a line that begins in the middle of JSON.
    fn any_record(&self, line: &Range<usize>) -> Option<usize> {
        let text = self.text.get(line.clone())?;
        memmem::find_iter(text.as_bytes(), "{\"").find_map(|at| {
            let behind = text.get(at + 2..)?;
            let (key, rest) = behind.split_once('"')?;
            let is_key = !key.is_empty()
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
            let outside = text.get(..at)?.trim_end();
            let fits = is_key && rest.trim_start().starts_with(':') && outside.ends_with(['[', ',']);
            fits.then_some(line.start + at)
        })
    }

    /// Reads what starts here; returns where reading goes on, or `None` if nothing of it is JSON.
    fn read(&mut self, start: usize) -> Option<usize> {
        let note = self.notes.partition_point(|note| note.start < start);
        let stop = self.notes.get(note).map_or(self.text.len(), |note| note.start);
        let found = readable(self.text.get(start..stop)?);
        self.work = self.work.saturating_sub(found.end + 1);
        let end = start + found.end;
        let is_run = found.parts.first().is_some_and(|part| part.sequence == Sequence::Elements);
        if self.is_code && (is_run || !found.is_whole) {
            return None;
        }
        let is_long = |part: &ReadablePart| part.bytes.len() >= tuning().detect.part_min_bytes;
        if !found.is_whole {
            if !found.parts.iter().any(is_long) && self.damage.is_none() {
                return None;
            }
            self.damage.get_or_insert(start);
            if !found.keys.is_empty() {
                self.keys = found.keys;
            }
        }
        if found.is_whole && self.damage.is_none() {
            if is_run {
                // Elements without an array around them begin in the middle of one.
                self.damage = Some(start);
            } else if !self.ends_line(end) {
                return None;
            } else if let Some(label) = self.label_before(start) {
                if found.end < tuning().detect.part_min_labeled && !self.text.get(start..end)?.contains('\n')
                {
                    return None;
                }
                self.found.verbatim.push(label);
            }
        }
        let in_damage = self.damage.is_some();
        for part in found.parts.into_iter().filter(|part| !in_damage || is_long(part)) {
            let bytes = start + part.bytes.start..start + part.bytes.end;
            self.push(ReadablePart { bytes: self.with_separators(bytes, part.sequence), ..part });
        }
        Some(end.max(start + 1).max(self.found.parts.last().map_or(0, |part| part.bytes.end)))
    }

    /// Adds a part; values in adjacent lines are one part.
    fn push(&mut self, part: ReadablePart) {
        if let Some(from) = self.damage {
            if from < part.bytes.start {
                self.found.verbatim.push(from..part.bytes.start);
            }
            self.damage = Some(part.bytes.end);
        } else if let Some(last) = self.found.parts.last_mut()
            && last.sequence == Sequence::Values
            && self.text.get(last.bytes.end..part.bytes.start).is_some_and(is_line_end)
        {
            last.bytes.end = part.bytes.end;
            return;
        }
        self.found.parts.push(part);
    }

    fn end_damage(&mut self, at: usize) {
        if let Some(from) = self.damage.take().filter(|from| *from < at) {
            self.found.verbatim.push(from..at);
        }
        self.keys.clear();
    }

    /// Adds the white space after an opening bracket, and the comma with the line end after the last element.
    fn with_separators(&self, bytes: Range<usize>, sequence: Sequence) -> Range<usize> {
        if sequence == Sequence::Values {
            return bytes;
        }
        let behind = self.text.get(bytes.end..).unwrap_or_default();
        let rest = behind.trim_start_matches([' ', '\t', '\r', '\n']);
        let rest = rest.strip_prefix(',').unwrap_or(rest);
        let rest = rest.trim_start_matches([' ', '\t']);
        let rest = rest.strip_prefix('\r').unwrap_or(rest);
        let rest = rest.strip_prefix('\n').unwrap_or(rest);
        let before = self.text.get(..bytes.start).unwrap_or_default();
        let outside = before.trim_end_matches([' ', '\t', '\r', '\n']);
        let from = self.found.parts.last().map_or(0, |part| part.bytes.end);
        let start = if outside.ends_with('[') && outside.len() > from { outside.len() } else { bytes.start };
        start..bytes.end + behind.len() - rest.len()
    }

    fn ends_line(&self, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with('\n') || rest.starts_with("\r\n")
    }

    /// Returns the text before a value on its line, with the line's start.
    fn label_before(&self, start: usize) -> Option<Range<usize>> {
        let before = self.text.get(..start)?;
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        (line < start).then_some(line..start)
    }

    /// Whether the line before this one holds a note, or is empty after one: what follows may begin anywhere.
    fn is_behind_note(&self, at: usize) -> bool {
        let before = self.text.get(..at).unwrap_or_default().trim_end();
        let line = before.rsplit('\n').next().unwrap_or_default();
        !notice::find(line).is_empty() || {
            let end = self.line_end(at);
            !notice::find(self.text.get(at..end).unwrap_or_default()).is_empty()
        }
    }
}

impl JsonParts {
    /// Drops parts that are too short, and single lines with text between them, which are a log.
    fn without_short(mut self, text: &str) -> Self {
        let is_line = |part: &ReadablePart| {
            part.sequence == Sequence::Values
                && text
                    .get(part.bytes.clone())
                    .is_some_and(|part| part.lines().all(|line| line.ends_with('}')))
        };
        let is_log = self.parts.iter().filter(|part| is_line(part)).count() > tuning().detect.part_max_runs;
        self.is_json &= !is_log;
        self.parts
            .retain(|part| part.bytes.len() >= tuning().detect.part_min_bytes && !(is_log && is_line(part)));
        if self.parts.is_empty() {
            self.verbatim.clear();
        }
        self
    }
}

fn is_line_end(text: &str) -> bool {
    matches!(text, "\n" | "\r\n")
}

/// Returns the length of a label before a value: `Output: [` and the like.
fn label(line: &str) -> Option<usize> {
    let length = memchr::memchr2(b'{', b'[', line.as_bytes())?;
    // The number of a process, as lines of logs have it, is not worth a look.
    let value = line.get(length + 1..).unwrap_or_default();
    if value.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(']')
        && line.len() < tuning().detect.part_min_long_line
    {
        return None;
    }
    let label = line.get(..length).filter(|label| label.len() <= tuning().detect.part_max_label)?.trim_end();
    let words = label.strip_suffix([':', '=', '>']).unwrap_or(label);
    let is_plain = |c: char| {
        c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | ':' | '(' | ')' | '<' | '>' | '"')
    };
    (!words.is_empty() && words.chars().all(is_plain)).then_some(length)
}

/// Whether a line may be one of JSON in several lines, or the start of one.
fn is_like_json(line: &str) -> bool {
    let line = line.trim();
    let value = line.strip_suffix(',').unwrap_or(line);
    let is_number = || {
        value.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && value
                .bytes()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
    };
    line.bytes().all(|byte| matches!(byte, b'{' | b'}' | b'[' | b']' | b','))
        || ["\"", "{\"", "{ \"", "[{", "[\"", "}, {", "},{"].iter().any(|start| line.starts_with(start))
        || matches!(value, "true" | "false" | "null")
        || is_number()
}

#[cfg(test)]
mod tests;
