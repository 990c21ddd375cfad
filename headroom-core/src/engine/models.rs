//! What learned models say of texts, asked of whoever brings them.
//!
//! The engine carries no model. A caller that has one gives it to the [`EngineBuilder`](crate::EngineBuilder), and it is part of the
//! configuration from then on.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::engine::cache::{Cache, CacheKey};

/// Bytes that the answers of each model may take.
const CACHE_BYTES_PER_MODEL: usize = 1 << 20;
/// Shorter texts stay as they are whether they are code or prose.
const MIN_BYTES: usize = 2048;

/// What a text is, as a [`Classifier`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Classification {
    /// Source code, in the language whose files have this extension: `py`.
    Code(&'static str),
    /// Sentences, plain or in Markdown.
    Prose,
}

/// Tells what a text is where its structure leaves that open.
///
/// It is asked where parts may be set aside, about texts of at least 2 KiB that look like code or prose and may be
/// something else, and once about each: what it says is remembered by content. A panic of it counts as no answer.
///
/// # What it promises
///
/// The answer is a function of the text alone. A classifier that says one thing now and another later makes blocks
/// change in the middle of a conversation, and the provider reads everything behind them anew. For the same reason all
/// engines that serve a conversation need the same one, or all of them none.
///
/// # Example
///
/// ```
/// use headroom_core::{Classifier, Engine, Classification};
///
/// #[derive(Debug)]
/// struct Shebang;
///
/// impl Classifier for Shebang {
///     fn classify(&self, text: &str) -> Option<Classification> {
///         text.starts_with("#!/usr/bin/env ruby").then_some(Classification::Code("rb"))
///     }
/// }
///
/// let headroom = Engine::builder().classifier(Shebang).build();
/// ```
pub trait Classifier: fmt::Debug + Send + Sync {
    /// What the text is; `None` where this is not certain, and its structure decides.
    fn classify(&self, text: &str) -> Option<Classification>;
}

impl<T: Classifier + ?Sized> Classifier for Arc<T> {
    fn classify(&self, text: &str) -> Option<Classification> {
        (**self).classify(text)
    }
}

/// Says which words of a text can be left out.
///
/// It is asked about prose of which no whole sentence is set aside, where the model can fetch the text back, and once
/// about each text. What is left of the text stands behind a marker that names the whole. A panic of it counts as no
/// answer.
///
/// # What it promises
///
/// As with [`Classifier`], the answer is a function of the text alone: the same text is condensed in the same way
/// whenever it comes, or never.
///
/// # Example
///
/// ```
/// use std::ops::Range;
///
/// use headroom_core::{TokenPruner, Engine};
///
/// #[derive(Debug)]
/// struct Fillers;
///
/// impl TokenPruner for Fillers {
///     fn prune(&self, text: &str) -> Option<Vec<Range<usize>>> {
///         Some(text.match_indices("actually ").map(|(at, word)| at..at + word.len()).collect())
///     }
/// }
///
/// let headroom = Engine::builder().token_pruner(Fillers).build();
/// ```
pub trait TokenPruner: fmt::Debug + Send + Sync {
    /// The bytes that can be left out, in order and apart from each other; none of them hold a line's end.
    ///
    /// `None` where the text stays as it is.
    fn prune(&self, text: &str) -> Option<Vec<Range<usize>>>;
}

impl<T: TokenPruner + ?Sized> TokenPruner for Arc<T> {
    fn prune(&self, text: &str) -> Option<Vec<Range<usize>>> {
        (**self).prune(text)
    }
}

/// The models of an engine, and what they said before.
pub(crate) struct Models {
    pub(crate) classifier: Option<Arc<dyn Classifier>>,
    pub(crate) token_pruner: Option<Arc<dyn TokenPruner>>,
    secret: u64,
    classifications: Mutex<Cache<Option<Classification>>>,
    pruned: Mutex<Cache<Arc<[Range<usize>]>>>,
}

impl Models {
    pub(crate) fn new(
        classifier: Option<Arc<dyn Classifier>>,
        condenser: Option<Arc<dyn TokenPruner>>,
    ) -> Self {
        Self {
            classifier,
            token_pruner: condenser,
            secret: RandomState::new().hash_one(1),
            classifications: Mutex::new(Cache::new(CACHE_BYTES_PER_MODEL)),
            pruned: Mutex::new(Cache::new(CACHE_BYTES_PER_MODEL)),
        }
    }

    /// The models as they are asked for one tenant: nothing that is remembered is shared with another.
    pub(crate) const fn for_tenant<'a>(&'a self, tenant: &'a str) -> TenantModels<'a> {
        TenantModels { models: Some(self), tenant }
    }
}

/// What can be asked about a text. By default nothing is known.
#[derive(Clone, Copy, Default)]
pub(crate) struct TenantModels<'a> {
    models: Option<&'a Models>,
    tenant: &'a str,
}

impl TenantModels<'_> {
    /// What the text is, where there is a classifier and it is certain.
    pub(crate) fn classify(&self, text: &str) -> Option<Classification> {
        let models = self.models?;
        let classifier = models.classifier.as_ref().filter(|_| text.len() >= MIN_BYTES)?;
        let ask = || catch_unwind(AssertUnwindSafe(|| classifier.classify(text))).ok().flatten();
        cached(&models.classifications, self.key(models, text), ask, |_| size_of::<Classification>())
    }

    /// Whether there is something that can condense.
    pub(crate) fn can_prune(&self) -> bool {
        self.models.is_some_and(|models| models.token_pruner.is_some())
    }

    /// The bytes that can be left out; none where nothing can, and where what was said makes no sense.
    pub(crate) fn prune(&self, text: &str) -> Arc<[Range<usize>]> {
        let Some((models, condenser)) =
            self.models.and_then(|models| Some((models, models.token_pruner.as_ref()?)))
        else {
            return Arc::default();
        };
        let ask = || {
            let said = catch_unwind(AssertUnwindSafe(|| condenser.prune(text))).ok().flatten();
            said.filter(|ranges| are_within_lines(text, ranges)).unwrap_or_default().into()
        };
        let weight = |ranges: &Arc<[Range<usize>]>| size_of_val::<[Range<usize>]>(ranges);
        cached(&models.pruned, self.key(models, text), ask, weight)
    }

    fn key(&self, models: &Models, text: &str) -> CacheKey {
        let hash = |text: &str| xxh3_128_with_seed(text.as_bytes(), models.secret);
        (hash(text) ^ hash(self.tenant).rotate_left(1)).to_le_bytes()
    }
}

impl fmt::Debug for TenantModels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantModels").field("any", &self.models.is_some()).finish_non_exhaustive()
    }
}

/// The value of before, or the one that is made now. Nothing waits for what is being made.
fn cached<V: Clone>(
    memo: &Mutex<Cache<V>>,
    key: CacheKey,
    make: impl FnOnce() -> V,
    weight: impl Fn(&V) -> usize,
) -> V {
    let lock = || memo.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().get(&key) {
        return known;
    }
    let made = make();
    let weight = weight(&made) + size_of::<CacheKey>() * 3;
    lock().put(key, made.clone(), weight);
    made
}

/// Whether the ranges are in order, apart, of whole characters, and each within a line.
fn are_within_lines(text: &str, ranges: &[Range<usize>]) -> bool {
    let mut from = 0;
    ranges.iter().all(|range| {
        let in_order = range.start >= from && range.start < range.end;
        from = range.end;
        in_order && text.get(range.clone()).is_some_and(|words| !words.contains(['\n', '\r']))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);

    impl Classifier for Counting {
        fn classify(&self, text: &str) -> Option<Classification> {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert!(!text.contains("panic"), "as asked");
            Some(Classification::Code("py"))
        }
    }

    #[derive(Debug)]
    struct Fixed(Vec<Range<usize>>);

    impl TokenPruner for Fixed {
        fn prune(&self, _: &str) -> Option<Vec<Range<usize>>> {
            Some(self.0.clone())
        }
    }

    #[test]
    fn a_text_is_classified_once_for_each_tenant() {
        let counting = Arc::new(Counting::default());
        let models = Models::new(Some(Arc::<Counting>::clone(&counting)), None);
        let text = "x = 1\n".repeat(500);
        for _ in 0..3 {
            assert_eq!(models.for_tenant("a").classify(&text), Some(Classification::Code("py")));
        }
        assert_eq!(counting.0.load(Ordering::Relaxed), 1);
        models.for_tenant("b").classify(&text);
        assert_eq!(counting.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn short_texts_and_panics_have_no_verdict() {
        let models = Models::new(Some(Arc::new(Counting::default())), None);
        assert_eq!(models.for_tenant("").classify("x = 1"), None);
        assert_eq!(models.for_tenant("").classify(&"panic ".repeat(500)), None);
        assert_eq!(TenantModels::default().classify(&"x = 1\n".repeat(500)), None);
    }

    #[test]
    fn what_makes_no_sense_is_not_left_out() {
        let text = "one two\nthree é";
        let condensed = |ranges: &[Range<usize>]| {
            let models = Models::new(None, Some(Arc::new(Fixed(ranges.to_vec()))));
            models.for_tenant("").prune(text).to_vec()
        };
        assert_eq!(condensed(&[0..4, 8..14]), [0..4, 8..14]);
        #[expect(
            clippy::reversed_empty_ranges,
            clippy::single_range_in_vec_init,
            reason = "that is what is refused"
        )]
        for wrong in [vec![4..7, 0..4], vec![0..5, 4..7], vec![6..9], vec![14..15], vec![9..99], vec![4..2]] {
            assert!(condensed(&wrong).is_empty(), "{wrong:?}");
        }
    }
}
