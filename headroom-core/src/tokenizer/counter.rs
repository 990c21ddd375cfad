use std::fmt;

/// Counts tokens, so that the engine can tell which of two texts is cheaper.
///
/// The engine edits a block only if the edit saves tokens by this count. Give one to
/// [`EngineBuilder::token_counter`](crate::EngineBuilder::token_counter) in place of the default, such as a tokenizer that fits your
/// model better. It is part of the configuration: all engines that serve a conversation need the same.
///
/// # Contract
///
/// - The same text always has the same count.
/// - No token is shorter than a byte, and words with white space between them share no token.
///
/// # Example
///
/// ```
/// use headroom_core::{Engine, TokenCounter};
///
/// /// Counts four bytes as a token.
/// #[derive(Debug)]
/// struct Quarters;
///
/// impl TokenCounter for Quarters {
///     fn name(&self) -> &'static str {
///         "quarters"
///     }
///
///     fn count(&self, text: &str) -> usize {
///         text.len().div_ceil(4).max(text.split_whitespace().count())
///     }
/// }
///
/// let headroom = Engine::builder().token_counter(Quarters).build();
/// # let _ = headroom;
/// ```
pub trait TokenCounter: fmt::Debug + Send + Sync {
    /// The name, in reports and in the key of every decision. Give it a version: counters that count differently need
    /// different names.
    fn name(&self) -> &'static str;

    /// The number of tokens of a text.
    ///
    /// Texts over 64 KiB are counted by an even sample unless [`samples`](Self::samples) says otherwise.
    fn count(&self, text: &str) -> usize;

    /// Whether this is the model's own tokenizer. Where it is not, reports say that counts are estimated.
    ///
    /// Default: `false` for every model.
    fn is_exact_for(&self, model: &str) -> bool {
        let _ = model;
        false
    }

    /// Whether long texts should be counted by a sample, because counting is slow. Default: `true`.
    fn samples(&self) -> bool {
        true
    }
}
