//! Writes replacements into a text.

use std::ops::Range;

/// Returns the text with these ranges replaced, which are in order and do not overlap.
pub(crate) fn replace<'w>(
    text: &str,
    changes: impl Iterator<Item = (Range<usize>, &'w str)> + Clone,
) -> String {
    let added: usize = changes.clone().map(|(_, with)| with.len()).sum();
    let removed: usize = changes.clone().map(|(bytes, _)| bytes.len()).sum();
    let mut output = String::with_capacity((text.len() + added).saturating_sub(removed));
    let mut from = 0;
    for (bytes, with) in changes {
        output.push_str(text.get(from..bytes.start).unwrap_or_default());
        output.push_str(with);
        from = bytes.end;
    }
    output.push_str(text.get(from..).unwrap_or_default());
    output
}
