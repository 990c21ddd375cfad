//! Removes dispensable words from sentences.

use std::ops::Range;

use crate::{
    Handle, Original,
    text::marker::{self, RowElision},
    tuning::tuning,
};

/// A text without some of its words, with the original.
#[derive(Clone, Debug)]
pub(crate) struct PrunedText {
    pub(crate) text: String,
    pub(crate) original: Original,
}

/// Removes these bytes from the text, and adds a marker in front that gives the number of omitted words.
///
/// `folder` is the folder of plain-text originals, if any. Returns `None` if there is too little to omit, or if the
/// text already holds something like a marker.
pub(crate) fn prune(text: &str, left_out: &[Range<usize>], folder: Option<&str>) -> Option<PrunedText> {
    if text.contains(marker::OPENING) {
        return None;
    }
    let count = |text: &str| text.split_whitespace().count();
    let mut rest = String::with_capacity(text.len());
    let (mut from, mut aside) = (0, 0);
    for range in left_out {
        aside += count(text.get(range.clone())?);
        rest.push_str(text.get(from..range.start)?);
        from = range.end;
    }
    rest.push_str(text.get(from..)?);
    if aside < tuning().prose.min_pruned_words {
        return None;
    }
    let handle = Handle::from_content(text);
    let marker = RowElision {
        handle,
        aside,
        of: count(text),
        what: "words",
        place: "",
        summary: "left out of the lines below",
        folder,
    };
    let original = Original::with_handle(handle, text.to_owned());
    Some(PrunedText { text: format!("{marker}\n{rest}"), original })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_left_out_behind_a_marker() {
        let text = "the keeper lit the lamp\n".repeat(12);
        let the: Vec<_> = text.match_indices("the ").map(|(at, word)| at..at + word.len()).collect();
        let condensed = prune(&text, &the, None).unwrap();
        let (marker, rest) = condensed.text.split_once('\n').unwrap();
        assert_eq!(rest, "keeper lit lamp\n".repeat(12));
        let read = RowElision::parse(marker).unwrap();
        assert_eq!((read.aside, read.of, read.what), (24, 60, "words"));
        assert_eq!(condensed.original.content(), text);
        assert_eq!(read.handle, condensed.original.handle());
    }

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "there is one")]
    fn few_words_and_texts_with_markers_stay() {
        assert!(prune("one two three", &[0..4], None).is_none());
        let text = format!("{} x]\n{}", marker::OPENING, "the ".repeat(40));
        let from = text.find("the").unwrap();
        assert!(prune(&text, &[from..text.len() - 1], None).is_none());
        assert!(prune("one", &[2..9], None).is_none());
    }
}
