//! A cache with bounded size and no clock.
//!
//! It has two generations. A value that is put or hit goes into the young one; when that is full, it becomes the old
//! one, and the former old one is dropped. So a value used within the last half of the capacity is never lost, every
//! operation takes constant time, and there is no list to maintain.

use std::{collections::HashMap, mem};

/// A cache key: the hash of everything that the value depends on.
pub(crate) type CacheKey = [u8; 16];

#[derive(Debug)]
pub(crate) struct Cache<V> {
    capacity: usize,
    weight: usize,
    young: HashMap<CacheKey, (V, usize)>,
    old: HashMap<CacheKey, (V, usize)>,
}

impl<V> Cache<V> {
    /// Creates a cache of at most `capacity` bytes, measured by the weights passed to [`put`](Self::put).
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, weight: 0, young: HashMap::new(), old: HashMap::new() }
    }

    pub(crate) fn get(&mut self, key: &CacheKey) -> Option<V>
    where
        V: Clone,
    {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = self.old.remove(key)?;
        self.put(*key, value.clone(), weight);
        Some(value)
    }

    /// Removes a value and returns it.
    pub(crate) fn take(&mut self, key: &CacheKey) -> Option<V> {
        if let Some((value, weight)) = self.young.remove(key) {
            self.weight -= weight;
            return Some(value);
        }
        self.old.remove(key).map(|(value, _)| value)
    }

    pub(crate) fn put(&mut self, key: CacheKey, value: V, weight: usize) {
        let half = self.capacity / 2;
        if weight > half {
            return;
        }
        if self.weight + weight > half {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.weight -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> CacheKey {
        [n; 16]
    }

    #[test]
    fn stays_within_its_capacity() {
        let mut memo = Cache::new(100);
        for n in 0..250 {
            memo.put(key(n), n, 10);
            assert!(memo.young.len() + memo.old.len() <= 10);
        }
        assert_eq!(memo.get(&key(249)), Some(249));
        assert_eq!(memo.get(&key(0)), None);
    }

    #[test]
    fn what_is_used_stays() {
        let mut memo = Cache::new(100);
        memo.put(key(0), 0, 10);
        for n in 1..250 {
            memo.put(key(n), n, 10);
            assert_eq!(memo.get(&key(0)), Some(0), "after {n}");
        }
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut memo = Cache::new(100);
        memo.put(key(1), "one", 10);
        assert_eq!(memo.take(&key(1)), Some("one"));
        assert_eq!(memo.take(&key(1)), None);
        assert_eq!(memo.weight, 0);
    }

    #[test]
    fn what_is_too_heavy_is_not_kept() {
        let mut memo = Cache::new(100);
        memo.put(key(1), 1, 51);
        assert_eq!(memo.get(&key(1)), None);
    }
}
