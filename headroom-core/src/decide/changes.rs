//! Replacements within one text.

use std::ops::Range;

use headroom_json::{Edit, RawOffsets, Text};

use crate::{Transform, text::replace::replace};

/// A replacement in the decoded text.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) bytes: Range<usize>,
    pub(super) with: String,
    pub(super) step: Transform,
}

/// Sorted, non-overlapping changes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) sorted: Vec<Change>,
}

impl Changes {
    /// Whether no change overlaps these bytes.
    pub(super) fn are_off(&self, bytes: &Range<usize>) -> bool {
        let behind = self.sorted.partition_point(|change| change.bytes.end <= bytes.start);
        self.sorted.get(behind).is_none_or(|change| bytes.end <= change.bytes.start)
    }

    /// Adds changes that do not overlap the present ones.
    pub(super) fn merge(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.sorted.extend(changes);
        self.sorted.sort_by_key(|change| change.bytes.start);
    }
}

pub(super) fn apply(text: &str, changes: &[Change]) -> String {
    replace(text, changes.iter().map(|change| (change.bytes.clone(), change.with.as_str())))
}

/// Converts changes of the decoded text, which is `length` bytes long, to edits of the raw string.
pub(super) fn raw_edits(raw: Text<'_>, length: usize, changes: Vec<Change>) -> Option<Vec<Edit>> {
    let mut offsets = RawOffsets::new(raw);
    changes
        .into_iter()
        .map(|change| {
            let start = offsets.at(change.bytes.start)?;
            let is_last = change.bytes.end == length;
            let end = if is_last { raw.raw.len() } else { offsets.at(change.bytes.end)? };
            Some(Edit { start, end, with: change.with })
        })
        .collect()
}
