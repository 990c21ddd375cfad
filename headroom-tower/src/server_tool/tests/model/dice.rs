//! Chance that a seed repeats.

/// Dice that fall alike for a seed.
pub(in crate::server_tool::tests) struct Dice(u64);

impl Dice {
    pub(in crate::server_tool::tests) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(in crate::server_tool::tests) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }

    pub(in crate::server_tool::tests) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}
