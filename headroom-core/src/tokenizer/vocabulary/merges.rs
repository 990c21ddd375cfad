//! The table of a vocabulary: which tokens merge into which.

use super::{
    data::{number, numbers},
    short::{Short, slot},
};

/// A token: a byte, or 256 more than the rank of its merge. Lower ranks merge first.
pub(super) type Token = u32;

/// Tokens of one byte.
const BYTES: Token = 256;
/// Every token is lower than this many bits can tell.
const TOKEN_BITS: u32 = 18;
/// No token. Six bits have room above it.
pub(super) const NONE: Token = (1 << 24) - 1;

/// The merges of a vocabulary.
#[derive(Debug)]
pub(super) struct Merges {
    /// The parts and the length of each merged token, by rank.
    parts: Vec<(Token, Token)>,
    lengths: Vec<u8>,
    /// What two bytes merge into.
    of_bytes: Vec<Token>,
    /// What two tokens merge into: an open hash table of merged tokens below bits of the hash of their parts.
    of_tokens: Vec<u32>,
}

impl Merges {
    /// Reads the two parts of each merge.
    pub(super) fn read(mut data: &[u8]) -> Self {
        let count = numbers(data) / 2;
        // At most half full.
        let slots = (2 * count.max(1)).next_power_of_two();
        let mut all = Self {
            parts: Vec::with_capacity(count),
            lengths: Vec::with_capacity(count),
            of_bytes: vec![NONE; 1 << 16],
            of_tokens: vec![0; slots],
        };
        for token in BYTES.. {
            let Some((left, right)) = number(&mut data).zip(number(&mut data)) else { break };
            all.insert(left, right, token);
        }
        all
    }

    fn insert(&mut self, left: Token, right: Token, token: Token) {
        let length = self.bytes_of(left) + self.bytes_of(right);
        self.parts.push((left, right));
        self.lengths.push(u8::try_from(length).unwrap_or(u8::MAX));
        let of_bytes = self.of_bytes.get_mut((left << 8 | right) as usize);
        if let Some(slot) = of_bytes.filter(|_| left < BYTES && right < BYTES) {
            *slot = token;
        }
        let (hash, slots) = (pair_hash(left, right), self.of_tokens.len());
        let mut at = slot(hash, slots);
        while let Some(entry) = self.of_tokens.get_mut(at) {
            if *entry == 0 {
                *entry = (hash as u32) << TOKEN_BITS | token;
                return;
            }
            at = (at + 1) & (slots - 1);
        }
    }

    /// Returns the token that two bytes merge into, or [`NONE`].
    #[inline]
    pub(super) fn of_bytes(&self, left: u8, right: u8) -> Token {
        self.of_bytes.get(usize::from(left) << 8 | usize::from(right)).copied().unwrap_or(NONE)
    }

    /// Returns the token that two tokens merge into, or [`NONE`].
    #[inline]
    pub(super) fn of_tokens(&self, left: Token, right: Token) -> Token {
        const ABOVE: u32 = u32::MAX << TOKEN_BITS;
        let (hash, slots) = (pair_hash(left, right), self.of_tokens.len());
        let mut at = slot(hash, slots);
        while let Some(entry) = self.of_tokens.get(at).filter(|entry| **entry != 0) {
            let token = entry & !ABOVE;
            if entry & ABOVE == (hash as u32) << TOKEN_BITS && self.parts(token) == Some((left, right)) {
                return token;
            }
            at = (at + 1) & (slots - 1);
        }
        NONE
    }

    /// Returns the parts of a merged token.
    #[inline]
    pub(super) fn parts(&self, token: Token) -> Option<(Token, Token)> {
        self.parts.get(token.checked_sub(BYTES)? as usize).copied()
    }

    /// Returns the length of a token.
    pub(super) fn bytes_of(&self, token: Token) -> usize {
        let merge = token.checked_sub(BYTES).and_then(|rank| self.lengths.get(rank as usize));
        merge.map_or(1, |length| usize::from(*length))
    }
}

/// A hash of two tokens. Its highest bits are the slot, and its lowest are stored.
#[inline]
const fn pair_hash(left: Token, right: Token) -> u64 {
    let hash = ((left as u64) << 32 | right as u64).wrapping_mul(Short::SPREAD);
    hash ^ hash >> 32
}
