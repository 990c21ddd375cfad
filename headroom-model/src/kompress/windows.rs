//! Runs of words that the model can read at once.

use std::ops::Range;

/// Words of a window, at most: the model was made with so many.
const MAX_WORDS: usize = 350;

/// Indices of words that follow each other.
pub(super) type Window = Range<usize>;

/// The windows of a text, whose words have these tokens. Each holds as much as fits into `room` tokens.
///
/// They cover every word but those that have more tokens than there is room, and those that have none at the end.
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
