//! Chooses whole records of a text to elide: commits, vertical rows, items of YAML lists, resources of a plan.
//!
//! These stay: the first and last records; records with a line that the query names; records with trouble, with a rare
//! value or a rare key, and with outliers among the numbers of a key. Of long records that stay, some lines go.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::fields::FieldTable;
use crate::{
    records::{Record, RecordKind, Structure},
    relevance::{
        features::{LineFeatures, Row},
        query::Hits,
        severity::Severity,
        templates::Templates,
    },
    tuning::tuning,
};

/// Returns the lines that stay.
pub(super) fn kept(
    features: &LineFeatures,
    templates: &Templates<'_>,
    hits: &Hits,
    structure: &Structure<'_>,
    records: &[Record<'_>],
) -> Vec<bool> {
    let count = records.len();
    let mut stays: Vec<bool> = (0..count)
        .map(|at| at < tuning().log_records.head_records || at + tuning().log_records.tail_records >= count)
        .collect();
    let mut named = vec![false; features.rows.len()];
    // A term that many records have tells none of them from the others.
    let numbers = &tuning().log_records;
    let few = (count / numbers.records_per_term).max(numbers.min_records_of_term).min(count / 2);
    let most = (count / numbers.records_per_match).max(numbers.min_best_matches).min(count / 2);
    for line in hits.named_within(few, few).chain(hits.best(most)) {
        if let Some(named) = named.get_mut(line) {
            *named = true;
        }
    }
    let has = |lines: &Range<usize>, marks: &[bool]| {
        marks.get(lines.clone()).is_some_and(|marks| marks.contains(&true))
    };
    for (record, stays) in records.iter().zip(&mut stays) {
        *stays |= has(&record.lines, &named);
    }
    if records.first().is_some_and(|record| record.kind != RecordKind::Commit) {
        severe(features, records, &mut stays);
        let templates = records.first().filter(|record| record.kind == RecordKind::Group).map(|_| templates);
        FieldTable::new(structure, records, templates).choose(&mut stays);
        if let Some(templates) = templates {
            kinds(templates, records, &mut stays);
        }
    }
    for (before, after) in structure.silences() {
        let sides = [*before, *after].map(|line| record_of(records, line as usize));
        keep(&mut stays, sides.into_iter().flatten());
    }
    let mut kept = vec![true; features.rows.len()];
    for (record, stays) in records.iter().zip(stays) {
        let lines = kept.get_mut(record.lines.clone()).unwrap_or_default();
        lines.fill(stays);
        if stays && lines.len() > tuning().log_records.max_lines {
            shorten(features, structure, record, &named, &mut kept);
        }
    }
    between(structure, records, &mut kept);
    kept
}

/// Elides the middle of a long record, but for what the query names and errors. Groups within it go or stay as a whole.
fn shorten(
    features: &LineFeatures,
    structure: &Structure<'_>,
    record: &Record<'_>,
    named: &[bool],
    kept: &mut [bool],
) {
    let stays = |line: usize| {
        let is_error = |row: &Row| row.severity == Severity::Error;
        named.get(line) == Some(&true) || features.rows.get(line).is_some_and(is_error)
    };
    let shown = tuning().log_records.shown_lines / 2;
    let middle = record.lines.start + shown..record.lines.end.saturating_sub(shown);
    let inner = structure.inner(record);
    let is_within = |lines: &Range<usize>| middle.start <= lines.start && lines.end <= middle.end;
    if inner.is_empty() {
        for line in middle {
            if let Some(kept) = kept.get_mut(line) {
                *kept = stays(line);
            }
        }
        return;
    }
    for lines in inner.iter().map(|group| &group.lines).filter(|lines| is_within(lines)) {
        if !lines.clone().any(stays) {
            kept.get_mut(lines.clone()).unwrap_or_default().fill(false);
        }
    }
    between(structure, inner, kept);
}

/// Keeps the first record of each kind of head, such as a message of a compiler, unless there are many kinds.
fn kinds(templates: &Templates<'_>, records: &[Record<'_>], stays: &mut [bool]) {
    let mut known: FxHashSet<u32> = FxHashSet::default();
    let head = |record: &Record<'_>| templates.of.get(record.lines.start).copied();
    let firsts: Vec<u32> = (0_u32..)
        .zip(records)
        .filter(|(_, record)| head(record).is_some_and(|kind| known.insert(kind)))
        .map(|(at, _)| at)
        .collect();
    if firsts.len()
        <= (records.len() / tuning().log_records.records_per_value).min(tuning().log_records.max_rare)
    {
        keep(stays, firsts.into_iter());
    }
}

/// Returns the number of the record with this line.
fn record_of(records: &[Record<'_>], line: usize) -> Option<u32> {
    let at = records.partition_point(|record| record.lines.end <= line);
    records.get(at).filter(|record| record.lines.contains(&line)).and_then(|_| u32::try_from(at).ok())
}

/// Elides the lines between records that say nothing behind an elided one, and the lines that tell what elided records
/// belong to. Where such a line tells of one that stays, it stays with that.
fn between(structure: &Structure<'_>, records: &[Record<'_>], kept: &mut [bool]) {
    for pair in records.windows(2) {
        let [before, after] = pair else { continue };
        if kept.get(before.lines.start) == Some(&false) {
            for line in before.lines.end..after.lines.start {
                let says = structure.body(line).contains(char::is_alphanumeric);
                if let Some(kept) = kept.get_mut(line).filter(|_| !says) {
                    *kept = false;
                }
            }
        }
    }
    for record in records {
        if let Some(kept) = record.context.and_then(|line| kept.get_mut(line)) {
            *kept = false;
        }
    }
}

/// Keeps records with errors, unless many have some.
fn severe(features: &LineFeatures, records: &[Record<'_>], stays: &mut [bool]) {
    let has_error = |record: &Record<'_>| {
        let rows = features.rows.get(record.lines.clone()).unwrap_or_default();
        rows.iter().any(|row| row.severity == Severity::Error)
    };
    let numbers = &tuning().log_records;
    let severe: Vec<usize> =
        records.iter().zip(0..).filter(|(record, _)| has_error(record)).map(|(_, at)| at).collect();
    if severe.len() <= (records.len() / numbers.records_per_error).max(numbers.min_errors) {
        for at in severe {
            if let Some(stays) = stays.get_mut(at) {
                *stays = true;
            }
        }
    }
}

pub(super) fn keep(stays: &mut [bool], records: impl Iterator<Item = u32>) {
    for record in records {
        if let Some(stays) = stays.get_mut(record as usize) {
            *stays = true;
        }
    }
}
