//! Chooses lines of a text to elide because the model most likely does not need them.
//!
//! These stay: the first and last lines; lines that match the query; errors and warnings with their context; each rare
//! kind of line, and the first and last of every other kind; lines where the mix of kinds changes; and outliers among
//! the numbers in one position. Everything is done by counting, in linear time.
//!
//! In file reads, less is known about what matters: [`file`] elides only long parts without anything that the query
//! names, and shows the headers of the definitions in them.

mod file;
mod select;
mod summary;
#[cfg(test)]
mod tests;
pub(in crate::compress) mod view;

use std::ops::Range;

use super::Omission;

#[cfg(feature = "__code")]
pub(in crate::compress) use file::is_partial;
use select::LineSelection;

use crate::relevance::{Query, features::LineFeatures, query::Hits, templates::Templates};

/// Smaller texts are left alone.
const MIN_BYTES: usize = 2048;
const MIN_LINES: usize = 30;
/// A marker costs about as much as this much text.
const MIN_GAP_BYTES: usize = 300;
const MIN_GAP_LINES: usize = 6;
/// Runs of at least this many bytes may be elided with fewer lines.
const LONG_GAP_BYTES: usize = 400;

/// Returns the parts of `text` that may be elided, in order and disjoint.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    if text.len() < MIN_BYTES || u32::try_from(text.len()).is_err() {
        return Vec::new();
    }
    let features = LineFeatures::from_text(text);
    if features.rows.len() < MIN_LINES {
        return Vec::new();
    }
    let hits = Hits::new(&features, query);
    if query.file_read {
        return file::gaps(text, query, &features, &hits);
    }
    let templates = Templates::from_features(&features);
    let keep = LineSelection::new(text, &features, &templates, &hits);
    drop(hits);
    let big_enough = |gap: &Range<usize>, bytes: usize| {
        bytes >= MIN_GAP_BYTES && (gap.len() >= MIN_GAP_LINES || bytes >= LONG_GAP_BYTES && gap.len() > 1)
    };
    runs(&keep.lines)
        .filter_map(|lines| {
            let range = bytes(text, &features, &lines)?;
            if !big_enough(&lines, range.len()) {
                return None;
            }
            let first = u32::try_from(lines.start + 1).ok()?;
            let last = u32::try_from(lines.end).ok()?;
            Some(Omission {
                range,
                first,
                last,
                summary: summary::summary(text, &features, &templates, lines),
            })
        })
        .collect()
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
