use super::UnchangedReason;

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
    /// Shows a few lines of an old result only, from an epoch on.
    Epoch,
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
            Self::Epoch => "epoch",
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
