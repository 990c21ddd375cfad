use std::sync::Arc;

use crate::{Classifier, Engine, TokenCounter, TokenPruner};

/// Configures an [`Engine`].
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
    /// Sets the length in bytes above which bodies are declined. Default: 64 MiB, twice what Anthropic accepts.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets how many bytes of earlier decisions the engine may cache. Default: 64 MiB.
    ///
    /// With 0 nothing is cached: every request costs as much as a new one. The output stays the same.
    pub fn cache_capacity(mut self, bytes: usize) -> Self {
        self.cache_capacity = bytes;
        self
    }

    /// Sets the classifier that decides whether a text is code, and in which language, where its structure is
    /// ambiguous.
    ///
    /// Default: none; the structure decides alone. The classifier is part of the configuration: use the same one in all
    /// engines that handle a conversation.
    pub fn classifier(mut self, classifier: impl Classifier + 'static) -> Self {
        self.classifier = Some(Arc::new(classifier));
        self
    }

    /// Sets the model that selects words to omit from prose, behind a marker. Default: none, and no words are omitted.
    ///
    /// Part of the configuration, like the [classifier](Self::classifier).
    pub fn token_pruner(mut self, condenser: impl TokenPruner + 'static) -> Self {
        self.token_pruner = Some(Arc::new(condenser));
        self
    }

    /// Sets the counter that counts tokens, for every model.
    ///
    /// Default: with the feature `tiktoken` the vocabularies published by OpenAI, `o200k_base` for models of other
    /// vendors; without it [`TokenEstimate`](crate::TokenEstimate). Part of the configuration, like the
    /// [classifier](Self::classifier).
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
