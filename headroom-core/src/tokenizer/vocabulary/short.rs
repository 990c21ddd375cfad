//! Short words as numbers.

/// A word of at most [`Short::MAX_BYTES`] bytes: its bytes from the lowest on, then its length, and room for its count of
/// tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Short(u128);

impl Short {
    pub(super) const MAX_BYTES: usize = 15;
    /// No word.
    pub(super) const EMPTY: Self = Self(0);
    /// An odd number whose bits look random: the golden ratio.
    pub(super) const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    /// Another: the square root of three.
    const SPREAD_HIGH: u64 = 0xbb67_ae85_84ca_a73b;
    const LENGTH_AT: u32 = 120;
    const COUNT_AT: u32 = 124;

    /// Returns the word of a text between two offsets, if it is short.
    #[inline]
    pub(super) fn new(text: &[u8], start: usize, end: usize) -> Option<Self> {
        let length = end.checked_sub(start).filter(|length| *length <= Self::MAX_BYTES)?;
        let rest = text.get(start..)?;
        let bytes = match rest.first_chunk() {
            Some(bytes) => u128::from_le_bytes(*bytes),
            None => rest.iter().rev().fold(0, |bytes, byte| bytes << 8 | u128::from(*byte)),
        };
        let mask = (1 << (8 * length)) - 1;
        Some(Self(bytes & mask | (length as u128) << Self::LENGTH_AT))
    }

    /// Adds the count of tokens, which is not above the length.
    pub(super) const fn with_count(self, count: usize) -> Self {
        Self(self.0 | (count as u128) << Self::COUNT_AT)
    }

    /// Returns the count that was added, if this is that word.
    #[inline]
    pub(super) fn count_of(self, word: Self) -> Option<usize> {
        let count = self.0 >> Self::COUNT_AT;
        (self.0 ^ word.0 == count << Self::COUNT_AT).then_some(count as usize)
    }

    /// Returns a hash whose highest bits depend on all bytes.
    #[inline]
    pub(super) const fn hash(self) -> u64 {
        (self.0 as u64).wrapping_mul(Self::SPREAD) ^ ((self.0 >> 64) as u64).wrapping_mul(Self::SPREAD_HIGH)
    }
}

/// Returns the slot of a hash in a table, of which the number of slots is a power of two and at least two.
#[inline]
pub(super) const fn slot(hash: u64, slots: usize) -> usize {
    (hash >> (u64::BITS - slots.ilog2())) as usize
}
