use super::{Action, ContentKind};

/// Describes one block that the engine looked at. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BlockReport {
    /// Position of the text in the body, as a JSON path: `messages[2].content[0].content`.
    pub path: String,
    /// The tool that returned the text, if the request names it.
    pub tool: Option<String>,
    /// The content kind of the text.
    pub kind: ContentKind,
    /// Length of the original text, in bytes of UTF-8.
    pub bytes_before: usize,
    /// Length of the resulting text, in bytes of UTF-8.
    pub bytes_after: usize,
    /// Tokens of the original text; `None` if no edit was considered and none were counted.
    pub tokens_before: Option<usize>,
    /// Tokens of the resulting text.
    pub tokens_after: Option<usize>,
    /// What was done.
    pub action: Action,
}
