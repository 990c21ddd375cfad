//! Looks up the originals of earlier results of a request.

use std::{cell::OnceCell, sync::Arc};

use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::{Handle, Original, decide::Decision, text::marker::handles_in};

/// The originals of the results before one item, indexed by content and by handle.
///
/// Later decisions may be cached already and must not count, so the request is walked in order.
pub(crate) struct Originals<'c> {
    decisions: &'c [OnceCell<Arc<Decision>>],
    /// Number of decisions already added.
    seen: usize,
    /// Hash seed of the process, so that nobody can provoke collisions.
    secret: u64,
    by_content: FxHashMap<u128, &'c Original>,
    handles: FxHashSet<Handle>,
}

impl<'c> Originals<'c> {
    pub(crate) fn new(decisions: &'c [OnceCell<Arc<Decision>>], secret: u64) -> Self {
        Self { decisions, seen: 0, secret, by_content: FxHashMap::default(), handles: FxHashSet::default() }
    }

    /// Adds the originals of the items before this one.
    pub(crate) fn advance_to(&mut self, item: usize) {
        let new = self.decisions.get(self.seen..item).unwrap_or_default();
        for original in new.iter().filter_map(OnceCell::get).flat_map(|decision| &decision.originals) {
            self.by_content.insert(self.hash(&original.content), original);
            self.handles.insert(original.handle);
        }
        self.seen = self.seen.max(item);
    }

    /// Whether the text is one of the originals.
    pub(crate) fn contains(&self, text: &str) -> bool {
        !self.by_content.is_empty()
            && self.by_content.get(&self.hash(text)).is_some_and(|original| original.content == text)
    }

    /// Whether the handle of one of the originals occurs in the text.
    pub(crate) fn are_named_in(&self, text: &str) -> bool {
        !self.handles.is_empty() && handles_in(text).any(|handle| self.handles.contains(&handle))
    }

    fn hash(&self, text: &str) -> u128 {
        xxh3_128_with_seed(text.as_bytes(), self.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ContentKind, UnchangedReason};

    fn decided(content: &str) -> OnceCell<Arc<Decision>> {
        let mut decision = Decision::kept(ContentKind::Text, UnchangedReason::NoSaving, 0);
        decision.originals =
            vec![Original { handle: Handle::from_content(content), content: content.to_owned() }];
        OnceCell::from(Arc::new(decision))
    }

    #[test]
    fn only_originals_of_earlier_items_count() {
        let decisions = [decided("a"), OnceCell::new(), decided("b")];
        let mut originals = Originals::new(&decisions, 7);
        let mut known = |item: usize| {
            originals.advance_to(item);
            ["a", "b", "c"].map(|text| originals.contains(text))
        };
        assert_eq!(known(0), [false; 3]);
        assert_eq!(known(1), [true, false, false]);
        assert_eq!(known(2), [true, false, false], "the item itself does not count");
        assert_eq!(known(3), [true, true, false]);
        assert_eq!(known(99), [true, true, false]);
    }

    #[test]
    fn handles_are_found_wherever_they_stand() {
        let decisions = [decided("a")];
        let mut originals = Originals::new(&decisions, 7);
        let handle = Handle::from_content("a").to_string();
        assert!(!originals.are_named_in(&handle));
        originals.advance_to(1);
        for text in [
            handle.clone(),
            format!("cat kept/{handle}.txt"),
            format!("é\\n{handle}zzz"),
            format!("x{handle}"),
        ] {
            assert!(originals.are_named_in(&text), "{text}");
        }
        for text in
            [String::new(), "a".repeat(40), handle[1..].to_owned(), Handle::from_content("b").to_string()]
        {
            assert!(!originals.are_named_in(&text), "{text}");
        }
    }
}
