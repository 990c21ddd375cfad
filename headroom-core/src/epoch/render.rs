//! Writes an old result in a few lines: those whose identifiers the model used later, errors, what the call and the
//! question name, and the edges. Everything else stands behind markers.

use std::ops::Range;

use super::Used;
use crate::{
    ContentKind, Handle,
    records::Structure,
    relevance::{Query, features::LineFeatures, query::Hits, severity::Severity},
    text::{
        lines::Lines,
        marker::{self, Elision, More},
    },
};

/// Bytes of lines that stay of an old result: three or four.
const BUDGET_BYTES: usize = 220;
/// Longer lines do not stay.
const MAX_LINE_BYTES: usize = 200;
/// What another marker costs.
const MARKER_BYTES: usize = 44;
/// How many markers a result has at most.
const MAX_GAPS: usize = 4;
/// Most bytes that are left of a result: lines, and the markers.
pub(super) const MAX_LEFT_BYTES: usize = 400;
/// Shorter texts of a gap are not worth a marker.
const MIN_GAP_BYTES: usize = 60;
/// An identifier in more than one line in this many tells nothing.
const MAX_COMMON_RATIO: usize = 8;
const MAX_NAMED_LINES: usize = 24;
/// A line below more headers than this does not stay.
const MAX_OWNERS: usize = 4;

/// An old result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Old<'a> {
    pub(crate) item: u32,
    pub(crate) text: &'a str,
    pub(crate) kind: ContentKind,
    /// What the model used later.
    pub(crate) used: &'a Used,
    pub(crate) query: Query<'a>,
    /// The name of what supersedes it: `result 12`.
    pub(crate) newer: Option<&'a str>,
    pub(crate) folder: Option<&'a str>,
}

/// Returns the parts of an old result that leave, each with its marker; empty if none can.
pub(crate) fn render(old: &Old<'_>) -> Vec<(Range<usize>, String)> {
    if marker::is_in(old.text) {
        return Vec::new();
    }
    let Some(lines) = Lines::new(old.text) else { return Vec::new() };
    let handle = Handle::from_content(old.text);
    let summary = old.newer.map_or_else(|| "old".to_owned(), |newer| format!("old, newer in {newer}"));
    let kept = match old.newer {
        None if has_independent_lines(old.kind, old.text) => kept(old, &lines),
        _ => vec![false; lines.lines.len()],
    };
    let mut gaps = Vec::new();
    for gap in gaps_of(&kept, &lines) {
        let Some((bytes, numbers)) = bytes_of(old.text, &lines, &gap) else { continue };
        let marker = if gaps.is_empty() {
            Elision { handle, lines: numbers, summary: &summary, folder: old.folder }.to_string()
        } else {
            More { lines: numbers, summary: "old" }.to_string()
        };
        if gaps.is_empty() || bytes.len() >= MIN_GAP_BYTES {
            gaps.push((bytes, marker));
        }
    }
    let removed: usize = gaps.iter().map(|(bytes, _)| bytes.len()).sum();
    let added: usize = gaps.iter().map(|(_, marker)| marker.len()).sum();
    let bound = MAX_LEFT_BYTES + old.folder.map_or(0, str::len);
    if (old.text.len() + added).saturating_sub(removed) > bound {
        // Text with many views of files, whose numbers need a marker each.
        let all = bytes_of(old.text, &lines, &(0..lines.lines.len()));
        let count = u32::try_from(lines.lines.len()).unwrap_or(u32::MAX);
        let marker = Elision { handle, lines: (1, count), summary: &summary, folder: old.folder }.to_string();
        return all.map(|(bytes, _)| (bytes, marker)).into_iter().collect();
    }
    gaps
}

/// Whether a line of this text says the same without the lines before it. A hit below the name of its file does not.
fn has_independent_lines(kind: ContentKind, text: &str) -> bool {
    // `src/main.rs:12: found`
    let names_its_file = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        parts.next().is_some_and(|number| number.parse::<u32>().is_ok()) && parts.next().is_some()
    };
    kind.traits().has_independent_lines
        || kind == ContentKind::Search && text.lines().next().is_some_and(names_its_file)
}

/// Chooses the lines that stay.
fn kept(old: &Old<'_>, lines: &Lines) -> Vec<bool> {
    let mut choice = Choice {
        text: old.text,
        lines,
        structure: Structure::new(lines.lines.iter().map(|line| line.body(old.text)).collect()),
        kept: vec![false; lines.lines.len()],
        left: BUDGET_BYTES,
        gaps: 1,
    };
    let last = lines.lines.len().saturating_sub(1);
    for line in named(old, lines) {
        choice.add(line);
    }
    let features = LineFeatures::from_text(old.text);
    let is_error = |line: &usize| features.rows.get(*line).is_some_and(|row| row.severity == Severity::Error);
    for line in (0..=last).filter(is_error).take(2) {
        choice.add(line);
    }
    choice.add(0);
    choice.add(last);
    for line in Hits::new(&features, &old.query).best(MAX_GAPS) {
        choice.add(line);
    }
    choice.kept
}

/// Returns the lines with identifiers that the model used later, those with most of them first.
fn named(old: &Old<'_>, lines: &Lines) -> Vec<usize> {
    let words = |line: usize| {
        let text = lines.lines.get(line).map_or("", |line| line.body(old.text));
        old.used.after(old.item, text)
    };
    let mut counts: rustc_hash::FxHashMap<u64, usize> = rustc_hash::FxHashMap::default();
    for line in 0..lines.lines.len() {
        let mut own: Vec<u64> = words(line).collect();
        own.sort_unstable();
        own.dedup();
        for word in own {
            *counts.entry(word).or_default() += 1;
        }
    }
    let common = (lines.lines.len() / MAX_COMMON_RATIO).max(2);
    let tells = |word: &u64| counts.get(word).is_some_and(|count| *count <= common);
    let mut scored: Vec<(usize, usize)> = (0..lines.lines.len())
        .map(|line| (words(line).filter(tells).count(), line))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().take(MAX_NAMED_LINES).map(|(_, line)| line).collect()
}

/// The lines chosen so far.
struct Choice<'c> {
    text: &'c str,
    lines: &'c Lines,
    structure: Structure<'c>,
    kept: Vec<bool>,
    left: usize,
    gaps: usize,
}

impl Choice<'_> {
    /// Adds a line with the headers that it cannot be understood without, if the budget allows all of them.
    fn add(&mut self, line: usize) {
        let (left, gaps) = (self.left, self.gaps);
        let mut chain = vec![line];
        let mut owner = self.structure.owner(line);
        while let Some(line) = owner.filter(|owner| !self.is_kept(*owner)) {
            if chain.len() > MAX_OWNERS {
                return;
            }
            chain.push(line);
            owner = self.structure.owner(line);
        }
        let added: Vec<usize> =
            chain.iter().rev().copied().take_while(|line| self.add_alone(*line)).collect();
        if added.len() < chain.len() {
            (self.left, self.gaps) = (left, gaps);
            for line in added {
                self.set(line, false);
            }
        }
    }

    /// Adds a line if the budget allows it and the gap that it splits. Returns whether it did.
    fn add_alone(&mut self, line: usize) -> bool {
        let Some(row) = self.lines.lines.get(line) else { return false };
        let bytes = row.range().len() + 1;
        let splits =
            !line.checked_sub(1).is_none_or(|before| self.is_kept(before)) && !self.is_kept(line + 1);
        let cost = bytes + if splits { MARKER_BYTES } else { 0 };
        if self.is_kept(line)
            || row.body(self.text).trim().is_empty()
            || bytes > MAX_LINE_BYTES
            || cost > self.left
            || splits && self.gaps >= MAX_GAPS
        {
            return false;
        }
        self.left -= cost;
        self.gaps += usize::from(splits);
        self.set(line, true);
        true
    }

    /// Whether a line stays. Beyond the ends nothing leaves.
    fn is_kept(&self, line: usize) -> bool {
        self.kept.get(line).copied().unwrap_or(true)
    }

    fn set(&mut self, line: usize, kept: bool) {
        if let Some(line) = self.kept.get_mut(line) {
            *line = kept;
        }
    }
}

/// Returns the runs of lines that leave. A run ends where the numbers of its lines do not rise one by one.
fn gaps_of(kept: &[bool], lines: &Lines) -> Vec<Range<usize>> {
    let follows = |line: usize| {
        let number = |line: usize| lines.number_of(line).unwrap_or_default();
        number(line) == number(line.saturating_sub(1)).saturating_add(1)
    };
    let mut gaps: Vec<Range<usize>> = Vec::new();
    for line in (0..kept.len()).filter(|line| kept.get(*line) == Some(&false)) {
        match gaps.last_mut() {
            Some(gap) if gap.end == line && follows(line) => gap.end += 1,
            _ => gaps.push(line..line + 1),
        }
    }
    gaps
}

/// Returns the bytes of these lines without the last line end, and the numbers of the first and the last.
fn bytes_of(text: &str, lines: &Lines, gap: &Range<usize>) -> Option<(Range<usize>, (u32, u32))> {
    let last = gap.end.checked_sub(1)?;
    let (start, end) = (lines.lines.get(gap.start)?.range().start, lines.lines.get(last)?.range().end);
    let body = text.get(start..end)?;
    let end = end - usize::from(body.ends_with('\r'));
    Some((start..end, (lines.number_of(gap.start)?, lines.number_of(last)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, used: &Used, newer: Option<&str>) -> String {
        let kind = ContentKind::Log;
        let old = Old { item: 1, text, kind, used, query: Query::default(), newer, folder: None };
        let mut out = text.to_owned();
        for (bytes, with) in render(&old).into_iter().rev() {
            out.replace_range(bytes, &with);
        }
        out
    }

    fn log() -> String {
        (1..=200).map(|n| format!("2026-01-01 served order_{n} to user {n} within {} ms\n", n * 7)).collect()
    }

    #[test]
    fn lines_that_the_model_used_later_stay() {
        let mut used = Used::default();
        used.add(5, "What happened to order_77?");
        let out = rendered(&log(), &used, None);
        assert!(out.contains("served order_77 to"), "{out}");
        assert!(out.starts_with("2026-01-01 served order_1 ") && out.contains("order_200 to"), "{out}");
        assert!(out.len() <= MAX_LEFT_BYTES, "{}: {out}", out.len());
        assert!(out.contains(" lines 2-76 stored: old; headroom_retrieve]"), "{out}");
        assert!(out.contains("[headroom: also lines 78-199 stored: old]"), "{out}");
    }

    #[test]
    fn of_a_superseded_result_only_the_marker_stays() {
        let out = rendered(&log(), &Used::default(), Some("result 12"));
        assert_eq!(out.lines().count(), 1, "{out}");
        assert!(out.contains(" lines 1-200 stored: old, newer in result 12; headroom_retrieve]"), "{out}");
    }

    #[test]
    fn lines_that_need_the_lines_before_them_leave_together() {
        let mut used = Used::default();
        used.add(5, "status_code of server_2");
        let records: String =
            (0..40).map(|n| format!("  \"server_{n}\": {{\n    \"status_code\": {n}\n  }},\n")).collect();
        for (kind, lines) in [(ContentKind::Json, 1), (ContentKind::Diff, 1), (ContentKind::Table, 1)] {
            let old = Old {
                item: 1,
                text: &records,
                kind,
                used: &used,
                query: Query::default(),
                newer: None,
                folder: None,
            };
            assert_eq!(render(&old).len(), lines, "{kind}");
            assert!(render(&old)[0].0.len() + 1 == records.len(), "{kind}");
        }
    }

    #[test]
    fn a_line_stays_with_the_header_that_it_is_true_of_or_not_at_all() {
        let pods: String = (0..30)
            .map(|n| {
                format!("Name:         pod-{n}\nNode:         node-{}\nState:        waiting_{n}\nRestarts:     {n}\n\n", n % 3)
            })
            .collect();
        let commits: String = (0..30)
            .map(|n| format!("commit {n:040x}\nAuthor: A <a@b.c>\nDate:   Mon\n\n    Mend the fix_{n} of the parser\n\n"))
            .collect();
        for (text, word, header) in [
            (&pods, "waiting_17", "pod-17"),
            (&commits, "fix_17", "0000000000000000000000000000000000000011"),
        ] {
            let mut used = Used::default();
            used.add(5, &format!("What is {word}?"));
            let out = rendered(text, &used, None);
            assert!(!out.contains(word) || out.contains(header), "{out}");
            assert!(out.len() <= MAX_LEFT_BYTES, "{out}");
        }
    }

    #[test]
    fn gaps_name_the_numbers_that_a_view_prints() {
        let view: String = (300..400).map(|n| format!("{n:6}\tlet value_{n} = {n};\n")).collect();
        let out = rendered(&format!("{view}\nEnd of the part.\n"), &Used::default(), Some("result 2"));
        assert!(out.contains(" lines 300-399 stored"), "{out}");
    }

    #[test]
    fn every_form_of_text_is_left_within_the_bound() {
        let long = "x".repeat(50_000);
        let mut used = Used::default();
        used.add(9, &log());
        for text in [
            long.clone(),
            format!("{long}\n{long}"),
            log().replace('\n', "\r\n"),
            "\n".repeat(5_000),
            log() + "[headroom:",
            // Many views of files.
            (0..60).map(|n| format!("part {n}\n   {n}1\tlet a = {n};\n   {n}2\tb\n   {n}3\tc\n")).collect(),
        ] {
            let out = rendered(&text, &used, None);
            assert!(out.len() <= MAX_LEFT_BYTES || out == text, "{out}");
            assert_eq!(out == text, text.contains("[headroom:"));
        }
    }
}
