//! Remembers conversations whose rewritten form the provider refused.
//!
//! Such a conversation is sent unchanged, or without the thinking that it had; otherwise every further request would be
//! refused and sent again.
//!
//! A refusal applies to a conversation, not to a prompt, since many conversations begin with the same words. Each is
//! identified by the link of its chain at which it was refused, which covers every turn before it.

use crate::{
    bounded_set::BoundedSet,
    chain::{Chain, Link},
};

/// How many conversations are remembered, of either kind.
const CAPACITY: usize = 4096;

/// What the provider refused, as [`Command::Remember`](crate::Command::Remember) tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) owner: String,
    pub(crate) conversation: Link,
    /// Whether the rewritten form was accepted without thinking, not the original.
    pub(crate) unbound: bool,
}

/// What providers refused, in the memory of this process: at most 4096 conversations of either kind. The oldest is
/// forgotten first.
///
/// A conversation whose original was accepted is sent unchanged from there on. One whose rewritten form was accepted
/// without thinking is sent without the thinking that it had.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Conversations that are sent unchanged.
    rejected: RejectedConversations,
    /// Conversations whose thinking up to some turn is no longer sent.
    unbound: RejectedConversations,
}

impl Refusals {
    /// Creates an empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a refusal.
    pub fn add(&self, refusal: &Refusal) {
        let memory = if refusal.unbound { &self.unbound } else { &self.rejected };
        memory.add(&refusal.owner, refusal.conversation);
    }

    /// Whether this conversation, or the one that it continues, is to be sent unchanged.
    pub(crate) fn is_rejected(&self, owner: &str, chain: &Chain) -> bool {
        self.rejected.turns(owner, chain).is_some()
    }

    /// Returns up to which turn a conversation is sent without its thinking.
    pub(crate) fn unbound_turns(&self, owner: &str, chain: &Chain) -> usize {
        self.unbound.turns(owner, chain).unwrap_or(0)
    }
}

/// Conversations, by tenant and the link at which they were refused.
#[derive(Debug, Default)]
struct RejectedConversations(BoundedSet<(String, Link), CAPACITY>);

impl RejectedConversations {
    fn add(&self, tenant: &str, conversation: Link) {
        self.0.extend([(tenant.to_owned(), conversation)]);
    }

    /// Returns how many turns a conversation, or the one it continues, had at its last refusal; `None` if there was
    /// none.
    fn turns(&self, tenant: &str, chain: &Chain) -> Option<usize> {
        let link = |turns| *chain.before.get(turns).unwrap_or(&chain.end);
        let known =
            self.0.contains_each((0..chain.before.len() + 1).map(|turns| (tenant.to_owned(), link(turns))));
        known.iter().rposition(|is_known| *is_known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the chain of a conversation without turns.
    fn chain(prompt: usize) -> Chain {
        Chain { before: Vec::new(), end: Link(*blake3::hash(&prompt.to_be_bytes()).as_bytes()) }
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let rejected = RejectedConversations::default();
        for n in 0..=CAPACITY {
            rejected.add("a", chain(n).end);
            rejected.add("a", chain(n).end);
        }
        assert_eq!(rejected.turns("a", &chain(0)), None);
        assert_eq!(rejected.turns("a", &chain(1)), Some(0));
        assert_eq!(rejected.turns("b", &chain(1)), None);
    }

    #[test]
    fn the_last_refusal_counts() {
        let rejected = RejectedConversations::default();
        let links: Vec<_> = (0..5).map(|n| chain(n).end).collect();
        let chain = Chain { before: links[..4].to_vec(), end: links[4] };
        for (link, turns) in [(1, 1), (3, 3), (0, 3), (4, 4)] {
            rejected.add("a", links[link]);
            assert_eq!(rejected.turns("a", &chain), Some(turns));
        }
    }
}
