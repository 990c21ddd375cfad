use std::fmt;

/// Why a request or a block was left unchanged.
///
/// Reasons are labels, not errors: they are `Copy`, carry no content, and may be used as metric labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum UnchangedReason {
    /// The body is not one complete JSON value.
    NotJson,
    /// The body is JSON but not a request of a known API.
    UnknownShape,
    /// The body nests deeper than the limit.
    TooDeep,
    /// The body is longer than the limit.
    TooLarge,
    /// The body holds more values than the limit.
    TooManyValues,
    /// A key that decides what is editable occurs twice.
    DuplicateKey,
    /// The provider holds the rest of the conversation, and this request must match it.
    Stateful,
    /// The request has no text that may be edited.
    NothingEditable,
    /// No edit would have saved anything.
    NoSaving,
    /// The block shows a file, whose lines stay as they are, so that they can be edited by their exact text.
    FileRead,
    /// The block is too short to save tokens.
    TooShort,
    /// The block is of a type that is never edited.
    Protected,
    /// The block reports an error. Errors stay verbatim.
    ToolError,
    /// The text contains half of a surrogate pair and cannot be rebuilt exactly.
    LoneSurrogate,
    /// The block holds instructions: a skill, rules, or a file such as `AGENTS.md`. They stay verbatim.
    Instructions,
    /// The text of the block is a retrieved original.
    Retrieved,
    /// The block comes after more messages, calls and results than are processed in one request.
    TooManyItems,
    /// The caller of [`compress_while`](crate::Engine::compress_while) cancelled.
    Cancelled,
    /// The engine failed. The original body is the one to send.
    Internal,
}

impl UnchangedReason {
    /// Returns the label used in reports and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::UnknownShape => "unknown_shape",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::TooManyValues => "too_many_values",
            Self::DuplicateKey => "duplicate_key",
            Self::Stateful => "stateful",
            Self::NothingEditable => "nothing_editable",
            Self::NoSaving => "no_saving",
            Self::FileRead => "file_read",
            Self::TooShort => "too_short",
            Self::Protected => "protected",
            Self::ToolError => "tool_error",
            Self::LoneSurrogate => "lone_surrogate",
            Self::Instructions => "instructions",
            Self::Retrieved => "retrieved",
            Self::TooManyItems => "too_many_items",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

impl From<headroom_json::Error> for UnchangedReason {
    fn from(error: headroom_json::Error) -> Self {
        match error {
            headroom_json::Error::TooDeep => Self::TooDeep,
            headroom_json::Error::TooLarge => Self::TooLarge,
            headroom_json::Error::TooManyValues => Self::TooManyValues,
            headroom_json::Error::DuplicateKey => Self::DuplicateKey,
            _ => Self::NotJson,
        }
    }
}

impl fmt::Display for UnchangedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
