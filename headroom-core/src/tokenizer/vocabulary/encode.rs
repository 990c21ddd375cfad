//! Byte-pair encoding: of all neighbours that merge, the ones of the lowest rank merge first.

use std::collections::VecDeque;

use super::{
    heap,
    merges::{Merges, NONE, Token},
};

/// Longer words are encoded in windows of this many bytes, which has a bit for each.
const WINDOW: usize = 64;
/// If tokens are too long for those windows, they are encoded in windows of this many bytes.
const LARGE_WINDOW: usize = 4096;
/// Tokens that reach into this last part of a window may differ from those of the word.
const MARGIN_RATIO: usize = 4;

/// How many windows of a word are remembered.
const KNOWN_WINDOWS: usize = 8;

/// The merges of the token that starts at each byte with the next one: the rank, and the byte in the lowest bits.
#[derive(Debug)]
struct Ranks([u32; WINDOW]);

impl Ranks {
    const AT_BITS: u32 = WINDOW.trailing_zeros();
    const LANES: usize = 4;
    const NONE: u32 = NONE << Self::AT_BITS;

    fn set(&mut self, at: usize, token: Token) {
        if let Some(slot) = self.0.get_mut(at) {
            *slot = token << Self::AT_BITS | at as u32;
        }
    }

    /// Forgets the ranks up to this byte.
    fn clear(&mut self, length: usize) {
        let ranks = self.0.iter_mut().take(length.next_multiple_of(Self::LANES));
        ranks.for_each(|rank| *rank = Self::NONE);
    }

    /// Returns the lowest rank below this byte and where it is, the first of equal ones.
    #[inline]
    fn lowest(&self, below: usize) -> Option<(Token, usize)> {
        let mut lowest = [Self::NONE; Self::LANES];
        for chunk in self.0.chunks_exact(Self::LANES).take(below.div_ceil(Self::LANES)) {
            for (lowest, rank) in lowest.iter_mut().zip(chunk) {
                *lowest = (*lowest).min(*rank);
            }
        }
        let lowest = lowest.into_iter().fold(Self::NONE, u32::min);
        (lowest >> Self::AT_BITS < NONE)
            .then_some((lowest >> Self::AT_BITS, (lowest & ((1 << Self::AT_BITS) - 1)) as usize))
    }
}

/// Room for the tokens of a word.
#[derive(Debug)]
pub(super) struct Window {
    /// The token that starts at each byte.
    tokens: [Token; WINDOW],
    ranks: Ranks,
    /// A bit for each byte at which a token starts.
    starts: u64,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self { tokens: [NONE; WINDOW], ranks: Ranks([Ranks::NONE; WINDOW]), starts: 0 }
    }

    /// Encodes a word of at most [`WINDOW`] bytes.
    #[inline]
    fn encode(&mut self, merges: &Merges, word: &[u8]) {
        let length = word.len().clamp(1, WINDOW);
        self.starts = u64::MAX >> (WINDOW - length);
        for (slot, byte) in self.tokens.iter_mut().zip(word) {
            *slot = Token::from(*byte);
        }
        self.ranks.clear(length);
        for (at, pair) in word.windows(2).enumerate() {
            if let [left, right] = pair {
                self.ranks.set(at, merges.of_bytes(*left, *right));
            }
        }
        while let Some((token, at)) = self.ranks.lowest(length) {
            let right = self.behind(at);
            self.starts &= !(1 << right);
            self.ranks.set(right, NONE);
            if let Some(slot) = self.tokens.get_mut(at) {
                *slot = token;
            }
            let behind = self.behind(at);
            let rank = if behind < length { merges.of_tokens(token, self.token(behind)) } else { NONE };
            self.ranks.set(at, rank);
            if let Some(left) = self.before(at) {
                self.ranks.set(left, merges.of_tokens(self.token(left), token));
            }
        }
    }

    fn token(&self, at: usize) -> Token {
        self.tokens.get(at).copied().unwrap_or(NONE)
    }

    /// The start of the token behind the one that starts here, or the number of bits if it is the last.
    const fn behind(&self, at: usize) -> usize {
        let behind = self.starts & (u64::MAX << 1 << at);
        behind.trailing_zeros() as usize
    }

    fn before(&self, at: usize) -> Option<usize> {
        let before = self.starts & !(u64::MAX << at);
        before.checked_ilog2().map(|at| at as usize)
    }

    const fn count(&self) -> usize {
        self.starts.count_ones() as usize
    }

    fn tokens(&self) -> impl Iterator<Item = Token> {
        let is_start = |at: &usize| self.starts >> at & 1 == 1;
        self.tokens.iter().enumerate().filter(move |(at, _)| is_start(at)).map(|(_, token)| *token)
    }
}

/// The tokens of a window that are those of its word.
#[derive(Clone, Copy, Debug)]
struct Kept {
    first: Token,
    last: Token,
    count: usize,
    bytes: usize,
}

impl Merges {
    /// Counts the tokens of a word.
    pub(super) fn count(&self, word: &[u8], room: &mut Window) -> usize {
        if word.len() <= WINDOW {
            room.encode(self, word);
            return room.count();
        }
        let small = self.count_windows(word, WINDOW, |window| {
            room.encode(self, window);
            room.tokens().collect()
        });
        let large = || self.count_windows(word, LARGE_WINDOW, |window| heap::encode(self, window));
        small.or_else(large).unwrap_or_else(|| heap::encode(self, word).len())
    }

    /// Counts the tokens of a word window by window, if windows of that size can be joined. Tokens are the encoding of
    /// their text if all neighbours are the encoding of theirs.
    fn count_windows(
        &self,
        word: &[u8],
        size: usize,
        mut encode: impl FnMut(&[u8]) -> Vec<Token>,
    ) -> Option<usize> {
        let (mut count, mut start, mut last) = (0, 0, None);
        // Runs of the same few characters have few windows.
        let mut known: VecDeque<(&[u8], Kept)> = VecDeque::with_capacity(KNOWN_WINDOWS);
        loop {
            let window = word.get(start..word.len().min(start + size))?;
            let is_last = start + window.len() == word.len();
            let kept = match known.iter().find(|(of, _)| *of == window && !is_last) {
                Some((_, kept)) => *kept,
                None => {
                    let kept =
                        self.kept(&encode(window), if is_last { size } else { size - size / MARGIN_RATIO })?;
                    known.truncate(KNOWN_WINDOWS - 1);
                    known.push_front((window, kept));
                    kept
                }
            };
            if last.is_some_and(|last| !self.are_neighbours(last, kept.first)) {
                return None;
            }
            count += kept.count;
            if is_last {
                return Some(count);
            }
            start += kept.bytes;
            last = Some(kept.last);
        }
    }

    /// Returns the tokens of a window that end before this byte, if there are any.
    fn kept(&self, tokens: &[Token], before: usize) -> Option<Kept> {
        let first = *tokens.first()?;
        let mut kept = Kept { first, last: first, count: 0, bytes: 0 };
        for token in tokens {
            let end = kept.bytes + self.bytes_of(*token);
            if end > before {
                break;
            }
            kept = Kept { last: *token, count: kept.count + 1, bytes: end, ..kept };
        }
        (kept.count > 0).then_some(kept)
    }

    /// Whether two tokens in sequence are the encoding of their text: no merge joins parts of both before they are made.
    fn are_neighbours(&self, mut left: Token, mut right: Token) -> bool {
        // What merges across the border must be made before this.
        let mut limit = NONE;
        loop {
            if self.of_tokens(left, right) < limit {
                return false;
            }
            let (of_left, of_right) = (self.parts(left), self.parts(right));
            // The one that was made later is undone; of equal ones that is the right one.
            match (of_left, of_right) {
                (Some((_, part)), _) if left > right => (limit, left) = (left, part),
                (_, Some((part, _))) => (limit, right) = (right + 1, part),
                _ => return true,
            }
        }
    }
}
