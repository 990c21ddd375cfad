//! Splits texts into words, and computes the bytes of those left out.

use std::ops::Range;

/// A run of characters without white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) range: Range<usize>,
    /// Its line, counted from zero.
    pub(super) line: usize,
}

/// Splits a text into words, in order.
pub(super) fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut from = 0;
    for (line, row) in text.split_inclusive(['\n', '\r']).enumerate() {
        words.extend(row.split_whitespace().map(|word| {
            // The offset of a slice is the difference of the two addresses.
            let start = from + (word.as_ptr().addr() - row.as_ptr().addr());
            Word { range: start..start + word.len(), line }
        }));
        from += row.len();
    }
    words
}

/// Returns the bytes to remove with the words that are not kept: up to the next word of the same line, or from the
/// previous one.
pub(super) fn left_out(words: &[Word], kept: &[bool]) -> Vec<Range<usize>> {
    let is_kept = |at: usize| kept.get(at) != Some(&false);
    let mut ranges = Vec::new();
    let mut at = 0;
    for run in words.chunk_by(|a, b| a.line == b.line) {
        let mut before: Option<&Word> = None;
        let mut start = None;
        for word in run {
            match (is_kept(at), start) {
                (true, Some(from)) => ranges.push(from..word.range.start),
                (false, None) => start = Some(word.range.start),
                _ => {}
            }
            if is_kept(at) {
                (before, start) = (Some(word), None);
            }
            at += 1;
        }
        if let (Some(from), Some(last)) = (start, run.last()) {
            ranges.push(before.map_or(from, |word| word.range.end)..last.range.end);
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text without the words at these places.
    fn without(text: &str, places: &[usize]) -> String {
        let words = split(text);
        let kept: Vec<bool> = (0..words.len()).map(|at| !places.contains(&at)).collect();
        let mut rest = text.to_owned();
        for range in left_out(&words, &kept).into_iter().rev() {
            rest.replace_range(range, "");
        }
        rest
    }

    #[test]
    fn words_go_with_the_space_on_one_side() {
        assert_eq!(without("a b c\n d e\n", &[1]), "a c\n d e\n");
        assert_eq!(without("a b c\n d e\n", &[0, 1]), "c\n d e\n");
        assert_eq!(without("a b c\n d e\n", &[2, 3]), "a b\n e\n");
        assert_eq!(without("a b c\r\n\r\nd", &[0, 1, 2]), "\r\n\r\nd");
        assert_eq!(without("a b c", &[1, 2]), "a");
        assert_eq!(without("  a  ", &[0]), "    ");
        assert_eq!(without("", &[]), "");
    }

    proptest! {
        #[test]
        fn lines_and_kept_words_survive(
            text in "([a-z]{1,4}|é|日本|[ \t]{1,3}|\r\n|\n|\u{a0}|\u{2028}){0,60}",
            seed in any::<u64>(),
        ) {
            let words = split(&text);
            prop_assert_eq!(
                words.iter().map(|word| &text[word.range.clone()]).collect::<Vec<_>>(),
                text.split_whitespace().collect::<Vec<_>>()
            );
            let places: Vec<usize> = (0..words.len()).filter(|at| seed >> (at % 64) & 1 == 1).collect();
            let rest = without(&text, &places);
            prop_assert_eq!(text.matches('\n').count(), rest.matches('\n').count());
            prop_assert_eq!(text.matches('\r').count(), rest.matches('\r').count());
            let kept: Vec<&str> = (0..words.len())
                .filter(|at| !places.contains(at))
                .map(|at| &text[words[at].range.clone()])
                .collect();
            prop_assert_eq!(rest.split_whitespace().collect::<Vec<_>>(), kept);
        }
    }
}
