//! Words that were counted before.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{
    encode::Window,
    merges::Merges,
    short::{Short, slot},
};

/// Room for so many short words, a megabyte.
const SHORT_WORDS: usize = 1 << 16;
/// Slots for long words of one text, at most.
const LONG_WORDS: usize = 1024;
/// A slot for a long word per this many bytes of text.
const BYTES_PER_LONG_WORD: usize = 64;
/// How many are kept for the next texts.
const MAX_FREE: usize = 4;

/// The counts of words, by hash. A word takes the place of another.
#[derive(Debug)]
pub(super) struct Seen {
    /// Two words for each hash, the last one first.
    short: Vec<[Short; 2]>,
    /// Where long words are in the text at hand.
    long: Vec<(Range<usize>, usize)>,
    window: Window,
}

/// What is kept from text to text, for as many texts as are counted at once.
#[derive(Debug)]
pub(super) struct Pool(Mutex<Vec<Seen>>);

impl Pool {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    pub(super) fn take(&self) -> Seen {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| Seen {
            short: vec![[Short::EMPTY; 2]; SHORT_WORDS / 2],
            long: Vec::new(),
            window: Window::new(),
        })
    }

    pub(super) fn give_back(&self, mut seen: Seen) {
        seen.long.clear();
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MAX_FREE {
            free.push(seen);
        }
    }
}

impl Seen {
    /// Counts the tokens of the word of a text between two offsets.
    #[inline]
    pub(super) fn count(&mut self, merges: &Merges, text: &[u8], start: usize, end: usize) -> usize {
        let Some(word) = Short::new(text, start, end) else {
            return self.count_long(merges, text, start, end);
        };
        let slot = self.short.get_mut(slot(word.hash(), SHORT_WORDS / 2));
        if let Some(count) =
            slot.as_ref().and_then(|[last, other]| last.count_of(word).or_else(|| other.count_of(word)))
        {
            return count;
        }
        let bytes = text.get(start..end).unwrap_or_default();
        let count = merges.count(bytes, &mut self.window);
        if let Some([last, other]) = slot {
            *other = *last;
            *last = word.with_count(count);
        }
        count
    }

    #[inline(never)]
    fn count_long(&mut self, merges: &Merges, text: &[u8], start: usize, end: usize) -> usize {
        let word = text.get(start..end).unwrap_or_default();
        if self.long.is_empty() {
            let slots = (text.len() / BYTES_PER_LONG_WORD).next_power_of_two().clamp(2, LONG_WORDS);
            self.long.resize(slots, (0..0, 0));
        }
        // Both ends tell most words apart.
        let both = [(start, start + Short::MAX_BYTES), (end - Short::MAX_BYTES, end)];
        let hash = both
            .iter()
            .filter_map(|(start, end)| Short::new(text, *start, *end))
            .fold(word.len() as u64, |hash, part| {
                (hash ^ part.hash()).rotate_left(u32::BITS).wrapping_mul(Short::SPREAD)
            });
        let slots = self.long.len();
        let slot = self.long.get_mut(slot(hash, slots));
        if let Some((_, count)) = slot.as_ref().filter(|(at, _)| text.get(at.clone()) == Some(word)) {
            return *count;
        }
        let count = merges.count(word, &mut self.window);
        if let Some(slot) = slot {
            *slot = (start..end, count);
        }
        count
    }
}
