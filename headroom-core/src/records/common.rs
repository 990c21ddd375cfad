//! The most common of several values.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// Returns the most common of these, and how often it is there; of equally common ones the largest.
pub(super) fn most_common<T: Copy + Ord + Hash>(all: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: FxHashMap<T, usize> = FxHashMap::default();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(one, count)| (*count, *one))
}
