//! Byte-pair encoding of long words: the next merge is taken from a heap.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::merges::{Merges, NONE, Token};

/// Encodes a word of any length, in time proportional to the length and its logarithm.
pub(super) fn encode(merges: &Merges, word: &[u8]) -> Vec<Token> {
    let bytes = u32::try_from(word.len()).unwrap_or(u32::MAX);
    let pairs = word.windows(2).zip(0..).filter_map(|(pair, at)| {
        let [left, right] = pair else { return None };
        let token = merges.of_bytes(*left, *right);
        (token != NONE).then_some(Reverse((token, at)))
    });
    let mut all = Neighbours {
        tokens: word.iter().map(|byte| Token::from(*byte)).collect(),
        before: (0..bytes).map(|at| at.wrapping_sub(1)).collect(),
        end: (1..=bytes).collect(),
        heap: pairs.collect(),
    };
    while let Some(Reverse((token, at))) = all.heap.pop() {
        let Some(right) = all.merging(merges, token, at) else { continue };
        all.join(at, right, token);
        if let Some(left) = all.before.get(at as usize).copied().filter(|left| *left != u32::MAX) {
            all.offer(merges, left, at);
        }
        if let Some(right) = all.end.get(at as usize).copied() {
            all.offer(merges, at, right);
        }
    }
    all.tokens.retain(|token| *token != NONE);
    all.tokens
}

/// The tokens of a word while they merge, as a list.
#[derive(Debug)]
struct Neighbours {
    /// The token that starts at each byte, or [`NONE`] within one.
    tokens: Vec<Token>,
    /// The start of the token before each.
    before: Vec<u32>,
    /// The end of each.
    end: Vec<u32>,
    heap: BinaryHeap<Reverse<(Token, u32)>>,
}

impl Neighbours {
    fn token(&self, at: u32) -> Token {
        self.tokens.get(at as usize).copied().unwrap_or(NONE)
    }

    /// Returns the right one of the two tokens that merge here, if they still do.
    fn merging(&self, merges: &Merges, token: Token, at: u32) -> Option<u32> {
        let (left, right) = merges.parts(token)?;
        let behind = self.end.get(at as usize).copied()?;
        (self.token(at) == left && self.token(behind) == right).then_some(behind)
    }

    fn join(&mut self, at: u32, right: u32, token: Token) {
        let end = self.end.get(right as usize).copied().unwrap_or_default();
        for (slot, value) in [(at, token), (right, NONE)] {
            if let Some(slot) = self.tokens.get_mut(slot as usize) {
                *slot = value;
            }
        }
        if let Some(slot) = self.end.get_mut(at as usize) {
            *slot = end;
        }
        if let Some(slot) = self.before.get_mut(end as usize) {
            *slot = at;
        }
    }

    fn offer(&mut self, merges: &Merges, left: u32, right: u32) {
        let token = merges.of_tokens(self.token(left), self.token(right));
        if token != NONE {
            self.heap.push(Reverse((token, left)));
        }
    }
}
