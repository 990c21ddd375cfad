//! Listings: paths, names in directories, drawn trees.

mod entry;
mod gaps;
mod lift;
pub(super) mod recursive;
#[cfg(test)]
mod tests;

use super::elide::{Gap, Wanted};
use entry::Line;

/// How many of a hundred lines are paths or names.
pub(crate) fn share(text: &str) -> u32 {
    let (mut fit, mut all) = (0_u64, 0_u64);
    for line in text.lines() {
        match Line::of(line) {
            Line::Blank => continue,
            Line::Other => {}
            Line::Path(_) | Line::Name(_) | Line::Branch(..) | Line::Heading(_) => fit += 1,
        }
        all += 1;
    }
    u32::try_from(fit * 100 / all.max(1)).unwrap_or(100)
}

/// The listing with shared directories lifted out, or `None` where that is not shorter. Short lists stay as they are.
pub(crate) fn render(text: &str) -> Option<String> {
    lift::render(text).or_else(|| recursive::render(text).filter(|short| short.len() < text.len()))
}

/// The entries that may be set aside, in order and apart from each other.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, wanted: &Wanted<'_>) -> Vec<Gap> {
    gaps::gaps(text, wanted)
}
