//! A bounded set of originals.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use headroom_core::Handle;

/// Originals that are remembered; about 2 MB.
const CAPACITY: usize = 16 << 10;

/// Handles of originals by tenant. The oldest entry is forgotten first.
#[derive(Default)]
pub(crate) struct OriginalSet {
    inner: Mutex<Inner>,
}

/// A hash of the tenant and the handle.
type Key = [u8; blake3::OUT_LEN];

#[derive(Default)]
struct Inner {
    known: HashSet<Key>,
    order: VecDeque<Key>,
}

impl OriginalSet {
    pub(crate) fn extend(&self, tenant: &str, originals: &[Handle]) {
        let mut inner = self.lock();
        for original in originals {
            let key = key(tenant, original);
            if !inner.known.insert(key) {
                continue;
            }
            inner.order.push_back(key);
            if inner.order.len() > CAPACITY
                && let Some(oldest) = inner.order.pop_front()
            {
                inner.known.remove(&oldest);
            }
        }
    }

    /// Returns, for each original, whether it is in the set.
    pub(crate) fn contains_each(&self, tenant: &str, originals: &[Handle]) -> Vec<bool> {
        let inner = self.lock();
        let is_known = |original| !inner.known.is_empty() && inner.known.contains(&key(tenant, original));
        originals.iter().map(is_known).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(tenant: &str, original: &Handle) -> Key {
    *blake3::Hasher::new().update(original.as_bytes()).update(tenant.as_bytes()).finalize().as_bytes()
}

impl fmt::Debug for OriginalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginalSet").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first_and_tenants_are_apart() {
        let set = OriginalSet::default();
        let key = |n: usize| Handle::from_content(&n.to_string());
        for n in 0..=CAPACITY {
            set.extend("a", &[key(n), key(n)]);
        }
        assert_eq!(set.contains_each("a", &[key(0), key(1)]), [false, true]);
        assert_eq!(set.contains_each("b", &[key(1)]), [false]);
    }
}
