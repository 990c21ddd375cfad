use std::fmt;

use crate::{Api, Retrieval, Tier, UnchangedReason};

/// The kind of text in a block, detected from its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ContentKind {
    /// One JSON value, or several in sequence.
    Json,
    /// The content of a file, as shown by an agent's read tool or `cat`. Its lines are never altered.
    FileRead,
    /// A unified or combined diff.
    Diff,
    /// Search hits: `path:line:text`, or lines of one file with gaps in their numbers.
    Search,
    /// File names and paths.
    Listing,
    /// Aligned columns, as from `ps` and `ls -l`.
    Table,
    /// Lines of a log, a test run or a build.
    Log,
    /// A web page.
    Html,
    /// Source code.
    Code,
    /// Sentences.
    Prose,
    /// Base64 and other dense data.
    Blob,
    /// Any other text.
    Text,
}

impl ContentKind {
    /// Returns the label used in reports and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::FileRead => "file_read",
            Self::Diff => "diff",
            Self::Search => "search",
            Self::Listing => "listing",
            Self::Table => "table",
            Self::Log => "log",
            Self::Html => "html",
            Self::Code => "code",
            Self::Prose => "prose",
            Self::Blob => "blob",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for ContentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One kind of edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Transform {
    /// Removes redundant colours and the frames of progress displays.
    Ansi,
    /// Omits line numbers except every tenth, if nobody asked for them.
    LineNumbers,
    /// Folds repeated lines with a count.
    RepeatedLines,
    /// Removes insignificant white space from JSON and writes arrays of records as tables.
    Json,
    /// Omits the path of a search result that equals the one above.
    Search,
    /// Writes the common directory of a listing once.
    CommonPrefix,
    /// Removes the padding of aligned columns.
    ColumnPadding,
    /// Writes a web page as Markdown, without the parts around its content.
    HtmlToMarkdown,
    /// Replaces lines by a reference to an earlier block.
    Reference,
    /// Replaces parts by a marker.
    Elision,
    /// Replaces sentences by a marker.
    Sentences,
    /// Omits words of sentences, with a marker.
    TokenPruning,
}

impl Transform {
    /// Returns the label used in reports and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ansi => "ansi",
            Self::LineNumbers => "line_numbers",
            Self::RepeatedLines => "repeated_lines",
            Self::Json => "json",
            Self::Search => "search",
            Self::CommonPrefix => "common_prefix",
            Self::ColumnPadding => "column_padding",
            Self::HtmlToMarkdown => "html_to_markdown",
            Self::Reference => "reference",
            Self::Elision => "elision",
            Self::Sentences => "sentences",
            Self::TokenPruning => "token_pruning",
        }
    }
}

/// What was done to one block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Action {
    /// Left unchanged.
    Kept(UnchangedReason),
    /// Edited by these transforms.
    Edited(Vec<Transform>),
}

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
    /// Every text of the tool results, in order; for results that are JSON values, their strings of sufficient length.
    pub blocks: Vec<BlockReport>,
}
