use std::fmt;

use crate::{BlockReport, CompressOptions, ContentKind, Original};

/// What is known about one piece of content besides its text, for [`Engine::compress_text`].
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
    /// Nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the tool that gave the content.
    #[must_use]
    pub fn tool(mut self, name: impl Into<String>) -> Self {
        self.tool = Some(name.into());
        self
    }

    /// Sets the arguments that the tool was called with: JSON, as the model wrote it.
    #[must_use]
    pub fn arguments(mut self, json: impl Into<String>) -> Self {
        self.arguments = Some(json.into());
        self
    }

    /// Sets what the user asked before the call. Lines that have to do with it are never set aside.
    #[must_use]
    pub fn query(mut self, text: impl Into<String>) -> Self {
        self.query = Some(text.into());
        self
    }

    /// Sets what kind of text the content is. By default its structure and the tool decide.
    #[must_use]
    pub fn kind(mut self, kind: ContentKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets the model that will read the content; it decides how tokens are counted.
    #[must_use]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.model = name.into();
        self
    }

    /// Sets the options, as for a request.
    #[must_use]
    pub fn options(mut self, options: CompressOptions) -> Self {
        self.options = options;
        self
    }
}

/// What became of one piece of content.
#[derive(Clone)]
#[non_exhaustive]
pub struct TextOutcome {
    /// The smaller text, or `None` to keep the text that you have.
    pub text: Option<String>,
    /// What must be stored before the text is used.
    pub originals: Vec<Original>,
    /// What was done, or why nothing was.
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
