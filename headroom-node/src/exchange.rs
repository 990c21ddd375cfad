//! Everything between a request of the caller and the end of its answer, as TypeScript carries it out.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use headroom_bindings::{
    BlockingEngine, BlockingExchange, BlockingStore, CallOptions, Prepared, RequestParts,
};
use headroom_retrieval::{Command, Reply, RequestHead};
use napi::{
    Result,
    bindgen_prelude::{AsyncTask, Buffer},
};
use napi_derive::napi;

use crate::{
    errors,
    task::{Later, later, now},
};

/// The exchange about one request: what to send, and what the caller gets.
#[napi]
#[derive(Debug)]
pub struct Exchange {
    inner: Arc<BlockingExchange>,
}

/// A header to set, or to remove where there is no value.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct HeaderChange {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: Option<String>,
}

/// What a request becomes.
#[napi(object, object_from_js = false)]
pub struct PreparedRequest {
    /// Whether it is sent as it is (`pass`), answered here (`reply`) or sent as the exchange says (`send`).
    #[napi(ts_type = "'pass' | 'reply' | 'send'")]
    pub kind: &'static str,
    /// The status of the reply.
    pub status: u16,
    /// The body of the reply, which is JSON.
    pub body: Option<Buffer>,
    /// The headers that change.
    pub headers: Vec<HeaderChange>,
}

impl fmt::Debug for PreparedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What to do next.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct ExchangeCommand {
    /// The command. `work` is carried out by `runWork`.
    #[napi(
        ts_type = "'send' | 'read' | 'work' | 'wait' | 'respond' | 'write' | 'forward' | 'fail' | 'done'"
    )]
    pub kind: &'static str,
    /// Whether to send the caller's own request.
    pub is_original: Option<bool>,
    /// Whether the response before this one is kept.
    pub keeps_response: Option<bool>,
    /// How many bytes of a body to read, at most.
    pub limit: Option<f64>,
    /// How long to wait.
    pub seconds: Option<f64>,
    /// What the caller gets.
    #[napi(ts_type = "'received' | 'kept' | 'stream' | 'document' | 'unfinished'")]
    pub reply: Option<&'static str>,
    /// The body of a request or reply, or bytes for the caller.
    pub body: Option<Buffer>,
}

impl fmt::Debug for ExchangeCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeCommand").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Exchange {
    pub(crate) fn new(
        engine: BlockingEngine,
        store: BlockingStore,
        call: CallOptions,
        request: RequestParts<'_>,
    ) -> Self {
        Self { inner: Arc::new(BlockingExchange::new(engine, store, call, request)) }
    }
}

#[napi]
#[expect(clippy::needless_pass_by_value, reason = "how napi passes strings")]
impl Exchange {
    /// Compresses the request, on this thread.
    #[napi]
    pub fn prepare(&self) -> Result<PreparedRequest> {
        now(|| Ok(self.inner.prepare().into()))
    }

    /// Compresses the request.
    #[napi(ts_return_type = "Promise<PreparedRequest>")]
    #[must_use]
    pub fn prepare_later(&self) -> AsyncTask<Later<PreparedRequest>> {
        let exchange = Arc::clone(&self.inner);
        later(move || Ok(exchange.prepare().into()))
    }

    /// Returns the next command.
    #[napi]
    pub fn poll(&self) -> Result<ExchangeCommand> {
        now(|| self.inner.poll().map(ExchangeCommand::from).map_err(errors::bug))
    }

    /// Carries out a `work`, on this thread.
    #[napi]
    pub fn run_work(&self) -> Result<()> {
        now(|| self.inner.run_work().map_err(errors::bug))
    }

    /// Carries out a `work`, which waits for the store.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn run_work_later(&self) -> AsyncTask<Later<()>> {
        let exchange = Arc::clone(&self.inner);
        later(move || exchange.run_work().map_err(errors::bug))
    }

    /// Tells the head of the response to the last request.
    #[napi]
    pub fn head(&self, status: u16, headers: Vec<(String, String)>, is_readable: bool) -> Result<()> {
        now(|| self.inner.head(status, headers, is_readable).map_err(errors::bug))
    }

    /// Tells more of the current response's body, without its content encoding.
    #[napi]
    pub fn data(&self, data: &[u8]) -> Result<()> {
        let data = Bytes::copy_from_slice(data);
        now(|| self.inner.data(data).map_err(errors::bug))
    }

    /// Tells what else came of a command: `end`, `broken` or `damaged` of a body, `unreachable` of a request, `waited` of a
    /// pause.
    #[napi(ts_args_type = "what: 'end' | 'broken' | 'damaged' | 'unreachable' | 'waited'")]
    pub fn tell(&self, what: String) -> Result<()> {
        now(|| self.inner.tell(&what).map_err(errors::bug))
    }
}

impl From<Prepared> for PreparedRequest {
    fn from(prepared: Prepared) -> Self {
        let made = |kind| Self { kind, status: 0, body: None, headers: Vec::new() };
        match prepared {
            Prepared::Pass => made("pass"),
            Prepared::Reply { status, body } => {
                Self { status, body: Some(Buffer::from(body.to_vec())), ..made("reply") }
            }
            Prepared::Send(headers) => {
                let change = |(name, value): (&str, _)| HeaderChange { name: name.to_owned(), value };
                Self { headers: headers.into_iter().map(change).collect(), ..made("send") }
            }
        }
    }
}

impl From<Command> for ExchangeCommand {
    fn from(command: Command) -> Self {
        let made = |kind| Self { kind, ..Self::default() };
        let buffer = |bytes: Bytes| Some(Buffer::from(Vec::from(bytes)));
        match command {
            Command::Send(request) => Self {
                is_original: Some(request.head == RequestHead::Original),
                keeps_response: Some(request.keeps_response),
                body: buffer(request.body),
                ..made("send")
            },
            #[expect(clippy::cast_precision_loss, reason = "a limit far below 2^53")]
            Command::Read { limit } => Self { limit: Some(limit as f64), ..made("read") },
            Command::Wait(pause) => Self { seconds: Some(pause.as_secs_f64()), ..made("wait") },
            Command::Respond(reply) => {
                let (reply, body) = match reply {
                    Reply::Received => ("received", None),
                    Reply::Kept => ("kept", None),
                    Reply::Stream => ("stream", None),
                    Reply::Document(body) => ("document", buffer(body)),
                    Reply::Unfinished(body) => ("unfinished", buffer(body)),
                };
                Self { reply: Some(reply), body, ..made("respond") }
            }
            Command::Write(bytes) => Self { body: buffer(bytes), ..made("write") },
            Command::Forward => made("forward"),
            Command::Fail => made("fail"),
            Command::Done => made("done"),
            Command::Fetch(_) | Command::Store(_) | Command::Remember(_) | Command::Report(_) => made("work"),
        }
    }
}
