//! Counts of what a text is made of.

/// The most bytes whose count fits into one.
const CHUNK: usize = u8::MAX as usize;

/// The words and characters of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The parts between white space.
    pub(crate) words: usize,
    pub(crate) letters: usize,
    pub(crate) spaces: usize,
    /// White space other than spaces.
    pub(crate) breaks: usize,
    /// Characters of scripts without spaces between words.
    pub(crate) wide: usize,
    pub(crate) chars: usize,
}

impl Tally {
    /// Counts a text.
    pub(crate) fn of(text: &str) -> Self {
        if text.is_ascii() { Self::of_ascii(text.as_bytes()) } else { Self::of_chars(text) }
    }

    /// Counts bytes, one kind after the other: each loop is one that the compiler vectorises.
    fn of_ascii(text: &[u8]) -> Self {
        let is_blank = |byte: u8| byte == b' ' || byte.wrapping_sub(b'\t') < 5;
        let behind = text.get(1..).unwrap_or_default();
        let starts = text.chunks(CHUNK).zip(behind.chunks(CHUNK)).map(|(before, behind)| {
            let pairs = before.iter().zip(behind);
            usize::from(pairs.map(|(a, b)| u8::from(is_blank(*a) & !is_blank(*b))).sum::<u8>())
        });
        Self {
            words: starts.sum::<usize>() + usize::from(text.first().is_some_and(|first| !is_blank(*first))),
            letters: count(text, |byte| (byte | 0x20).wrapping_sub(b'a') < 26),
            spaces: count(text, |byte| byte == b' '),
            breaks: count(text, |byte| byte.wrapping_sub(b'\t') < 5),
            wide: 0,
            chars: text.len(),
        }
    }

    fn of_chars(text: &str) -> Self {
        let mut tally = Self::default();
        let mut was_space = true;
        for char in text.chars() {
            let is_blank = char.is_whitespace();
            let is_space = char == ' ';
            tally.chars += 1;
            tally.words += usize::from(was_space && !is_blank);
            tally.letters += usize::from(char.is_alphabetic());
            tally.spaces += usize::from(is_space);
            tally.breaks += usize::from(is_blank && !is_space);
            tally.wide += usize::from(char >= '\u{2e80}');
            was_space = is_blank;
        }
        tally
    }
}

fn count(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    let in_chunk = |chunk: &[u8]| usize::from(chunk.iter().map(|byte| u8::from(is(*byte))).sum::<u8>());
    text.chunks(CHUNK).map(in_chunk).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn long_texts_are_counted(words in 0..400_usize) {
            let tally = Tally::of(&"ab\tc ".repeat(words));
            assert_eq!((tally.words, tally.letters, tally.spaces), (2 * words, 3 * words, words));
            assert_eq!((tally.breaks, tally.chars), (words, 5 * words));
        }

        #[test]
        fn counts_are_those_of_the_standard_library(text in "[aZ9. \t\r\u{b}\u{1c}]{0,40}[a \u{a0}é灯]{0,4}") {
            let tally = Tally::of(&text);
            assert_eq!(tally.words, text.split_whitespace().count());
            assert_eq!(tally.letters, text.chars().filter(|c| c.is_alphabetic()).count());
            assert_eq!(tally.spaces + tally.breaks, text.chars().filter(|c| c.is_whitespace()).count());
            assert_eq!(tally.spaces, text.matches(' ').count());
            assert_eq!(tally.wide, text.chars().filter(|c| *c >= '\u{2e80}').count());
            assert_eq!(tally.chars, text.chars().count());
        }
    }
}
