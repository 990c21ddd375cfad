/// A tool definition that the options list. Holds no content but the name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ListedTool {
    /// The tool.
    pub name: String,
    /// Tokens of its definition.
    pub tokens: usize,
    /// Why it stays; `None` if it left.
    pub kept: Option<KeptTool>,
}

/// Why a tool definition stays although the options list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum KeptTool {
    /// The head names the tool elsewhere.
    Named,
    /// The definition has a cache breakpoint.
    CacheBreakpoint,
    /// The provider loads it only when it is wanted.
    Deferred,
    /// No definition would be left in its list.
    Last,
    /// It has a key twice.
    Unreadable,
}

impl KeptTool {
    /// Returns the reason in a few words.
    ///
    /// ```
    /// assert_eq!(headroom_core::KeptTool::Named.as_str(), "named elsewhere in the head");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named elsewhere in the head",
            Self::CacheBreakpoint => "a cache breakpoint",
            Self::Deferred => "deferred already",
            Self::Last => "the last one",
            Self::Unreadable => "unreadable",
        }
    }
}
