//! The engine, as Python calls it.

use std::sync::Arc;

use bytes::Bytes;
use headroom_core::{self as core, Api, Hints};
use headroom_retrieval::{KnownOriginals, Refusals};
use pyo3::{
    prelude::*,
    pybacked::{PyBackedBytes, PyBackedStr},
    types::{PyBytes, PyList, PyString},
};

use super::{
    errors,
    exchange::{Exchange, Incoming},
    messages::{Draft, Head},
    options::{self, Settings},
    results::{RequestResult, TextResult},
    store::Store,
    work::Place,
};

/// Compresses requests. Its cache makes the next request of a growing conversation cheap and changes no output.
#[pyclass(frozen, module = "headroom._native")]
pub(super) struct Engine {
    pub(super) inner: core::Engine,
    known: Arc<KnownOriginals>,
    refusals: Arc<Refusals>,
}

impl Engine {
    fn place(&self, store: &Bound<'_, Store>) -> Place {
        Place { store: store.get().handle(), known: Arc::clone(&self.known) }
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(max_body: usize, cache_capacity: usize) -> Self {
        let inner = core::Engine::builder().max_body(max_body).cache_capacity(cache_capacity).build();
        Self { inner, known: Arc::default(), refusals: Arc::default() }
    }

    /// Prepares messages for compression.
    #[pyo3(signature = (messages, model, tools, tool_choice, api, store, settings))]
    #[expect(clippy::too_many_arguments, reason = "the package's own code is the only caller")]
    fn draft(
        &self,
        messages: &Bound<'_, PyList>,
        model: &str,
        tools: Option<&Bound<'_, PyAny>>,
        tool_choice: Option<&Bound<'_, PyAny>>,
        api: Option<&str>,
        store: &Bound<'_, Store>,
        settings: Settings,
    ) -> PyResult<Draft> {
        let py = messages.py();
        let (options, tenant) = options::options(py, settings)?;
        let api = api.map(|name| options::api(py, name)).transpose()?;
        let head = Head { model, tools, tool_choice };
        Ok(Draft::new(self, messages, &head, api, (self.place(store), tenant, options)))
    }

    /// Compresses the body of a request.
    fn request(
        &self,
        py: Python<'_>,
        body: &Bound<'_, PyAny>,
        api: Option<&str>,
        store: &Bound<'_, Store>,
        settings: Settings,
    ) -> PyResult<RequestResult> {
        let (options, tenant) = options::options(py, settings)?;
        let api = api.map(|name| options::api(py, name)).transpose()?;
        let (bytes, place) = (body.extract::<PyBackedBytes>()?, self.place(store));
        let compressed = py.detach(|| {
            let api = api.or_else(|| Api::detect(&bytes))?;
            Some(place.compress(&self.inner, (options, &tenant), api, Bytes::from_owner(bytes)))
        });
        let Some(compressed) = compressed else { return RequestResult::unknown(py, body) };
        let body = match &compressed.body {
            Some(new) => PyBytes::new(py, new).into_any().unbind(),
            None => body.clone().unbind(),
        };
        RequestResult::new(py, body, compressed.report, &compressed.handles, compressed.store_failed)
    }

    /// Begins the exchange about a request, whose answers the caller reads. Headers are pairs of text.
    #[expect(clippy::too_many_arguments, reason = "the package's own code is the only caller")]
    fn exchange(
        &self,
        py: Python<'_>,
        method: &str,
        url: &str,
        headers: Vec<(String, String)>,
        body: PyBackedBytes,
        api: Option<&str>,
        store: &Bound<'_, Store>,
        settings: Settings,
    ) -> PyResult<Exchange> {
        let (options, tenant) = options::served_options(py, settings)?;
        let api = api.map(|name| options::api(py, name)).transpose()?;
        let (engine, refusals) = (self.inner.clone(), Arc::clone(&self.refusals));
        let body = Bytes::from_owner(body);
        let incoming = Incoming { engine, refusals, place: self.place(store), api, options, tenant, body };
        Ok(Exchange::new(incoming, method, url, headers))
    }

    /// Compresses one piece of content.
    #[expect(clippy::too_many_arguments, reason = "the package's own code is the only caller")]
    fn text(
        &self,
        py: Python<'_>,
        text: &Bound<'_, PyAny>,
        tool: Option<&str>,
        arguments: Option<&str>,
        query: Option<&str>,
        model: &str,
        store: &Bound<'_, Store>,
        settings: Settings,
    ) -> PyResult<TextResult> {
        let (options, tenant) = options::options(py, settings)?;
        let text = text.cast::<PyString>()?.as_any();
        let Ok(old) = text.extract::<PyBackedStr>() else {
            return Err(errors::configuration(
                py,
                "the text is no valid Unicode: it has half of a surrogate pair",
            ));
        };
        let place = self.place(store);
        let hints = |options: &core::CompressOptions| {
            let hints = Hints::new().model(model).options(options.clone());
            let hints = tool.iter().fold(hints, |hints, tool| hints.tool(*tool));
            let hints = arguments.iter().fold(hints, |hints, arguments| hints.arguments(*arguments));
            query.iter().fold(hints, |hints, query| hints.query(*query))
        };
        let kept = py.detach(|| {
            let compress = |options: &core::CompressOptions| self.inner.compress_text(&old, &hints(options));
            place.compress_text((options, &tenant), compress)
        });
        Ok(TextResult::new(text, model.to_owned(), kept))
    }

    /// Whether a body of this length is compressed fast enough for an event loop.
    #[staticmethod]
    const fn is_quick(bytes: usize) -> bool {
        // As in the tower layer: about a millisecond.
        bytes <= 32 << 10
    }
}
