//! Splits words into windows that the model can read at once.

use std::ops::Range;

/// Maximum number of words in a window, as in the model's training.
const MAX_WORDS: usize = 350;

/// A range of word indices.
pub(super) type Window = Range<usize>;

/// Splits a text, given the tokens of each word, into windows that are as large as `room` tokens allow.
///
/// The windows cover every word except those with more tokens than `room`.
pub(super) fn split(words: &[Vec<i32>], room: usize) -> Vec<Window> {
    let mut windows = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, tokens) in words.iter().enumerate() {
        let fits = tokens.len() <= room;
        if !fits || at - start == MAX_WORDS || used + tokens.len() > room {
            windows.push(start..at);
            (start, used) = (at, 0);
        }
        if fits {
            used += tokens.len();
        } else {
            start = at + 1;
        }
    }
    windows.push(start..words.len());
    windows.retain(|window| !window.is_empty());
    windows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(lengths: &[usize]) -> Vec<Vec<i32>> {
        lengths.iter().map(|length| vec![1; *length]).collect()
    }

    #[test]
    fn windows_end_where_words_or_tokens_do() {
        assert_eq!(split(&words(&[1; 701]), 510), [0..350, 350..700, 700..701]);
        assert_eq!(split(&words(&[200, 200, 200, 110, 1]), 510), [0..2, 2..5]);
        assert_eq!(split(&words(&[5, 511, 5]), 510), [0..1, 2..3]);
        assert!(split(&words(&[511]), 510).is_empty());
        assert!(split(&words(&[]), 510).is_empty());
    }

    proptest! {
        #[test]
        fn every_word_that_fits_is_in_one_window(
            lengths in proptest::collection::vec(prop_oneof![1..4_usize, 1..600_usize], 0..900),
        ) {
            let mut covered = vec![0; lengths.len()];
            for window in split(&words(&lengths), 510) {
                let inside = &lengths[window.clone()];
                prop_assert!(inside.len() <= MAX_WORDS && inside.iter().sum::<usize>() <= 510);
                covered[window].iter_mut().for_each(|count| *count += 1);
            }
            for (length, count) in lengths.iter().zip(covered) {
                prop_assert_eq!(count, usize::from(*length <= 510));
            }
        }
    }
}
