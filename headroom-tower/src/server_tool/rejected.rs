//! Remembers conversations whose rewritten form the provider refused.
//!
//! Such a conversation is sent unchanged, or without the thinking that it had; otherwise every further request would be
//! refused and sent again.
//!
//! A refusal applies to a conversation, not to a prompt, since many conversations begin with the same words. Each is
//! identified by the link of its chain at which it was refused, which covers every turn before it.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Mutex, PoisonError},
};

use super::keys::{Chain, Link};

/// How many conversations are remembered.
const CAPACITY: usize = 4096;

/// A bounded set of conversations, by tenant and the link at which they were refused.
#[derive(Default)]
pub(crate) struct RejectedConversations {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    known: HashSet<(String, Link)>,
    order: VecDeque<(String, Link)>,
}

impl RejectedConversations {
    pub(super) fn add(&self, tenant: &str, conversation: Link) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.to_owned(), conversation);
        if !inner.known.insert(key.clone()) {
            return;
        }
        inner.order.push_back(key);
        if inner.order.len() > CAPACITY
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.known.remove(&oldest);
        }
    }

    /// Returns how many turns a conversation, or the one it continues, had at its last refusal; `None` if there was
    /// none.
    pub(super) fn turns(&self, tenant: &str, chain: &Chain) -> Option<usize> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.known.is_empty() {
            return None;
        }
        let known = |link: &Link| inner.known.contains(&(tenant.to_owned(), *link));
        if known(&chain.end) {
            return Some(chain.before.len());
        }
        chain.before.iter().rposition(known)
    }
}

impl fmt::Debug for RejectedConversations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectedConversations").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use headroom_core::Api;
    use headroom_store::json::Value;

    /// Returns the chain of a conversation without turns.
    fn chain(prompt: usize) -> Chain {
        let opening = prompt.to_string();
        Chain::new(Api::Anthropic, &[Value::parse(&opening).unwrap()], &[], &[])
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
