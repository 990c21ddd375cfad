//! Writes edits into a text. All of it outside the edits stays byte for byte.

use std::ops::Range;

use crate::text::escape_into;

/// A replacement of a part of one JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Start of the replaced range, as an offset into the string's raw content.
    pub start: usize,
    /// End of the replaced range, exclusive.
    pub end: usize,
    /// The replacement, not yet escaped.
    pub with: String,
}

impl Edit {
    /// Returns the edit of the text in which the content of the string starts at `base`, for [`splice`].
    #[must_use]
    pub fn at(&self, base: usize) -> (Range<usize>, Replacement<'_>) {
        (base + self.start..base + self.end, Replacement::Text(&self.with))
    }
}

/// What replaces a range of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement<'a> {
    /// A part of the content of a JSON string; it is escaped.
    Text(&'a str),
    /// JSON; it is written as it is.
    Json(&'a str),
}

impl<'a> Replacement<'a> {
    const fn as_str(self) -> &'a str {
        match self {
            Self::Text(text) | Self::Json(text) => text,
        }
    }
}

/// Replaces ranges of a text. They must be in order and must not overlap; an empty range is an insertion.
///
/// Returns `None` if that is violated, or if a range lies outside the text or splits a character.
///
/// ```
/// use headroom_json::{Replacement::{Json, Text}, splice};
///
/// let edits = [(1..1, Json("1,")), (2..5, Text("a \"b\""))];
/// assert_eq!(splice(r#"["old"]"#, &edits).as_deref(), Some(r#"[1,"a \"b\""]"#));
/// assert_eq!(splice("[]", &[(1..9, Json(""))]), None);
/// ```
#[must_use]
pub fn splice(text: &str, edits: &[(Range<usize>, Replacement<'_>)]) -> Option<String> {
    let added = |(_, with): &(_, Replacement<'_>)| with.as_str().len() + with.as_str().len() / 16;
    let removed: usize = edits.iter().map(|(range, _)| range.len()).sum();
    let added: usize = edits.iter().map(added).sum();
    let mut out = String::with_capacity((text.len() + added).saturating_sub(removed));
    let mut from = 0;
    for (range, with) in edits {
        out.push_str(text.get(from..range.start)?);
        match with {
            Replacement::Text(text) => escape_into(text, &mut out),
            Replacement::Json(json) => out.push_str(json),
        }
        if range.end < range.start {
            return None;
        }
        from = range.end;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, end: usize, with: &str) -> Edit {
        Edit { start, end, with: with.to_owned() }
    }

    #[test]
    fn replaces_and_escapes() {
        let edits = [edit(0, 1, "\"x\"\n"), edit(2, 2, "y"), edit(0, 3, "")];
        let [first, second, third] = &edits;
        let edits = [(1..1, Replacement::Json("1,")), first.at(2), second.at(2), third.at(8)];
        assert_eq!(splice(r#"["abc","def"]"#, &edits).unwrap(), r#"[1,"\"x\"\nbyc",""]"#);
    }

    #[test]
    fn refuses_edits_that_overlap_or_lie_outside() {
        for edits in [
            [edit(0, 2, ""), edit(1, 3, "")],
            [edit(2, 3, ""), edit(0, 1, "")],
            [edit(0, 1, ""), edit(9, 99, "")],
            [edit(0, 1, ""), edit(5, 4, "")],
        ] {
            assert_eq!(splice("0123456789", &edits.each_ref().map(|edit| edit.at(0))), None);
        }
    }

    #[test]
    fn without_edits_nothing_changes() {
        assert_eq!(splice("{ }", &[]).as_deref(), Some("{ }"));
    }
}
