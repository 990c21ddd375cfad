use std::{collections::BTreeSet, fmt};

use crate::{BlockReport, CompressOptions, ContentKind, Original, detect};

/// Describes one piece of content for [`Engine::compress_text`].
///
/// [`Engine::compress_text`]: crate::Engine::compress_text
///
/// # Example
///
/// ```
/// use headroom_core::Hints;
///
/// let hints = Hints::new().tool("Bash").arguments(r#"{"command":"cargo test"}"#);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Hints {
    pub(crate) tool: Option<String>,
    pub(crate) arguments: Option<String>,
    pub(crate) query: Option<String>,
    pub(crate) kind: Option<ContentKind>,
    pub(crate) model: String,
    pub(crate) options: CompressOptions,
    /// The names of the files that the agent edited, in lower case and without directories.
    pub(crate) edited: BTreeSet<String>,
}

impl Hints {
    /// Creates empty hints.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the tool that returned the content.
    #[must_use]
    pub fn tool(mut self, name: impl Into<String>) -> Self {
        self.tool = Some(name.into());
        self
    }

    /// Sets the arguments of the tool call: JSON, as the model wrote it.
    #[must_use]
    pub fn arguments(mut self, json: impl Into<String>) -> Self {
        self.arguments = Some(json.into());
        self
    }

    /// Sets what the user asked before the call. Lines that match it are never omitted.
    #[must_use]
    pub fn query(mut self, text: impl Into<String>) -> Self {
        self.query = Some(text.into());
        self
    }

    /// Adds a call that the agent made before this one. A file that it edits keeps its lines when it is read again,
    /// whatever it holds, because the agent may edit it by their exact text.
    ///
    /// ```
    /// use headroom_core::{ContentKind, Engine, Hints};
    ///
    /// let rows: Vec<String> = (0..200).map(|n| format!("{{\"id\": {n}, \"state\": \"open\"}}")).collect();
    /// let file = format!("[{}]", rows.join(",\n"));
    /// let read = Hints::new().tool("Read").arguments(r#"{"file_path":"/w/data.json"}"#);
    /// let kind = |hints: &Hints| Engine::new().compress_text(&file, hints).report.kind;
    /// assert_eq!(kind(&read), ContentKind::Json);
    /// let edit = r#"{"file_path":"/w/data.json","old_string":"open","new_string":"shut"}"#;
    /// assert_eq!(kind(&read.earlier_call("Edit", edit)), ContentKind::FileRead);
    /// ```
    #[must_use]
    pub fn earlier_call(mut self, tool: &str, arguments: &str) -> Self {
        self.edited.extend(detect::edited_names(Some(tool), arguments));
        self
    }

    /// Sets the content kind. Default: detected from the structure of the text and the tool.
    #[must_use]
    pub fn kind(mut self, kind: ContentKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets the model that will read the content. It selects the tokenizer.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = name.into();
        self
    }

    /// Sets the options of the compression, as for a request.
    #[must_use]
    pub fn options(mut self, options: CompressOptions) -> Self {
        self.options = options;
        self
    }
}

/// The result of compressing one piece of content.
#[derive(Clone)]
#[non_exhaustive]
pub struct TextOutcome {
    /// The smaller text, or `None` if the text is unchanged.
    pub text: Option<String>,
    /// The originals to store before the text is used.
    pub originals: Vec<Original>,
    /// What was done, or why nothing was done.
    pub report: BlockReport,
}

impl fmt::Debug for TextOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextOutcome")
            .field("originals", &self.originals.len())
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
