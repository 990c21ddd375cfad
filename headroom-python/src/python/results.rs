//! What calls return.

use headroom_bindings::CompressedText;
use headroom_core::{self as core, Handle, TokenCounter, Vocabulary};
use pyo3::{prelude::*, pybacked::PyBackedStr, types::PyString};

use super::report::{BlockReport, Report};

/// The result of compressing the body of a request.
#[pyclass(frozen, module = "headroom")]
pub(super) struct RequestResult {
    /// The body to send: the given object if nothing changed.
    #[pyo3(get)]
    body: Py<PyAny>,
    /// What the engine looked at and did.
    #[pyo3(get)]
    report: Py<Report>,
    /// Handles of the originals that the body's markers name. They are stored.
    #[pyo3(get)]
    originals: Vec<String>,
    /// Whether the store failed, so that something may have been left in full.
    #[pyo3(get)]
    store_failed: bool,
}

impl RequestResult {
    pub(super) fn new(
        py: Python<'_>,
        body: Py<PyAny>,
        report: core::Report,
        originals: &[Handle],
        store_failed: bool,
    ) -> PyResult<Self> {
        let originals = originals.iter().map(Handle::to_string).collect();
        Ok(Self { body, report: Py::new(py, Report { inner: report })?, originals, store_failed })
    }

    /// The result for a body of no known API.
    pub(super) fn unknown(py: Python<'_>, body: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut report = core::Report::default();
        let bytes = body.len()?;
        (report.bytes_before, report.bytes_after) = (bytes, bytes);
        report.reason = Some(core::UnchangedReason::UnknownShape);
        Self::new(py, body.clone().unbind(), report, &[], false)
    }
}

#[pymethods]
impl RequestResult {
    /// Tokens that the edits saved.
    #[getter]
    fn tokens_saved(&self) -> usize {
        self.report.get().inner.tokens_saved
    }

    /// Why nothing was edited, if nothing was.
    #[getter]
    fn reason(&self) -> Option<&'static str> {
        self.report.get().inner.reason.map(core::UnchangedReason::as_str)
    }

    fn __repr__(&self) -> String {
        let report = &self.report.get().inner;
        format!(
            "RequestResult(bytes_before={}, bytes_after={}, tokens_saved={}, originals={})",
            report.bytes_before,
            report.bytes_after,
            report.tokens_saved,
            self.originals.len(),
        )
    }
}

/// The result of compressing one piece of content.
#[pyclass(frozen, module = "headroom")]
pub(super) struct TextResult {
    /// The text to use: the given object if nothing changed.
    #[pyo3(get)]
    text: Py<PyAny>,
    /// Handles of the originals that the text's markers name. They are stored.
    #[pyo3(get)]
    originals: Vec<String>,
    /// Whether the store failed, so that something may have been left in full.
    #[pyo3(get)]
    store_failed: bool,
    inner: core::BlockReport,
    given: Py<PyAny>,
    model: String,
}

impl TextResult {
    pub(super) fn new(
        given: &Bound<'_, PyAny>,
        model: String,
        CompressedText { outcome, handles, store_failed }: CompressedText,
    ) -> Self {
        let text = match outcome.text {
            Some(new) => PyString::new(given.py(), &new).into_any().unbind(),
            None => given.clone().unbind(),
        };
        let originals = handles.iter().map(Handle::to_string).collect();
        Self { text, originals, store_failed, inner: outcome.report, given: given.clone().unbind(), model }
    }
}

#[pymethods]
impl TextResult {
    /// What was done, or why nothing was done.
    #[getter]
    fn report(&self) -> BlockReport {
        BlockReport { inner: self.inner.clone() }
    }

    /// Tokens of the given text.
    #[getter]
    fn tokens_before(&self, py: Python<'_>) -> PyResult<usize> {
        if let Some(counted) = self.inner.tokens_before {
            return Ok(counted);
        }
        let is_old = Vocabulary::Cl100kBase.is_exact_for(&self.model);
        let vocabulary = if is_old { Vocabulary::Cl100kBase } else { Vocabulary::O200kBase };
        let given = self.given.extract::<PyBackedStr>(py)?;
        Ok(py.detach(|| vocabulary.count(&given)))
    }

    /// Tokens of the resulting text.
    #[getter]
    fn tokens_after(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.tokens_before(py)?.saturating_sub(self.tokens_saved()))
    }

    /// Tokens that the edits saved.
    #[getter]
    fn tokens_saved(&self) -> usize {
        let (before, after) = (self.inner.tokens_before, self.inner.tokens_after);
        before.unwrap_or_default().saturating_sub(after.unwrap_or_default())
    }

    fn __repr__(&self) -> String {
        format!(
            "TextResult(bytes_before={}, bytes_after={}, originals={})",
            self.inner.bytes_before,
            self.inner.bytes_after,
            self.originals.len(),
        )
    }
}
