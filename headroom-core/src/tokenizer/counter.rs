use std::fmt;

/// Counts tokens, so that the engine can compare the cost of two texts.
///
/// The engine edits a block only if the edit saves tokens by this count. Pass an implementation to
/// [`EngineBuilder::token_counter`](crate::EngineBuilder::token_counter) to replace the default, for example a
/// tokenizer that fits your model better. It is part of the configuration: use the same one in all engines that handle
/// a conversation.
///
/// # Contract
///
/// - The same text always has the same count.
/// - Every token has at least one byte, and words separated by white space share no token.
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
    /// Returns the counter's name, for reports and cache keys. Include a version: counters that count differently need
    /// different names.
    fn name(&self) -> &'static str;

    /// Counts the tokens of a text.
    ///
    /// The engine counts each new block and what it may become, a few times its length in all. Reports repeat the counts,
    /// so a counter that samples long texts must say that it is [not exact](Self::is_exact_for).
    fn count(&self, text: &str) -> usize;

    /// Returns whether this is the model's own tokenizer. If not, reports mark counts as estimated.
    ///
    /// Default: `false` for every model.
    fn is_exact_for(&self, model: &str) -> bool {
        let _ = model;
        false
    }
}
