//! Chooses lines of a text to elide because the model most likely does not need them.
//!
//! These stay: the first and last lines; lines that match the query; errors and warnings with their context; each rare
//! kind of line, and the first and last of every other kind; lines where the mix of kinds changes; and outliers among
//! the numbers in one position. Everything is done by counting, in linear time.
//!
//! In file reads, less is known about what matters: [`file`] elides only long parts without anything that the query
//! names, and shows the headers of the definitions in them.

mod delimiter;
mod fields;
mod file;
mod passed;
mod records;
mod repeats;
mod select;
mod summary;
#[cfg(test)]
mod tests;
pub(in crate::compress) mod view;

use std::ops::Range;

use super::Omission;

#[cfg(feature = "__code")]
pub(in crate::compress) use file::is_partial;
use repeats::Repeat;
use select::LineSelection;

use crate::{
    records::{RecordScan, Structure},
    relevance::{Query, features::LineFeatures, query::Hits, templates::Templates},
    text::lines,
    tuning::tuning,
};

/// Returns the parts of `text` that may be elided, in order and disjoint.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    scanned_gaps(text, query, None)
}

/// Returns the gaps of a text; `scan` is what is already known of it.
pub(crate) fn scanned_gaps<'t>(
    text: &'t str,
    query: &Query<'_>,
    scan: Option<RecordScan<'t>>,
) -> Vec<Omission> {
    let log = &tuning().log;
    let has_lines = || lines::split(text).nth(log.min_lines - 1).is_some();
    if text.len() < log.min_bytes || u32::try_from(text.len()).is_err() || !has_lines() {
        return Vec::new();
    }
    if query.file_read {
        let features = LineFeatures::from_text(text);
        let hits = Hits::new(&features, query);
        return file::gaps(text, query, &features, &hits);
    }
    // Before the features are in memory, because the search needs much of it for each line.
    let scan = scan.filter(|scan| scan.is_of(text)).unwrap_or_else(|| RecordScan::new(text));
    let structure = Structure::from(scan);
    let features = LineFeatures::from_text(text);
    let hits = Hits::new(&features, query);
    let templates = Templates::from_features(&features);
    let mut same = Vec::new();
    let kept = match structure.as_records() {
        Some(records) => records::kept(&features, &templates, &hits, &structure, records),
        None => {
            let mut kept = LineSelection::new(text, &features, &templates, &hits, &structure).lines;
            same = repeats::repeats(text, &features, &structure);
            elide_repeats(&same, &hits, &mut kept);
            kept
        }
    };
    drop(hits);
    let is_big = |lines: &Range<usize>| {
        bytes(text, &features, lines).is_some_and(|bytes| is_worth_a_marker(bytes.len(), lines.len()))
    };
    let gap = |lines: Range<usize>| {
        let of_lines = |lines| summary::summary(text, &features, &templates, lines);
        let repeat = same
            .binary_search_by_key(&lines.start, |repeat| repeat.lines.start)
            .ok()
            .and_then(|at| same.get(at))
            .filter(|repeat| repeat.lines == lines)
            .map(Repeat::summary);
        let summary = repeat.or_else(|| structure.describe(&lines)).unwrap_or_else(|| {
            let rest = of_lines(lines.clone());
            match structure.sections_in(&lines) {
                Some(sections) if rest.is_empty() => sections,
                Some(sections) => format!("{rest}; {sections}"),
                None => rest,
            }
        });
        Some(Omission {
            range: bytes(text, &features, &lines)?,
            first: u32::try_from(lines.start + 1).ok()?,
            last: u32::try_from(lines.end).ok()?,
            summary,
        })
    };
    structure.settle(kept, is_big).into_iter().filter_map(gap).collect()
}

/// Keeps the first of repeated lines and elides the others, except what the query names.
fn elide_repeats(same: &[Repeat], hits: &Hits, kept: &mut [bool]) {
    let mut named = vec![false; kept.len()];
    for line in hits.named() {
        if let Some(named) = named.get_mut(line) {
            *named = true;
        }
    }
    for repeat in same {
        // The end of a text stays.
        let is_last = repeat.lines.end + tuning().log.tail_lines > kept.len();
        let is_shown = kept.get(repeat.lines.clone()).is_some_and(|kept| kept.contains(&true));
        if is_last || !is_shown || named.get(repeat.lines.clone()).is_some_and(|named| named.contains(&true))
        {
            continue;
        }
        kept.get_mut(repeat.of..repeat.of + repeat.lines.len()).unwrap_or_default().fill(true);
        kept.get_mut(repeat.lines.clone()).unwrap_or_default().fill(false);
    }
}

/// Whether a gap of this size may save more than its marker costs.
pub(super) fn is_worth_a_marker(bytes: usize, lines: usize) -> bool {
    let log = &tuning().log;
    bytes >= log.min_gap_bytes && (lines >= log.min_gap_lines || bytes >= log.long_gap_bytes && lines > 1)
}

/// Returns how many lines of a text may stay for being among the best matches of the query.
fn best_matches(lines: usize) -> usize {
    (lines / tuning().log.lines_per_match).max(tuning().log.min_best_matches)
}

/// Returns the bytes of these lines, without the last line end.
fn bytes(text: &str, features: &LineFeatures, lines: &Range<usize>) -> Option<Range<usize>> {
    let first = features.rows.get(lines.start)?;
    let last = features.rows.get(lines.end.checked_sub(1)?)?;
    let end = last.end as usize - usize::from(last.text(text).ends_with('\r'));
    Some(first.start as usize..end)
}

/// Returns the maximal runs of lines that are not kept.
fn runs(kept: &[bool]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    kept.chunk_by(|a, b| a == b).filter_map(move |chunk| {
        let lines = at..at + chunk.len();
        at = lines.end;
        (chunk.first() == Some(&false)).then_some(lines)
    })
}
