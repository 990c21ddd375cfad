//! Learned models that classify and prune texts, supplied by the caller.
//!
//! The engine ships no model. A caller passes one to the [`EngineBuilder`](crate::EngineBuilder), and it becomes part
//! of the configuration.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::cache::{Cache, CacheKey};

/// Size of each model's cache in bytes.
const CACHE_BYTES_PER_MODEL: usize = 1 << 20;
/// Shorter texts are not classified: they stay unchanged as code and as prose.
const MIN_BYTES: usize = 2048;

/// What a [`Classifier`] recognised a text as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Classification {
    /// Source code; holds the file extension of its language: `py`.
    Code(&'static str),
    /// Sentences, plain or in Markdown.
    Prose,
}

/// Classifies texts whose structure is ambiguous.
///
/// The engine calls it where parts may be omitted, for texts of at least 2 KiB that look like code or prose but may be
/// something else. It is called once per text: answers are cached by content. A panic counts as no answer.
///
/// # Contract
///
/// The answer must be a function of the text alone. If the answer for a text changes, blocks change in the middle of a
/// conversation and the provider's prompt cache misses everything after them. For the same reason, all engines that
/// handle a conversation need the same classifier, or none of them has one.
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
    /// Classifies the text. Returns `None` if uncertain, and the structure decides.
    fn classify(&self, text: &str) -> Option<Classification>;
}

impl<T: Classifier + ?Sized> Classifier for Arc<T> {
    fn classify(&self, text: &str) -> Option<Classification> {
        (**self).classify(text)
    }
}

/// Selects words of a text that can be omitted.
///
/// The engine calls it for prose that keeps all its sentences, if the model can retrieve the text, and once per text.
/// The remaining text follows a marker that names the original. A panic counts as no answer.
///
/// # Contract
///
/// As with [`Classifier`], the answer must be a function of the text alone: a text is pruned the same way every time,
/// or never.
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
    /// Returns the byte ranges that can be omitted: in order, disjoint, and none across a line end.
    ///
    /// Returns `None` to leave the text unchanged.
    fn prune(&self, text: &str) -> Option<Vec<Range<usize>>>;
}

impl<T: TokenPruner + ?Sized> TokenPruner for Arc<T> {
    fn prune(&self, text: &str) -> Option<Vec<Range<usize>>> {
        (**self).prune(text)
    }
}

/// The models of an engine, with caches of their answers.
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

    /// Returns the models for one tenant, whose cache entries no other tenant shares.
    pub(crate) const fn for_tenant<'a>(&'a self, tenant: &'a str) -> TenantModels<'a> {
        TenantModels { models: Some(self), tenant }
    }
}

/// The models as one tenant uses them. The default has none.
#[derive(Clone, Copy, Default)]
pub(crate) struct TenantModels<'a> {
    models: Option<&'a Models>,
    tenant: &'a str,
}

impl TenantModels<'_> {
    /// Classifies a text, if there is a classifier and it is certain.
    pub(crate) fn classify(&self, text: &str) -> Option<Classification> {
        let models = self.models?;
        let classifier = models.classifier.as_ref().filter(|_| text.len() >= MIN_BYTES)?;
        let ask = || catch_unwind(AssertUnwindSafe(|| classifier.classify(text))).ok().flatten();
        cached(&models.classifications, self.key(models, text), ask, |_| size_of::<Classification>())
    }

    /// Whether there is a token pruner.
    pub(crate) fn can_prune(&self) -> bool {
        self.models.is_some_and(|models| models.token_pruner.is_some())
    }

    /// Returns the byte ranges that can be omitted; empty if there are none or the model's answer is invalid.
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

/// Returns the cached value or computes it. The lock is not held while computing.
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

/// Whether the ranges are in order, disjoint, on character boundaries, and each within one line.
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
