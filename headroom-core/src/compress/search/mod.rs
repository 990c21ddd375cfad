//! Shortens search results: rows of `path:line:text`, with context rows, headings or counts.

mod elide_path;
pub(crate) mod events;
mod gaps;
#[cfg(test)]
mod tests;

use crate::{compress::Omission, relevance::Query};

/// Returns the result with paths omitted if the row above is of the same file; `None` if that is not shorter.
///
/// In small results only context rows lose their paths.
pub(crate) fn render(text: &str) -> Option<String> {
    elide_path::render(text)
}

/// Whether this is the line that precedes such a result.
pub(crate) fn is_header(line: &str) -> bool {
    line == elide_path::HEADER
}

/// Returns the rows that may be elided, in order and disjoint.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    gaps::gaps(text, query)
}
