//! A set in memory that forgets its oldest entries.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// At most so many entries. The oldest is forgotten first; adding one again does not make it younger. Threads may share it.
pub(crate) struct BoundedSet<K, const CAPACITY: usize> {
    inner: Mutex<Entries<K>>,
}

struct Entries<K> {
    known: HashSet<K>,
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, const CAPACITY: usize> BoundedSet<K, CAPACITY> {
    pub(crate) fn extend(&self, keys: impl IntoIterator<Item = K>) {
        let mut inner = self.lock();
        for key in keys {
            if !inner.known.insert(key.clone()) {
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

    /// Returns for each of these keys whether it is in the set. Nothing is asked of `keys` while the set is empty.
    pub(crate) fn contains_each<I>(&self, keys: I) -> Vec<bool>
    where
        I: IntoIterator<Item = K>,
        I::IntoIter: ExactSizeIterator,
    {
        let (inner, keys) = (self.lock(), keys.into_iter());
        if inner.known.is_empty() {
            return vec![false; keys.len()];
        }
        keys.map(|key| inner.known.contains(&key)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, const CAPACITY: usize> Default for BoundedSet<K, CAPACITY> {
    fn default() -> Self {
        Self { inner: Mutex::new(Entries { known: HashSet::new(), order: VecDeque::new() }) }
    }
}

impl<K, const CAPACITY: usize> fmt::Debug for BoundedSet<K, CAPACITY> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedSet").field("capacity", &CAPACITY).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let set = BoundedSet::<u32, 3>::default();
        assert_eq!(set.contains_each([1, 2]), [false, false]);
        set.extend([1, 2, 1, 3]);
        assert_eq!(set.contains_each([1, 2, 3]), [true; 3]);
        set.extend([1, 4]);
        assert_eq!(set.contains_each([1, 2, 3, 4]), [false, true, true, true]);
    }
}
