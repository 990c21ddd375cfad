//! The identifiers that the model used, and when it used them last.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

/// Shorter words are in too many lines.
const MIN_WORD_BYTES: usize = 6;
/// Shorter numbers are counts.
const MIN_NUMBER_BYTES: usize = 4;
/// Longer words are data.
const MAX_WORD_BYTES: usize = 80;

/// The identifiers in the model's own words and calls, with the item that used each last.
#[derive(Debug, Default)]
pub(crate) struct Used {
    last: FxHashMap<u64, u32>,
}

impl Used {
    /// Adds what the model wrote in this item. Items are added in order.
    pub(crate) fn add(&mut self, item: u32, written: &str) {
        for word in identifiers(written) {
            self.last.insert(hash(word), item);
        }
    }

    /// Returns the hashes of the identifiers of a line that were used after this item.
    pub(super) fn after<'t>(&self, item: u32, line: &'t str) -> impl Iterator<Item = u64> + use<'t, '_> {
        let used = move |word: &u64| self.last.get(word).is_some_and(|last| *last > item);
        identifiers(line).map(hash).filter(used)
    }
}

fn hash(word: &str) -> u64 {
    let mut hasher = FxHasher::default();
    word.hash(&mut hasher);
    hasher.finish()
}

/// Returns the words of a text that name something: with a digit, an underscore or a capital inside, and long numbers.
/// A backslash and the letter after it end a word, so that escaped text can be read as it is.
fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            match bytes.get(at)? {
                b'\\' => at += 2,
                byte if is_word(*byte) => {
                    let length = bytes.iter().skip(at).take_while(|byte| is_word(**byte)).count();
                    let word = text.get(at..at + length)?;
                    at += length;
                    if names(word) {
                        return Some(word);
                    }
                }
                _ => at += 1,
            }
        }
    })
}

fn names(word: &str) -> bool {
    let bytes = word.as_bytes();
    if bytes.len() > MAX_WORD_BYTES {
        return false;
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        return bytes.len() >= MIN_NUMBER_BYTES;
    }
    bytes.len() >= MIN_WORD_BYTES
        && (bytes.iter().any(|byte| *byte == b'_' || byte.is_ascii_digit())
            || bytes.iter().skip(1).any(u8::is_ascii_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_long_numbers_are_identifiers() {
        let text = r"let total_price = readFile(42, 4711); // plain words, x1\nnextLine\n Config é_ab";
        let found: Vec<_> = identifiers(text).collect();
        assert_eq!(found, ["total_price", "readFile", "4711", "nextLine"]);
    }

    #[test]
    fn only_later_uses_count() {
        let mut used = Used::default();
        used.add(3, "calls parse_config");
        used.add(9, "and MAX_ROWS");
        let count = |item, line| used.after(item, line).count();
        assert_eq!(count(2, "fn parse_config() { MAX_ROWS }"), 2);
        assert_eq!(count(3, "fn parse_config() { MAX_ROWS }"), 1);
        assert_eq!(count(9, "fn parse_config() { MAX_ROWS }"), 0);
        assert_eq!(count(0, "fn other_thing() {}"), 0);
    }
}
