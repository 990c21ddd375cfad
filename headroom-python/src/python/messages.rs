//! Compresses messages: they are written as the body of a request, and the texts that the engine changed are put into
//! copies of the messages that hold them.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::{Mutex, OnceLock, PoisonError},
};

use bytes::Bytes;
use headroom_bindings::{BlockingEngine, BlockingStore, CallOptions, Compressed, saved_tokens, vocabulary};
use headroom_core::{self as core, Api, Handle, UnchangedReason};
use headroom_json::{EditedString, Text, edited_strings};
use pyo3::{
    prelude::*,
    types::{PyList, PyString, PyType},
};

use super::{
    encode::{Encoder, Leaf, Unreadable},
    engine::Engine,
    rebuild::Rebuild,
    report::Report,
    shape::api_of,
};

/// What a request says besides its messages.
pub(super) struct Head<'a, 'py> {
    pub(super) model: &'a str,
    pub(super) tools: Option<&'a Bound<'py, PyAny>>,
    pub(super) tool_choice: Option<&'a Bound<'py, PyAny>>,
}

/// Messages as the body of a request.
struct Encoded {
    body: Bytes,
    leaves: Vec<Leaf>,
    /// The leaves of each message.
    messages: Vec<Range<usize>>,
    /// Messages that cannot be written, with the reason.
    unreadable: BTreeMap<usize, String>,
}

/// Messages that are ready to be compressed.
#[pyclass(frozen, module = "headroom._native")]
pub(super) struct Draft {
    api: Api,
    call: CallOptions,
    engine: BlockingEngine,
    store: BlockingStore,
    messages: Py<PyList>,
    size: usize,
    /// Taken by the run.
    encoded: Mutex<Option<Encoded>>,
}

impl Draft {
    pub(super) fn new(
        engine: &Engine,
        messages: &Bound<'_, PyList>,
        head: &Head<'_, '_>,
        api: Option<Api>,
        (store, call): (BlockingStore, CallOptions),
    ) -> Self {
        let api = api.unwrap_or_else(|| api_of(messages));
        let encoded = encode(messages, head, api);
        Self {
            api,
            call,
            engine: engine.inner.clone(),
            store,
            messages: messages.clone().unbind(),
            size: encoded.body.len(),
            encoded: Mutex::new(Some(encoded)),
        }
    }

    fn work(&self, encoded: &Encoded) -> (Compressed, Vec<EditedString>) {
        let given = encoded.body.clone();
        let mut compressed = self.engine.compress(&self.store, &self.call, self.api, given);
        let Some(body) = &compressed.body else { return (compressed, Vec::new()) };
        let strings = encoded.leaves.iter().map(|leaf| leaf.place.clone());
        let edited = std::str::from_utf8(&encoded.body)
            .ok()
            .zip(std::str::from_utf8(body).ok())
            .and_then(|(before, after)| edited_strings(before, after, strings));
        let edited = edited.unwrap_or_else(|| {
            // The engine promises to edit inside strings only.
            let report = &mut compressed.report;
            (report.reason, report.tokens_saved) = (Some(UnchangedReason::Internal), 0);
            Vec::new()
        });
        (compressed, edited)
    }
}

#[pymethods]
impl Draft {
    /// Length of the messages as a body, in bytes.
    #[getter]
    const fn size(&self) -> usize {
        self.size
    }

    /// Compresses the messages, once.
    fn run(&self, py: Python<'_>) -> PyResult<CompressResult> {
        let encoded = self.encoded.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut encoded) = encoded else {
            return Err(pyo3::exceptions::PyRuntimeError::new_err("this draft was compressed already"));
        };
        let (compressed, edited) = py.detach(|| self.work(&encoded));
        let Compressed { mut report, handles, store_failed, .. } = compressed;
        let messages = self.messages.bind(py);
        let messages = if edited.is_empty() {
            messages.clone()
        } else {
            let (messages, failed) = rebuilt(messages, &encoded, edited)?;
            for (at, reason) in failed {
                report.tokens_saved = report.tokens_saved.saturating_sub(saved_tokens(&report, at));
                encoded.unreadable.insert(at, reason);
            }
            messages
        };
        let unreadable = std::mem::take(&mut encoded.unreadable);
        CompressResult::new(py, messages, report, (&handles, store_failed), (unreadable, encoded))
    }
}

/// Writes the messages as the body of a request. A message that cannot be written leaves `null` in its place.
fn encode(messages: &Bound<'_, PyList>, head: &Head<'_, '_>, api: Api) -> Encoded {
    // The members of the head, each with what comes before and after its value.
    let (model, tools, list) = match api {
        Api::OpenAiResponses => ("model", [",\"tools\":", ""], "input"),
        Api::Gemini => ("model", [",\"tools\":", ""], "contents"),
        Api::Converse => ("modelId", [",\"toolConfig\":{\"tools\":", "}"], "messages"),
        _ => ("model", [",\"tools\":", ""], "messages"),
    };
    let choice = match api {
        Api::Converse => None,
        Api::Gemini => Some(",\"toolConfig\":"),
        _ => Some(",\"tool_choice\":"),
    };
    let mut encoder = Encoder::default();
    encoder.raw(&format!("{{\"{model}\":"));
    encoder.value_or_null(PyString::new(messages.py(), head.model).as_any());
    if let Some(given) = head.tools {
        encoder.raw(tools[0]);
        encoder.list_or_null(given);
        encoder.raw(tools[1]);
    }
    if let (Some(name), Some(given)) = (choice, head.tool_choice) {
        encoder.raw(name);
        encoder.value_or_null(given);
    }
    encoder.raw(&format!(",\"{list}\":["));
    encoder.leaves.clear();
    let (mut places, mut unreadable) = (Vec::with_capacity(messages.len()), BTreeMap::new());
    for (at, message) in messages.iter().enumerate() {
        if at > 0 {
            encoder.raw(",");
        }
        let start = encoder.leaves.len();
        if let Err(Unreadable(reason)) = encoder.value(&message) {
            encoder.raw("null");
            unreadable.insert(at, reason);
        }
        places.push(start..encoder.leaves.len());
    }
    encoder.raw("]}");
    Encoded { body: Bytes::from(encoder.body), leaves: encoder.leaves, messages: places, unreadable }
}

/// A list with new messages, and why some could not be made.
type Rebuilt<'py> = (Bound<'py, PyList>, Vec<(usize, String)>);

/// Returns the list with copies of the messages that changed.
fn rebuilt<'py>(
    messages: &Bound<'py, PyList>,
    encoded: &Encoded,
    edited: Vec<EditedString>,
) -> PyResult<Rebuilt<'py>> {
    let mut changed: Vec<usize> = Vec::new();
    for edit in &edited {
        let at = encoded.messages.partition_point(|leaves| leaves.end <= edit.index);
        if changed.last() != Some(&at) {
            changed.push(at);
        }
    }
    let edits: HashMap<usize, String> = edited.into_iter().map(|edit| (edit.index, edit.text)).collect();
    let (list, mut failed) = (messages.get_slice(0, encoded.messages.len()), Vec::new());
    for at in changed {
        let Some(leaves) = encoded.messages.get(at) else { continue };
        let rebuild = Rebuild::new(&encoded.leaves, &edits, leaves.clone());
        match list.get_item(at).map(|message| rebuild.message(&message)) {
            Ok(Ok(message)) => list.set_item(at, message)?,
            Ok(Err(Unreadable(reason))) => failed.push((at, reason)),
            Err(_) => {} // the caller removed it meanwhile
        }
    }
    Ok((list, failed))
}

/// The result of compressing messages.
#[pyclass(frozen, module = "headroom")]
pub(super) struct CompressResult {
    /// The messages to send: the given list if nothing changed, else a new one. Messages without changes are the same
    /// objects.
    #[pyo3(get)]
    messages: Py<PyList>,
    /// What the engine looked at and did.
    #[pyo3(get)]
    report: Py<Report>,
    /// Handles of the originals that the markers name. They are stored.
    #[pyo3(get)]
    originals: Vec<String>,
    /// Whether the store failed, so that something may have been left in full.
    #[pyo3(get)]
    store_failed: bool,
    /// Messages that were passed on as they are because they could not be read, by their place in the list.
    #[pyo3(get)]
    unreadable: BTreeMap<usize, String>,
    encoded: Encoded,
    /// Counted when they are first asked for.
    tokens: OnceLock<usize>,
}

impl CompressResult {
    fn new(
        py: Python<'_>,
        messages: Bound<'_, PyList>,
        report: core::Report,
        (handles, store_failed): (&[Handle], bool),
        (unreadable, encoded): (BTreeMap<usize, String>, Encoded),
    ) -> PyResult<Self> {
        Ok(Self {
            messages: messages.unbind(),
            report: Py::new(py, Report { inner: report })?,
            originals: handles.iter().map(Handle::to_string).collect(),
            store_failed,
            unreadable,
            encoded,
            tokens: OnceLock::new(),
        })
    }

    fn count(&self) -> usize {
        let vocabulary = vocabulary(self.report.get().inner.tokenizer);
        let leaves = self.encoded.leaves.iter().filter(|leaf| leaf.is_text);
        let texts = leaves.filter_map(|leaf| {
            let raw = std::str::from_utf8(self.encoded.body.get(leaf.place.clone())?).ok()?;
            Text { raw, start: leaf.place.start, escaped: raw.contains('\\') }.decode()
        });
        texts.map(|text| vocabulary.count(&text)).sum()
    }
}

#[pymethods]
impl CompressResult {
    /// Lets annotations name the type of the messages.
    #[classmethod]
    fn __class_getitem__(class: &Bound<'_, PyType>, item: &Bound<'_, PyAny>) -> Py<PyType> {
        let _ = item;
        class.clone().unbind()
    }

    /// Tokens of the texts in the given messages, counted when first asked for.
    #[getter]
    fn tokens_before(&self, py: Python<'_>) -> usize {
        py.detach(|| *self.tokens.get_or_init(|| self.count()))
    }

    /// Tokens of the texts in the resulting messages.
    #[getter]
    fn tokens_after(&self, py: Python<'_>) -> usize {
        self.tokens_before(py).saturating_sub(self.tokens_saved())
    }

    /// Tokens that the edits saved.
    #[getter]
    fn tokens_saved(&self) -> usize {
        self.report.get().inner.tokens_saved
    }

    /// The share of the tokens that was saved: 0.0 is nothing.
    #[getter]
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    fn compression_ratio(&self, py: Python<'_>) -> f64 {
        match self.tokens_before(py) {
            0 => 0.0,
            before => self.tokens_saved() as f64 / before as f64,
        }
    }

    /// The kinds of edits that were made, each once.
    #[getter]
    fn transforms_applied(&self) -> Vec<&'static str> {
        self.report.get().transforms()
    }

    /// Why nothing was edited, if nothing was.
    #[getter]
    fn reason(&self) -> Option<&'static str> {
        self.report.get().inner.reason.map(UnchangedReason::as_str)
    }

    fn __repr__(&self) -> String {
        format!(
            "CompressResult(messages={}, tokens_saved={}, originals={}, unreadable={})",
            self.encoded.messages.len(),
            self.tokens_saved(),
            self.originals.len(),
            self.unreadable.len(),
        )
    }
}
