//! Folds repeated lines into a marker with a count.
//!
//! Of consecutive equal lines, or equal groups of a few lines, the first stays and one marker line replaces the rest.
//! This is lossless: the marker repeats the lines right before it.

#[cfg(test)]
mod tests;

use std::ops::Range;

use memchr::{memchr_iter, memmem};

use crate::tuning::tuning;

/// Maximum number of lines in a repeated group.
const MAX_PERIOD: usize = 8;

const OPEN: &str = "[headroom: previous ";
const SHORTEST: &str = "[headroom: previous line repeated 1 more time]";

/// A range of a text and the marker line that replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fold {
    /// The bytes to replace: whole lines.
    pub(crate) range: Range<usize>,
    /// The marker line, with the line end of the last replaced line.
    pub(crate) replacement: String,
    /// Start of the lines that the marker repeats, right before the range.
    pub(crate) kept: usize,
}

/// Returns the marker for `period` lines that are repeated `times` more times.
pub(crate) fn marker(period: usize, times: usize) -> String {
    let s = if times == 1 { "" } else { "s" };
    match period {
        1 => format!("{OPEN}line repeated {times} more time{s}]"),
        _ => format!("{OPEN}{period} lines repeated {times} more time{s}]"),
    }
}

/// Returns the length of that marker.
fn marker_length(period: usize, times: usize) -> usize {
    let what = if period == 1 { "line".len() } else { "8 lines".len() };
    let count = times.checked_ilog10().unwrap_or(0) as usize + " more time]".len() + usize::from(times > 1);
    OPEN.len() + what + " repeated ".len() + 1 + count
}

/// Parses the period and the count of a marker, given a line without its line end.
#[cfg(test)]
pub(crate) fn parse_marker(line: &str) -> Option<(usize, usize)> {
    let line = ["// ", "# ", "-- ", ";; ", "; ", "% "]
        .iter()
        .find_map(|start| line.strip_prefix(start))
        .unwrap_or(line);
    let (what, times) = line.strip_prefix(OPEN)?.strip_suffix(']')?.split_once(" repeated ")?;
    let period = match what {
        "line" => 1,
        _ => what.strip_suffix(" lines")?.parse().ok()?,
    };
    let times = times.split_once(' ')?.0.parse().ok()?;
    (period > 0 && times > 0 && marker(period, times) == line).then_some((period, times))
}

/// Returns the folds for `text`, in order and disjoint.
///
/// Returns none if the text already holds something like a marker, which would be indistinguishable from ours.
pub(crate) fn runs(text: &str) -> Vec<Fold> {
    let mut lines = FoldLines::new(text);
    let mut ends = [0; MAX_PERIOD];
    let mut folds = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let is_repeated =
            |(period, end): (usize, &usize)| *end > at + period || lines.may_be_same(at + period, at);
        if !(1..).zip(&ends).any(is_repeated) {
            at += 1;
            continue;
        }
        let best = ends
            .iter_mut()
            .enumerate()
            .filter_map(|(index, end)| lines.repeats(at, index + 1, end))
            .reduce(|best, next| if next.gain > best.gain { next } else { best });
        let Some(best) = best else {
            at += 1;
            continue;
        };
        folds.push(best.fold);
        at = best.next;
    }
    if !folds.is_empty() && memmem::find(text.as_bytes(), OPEN.as_bytes()).is_some() {
        folds.clear();
    }
    folds
}

struct FoldCandidate {
    fold: Fold,
    gain: usize,
    /// The first line after the folded ones.
    next: usize,
}

struct FoldLines<'a> {
    text: &'a [u8],
    /// Start of each line, and the end of the text.
    starts: Vec<usize>,
    /// A fingerprint of each line, so that most unequal lines are not compared.
    signs: Vec<u32>,
    /// Cost of all lines before each line, computed on first use.
    costs: Vec<usize>,
}

impl<'a> FoldLines<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.as_bytes();
        let mut starts = vec![0];
        starts.extend(memchr_iter(b'\n', text).map(|at| at + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        let mut lines = Self { text, starts, signs: Vec::new(), costs: Vec::new() };
        lines.signs = (0..lines.len()).map(|line| sign(content(lines.line(line)))).collect();
        lines
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    fn line(&self, line: usize) -> &'a [u8] {
        self.text.get(self.start(line)..self.start(line + 1)).unwrap_or_default()
    }

    /// Whether the fingerprint of the line is that of an earlier one.
    fn may_be_same(&self, line: usize, earlier: usize) -> bool {
        self.signs.get(line) == self.signs.get(earlier)
    }

    /// Whether the line equals an earlier one. The last line may lack its line end.
    fn same(&self, line: usize, earlier: usize) -> bool {
        if !self.may_be_same(line, earlier) {
            return false;
        }
        let (line, earlier) = (self.line(line), self.line(earlier));
        line == earlier || (!line.ends_with(b"\n") && line == content(earlier))
    }

    /// Returns the fold of the lines that repeat the `period` lines at `at`.
    ///
    /// `end` caches where repetition with this period ends, so that no line is compared twice.
    fn repeats(&mut self, at: usize, period: usize, end: &mut usize) -> Option<FoldCandidate> {
        let first = at + period;
        if *end < first {
            *end = first;
            while *end < self.len() && self.same(*end, *end - period) {
                *end += 1;
            }
        }
        // Reject what cannot save tokens before the slower division.
        let min_removed = tuning().text.fold_min_gain + SHORTEST.len();
        let repeated = first..*end;
        if repeated.len() < period
            || self.start(repeated.end) - self.start(repeated.start) < min_removed
            || self.cost(repeated) < min_removed
        {
            return None;
        }
        if !self.is_group(at..first) {
            return None;
        }
        let times = (*end - first) / period;
        let next = first + times * period;
        let range = self.start(first)..self.start(next);
        let least = marker_length(period, times) + tuning().text.fold_min_gain;
        let cost = self.cost(at..first) * times;
        if cost < least {
            return None;
        }
        let gain = cost - least;
        let last = self.line(next - 1);
        let line_end = last.get(content(last).len()..).unwrap_or_default();
        let mut replacement = marker(period, times);
        replacement.extend(line_end.iter().map(|byte| char::from(*byte)));
        Some(FoldCandidate { fold: Fold { kept: self.start(at), range, replacement }, gain, next })
    }

    /// Whether lines begin where a group begins: at the smallest indent, with nothing that closes, and with an empty line at
    /// their end if they have one. Others would be the end of one record and the start of the next, and what follows the
    /// fold would seem to belong to the lines before it.
    fn is_group(&self, lines: Range<usize>) -> bool {
        if lines.len() < 2 {
            return true;
        }
        let text = |line: usize| content(self.line(line)).trim_ascii_end();
        let indent = |text: &[u8]| text.len() - text.trim_ascii_start().len();
        let (first, last) = (text(lines.start), text(lines.end - 1));
        let is_start = !first.is_empty() && !matches!(first.trim_ascii_start(), [b'}' | b']' | b')', ..]);
        let has_end = last.is_empty() || !lines.clone().any(|line| text(line).is_empty());
        let mut indents = lines.map(text).filter(|text| !text.is_empty()).map(indent);
        is_start && has_end && indents.all(|other| other >= indent(first))
    }

    /// Returns the bytes of these lines without blanks and repeated bytes: rulers and empty lines cost next to no
    /// tokens.
    fn cost(&mut self, lines: Range<usize>) -> usize {
        if self.costs.is_empty() {
            let mut sum = 0;
            self.costs.push(sum);
            for line in 0..self.len() {
                sum += line_cost(self.line(line));
                self.costs.push(sum);
            }
        }
        let before = |line: usize| self.costs.get(line).copied().unwrap_or_default();
        before(lines.end).saturating_sub(before(lines.start))
    }
}

/// Computes a fingerprint from the length of a line and its last bytes, where lines of one kind differ most.
fn sign(line: &[u8]) -> u32 {
    let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
    let end = line.last_chunk().map_or(0, |end: &[u8; 8]| u64::from_le_bytes(*end));
    let mixed = end.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    length ^ u32::try_from(mixed).unwrap_or_default()
}

fn line_cost(line: &[u8]) -> usize {
    let before = std::iter::once(&b' ').chain(line);
    line.iter().zip(before).filter(|(byte, before)| byte != before && !byte.is_ascii_whitespace()).count()
}

/// Strips the line end.
fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line)
}

/// Restores the text from its folded form.
#[cfg(test)]
pub(crate) fn expand(folded: &str) -> String {
    let lines: Vec<&str> = folded.split_inclusive('\n').collect();
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let bare = std::str::from_utf8(content(line.as_bytes())).unwrap();
        let Some((period, times)) = parse_marker(bare) else {
            text.push_str(line);
            continue;
        };
        let Some(from) = at.checked_sub(period) else {
            text.push_str(line);
            continue;
        };
        text.push_str(&lines[from..at].concat().repeat(times));
        if !line.ends_with('\n') {
            text.truncate(content(text.as_bytes()).len());
        }
    }
    text
}
