//! Shortens listings: paths, names in directories, drawn trees.

mod common_prefix;
mod gaps;
pub(super) mod recursive;
#[cfg(test)]
mod tests;

use crate::{compress::Omission, relevance::Query};

/// Returns the listing with shared directories written once; `None` if that is not shorter. Short lists are left alone.
pub(crate) fn render(text: &str) -> Option<String> {
    common_prefix::render(text).or_else(|| recursive::render(text).filter(|short| short.len() < text.len()))
}

/// Returns the entries that may be elided, in order and disjoint.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    gaps::gaps(text, query)
}
