use std::fmt;

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
