//! Which lines of a text may be set aside, because the model most likely does not need them.
//!
//! What stays: the first and the last lines; lines that hold what the question or the call named; errors, warnings
//! and what stands around them; each kind of line that is rare, and of the others the first and the last; lines
//! where the mix of kinds changes; numbers far from the others in their place. All by counting, in linear time.
//!
//! In a file that was read, less is known about what matters: [`file`] sets aside only long parts that hold nothing
//! of what was named, and shows the headers of what is defined there.

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

/// Texts with fewer bytes or lines are small enough as they are.
const MIN_BYTES: usize = 2048;
const MIN_LINES: usize = 30;
/// A marker costs about as much as this much text.
const MIN_GAP_BYTES: usize = 300;
const MIN_GAP_LINES: usize = 6;
/// Fewer lines are set aside where they are this long.
const LONG_GAP_BYTES: usize = 400;

/// The parts of `text` that may be set aside, in order and apart from each other.
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

/// The bytes of these lines, without the last line end.
fn bytes(text: &str, features: &LineFeatures, lines: &Range<usize>) -> Option<Range<usize>> {
    let first = features.rows.get(lines.start)?;
    let last = features.rows.get(lines.end.checked_sub(1)?)?;
    let end = last.end as usize - usize::from(last.text(text).ends_with('\r'));
    Some(first.start as usize..end)
}

/// The longest runs of lines that are not kept.
fn runs(kept: &[bool]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    kept.chunk_by(|a, b| a == b).filter_map(move |chunk| {
        let lines = at..at + chunk.len();
        at = lines.end;
        (chunk.first() == Some(&false)).then_some(lines)
    })
}
