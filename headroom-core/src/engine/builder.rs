use std::sync::Arc;

use crate::{Classifier, Engine, TokenCounter, TokenPruner};

/// Configuration of [`Engine`].
///
/// # Example
///
/// ```
/// use headroom_core::Engine;
///
/// let headroom = Engine::builder().max_body(8 << 20).cache_capacity(16 << 20).build();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EngineBuilder {
    pub(crate) max_body: usize,
    pub(crate) cache_capacity: usize,
    pub(crate) classifier: Option<Arc<dyn Classifier>>,
    pub(crate) token_pruner: Option<Arc<dyn TokenPruner>>,
    pub(crate) token_counter: Option<Arc<dyn TokenCounter>>,
}

impl Default for EngineBuilder {
    fn default() -> Self {
        Self {
            max_body: 64 << 20,
            cache_capacity: 64 << 20,
            classifier: None,
            token_pruner: None,
            token_counter: None,
        }
    }
}

impl EngineBuilder {
    /// Declines bodies longer than this many bytes. Default: 64 MiB, twice what Anthropic accepts.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// How many bytes the engine may keep of what it decided before. Default: 64 MiB.
    ///
    /// With 0 nothing is kept: every request costs as much as a new one, and becomes the same.
    pub fn cache_capacity(mut self, bytes: usize) -> Self {
        self.cache_capacity = bytes;
        self
    }

    /// Asks this classifier where the structure of a text leaves open whether it is code, and in which language.
    ///
    /// Default: none, and the structure decides alone. The classifier is part of the configuration: keep it the same for
    /// all engines that serve a conversation.
    pub fn classifier(mut self, classifier: impl Classifier + 'static) -> Self {
        self.classifier = Some(Arc::new(classifier));
        self
    }

    /// Lets words of prose be left out behind a marker, where this condenser says which. Default: none are.
    ///
    /// Part of the configuration, as the [classifier](Self::classifier) is.
    pub fn token_pruner(mut self, condenser: impl TokenPruner + 'static) -> Self {
        self.token_pruner = Some(Arc::new(condenser));
        self
    }

    /// Counts tokens with this counter, for every model.
    ///
    /// Default: with the feature `tiktoken` the vocabularies that OpenAI has published, `o200k_base` for models of
    /// others; without it [`TokenEstimate`](crate::TokenEstimate). Part of the configuration, as the
    /// [classifier](Self::classifier) is.
    ///
    /// ```
    /// use headroom_core::{Engine, TokenEstimate};
    ///
    /// let headroom = Engine::builder().token_counter(TokenEstimate::new()).build();
    /// ```
    pub fn token_counter(mut self, counter: impl TokenCounter + 'static) -> Self {
        self.token_counter = Some(Arc::new(counter));
        self
    }

    /// Builds the engine.
    #[must_use]
    pub fn build(self) -> Engine {
        Engine::with(self)
    }
}
