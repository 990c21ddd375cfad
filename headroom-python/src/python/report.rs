//! What the engine looked at and did.

use headroom_bindings::transforms;
use headroom_core::{self as core, Action};
use pyo3::prelude::*;

/// Describes what the engine looked at and did. Holds no content.
#[pyclass(frozen, module = "headroom")]
pub(super) struct Report {
    pub(super) inner: core::Report,
}

#[pymethods]
impl Report {
    /// The wire format, if it was recognised.
    #[getter]
    fn api(&self) -> Option<&'static str> {
        self.inner.api.map(core::Api::as_str)
    }

    /// The tier that was allowed.
    #[getter]
    fn tier(&self) -> &'static str {
        self.inner.tier.as_str()
    }

    /// How the model can retrieve elided content.
    #[getter]
    fn retrieval(&self) -> &'static str {
        self.inner.retrieval.as_str()
    }

    /// Name of the token counter.
    #[getter]
    fn tokenizer(&self) -> &'static str {
        self.inner.tokenizer
    }

    /// Whether the model's own tokenizer is not public and another is used for it.
    #[getter]
    fn estimated(&self) -> bool {
        self.inner.estimated
    }

    /// Length of the original body, in bytes.
    #[getter]
    fn bytes_before(&self) -> usize {
        self.inner.bytes_before
    }

    /// Length of the resulting body, in bytes.
    #[getter]
    fn bytes_after(&self) -> usize {
        self.inner.bytes_after
    }

    /// Tokens that the edits saved.
    #[getter]
    fn tokens_saved(&self) -> usize {
        self.inner.tokens_saved
    }

    /// Why nothing was edited, if nothing was.
    #[getter]
    fn reason(&self) -> Option<&'static str> {
        self.inner.reason.map(core::UnchangedReason::as_str)
    }

    /// Every text of the tool results, in order.
    #[getter]
    fn blocks(&self) -> Vec<BlockReport> {
        self.inner.blocks.iter().map(|block| BlockReport { inner: block.clone() }).collect()
    }

    /// The kinds of edits that were made, each once.
    #[getter]
    pub(super) fn transforms(&self) -> Vec<&'static str> {
        transforms(&self.inner)
    }

    fn __repr__(&self) -> String {
        let Self { inner } = self;
        format!(
            "Report(api={}, blocks={}, bytes_before={}, bytes_after={}, tokens_saved={}, reason={})",
            quoted(self.api()),
            inner.blocks.len(),
            inner.bytes_before,
            inner.bytes_after,
            inner.tokens_saved,
            quoted(self.reason()),
        )
    }
}

/// Describes one text of a tool result. Holds no content.
#[pyclass(frozen, module = "headroom")]
pub(super) struct BlockReport {
    pub(super) inner: core::BlockReport,
}

#[pymethods]
impl BlockReport {
    /// Position of the text in the body, as a JSON path.
    #[getter]
    fn path(&self) -> &str {
        &self.inner.path
    }

    /// The tool that returned the text, if it is known.
    #[getter]
    fn tool(&self) -> Option<&str> {
        self.inner.tool.as_deref()
    }

    /// The content kind of the text.
    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.kind.as_str()
    }

    /// Length of the original text, in bytes of UTF-8.
    #[getter]
    fn bytes_before(&self) -> usize {
        self.inner.bytes_before
    }

    /// Length of the resulting text, in bytes of UTF-8.
    #[getter]
    fn bytes_after(&self) -> usize {
        self.inner.bytes_after
    }

    /// Tokens of the original text; `None` if no edit was considered and none were counted.
    #[getter]
    fn tokens_before(&self) -> Option<usize> {
        self.inner.tokens_before
    }

    /// Tokens of the resulting text.
    #[getter]
    fn tokens_after(&self) -> Option<usize> {
        self.inner.tokens_after
    }

    /// Why the text is unchanged; `None` if it was edited.
    #[getter]
    fn reason(&self) -> Option<&'static str> {
        match &self.inner.action {
            Action::Kept(reason) => Some(reason.as_str()),
            _ => None,
        }
    }

    /// The edits that were made.
    #[getter]
    fn transforms(&self) -> Vec<&'static str> {
        match &self.inner.action {
            Action::Edited(edits) => edits.iter().map(|edit| edit.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    fn __repr__(&self) -> String {
        let Self { inner } = self;
        format!(
            "BlockReport(path='{}', kind='{}', bytes_before={}, bytes_after={}, reason={})",
            inner.path,
            inner.kind,
            inner.bytes_before,
            inner.bytes_after,
            quoted(self.reason()),
        )
    }
}

fn quoted(word: Option<&str>) -> String {
    word.map_or_else(|| "None".to_owned(), |word| format!("'{word}'"))
}
