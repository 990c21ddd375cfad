//! Everything between a request of the caller and the end of its answer, as Python carries it out.

use bytes::Bytes;
use headroom_bindings::{
    BlockingEngine, BlockingExchange, BlockingStore, CallOptions, ExchangeError, Prepared, RequestParts,
};
use headroom_retrieval::{Command, Reply, RequestHead};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyBytes, PyTuple},
};

/// The exchange about one request: what to send, and what the caller gets.
#[pyclass(frozen, module = "headroom._native")]
pub(super) struct Exchange {
    inner: BlockingExchange,
}

impl Exchange {
    pub(super) fn new(
        engine: BlockingEngine,
        store: BlockingStore,
        call: CallOptions,
        request: RequestParts<'_>,
    ) -> Self {
        Self { inner: BlockingExchange::new(engine, store, call, request) }
    }
}

#[pymethods]
impl Exchange {
    /// Compresses the request. Returns `("pass",)`, `("reply", status, content_type, body)` where the request is not to be
    /// sent, or `("send", headers)` with headers to set, or to remove where the value is `None`.
    fn prepare(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        match py.detach(|| self.inner.prepare()) {
            Prepared::Pass => tuple(py, ("pass",)),
            Prepared::Reply { status, body } => {
                tuple(py, ("reply", status, "application/json", PyBytes::new(py, &body)))
            }
            Prepared::Send(headers) => tuple(py, ("send", headers)),
        }
    }

    /// Returns the next command, with its arguments:
    /// `("send", is_original, body, keeps_response)`, `("read", limit)`, `("work",)`, `("wait", seconds)`,
    /// `("respond", kind, body)`, `("write", bytes)`, `("forward",)`, `("fail",)` or `("done",)`.
    fn poll(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        match self.inner.poll().map_err(bug)? {
            Command::Send(request) => {
                let is_original = request.head == RequestHead::Original;
                let body = PyBytes::new(py, &request.body);
                tuple(py, ("send", is_original, body, request.keeps_response))
            }
            Command::Read { limit } => tuple(py, ("read", limit)),
            Command::Wait(pause) => tuple(py, ("wait", pause.as_secs_f64())),
            Command::Respond(reply) => {
                let (kind, body) = match reply {
                    Reply::Received => ("received", None),
                    Reply::Kept => ("kept", None),
                    Reply::Stream => ("stream", None),
                    Reply::Document(body) => ("document", Some(body)),
                    Reply::Unfinished(body) => ("unfinished", Some(body)),
                };
                tuple(py, ("respond", kind, body.map(|body| PyBytes::new(py, &body))))
            }
            Command::Write(bytes) => tuple(py, ("write", PyBytes::new(py, &bytes))),
            Command::Forward => tuple(py, ("forward",)),
            Command::Fail => tuple(py, ("fail",)),
            Command::Done => tuple(py, ("done",)),
            Command::Fetch(_) | Command::Store(_) | Command::Remember(_) | Command::Report(_) => {
                tuple(py, ("work",))
            }
        }
    }

    /// Carries out a `("work",)`, which waits for the store.
    fn run_work(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.inner.run_work()).map_err(bug)
    }

    /// Tells the head of the response to the last request.
    fn head(&self, status: u16, headers: Vec<(String, String)>, is_readable: bool) -> PyResult<()> {
        self.inner.head(status, headers, is_readable).map_err(bug)
    }

    /// Tells more of the current response's body, without its content encoding.
    fn data(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        let data = Bytes::copy_from_slice(data);
        py.detach(|| self.inner.data(data)).map_err(bug)
    }

    /// Tells what else came of a command: `end`, `broken` or `damaged` of a body, `unreachable` of a request, `waited` of a
    /// pause.
    fn told(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        py.detach(|| self.inner.tell(what)).map_err(bug)
    }
}

fn tuple<'py>(py: Python<'py>, parts: impl IntoPyObjectExt<'py>) -> PyResult<Py<PyTuple>> {
    Ok(parts.into_bound_py_any(py)?.cast_into::<PyTuple>()?.unbind())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn bug(error: ExchangeError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
