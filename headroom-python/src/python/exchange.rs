//! Everything between a request of the caller and the end of its answer, as Python carries it out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use headroom_core::{self as core, Api, CompressOptions};
use headroom_retrieval::{
    self as retrieval, Command, Fetched, Input, Refusals, Reply, RequestHead, RequestLookup, ResponseHead,
    Session, Tenant, ThreadState, UnexpectedInput, drop_thread_beta, unknown_thread,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, request};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyBytes, PyTuple},
};

use super::work::Place;

/// A request of the caller, and what it is compressed with.
pub(super) struct Incoming {
    pub(super) engine: core::Engine,
    pub(super) refusals: Arc<Refusals>,
    pub(super) place: Place,
    pub(super) api: Option<Api>,
    pub(super) options: CompressOptions,
    pub(super) tenant: String,
    pub(super) body: Bytes,
}

/// The exchange about one request: what to send, and what the caller gets.
#[pyclass(frozen, module = "headroom._native")]
pub(super) struct Exchange {
    incoming: Incoming,
    /// The head of the request; `None` if it is none of HTTP's.
    head: Option<request::Parts>,
    running: Mutex<Option<retrieval::Exchange>>,
}

/// What a request becomes.
enum Prepared {
    /// It is sent as it is, and so is its answer.
    Pass,
    /// The client is to send the whole conversation.
    UnknownThread,
    /// It is sent as the exchange says, with these headers in place of its own.
    Send(Vec<(&'static str, Option<String>)>),
}

impl Exchange {
    pub(super) fn new(incoming: Incoming, method: &str, url: &str, headers: Vec<(String, String)>) -> Self {
        let mut builder = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            // A header that cannot be read tells nothing.
            let name = HeaderName::from_bytes(name.as_bytes()).ok();
            if let (Some(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
                builder = builder.header(name, value);
            }
        }
        let head = builder.body(()).ok().map(|request| request.into_parts().0);
        Self { incoming, head, running: Mutex::default() }
    }

    /// Compresses the request, and stores its originals.
    fn begin(&self) -> Option<Prepared> {
        let Incoming { engine, refusals, place, api, options, tenant, body } = &self.incoming;
        let lookup = RequestLookup::new(self.head.as_ref()?, *api, body)?;
        let api = lookup.api();
        let restore = lookup.restore(Tenant::new(tenant), refusals);
        if restore.thread() == Some(ThreadState::Unknown) {
            return Some(Prepared::UnknownThread);
        }
        if restore.is_rejected() {
            return None;
        }
        let queries = restore.queries().into_iter();
        // Where the store fails, the conversation goes on as the caller knows it.
        let found =
            queries.map(|query| place.store.get_records(&query.tenant, &query.keys).unwrap_or_default());
        let restored = restore.finish(body, found.collect());
        let mut session = Session::new(tenant, options.clone());
        session.restored(&restore, &restored);
        let given = restored.body.unwrap_or_else(|| body.clone());
        let mut draft = place.run(engine, &mut session, api, given).ok()?;
        let rewritten = Bytes::from(std::mem::take(&mut draft.body));
        let request = session.request(body.clone(), rewritten, &draft);
        let mut headers = Vec::new();
        if request.serves {
            // An encoded answer cannot be joined with others.
            headers.push(("accept-encoding", Some("identity".to_owned())));
        }
        if session.drops_thread() {
            headers.push(("anthropic-beta", self.other_betas()));
        }
        *self.lock() = Some(retrieval::Exchange::new(request));
        Some(Prepared::Send(headers))
    }

    /// Returns the value of the header without message threads.
    fn other_betas(&self) -> Option<String> {
        let mut headers = self.head.as_ref()?.headers.clone();
        drop_thread_beta(&mut headers);
        let values: Vec<_> =
            headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    fn lock(&self) -> MutexGuard<'_, Option<retrieval::Exchange>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next command that Python carries out.
    fn next(&self) -> PyResult<Command> {
        let mut running = self.lock();
        let exchange = running.as_mut().ok_or_else(not_begun)?;
        loop {
            match exchange.poll() {
                Command::Remember(refusal) => self.incoming.refusals.add(&refusal),
                Command::Report(_) => {}
                command => return Ok(command),
            }
        }
    }

    fn tell(&self, input: Input) -> PyResult<()> {
        let mut running = self.lock();
        let told = running.as_mut().ok_or_else(not_begun)?.handle(input);
        told.map_err(|error: UnexpectedInput| PyRuntimeError::new_err(error.to_string()))
    }

    /// Carries out a command that concerns the store, and returns what came of it.
    fn work(&self, command: Command) -> Option<Input> {
        let store = &self.incoming.place.store;
        match command {
            Command::Fetch(fetch) => {
                let get = |handle| match store.get(&fetch.tenant, handle) {
                    Ok(content) => content.map_or(Fetched::Missing, Fetched::Content),
                    Err(_) => Fetched::Failed,
                };
                Some(Input::Fetched(fetch.handles.iter().map(get).collect()))
            }
            Command::Store(record) => {
                // Without the record the next request continues from what the caller saw.
                let _ = store.put_record(&record.tenant, &record.keys, &record.record);
                Some(Input::Stored)
            }
            _ => None,
        }
    }
}

#[pymethods]
impl Exchange {
    /// Compresses the request. Returns `("pass",)`, `("reply", status, content_type, body)` where the request is not to be
    /// sent, or `("send", headers)` with headers to set, or to remove where the value is `None`.
    fn prepare(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        match py.detach(|| self.begin()).unwrap_or(Prepared::Pass) {
            Prepared::Pass => tuple(py, ("pass",)),
            Prepared::UnknownThread => {
                let response = unknown_thread();
                let body = PyBytes::new(py, response.body());
                tuple(py, ("reply", response.status().as_u16(), "application/json", body))
            }
            Prepared::Send(headers) => tuple(py, ("send", headers)),
        }
    }

    /// Returns the next command, with its arguments:
    /// `("send", is_original, body, keeps_response)`, `("read", limit)`, `("work",)`, `("wait", seconds)`,
    /// `("respond", kind, body)`, `("write", bytes)`, `("forward",)`, `("fail",)` or `("done",)`.
    fn poll(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        match self.next()? {
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
        py.detach(|| match self.work(self.next()?) {
            Some(input) => self.tell(input),
            None => Ok(()),
        })
    }

    /// Tells the head of the response to the last request.
    fn head(&self, status: u16, headers: Vec<(String, String)>, is_readable: bool) -> PyResult<()> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
                map.append(name, value);
            }
        }
        let status =
            StatusCode::from_u16(status).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let head = ResponseHead::new(status, &map);
        self.tell(Input::Head(if is_readable { head } else { head.unreadable() }))
    }

    /// Tells more of the current response's body, without its content encoding.
    fn data(&self, py: Python<'_>, data: &[u8]) -> PyResult<()> {
        let data = Bytes::copy_from_slice(data);
        py.detach(|| self.tell(Input::Data(data)))
    }

    /// Tells what else came of a command: `end`, `broken` or `damaged` of a body, `unreachable` of a request, `waited` of a
    /// pause.
    fn told(&self, py: Python<'_>, what: &str) -> PyResult<()> {
        let input = match what {
            "end" => Input::End,
            "broken" => Input::Broken,
            "damaged" => Input::Damaged,
            "unreachable" => Input::Unreachable,
            "waited" => Input::Waited,
            other => return Err(PyRuntimeError::new_err(format!("unknown input {other}"))),
        };
        py.detach(|| self.tell(input))
    }
}

fn tuple<'py>(py: Python<'py>, parts: impl IntoPyObjectExt<'py>) -> PyResult<Py<PyTuple>> {
    Ok(parts.into_bound_py_any(py)?.cast_into::<PyTuple>()?.unbind())
}

fn not_begun() -> PyErr {
    PyRuntimeError::new_err("the exchange has not begun; call prepare first")
}
