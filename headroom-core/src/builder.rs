use std::sync::Arc;

use crate::{Classifier, Condenser, Headroom, TokenCounter};

/// Configuration of [`Headroom`].
///
/// # Example
///
/// ```
/// use headroom_core::Headroom;
///
/// let headroom = Headroom::builder().max_body(8 << 20).memory(16 << 20).build();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    pub(crate) max_body: usize,
    pub(crate) memory: usize,
    pub(crate) classifier: Option<Arc<dyn Classifier>>,
    pub(crate) condenser: Option<Arc<dyn Condenser>>,
    pub(crate) token_counter: Option<Arc<dyn TokenCounter>>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { max_body: 64 << 20, memory: 64 << 20, classifier: None, condenser: None, token_counter: None }
    }
}

impl Builder {
    /// Declines bodies longer than this many bytes. Default: 64 MiB, twice what Anthropic accepts.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// How many bytes the engine may keep of what it decided before. Default: 64 MiB.
    ///
    /// With 0 nothing is kept: every request costs as much as a new one, and becomes the same.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
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
    pub fn condenser(mut self, condenser: impl Condenser + 'static) -> Self {
        self.condenser = Some(Arc::new(condenser));
        self
    }

    /// Counts tokens with this counter, for every model.
    ///
    /// Default: with the feature `tiktoken` the vocabularies that OpenAI has published, `o200k_base` for models of
    /// others; without it [`TokenEstimate`](crate::TokenEstimate). Part of the configuration, as the
    /// [classifier](Self::classifier) is.
    ///
    /// ```
    /// use headroom_core::{Headroom, TokenEstimate};
    ///
    /// let headroom = Headroom::builder().token_counter(TokenEstimate::new()).build();
    /// ```
    pub fn token_counter(mut self, counter: impl TokenCounter + 'static) -> Self {
        self.token_counter = Some(Arc::new(counter));
        self
    }

    /// Builds the engine.
    #[must_use]
    pub fn build(self) -> Headroom {
        Headroom::with(self)
    }
}
