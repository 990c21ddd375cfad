//! What this process knows of files, so that it need not read them again.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use moka::{policy::EvictionPolicy, sync::Cache};

use super::folder::Stamp;

/// Files that are remembered; about 4 MB.
const MAX_FILES: u64 = 16 << 10;
/// Sights closer together than this are one.
const ONE_SIGHT: Duration = Duration::from_secs(1);

/// What files were found to hold, for as long as their state stays the same.
pub(super) struct Seen<K, V>(Cache<K, Sight<V>>);

#[derive(Clone)]
struct Sight<V> {
    value: V,
    stamp: Stamp,
    at: Instant,
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Seen<K, V> {
    pub(super) fn new() -> Self {
        // The default policy of the cache refuses some new entries when it is full.
        Self(Cache::builder().max_capacity(MAX_FILES).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// What was found in the file, if it is still in the same state.
    pub(super) fn get(&self, key: &K, stamp: &Stamp) -> Option<V> {
        self.0.get(key).filter(|sight| sight.stamp == *stamp).map(|sight| sight.value)
    }

    /// Takes note of what was found in a file in this state.
    pub(super) fn insert(&self, key: K, value: V, stamp: Stamp, now: Instant) {
        // Reading the cache is cheaper than writing it, and every request sees all files of its conversation.
        let is_known = |sight: Sight<V>| sight.stamp == stamp && now.duration_since(sight.at) < ONE_SIGHT;
        if self.0.get(&key).is_some_and(is_known) {
            return;
        }
        self.0.insert(key, Sight { value, stamp, at: now });
    }

    /// Forgets a file that was found to be damaged or missing.
    pub(super) fn forget(&self, key: &K) {
        self.0.invalidate(key);
    }

    /// Whether the file was seen less than this long ago.
    pub(super) fn is_recent(&self, key: &K, now: Instant, time: Duration) -> bool {
        self.0.get(key).is_some_and(|sight| now.duration_since(sight.at) < time)
    }
}
