//! Remembers the content of files, so that this process need not read them again.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use moka::{policy::EvictionPolicy, sync::Cache};

use super::folder::Stamp;

/// Files that are remembered; about 4 MB.
const MAX_FILES: u64 = 16 << 10;
/// Uses closer together than this count as one.
const ONE_SIGHT: Duration = Duration::from_secs(1);

/// The verified content of files, valid while their state stays the same.
pub(super) struct SeenFiles<K, V>(Cache<K, Sight<V>>);

#[derive(Clone)]
struct Sight<V> {
    value: V,
    stamp: Stamp,
    at: Instant,
}

impl<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> SeenFiles<K, V> {
    pub(super) fn new() -> Self {
        // The cache's default policy rejects some new entries when it is full.
        Self(Cache::builder().max_capacity(MAX_FILES).eviction_policy(EvictionPolicy::lru()).build())
    }

    /// Returns the file's content, if the file is still in the same state.
    pub(super) fn get(&self, key: &K, stamp: &Stamp) -> Option<V> {
        self.0.get(key).filter(|sight| sight.stamp == *stamp).map(|sight| sight.value)
    }

    /// Remembers the content of a file in this state.
    pub(super) fn insert(&self, key: K, value: V, stamp: Stamp, now: Instant) {
        // Reading the cache is cheaper than writing it, and every request uses all files of its conversation.
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

    /// Whether the file was used less than this long ago.
    pub(super) fn is_recent(&self, key: &K, now: Instant, time: Duration) -> bool {
        self.0.get(key).is_some_and(|sight| now.duration_since(sight.at) < time)
    }
}
