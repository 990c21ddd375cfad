//! Completes a selection of lines: what a line needs stays with it, and gaps end where records and sections do.

use std::ops::Range;

use super::{LineTraits, Record, RecordKind, Structure, cells, group, within};

/// Maximum number of rounds in which lines are added.
const MAX_ROUNDS: usize = 8;

impl Structure<'_> {
    /// Returns the runs of lines that are not kept and save tokens, none of which begins in one record or section and
    /// ends in another.
    ///
    /// Keeps the owners of kept lines and the names of their records. `pays` says whether a run saves tokens.
    pub(crate) fn settle(
        &self,
        mut kept: Vec<bool>,
        pays: impl Fn(&Range<usize>) -> bool,
    ) -> Vec<Range<usize>> {
        if self.is_unclear {
            return Vec::new();
        }
        let edges = self.edges();
        let mut closed = vec![false; kept.len()];
        for _ in 0..MAX_ROUNDS {
            self.close(&mut kept, &mut closed);
            let runs = split(&kept, &edges);
            let (found, short): (Vec<_>, Vec<_>) = runs.into_iter().partition(&pays);
            if short.is_empty() {
                return found;
            }
            for run in short {
                kept.get_mut(run).unwrap_or_default().fill(true);
            }
        }
        Vec::new()
    }

    /// Keeps what the kept lines need.
    fn close(&self, kept: &mut [bool], closed: &mut [bool]) {
        let mut open: Vec<usize> = Vec::new();
        for line in 0..kept.len() {
            if kept.get(line) == Some(&true) {
                open.push(line);
            }
            while let Some(line) = open.pop() {
                let Some(closed) = closed.get_mut(line).filter(|closed| !**closed) else { continue };
                *closed = true;
                if let Some(kept) = kept.get_mut(line) {
                    *kept = true;
                }
                if self.traits(line).has(LineTraits::BLANK) {
                    continue;
                }
                open.extend(self.owner(line));
                open.extend(cells::row_at(&self.rows, line).into_iter().flatten());
                for record in
                    [record_at(&self.records, line), record_at(&self.inner, line)].into_iter().flatten()
                {
                    open.push(record.lines.start);
                    open.extend(record.names.iter().map(|name| name.line));
                    open.extend(record.explained.clone().into_iter().flatten());
                }
            }
        }
    }

    /// Marks the lines at which a record or a section starts, or a record has ended.
    fn edges(&self) -> Vec<bool> {
        let mut edges = vec![false; self.traits.len()];
        let mut mark = |line: usize| {
            if let Some(edge) = edges.get_mut(line) {
                *edge = true;
            }
        };
        for record in self.records.iter().chain(&self.inner) {
            mark(record.lines.start);
            mark(record.lines.end);
        }
        for heading in self.headings.iter().filter(|heading| heading.is_sure) {
            // A rule or an empty line above a header belongs to it.
            let opens = |line: &usize| self.traits(*line).has(LineTraits::BLANK | LineTraits::RULE);
            let above = heading.line.checked_sub(1).filter(opens);
            mark(above.unwrap_or(heading.line));
        }
        edges
    }

    /// Says how many records these lines hold whole, and names them.
    pub(crate) fn describe(&self, run: &Range<usize>) -> Option<String> {
        let whole = within(&self.records, run);
        let records = if whole.is_empty() { within(&self.inner, run) } else { whole };
        if let Some(first) = records.first() {
            let labels: Vec<String> = records.iter().map(Record::label).collect();
            let own = (first.kind == RecordKind::Group).then(|| group::noun(&labels)).flatten();
            let noun = own.unwrap_or_else(|| first.kind.noun(records.len()).to_owned());
            let has_names = labels.iter().any(|label| !label.is_empty());
            let names = if has_names { format!(": {}", names::listed(&labels)) } else { String::new() };
            return Some(format!("{} {noun}{names}", records.len()));
        }
        None
    }

    /// Says how many sections begin in these lines, and names them if that is short.
    pub(crate) fn sections_in(&self, run: &Range<usize>) -> Option<String> {
        let start = self.headings.partition_point(|heading| heading.line < run.start);
        let headings = self.headings.get(start..).unwrap_or_default();
        let headings =
            headings.get(..headings.partition_point(|heading| heading.line < run.end)).unwrap_or_default();
        let headings = headings.iter().filter(|heading| heading.is_sure);
        let labels: Vec<String> = headings.map(|heading| heading.name.to_owned()).collect();
        let noun = if labels.len() == 1 { "part" } else { "parts" };
        (!labels.is_empty()).then(|| format!("{} {noun}: {}", labels.len(), names::listed(&labels)))
    }
}

/// Returns the record that a line belongs to.
fn record_at<'r, 't>(records: &'r [Record<'t>], line: usize) -> Option<&'r Record<'t>> {
    let at = records.partition_point(|record| record.lines.end <= line);
    records.get(at).filter(|record| record.lines.contains(&line))
}

/// Returns the maximal runs of lines that are not kept, cut at the first edge within each.
fn split(kept: &[bool], edges: &[bool]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut at = 0;
    for chunk in kept.chunk_by(|a, b| a == b) {
        let lines = at..at + chunk.len();
        at = lines.end;
        if chunk.first() != Some(&false) {
            continue;
        }
        let is_edge = |line: &usize| edges.get(*line) == Some(&true);
        let starts_at_edge = is_edge(&lines.start);
        match (lines.start + 1..lines.end).find(is_edge).filter(|_| !starts_at_edge) {
            Some(edge) => runs.extend([lines.start..edge, edge..lines.end]),
            None => runs.push(lines),
        }
    }
    runs
}

/// Lists of names.
mod names {
    use crate::tuning::tuning;

    /// Lists names, as many as are short; those that a marker cannot hold lose a character.
    pub(super) fn listed(labels: &[String]) -> String {
        let shared = shared(labels);
        let mut out = shared.replace(['[', ']', '\t'], " ");
        let rest = labels.iter().map(|label| label.get(shared.len()..).unwrap_or(label));
        let rest: Vec<&str> = rest.collect();
        if let Some(range) = consecutive(&rest) {
            return format!("{out}{range}");
        }
        for (at, label) in rest.into_iter().take(tuning().records.max_labels).enumerate() {
            if at > 0 {
                out.push_str(if label.contains(", ") { "; " } else { ", " });
            }
            let length = label.chars().count();
            let safe = label.chars().map(|c| match c {
                '[' => '(',
                ']' => ')',
                c if c.is_control() => ' ',
                c => c,
            });
            out.extend(safe.take(tuning().records.max_label_chars));
            if length > tuning().records.max_label_chars {
                out.push('…');
            }
        }
        if labels.len() > tuning().records.max_labels {
            out.push_str(&format!(" and {} more", labels.len() - tuning().records.max_labels));
        }
        out
    }

    /// Writes numbers that follow each other as a range.
    fn consecutive(labels: &[&str]) -> Option<String> {
        let (first, last) = (labels.first()?, labels.last()?);
        let from: u64 = first.parse().ok().filter(|_| labels.len() >= tuning().records.min_numbers)?;
        let is = |number: u64, label: &&str| **label == number.to_string();
        let rise = (from..).zip(labels).all(|(number, label)| is(number, label));
        let fall = (0..=from).rev().zip(labels).all(|(number, label)| is(number, label));
        (rise || fall && from + 1 >= labels.len() as u64).then(|| format!("{first}-{last}"))
    }

    /// Returns the words that all labels start with, such as the key of an id.
    fn shared(labels: &[String]) -> &str {
        let Some(first) = labels.first().filter(|_| labels.len() > 1) else { return "" };
        let mut end = first.len();
        for label in labels.iter().skip(1) {
            let same = first.bytes().zip(label.bytes()).take_while(|(a, b)| a == b).count();
            end = end.min(same).min(label.len().saturating_sub(1));
        }
        let same = first.as_bytes().get(..end).unwrap_or_default();
        let end = same.iter().rposition(|byte| matches!(byte, b' ' | b'\t')).map_or(0, |space| space + 1);
        first.get(..end).unwrap_or_default()
    }
}
