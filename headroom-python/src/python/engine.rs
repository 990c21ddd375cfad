//! The engine, as Python calls it.

use bytes::Bytes;
use headroom_bindings::{BlockingEngine, RequestParts};
use headroom_core::{Api, Hints};
use pyo3::{
    prelude::*,
    pybacked::{PyBackedBytes, PyBackedStr},
    types::{PyBytes, PyList, PyString},
};

use super::{
    errors,
    exchange::Exchange,
    messages::{Draft, Head},
    options::{self, Settings},
    results::{RequestResult, TextResult},
    store::Store,
};

/// Compresses requests. Its cache makes the next request of a growing conversation cheap and changes no output.
#[pyclass(frozen, module = "headroom._native")]
pub(super) struct Engine {
    pub(super) inner: BlockingEngine,
}

#[pymethods]
impl Engine {
    #[new]
    fn new(max_body: usize, cache_capacity: usize) -> Self {
        Self { inner: BlockingEngine::new(max_body, cache_capacity) }
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
        let call = options::options(py, settings)?;
        let api = api.map(|name| options::api(py, name)).transpose()?;
        let head = Head { model, tools, tool_choice };
        Ok(Draft::new(self, messages, &head, api, (store.get().inner.clone(), call)))
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
        let call = options::options(py, settings)?;
        let api = api.map(|name| options::api(py, name)).transpose()?;
        let (bytes, store) = (body.extract::<PyBackedBytes>()?, store.get().inner.clone());
        let compressed = py.detach(|| {
            let api = api.or_else(|| Api::detect(&bytes))?;
            Some(self.inner.compress(&store, &call, api, Bytes::from_owner(bytes)))
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
        let call = options::served_options(py, settings)?;
        let api = api.map(|name| options::api(py, name)).transpose()?;
        let request = RequestParts { method, url, headers, body: Bytes::from_owner(body), api };
        Ok(Exchange::new(self.inner.clone(), store.get().inner.clone(), call, request))
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
        let call = options::options(py, settings)?;
        let text = text.cast::<PyString>()?.as_any();
        let Ok(old) = text.extract::<PyBackedStr>() else {
            return Err(errors::configuration(
                py,
                "the text is no valid Unicode: it has half of a surrogate pair",
            ));
        };
        let hints = Hints::new().model(model);
        let hints = tool.iter().fold(hints, |hints, tool| hints.tool(*tool));
        let hints = arguments.iter().fold(hints, |hints, arguments| hints.arguments(*arguments));
        let hints = query.iter().fold(hints, |hints, query| hints.query(*query));
        let store = store.get().inner.clone();
        let compressed = py.detach(|| self.inner.compress_text(&store, &call, &old, &hints));
        Ok(TextResult::new(text, model.to_owned(), compressed))
    }

    /// Whether a body of this length is compressed fast enough for an event loop.
    #[staticmethod]
    const fn is_quick(bytes: usize) -> bool {
        BlockingEngine::is_quick(bytes)
    }
}
