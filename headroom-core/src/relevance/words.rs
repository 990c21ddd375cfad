//! Stems words: lower case, without grammatical endings.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

/// Words of questions and texts that carry no topic.
const STOP_WORDS: &str = "a about above according after again all also am an and any are as at be because been before \
    being below between both but by can could did do does doing done down during each either else etc ever every few \
    find for from further get give given go got had has have having he help her here hers him his how i if in into is \
    it its itself just know let like list look made make many may me might mine more most much must my need neither \
    no nor not now of off on once one only onto or other ought our ours out over own per please put read say said see \
    shall she should show since so some still such summarize tell than that the their theirs them then there these \
    they thing things think this those though thought through to too two under until up upon us use used using very \
    want was way we well were what when where whether which while who whom whose why will with within without would \
    yes yet you your yours";
/// Their stems, which every query looks into.
static STOP: LazyLock<FxHashSet<Stem>> =
    LazyLock::new(|| STOP_WORDS.split_ascii_whitespace().map(|word| stem(word.as_bytes())).collect());
/// Returns the endings to remove if enough of the word remains, by last letter, longest first.
const fn endings(last: u8) -> &'static [&'static [u8]] {
    match last {
        b's' => &[b"ations", b"ments", b"ness", b"ings", b"ies", b"es", b"s"],
        b'n' => &[b"ation"],
        b't' => &[b"ment"],
        b'g' => &[b"ing"],
        b'd' => &[b"ed"],
        b'y' => &[b"edly", b"ly", b"y"],
        b'e' => &[b"e"],
        _ => &[],
    }
}

/// The least length of a word without its ending, and how many of its bytes count.
const LEAST: usize = 4;
const STEM: usize = 6;

/// The hash of a word's stem.
pub(crate) type Stem = u32;

/// Finds the stems in a text, in order. In scripts without spaces, each character is a word.
pub(crate) fn stems(text: &str, mut found: impl FnMut(Stem)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte >= 0xe3 && *byte < 0xf0 {
            found(hash(bytes.get(at..at + 3).unwrap_or_default()));
            at += 3;
        } else if *byte == 0xe2 {
            // Dashes, quotes, bullets.
            at += 3;
        } else if is_letter(*byte) {
            let rest = bytes.get(at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_letter(**byte)).count();
            found(stem(rest.get(..length).unwrap_or_default()));
            at += length;
        } else {
            at += 1;
        }
    }
}

/// Letters, digits, and bytes of letters outside ASCII, except those of dashes, quotes and CJK.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 && byte != 0xe2 && !(byte >= 0xe3 && byte < 0xf0)
}

fn stem(word: &[u8]) -> Stem {
    let mut end = word.len();
    if word.iter().any(u8::is_ascii_digit) {
        // Numbers and names with numbers are not stemmed.
        return hash(word);
    }
    for ending in endings(word.last().map_or(0, u8::to_ascii_lowercase)) {
        let split = word.len().saturating_sub(ending.len());
        if split >= LEAST && word.get(split..).is_some_and(|tail| tail.eq_ignore_ascii_case(ending)) {
            end = split;
            break;
        }
    }
    hash(word.get(..end.min(STEM)).unwrap_or_default())
}

/// FNV-1a over the letters in lower case.
fn hash(word: &[u8]) -> Stem {
    let hash = word.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    hash ^ hash >> 15
}

/// The words to search for.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    /// The bit of each word.
    bits: FxHashMap<Stem, u32>,
    filter: [u64; 16],
}

/// Limit on the terms; each has one bit.
const MAX_TERMS: u32 = 64;

impl Terms {
    /// Collects the words of these texts that are no stop words.
    pub(crate) fn from_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut terms = Self::default();
        for text in texts {
            stems(text, |stem| {
                let next = u32::try_from(terms.bits.len()).unwrap_or(MAX_TERMS);
                if next < MAX_TERMS && !STOP.contains(&stem) {
                    terms.bits.entry(stem).or_insert(next);
                    if let Some(word) = terms.filter.get_mut((stem >> 6 & 15) as usize) {
                        *word |= 1 << (stem & 63);
                    }
                }
            });
        }
        terms
    }

    pub(crate) fn len(&self) -> usize {
        self.bits.len()
    }

    pub(crate) fn bit(&self, stem: Stem) -> Option<u32> {
        let word = self.filter.get((stem >> 6 & 15) as usize)?;
        if word >> (stem & 63) & 1 == 0 { None } else { self.bits.get(&stem).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Stem> {
        let mut all = Vec::new();
        stems(text, |stem| all.push(stem));
        all
    }

    #[test]
    fn words_of_one_family_are_one() {
        for (one, other) in [
            ("design", "Designing"),
            ("light", "lights"),
            ("optimize", "Optimization"),
            ("library", "libraries"),
            ("develop", "developments"),
        ] {
            assert_eq!(all(one), all(other), "{one} {other}");
        }
        for (one, other) in [("1917", "1918"), ("is", "as"), ("v12a", "v12b"), ("灯", "台")] {
            assert_ne!(all(one), all(other), "{one} {other}");
        }
        assert_eq!(all("a—b “c” d’e").len(), 5);
        assert_eq!(all("灯台は。").len(), 4);
    }

    #[test]
    fn terms_are_words_that_say_something() {
        let terms = Terms::from_texts(["What is the height of the Lighthouse?", "lighthouses"]);
        assert_eq!(terms.len(), 2);
        assert!(terms.bit(all("lighthouse")[0]).is_some() && terms.bit(all("the")[0]).is_none());
    }
}
