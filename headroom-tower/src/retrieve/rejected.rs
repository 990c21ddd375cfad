//! Conversations that the provider refused in the form the layer gave them.
//!
//! The one thing about a request that the layer remembers and that changes what later requests become: such a
//! conversation goes on as it comes. Without it, every further request would be refused and sent twice.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Mutex, PoisonError},
};

use headroom_core::Handle;

/// How many conversations are remembered.
const CAPACITY: usize = 4096;

/// A bounded memory of conversations, by tenant and the key of their last turn.
#[derive(Default)]
pub(crate) struct Rejected {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    known: HashSet<(String, Handle)>,
    order: VecDeque<(String, Handle)>,
}

impl Rejected {
    pub(super) fn add(&self, tenant: &str, conversation: Handle) {
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

    pub(super) fn is_empty(&self) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).known.is_empty()
    }

    /// Whether a conversation with this chain of turns goes on from one that was refused.
    pub(super) fn knows(&self, tenant: &str, chain: &[Handle]) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        !inner.known.is_empty() && chain.iter().any(|link| inner.known.contains(&(tenant.to_owned(), *link)))
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let rejected = Rejected::default();
        let key = |n: usize| Handle::of(&n.to_string());
        for n in 0..=CAPACITY {
            rejected.add("a", key(n));
            rejected.add("a", key(n));
        }
        assert!(!rejected.knows("a", &[key(0)]));
        assert!(rejected.knows("a", &[key(0), key(1)]));
        assert!(!rejected.knows("b", &[key(1)]));
    }
}
