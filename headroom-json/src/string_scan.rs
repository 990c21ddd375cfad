//! Finds the next special byte inside a JSON string: a quote, an escape or a control character.
//!
//! Most strings in records are too short for a vectorised search to pay off, so the first bytes are tested eight at a
//! time in a plain integer.

use memchr::memchr2;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// How many words of eight bytes are tested before the vectorised search takes over.
const CHUNKS: usize = 4;

/// Returns the offset of the first quote or backslash.
pub(crate) fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    match near(bytes, |word| equal(word, b'"') | equal(word, b'\\')) {
        Near::At(at) => Some(at),
        Near::Behind(from) => memchr2(b'"', b'\\', bytes.get(from..)?).map(|at| from + at),
    }
}

/// Returns the offset of the first quote, backslash or control character.
pub(crate) fn string_stop(bytes: &[u8]) -> Option<usize> {
    match near(bytes, |word| equal(word, b'"') | equal(word, b'\\') | control(word)) {
        Near::At(at) => Some(at),
        Near::Behind(from) => {
            let rest = bytes.get(from..)?;
            let found = memchr2(b'"', b'\\', rest);
            let plain = rest.get(..found.unwrap_or(rest.len()))?;
            // No early exit, so that the compiler vectorises the comparison.
            let found = if plain.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < b' ' {
                plain.iter().position(|byte| *byte < b' ')
            } else {
                found
            };
            found.map(|at| from + at)
        }
    }
}

enum Near {
    At(usize),
    /// Nothing before this offset.
    Behind(usize),
}

/// Tests the first bytes. The lowest bit set by `stops` is in the byte that stops; the others may be wrong.
fn near(bytes: &[u8], stops: impl Fn(u64) -> u64) -> Near {
    for (n, chunk) in bytes.as_chunks::<8>().0.iter().take(CHUNKS).enumerate() {
        let found = stops(u64::from_le_bytes(*chunk));
        if found != 0 {
            return Near::At(n * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    Near::Behind((bytes.len() / 8).min(CHUNKS) * 8)
}

/// Sets the high bit of the lowest byte that equals `byte`. See "Determine if a word has a zero byte" in Anderson's
/// *Bit Twiddling Hacks*.
const fn equal(word: u64, byte: u8) -> u64 {
    let other = word ^ (LOW * byte as u64);
    other.wrapping_sub(LOW) & !other & HIGH
}

/// Sets the high bit of the lowest byte below the space.
const fn control(word: u64) -> u64 {
    word.wrapping_sub(LOW * b' ' as u64) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn finds_what_a_plain_loop_finds(bytes in proptest::collection::vec(
            proptest::prop_oneof![
                20 => proptest::num::u8::ANY,
                60 => 0x20_u8..0x7f,
                1 => proptest::sample::select(&b"\"\\\n !\x1f\x80\xa2\xdc"[..]),
            ],
            0..80,
        )) {
            let quote = |byte: &u8| matches!(byte, b'"' | b'\\');
            proptest::prop_assert_eq!(quote_or_backslash(&bytes), bytes.iter().position(quote));
            let stop = |byte: &u8| quote(byte) || *byte < b' ';
            proptest::prop_assert_eq!(string_stop(&bytes), bytes.iter().position(stop));
        }

        #[test]
        fn long_texts_have_one_stop_at_most(before in 0_usize..100, byte in 0_u8..=255, after in 0_usize..100) {
            let bytes = [vec![b'a'; before], vec![byte], vec![b'z'; after]].concat();
            let expected = (byte < b' ' || matches!(byte, b'"' | b'\\')).then_some(before);
            proptest::prop_assert_eq!(string_stop(&bytes), expected);
        }
    }
}
