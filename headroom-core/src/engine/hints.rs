use std::fmt;

use crate::{BlockReport, CompressOptions, ContentKind, Original};

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
