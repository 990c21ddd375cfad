use std::{fmt, str::FromStr};

/// A setting for the provider's prompt cache that a request lacks and that the engine may add.
///
/// None changes a word of what the model reads. See
/// [`CompressOptions::cache_hints`](crate::CompressOptions::cache_hints).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CacheHint {
    /// Anthropic: automatic caching, for a client that sets no breakpoint at all.
    Breakpoint,
    /// OpenAI: a `prompt_cache_key` of the conversation, which leads its requests to the same cache.
    PromptCacheKey,
    /// Anthropic: a breakpoint in the system prompt, before its first line that tells a date, a time or a session.
    SystemSplit,
}

impl CacheHint {
    /// All hints.
    pub const ALL: &'static [Self] = &[Self::Breakpoint, Self::PromptCacheKey, Self::SystemSplit];

    /// Returns the hint's name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Breakpoint => "breakpoint",
            Self::PromptCacheKey => "prompt-cache-key",
            Self::SystemSplit => "system-split",
        }
    }
}

impl fmt::Display for CacheHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Error returned when parsing a [`CacheHint`] fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCacheHint(());

impl fmt::Display for UnknownCacheHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown cache hint; expected breakpoint, prompt-cache-key or system-split")
    }
}

impl std::error::Error for UnknownCacheHint {}

impl FromStr for CacheHint {
    type Err = UnknownCacheHint;

    /// Parses a name as returned by [`CacheHint::as_str`].
    ///
    /// ```
    /// use headroom_core::CacheHint;
    ///
    /// assert_eq!("breakpoint".parse(), Ok(CacheHint::Breakpoint));
    /// assert!("all".parse::<CacheHint>().is_err());
    /// ```
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|hint| hint.as_str() == name).ok_or(UnknownCacheHint(()))
    }
}
