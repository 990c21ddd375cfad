use std::fmt;

use crate::{Api, Retrieval, Tier, UnchangedReason};

/// What kind of text a block holds, as far as its structure tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ContentKind {
    /// One JSON value, or several one after the other.
    Json,
    /// The content of a file, as an agent's read tool or `cat` shows it. Its lines are never altered.
    FileRead,
    /// A unified or combined diff.
    Diff,
    /// Hits of a search: `path:line:text`, and lines of a file with numbers that jump.
    Search,
    /// Paths and names of files.
    Listing,
    /// Cells in columns, as of `ps` and `ls -l`.
    Table,
    /// Lines of a log, of a test run or of a build.
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
    /// The label used in reports and metrics.
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
    /// Colours that say nothing and frames of progress displays removed.
    Ansi,
    /// Line numbers that nobody asked for left out, but for every tenth.
    LineNumbers,
    /// Repeated lines folded with a count.
    RepeatedLines,
    /// JSON without insignificant white space, record arrays as tables.
    Json,
    /// Paths of search results left out where the row above has the same.
    Search,
    /// Directories of a listing lifted out.
    CommonPrefix,
    /// The padding of aligned columns removed.
    ColumnPadding,
    /// A web page written as Markdown, without what stands around its content.
    HtmlToMarkdown,
    /// Lines that stand in an earlier block referenced.
    Reference,
    /// Parts set aside behind a marker.
    Elision,
    /// Sentences set aside behind a marker.
    Sentences,
    /// Words left out of sentences, behind a marker.
    TokenPruning,
}

impl Transform {
    /// The label used in reports and metrics.
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

/// What happened to one block.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Action {
    /// Left as it was.
    Kept(UnchangedReason),
    /// Edited by these steps.
    Edited(Vec<Transform>),
}

/// One block of a request that the engine looked at. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BlockReport {
    /// Where the text stands in the body, as a JSON path: `messages[2].content[0].content`.
    pub path: String,
    /// The tool whose result this is, where the request names it.
    pub tool: Option<String>,
    /// What the text is.
    pub kind: ContentKind,
    /// Length of the text before, in bytes of UTF-8.
    pub bytes_before: usize,
    /// Length of the text after, in bytes of UTF-8.
    pub bytes_after: usize,
    /// Tokens before; `None` where they were not counted because no edit was in question.
    pub tokens_before: Option<usize>,
    /// Tokens after.
    pub tokens_after: Option<usize>,
    /// What was done.
    pub action: Action,
}

/// What the engine looked at and did. Holds no content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The wire format, if it was recognised.
    pub api: Option<Api>,
    /// How far edits were allowed to go.
    pub tier: Tier,
    /// How the model can fetch back what was set aside.
    pub retrieval: Retrieval,
    /// The token counter: a tokenizer's name.
    pub tokenizer: &'static str,
    /// Whether the model's own tokenizer is unknown and another stands in for it.
    pub estimated: bool,
    /// Length of the body before, in bytes.
    pub bytes_before: usize,
    /// Length of the body after, in bytes.
    pub bytes_after: usize,
    /// Tokens that the edits saved.
    pub tokens_saved: usize,
    /// Why nothing was edited, if nothing was.
    pub reason: Option<UnchangedReason>,
    /// Every text of the tool results, in order; of results that are JSON values, the strings that are long enough.
    pub blocks: Vec<BlockReport>,
}
