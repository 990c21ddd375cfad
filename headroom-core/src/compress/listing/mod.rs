//! Shortens listings: paths, names in directories, drawn trees.

mod common_prefix;
mod entry;
mod gaps;
pub(super) mod recursive;
#[cfg(test)]
mod tests;

use crate::{compress::Omission, relevance::Query};
use entry::ListingLine;

/// Returns the percentage of lines that are paths or names.
pub(crate) fn share(text: &str) -> u32 {
    let (mut fit, mut all) = (0_u64, 0_u64);
    for line in text.lines() {
        match ListingLine::parse(line) {
            ListingLine::Blank => continue,
            ListingLine::Other => {}
            ListingLine::Path(_)
            | ListingLine::Name(_)
            | ListingLine::Branch(..)
            | ListingLine::Heading(_) => fit += 1,
        }
        all += 1;
    }
    u32::try_from(fit * 100 / all.max(1)).unwrap_or(100)
}

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
