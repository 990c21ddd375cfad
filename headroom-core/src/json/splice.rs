//! Splices edits into a body. All rewritten bodies are written here.

use crate::json::text::escape_into;

/// A replacement of a part of one JSON string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Start of the replaced range, as an offset into the string's raw content.
    pub(crate) start: usize,
    /// End of the replaced range, exclusive.
    pub(crate) end: usize,
    /// The replacement, not yet escaped.
    pub(crate) with: String,
}

/// Applies edits to a body. Each item of `edits` is the offset of a string's content in `body` and an edit of that
/// string; they must be sorted and must not overlap. `insert` is inserted verbatim at its offset, outside all edits.
/// Returns `None` if any of this is violated.
pub(crate) fn splice<'e>(
    body: &str,
    edits: impl Iterator<Item = (usize, &'e Edit)> + Clone,
    mut insert: Option<(usize, &str)>,
) -> Option<Vec<u8>> {
    let added: usize = edits.clone().map(|(_, edit)| edit.with.len() + edit.with.len() / 16).sum::<usize>()
        + insert.map_or(0, |(_, text)| text.len());
    let removed: usize = edits.clone().map(|(_, edit)| edit.end.saturating_sub(edit.start)).sum();
    let mut out = Vec::with_capacity((body.len() + added).saturating_sub(removed));
    let mut from = 0;
    for (base, edit) in edits {
        if let Some((at, text)) = insert.take_if(|(at, _)| *at <= base + edit.start) {
            out.extend_from_slice(body.get(from..at)?.as_bytes());
            out.extend_from_slice(text.as_bytes());
            from = at;
        }
        out.extend_from_slice(body.get(from..base + edit.start)?.as_bytes());
        escape_into(&edit.with, &mut out);
        from = base + edit.end;
        if edit.end < edit.start {
            return None;
        }
    }
    if let Some((at, text)) = insert {
        out.extend_from_slice(body.get(from..at)?.as_bytes());
        out.extend_from_slice(text.as_bytes());
        from = at;
    }
    out.extend_from_slice(body.get(from..)?.as_bytes());
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
        let edits = [(2, edit(0, 1, "\"x\"\n")), (2, edit(2, 2, "y")), (8, edit(0, 3, ""))];
        let body =
            splice(r#"["abc","def"]"#, edits.iter().map(|(base, edit)| (*base, edit)), Some((1, "1,")))
                .unwrap();
        assert_eq!(String::from_utf8(body).unwrap(), r#"[1,"\"x\"\nbyc",""]"#);
    }

    #[test]
    fn refuses_edits_that_overlap_or_lie_outside() {
        for edits in [
            [edit(0, 2, ""), edit(1, 3, "")],
            [edit(2, 3, ""), edit(0, 1, "")],
            [edit(0, 1, ""), edit(9, 99, "")],
        ] {
            assert_eq!(splice("0123456789", edits.iter().map(|edit| (0, edit)), None), None);
        }
    }
}
