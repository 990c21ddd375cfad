use crate::{Api, BlockReport, CacheHint, EpochReport, ListedTool, Retrieval, Tier, UnchangedReason};

/// Describes what the engine looked at and did. Holds no content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The wire format, if it was recognised.
    pub api: Option<Api>,
    /// The tier that was allowed.
    pub tier: Tier,
    /// How the model can retrieve elided content.
    pub retrieval: Retrieval,
    /// Name of the token counter.
    pub tokenizer: &'static str,
    /// Whether the model's own tokenizer is unknown and another is used for it.
    pub estimated: bool,
    /// Length of the original body, in bytes.
    pub bytes_before: usize,
    /// Length of the resulting body, in bytes.
    pub bytes_after: usize,
    /// Tokens that the edits saved.
    pub tokens_saved: usize,
    /// Why nothing was edited, if nothing was.
    pub reason: Option<UnchangedReason>,
    /// The prompts at which old content left, in order; see [`CompressOptions::epochs`](crate::CompressOptions::epochs).
    pub epochs: Vec<EpochReport>,
    /// Whether the last of them begins with this request: nothing follows its prompt, and the provider reads no more of
    /// its cache than the text before the first change.
    pub epoch_begins: bool,
    /// Estimated tokens of thinking that left at epochs; not part of [`tokens_saved`](Self::tokens_saved).
    pub thinking_saved: usize,
    /// The tools of [`CompressOptions::drop_tools`](crate::CompressOptions::drop_tools) that the request defines.
    pub listed_tools: Vec<ListedTool>,
    /// Tokens of the definitions that left; not part of [`tokens_saved`](Self::tokens_saved).
    pub tools_saved: usize,
    /// The settings for the provider's prompt cache that were added; see
    /// [`CompressOptions::cache_hints`](crate::CompressOptions::cache_hints).
    pub cache_hints: Vec<CacheHint>,
    /// Every text of the tool results, in order; for results that are JSON values, their strings of sufficient length.
    pub blocks: Vec<BlockReport>,
}
