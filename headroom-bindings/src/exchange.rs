//! Everything between a request of the caller and the end of its answer, as a binding carries it out.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use headroom_core::Api;
use headroom_retrieval::{
    Command, Exchange, Fetched, Input, RequestLookup, ResponseHead, Session, Tenant, ThreadState,
    UnexpectedInput, drop_thread_beta, unknown_thread,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, request};

use crate::{BlockingEngine, BlockingStore, CallOptions};

/// A request as the caller sends it. Headers are pairs of a name and a value.
pub struct RequestParts<'a> {
    /// The method.
    pub method: &'a str,
    /// The URL, or its path.
    pub url: &'a str,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, without content encoding.
    pub body: Bytes,
    /// The wire format; detected from the body where it is `None`.
    pub api: Option<Api>,
}

impl fmt::Debug for RequestParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestParts").field("api", &self.api).finish_non_exhaustive()
    }
}

/// What a request becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prepared {
    /// It is sent as it is, and so is its answer.
    Pass,
    /// It is not sent: the caller gets this JSON, and sends the whole conversation.
    Reply {
        /// The status.
        status: u16,
        /// The body.
        body: Bytes,
    },
    /// It is sent as the exchange says, with these headers set, or removed where there is no value.
    Send(Vec<(&'static str, Option<String>)>),
}

/// An input that the exchange does not wait for: a bug of its caller.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Nothing was prepared.
    #[error("the exchange has not begun; prepare it first")]
    NotBegun,
    /// Another input is waited for.
    #[error(transparent)]
    Unexpected(#[from] UnexpectedInput),
    /// A word that is no input.
    #[error("unknown input {0}")]
    Unknown(String),
    /// A status that HTTP does not have.
    #[error("HTTP has no status {0}")]
    Status(u16),
}

/// The exchange about one request: what to send, and what the caller gets.
pub struct BlockingExchange {
    engine: BlockingEngine,
    store: BlockingStore,
    call: CallOptions,
    api: Option<Api>,
    body: Bytes,
    /// The head of the request; `None` if HTTP has no such head.
    head: Option<request::Parts>,
    running: Mutex<Option<Exchange>>,
}

impl fmt::Debug for BlockingExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingExchange").field("api", &self.api).finish_non_exhaustive()
    }
}

impl BlockingExchange {
    /// Begins with a request. The call's options are those of [`CallOptions::parse_exchange`].
    #[must_use]
    pub fn new(
        engine: BlockingEngine,
        store: BlockingStore,
        call: CallOptions,
        request: RequestParts<'_>,
    ) -> Self {
        let RequestParts { method, url, headers, body, api } = request;
        let head = Request::builder().method(method).uri(url).body(()).ok().map(|made| {
            let (mut head, ()) = made.into_parts();
            head.headers = header_map(headers);
            head
        });
        Self { engine, store, call, api, body, head, running: Mutex::default() }
    }

    /// Compresses the request, and stores its originals.
    #[must_use]
    pub fn prepare(&self) -> Prepared {
        self.begin().unwrap_or(Prepared::Pass)
    }

    fn begin(&self) -> Option<Prepared> {
        let Self { engine, store, call, body, .. } = self;
        let lookup = RequestLookup::new(self.head.as_ref()?, self.api, body)?;
        let api = lookup.api();
        let restore = lookup.restore(Tenant::new(&call.tenant), &engine.refusals);
        if restore.thread() == Some(ThreadState::Unknown) {
            let response = unknown_thread();
            let status = response.status().as_u16();
            return Some(Prepared::Reply { status, body: response.into_body() });
        }
        if restore.is_rejected() {
            return None;
        }
        let queries = restore.queries().into_iter();
        // Where the store fails, the conversation goes on as the caller knows it.
        let found = queries.map(|query| store.get_records(&query.tenant, &query.keys).unwrap_or_default());
        let restored = restore.finish(body, found.collect());
        let mut session = Session::new(&call.tenant, call.options.clone());
        session.restored(&restore, &restored);
        let given = restored.body.unwrap_or_else(|| body.clone());
        let mut draft = engine.run(store, &mut session, api, given).ok()?;
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
        *self.lock() = Some(Exchange::new(request));
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

    fn lock(&self) -> MutexGuard<'_, Option<Exchange>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next command that the binding carries out. [`Command::Fetch`] and [`Command::Store`] are carried out by
    /// [`run_work`](Self::run_work).
    ///
    /// # Errors
    ///
    /// If nothing was prepared.
    pub fn poll(&self) -> Result<Command, ExchangeError> {
        let mut running = self.lock();
        let exchange = running.as_mut().ok_or(ExchangeError::NotBegun)?;
        loop {
            match exchange.poll() {
                Command::Remember(refusal) => self.engine.refusals.add(&refusal),
                Command::Report(_) => {}
                command => return Ok(command),
            }
        }
    }

    /// Carries out a command that waits for the store.
    ///
    /// # Errors
    ///
    /// If nothing was prepared.
    pub fn run_work(&self) -> Result<(), ExchangeError> {
        let input = match self.poll()? {
            Command::Fetch(fetch) => {
                let get = |handle| match self.store.get(&fetch.tenant, handle) {
                    Ok(content) => content.map_or(Fetched::Missing, Fetched::Content),
                    Err(_) => Fetched::Failed,
                };
                Input::Fetched(fetch.handles.iter().map(get).collect())
            }
            Command::Store(record) => {
                // Without the record the next request continues from what the caller saw.
                let _ = self.store.put_record(&record.tenant, &record.keys, &record.record);
                Input::Stored
            }
            _ => return Ok(()),
        };
        self.handle(input)
    }

    /// Tells the head of the response to the last request. `is_readable` says whether its body is told without its content
    /// encoding.
    ///
    /// # Errors
    ///
    /// If no response is waited for.
    pub fn head(
        &self,
        status: u16,
        headers: Vec<(String, String)>,
        is_readable: bool,
    ) -> Result<(), ExchangeError> {
        let code = StatusCode::from_u16(status).map_err(|_| ExchangeError::Status(status))?;
        let head = ResponseHead::new(code, &header_map(headers));
        self.handle(Input::Head(if is_readable { head } else { head.unreadable() }))
    }

    /// Tells more of the current response's body, without its content encoding.
    ///
    /// # Errors
    ///
    /// If no body is read.
    pub fn data(&self, data: Bytes) -> Result<(), ExchangeError> {
        self.handle(Input::Data(data))
    }

    /// Tells what else came of a command: `end`, `broken` or `damaged` of a body, `unreachable` of a request, `waited` of a
    /// pause.
    ///
    /// # Errors
    ///
    /// If that is not waited for.
    pub fn tell(&self, what: &str) -> Result<(), ExchangeError> {
        self.handle(match what {
            "end" => Input::End,
            "broken" => Input::Broken,
            "damaged" => Input::Damaged,
            "unreachable" => Input::Unreachable,
            "waited" => Input::Waited,
            other => return Err(ExchangeError::Unknown(other.to_owned())),
        })
    }

    fn handle(&self, input: Input) -> Result<(), ExchangeError> {
        let mut running = self.lock();
        let exchange = running.as_mut().ok_or(ExchangeError::NotBegun)?;
        Ok(exchange.handle(input)?)
    }
}

/// Returns the headers that can be read: another tells nothing.
fn header_map(headers: Vec<(String, String)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            map.append(name, value);
        }
    }
    map
}
