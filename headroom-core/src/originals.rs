//! Looks up the originals of earlier results of a request.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::{Handle, decide::Decision, text::marker::handles_in};

/// The originals of the results before one item, indexed by content and by handle.
///
/// Later decisions may be cached already and must not count, so they are added in order.
pub(crate) struct Originals {
    /// Hash seed of the process, so that nobody can provoke collisions.
    secret: u64,
    /// The decisions with originals, and the position of the original in its decision.
    by_content: FxHashMap<u128, (Arc<Decision>, usize)>,
    handles: FxHashSet<Handle>,
}

impl Originals {
    pub(crate) fn new(secret: u64) -> Self {
        Self { secret, by_content: FxHashMap::default(), handles: FxHashSet::default() }
    }

    /// Adds the originals of a decision.
    pub(crate) fn add(&mut self, decision: &Arc<Decision>) {
        for (at, original) in decision.originals.iter().enumerate() {
            self.by_content.insert(self.hash(original.content()), (Arc::clone(decision), at));
            self.handles.insert(original.handle());
        }
    }

    /// Whether the text is one of the originals.
    pub(crate) fn contains(&self, text: &str) -> bool {
        !self.by_content.is_empty()
            && self.by_content.get(&self.hash(text)).is_some_and(|(decision, at)| {
                decision.originals.get(*at).is_some_and(|original| original.content() == text)
            })
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
    use crate::{ContentKind, Original, UnchangedReason};

    fn decided(content: &str) -> Arc<Decision> {
        let mut decision = Decision::kept(ContentKind::Text, UnchangedReason::NoSaving, 0);
        decision.originals = vec![Original::new(content.to_owned())];
        Arc::new(decision)
    }

    #[test]
    fn only_originals_that_were_added_count() {
        let mut originals = Originals::new(7);
        let known = |originals: &Originals| ["a", "b", "c"].map(|text| originals.contains(text));
        assert_eq!(known(&originals), [false; 3]);
        originals.add(&decided("a"));
        assert_eq!(known(&originals), [true, false, false]);
        originals.add(&decided("b"));
        assert_eq!(known(&originals), [true, true, false]);
    }

    #[test]
    fn handles_are_found_wherever_they_stand() {
        let mut originals = Originals::new(7);
        let handle = Handle::from_content("a").to_string();
        assert!(!originals.are_named_in(&handle));
        originals.add(&decided("a"));
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
