//! Words that lines may start with, told apart by their first bytes.

/// A list of words, of which a look at the first byte of a line dismisses most.
#[derive(Debug)]
pub(crate) struct Starts<const N: usize> {
    words: [&'static str; N],
    /// The words that begin with each byte, as bits.
    firsts: [u64; 256],
}

impl<const N: usize> Starts<N> {
    /// Makes the list, as a constant. It has at most 64 words, none of them empty.
    #[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
    pub(crate) const fn new(words: [&'static str; N]) -> Self {
        assert!(N <= 64, "a word has one bit");
        let mut firsts = [0; 256];
        let mut at = 0;
        while at < N {
            firsts[words[at].as_bytes()[0] as usize] |= 1 << at;
            at += 1;
        }
        Self { words, firsts }
    }

    /// Returns the index of the first of the words that the line starts with.
    pub(crate) fn find(&self, line: &[u8]) -> Option<usize> {
        let first = line.first()?;
        let mut may_be = self.firsts.get(usize::from(*first)).copied()?;
        while may_be != 0 {
            let at = may_be.trailing_zeros() as usize;
            if self.words.get(at).is_some_and(|word| line.starts_with(word.as_bytes())) {
                return Some(at);
            }
            may_be &= may_be - 1;
        }
        None
    }

    /// Whether the line starts with one of the words.
    pub(crate) fn are_at(&self, line: &str) -> bool {
        self.find(line.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_in_the_list_is_found() {
        static WORDS: Starts<4> = Starts::new(["ab", "b", "abc", "✓ "]);
        for (line, found) in
            [("abc", Some(0)), ("b", Some(1)), ("a", None), ("", None), ("✓ x", Some(3)), ("✔ x", None)]
        {
            assert_eq!(WORDS.find(line.as_bytes()), found, "{line}");
        }
    }
}
