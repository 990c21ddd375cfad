//! What an exchange asks of its caller, and what the caller tells it.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use headroom_core::{Api, Handle};
use headroom_store::RecordKey;
use http::StatusCode;

use crate::{head::ResponseHead, rejected::Refusal};

/// What the caller is to do next: the output of [`Exchange::poll`](crate::Exchange::poll).
///
/// The docs of each command name the [`Input`] that it waits for. Until then `poll` returns it again.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub enum Command {
    /// Send this request to the provider. Its response becomes the current one.
    ///
    /// Waits for [`Input::Head`], or [`Input::Unreachable`] if there is no response.
    Send(UpstreamRequest),
    /// Give the next bytes of the current response's body, without their content encoding.
    ///
    /// Waits for [`Input::Data`], or one of [`Input::End`], [`Input::Broken`] and [`Input::Damaged`].
    Read {
        /// The most bytes of this body that will be taken. A caller that collects the body first may stop beyond it,
        /// and give what it has.
        limit: u64,
    },
    /// Get these originals from the store, each visible to this tenant only.
    ///
    /// Waits for [`Input::Fetched`].
    Fetch(FetchOriginals),
    /// Store this record of the exchange, so that the client's next request finds it.
    ///
    /// Waits for [`Input::Stored`].
    Store(StoreRecord),
    /// Drop the current response, which says that the provider is busy, and wait for this long.
    ///
    /// Waits for [`Input::Waited`]; or, if there is no timer, for [`Input::CannotWait`] with the response kept.
    Wait(Duration),
    /// Answer the client. Happens once, and waits for nothing.
    Respond(Reply),
    /// Give the client these bytes of its stream. Waits for nothing.
    Write(Bytes),
    /// Tell the [`Refusals`](crate::Refusals) of this process. Waits for nothing.
    Remember(Refusal),
    /// Tell whoever counts. Waits for nothing.
    Report(Report),
    /// Give the client the rest of the current response's body unread, up to its end. The exchange is over.
    Forward,
    /// Fail towards the client as the connection to the provider failed. The exchange is over.
    Fail,
    /// The exchange is over, and so is the client's answer.
    Done,
}

/// A request that the exchange sends.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamRequest {
    /// The head that it has.
    pub head: RequestHead,
    /// Its body. The head needs a `content-length` to match.
    pub body: Bytes,
    /// Whether the current response must be kept, because it may be the client's: see [`Reply::Kept`].
    pub keeps_response: bool,
}

/// The head of a request that the exchange sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestHead {
    /// As the client sent it, with the client's body.
    Original,
    /// As the rewritten request has it.
    Rewritten,
}

/// The client's response.
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// The current response as it was received: its head, then its body from the first byte, encoded as it came. The
    /// exchange is over. So whoever gives the bytes of a body that is not a stream keeps them until the reply.
    Received,
    /// Likewise, the response before the current one; see [`UpstreamRequest::keeps_response`].
    Kept,
    /// A stream: the head of the current response without `content-length` and `content-encoding`. What follows is
    /// [`Command::Write`].
    Stream,
    /// The head of the current response with this body, without `content-encoding` and `transfer-encoding`.
    Document(Bytes),
    /// The head of the current response with status 502 and this body, which is JSON, without `content-encoding`,
    /// `transfer-encoding` and `etag`. The provider did not complete an answer that the client saw nothing of yet.
    Unfinished(Bytes),
}

/// Originals to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOriginals {
    /// Whose they are.
    pub tenant: String,
    /// Their names. There is at least one.
    pub handles: Vec<Handle>,
}

/// A record to store.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreRecord {
    /// The name under which it is stored.
    pub tenant: String,
    /// The keys under which it is found. There is at least one.
    pub keys: Vec<RecordKey>,
    /// The record.
    pub record: String,
}

/// An original that was asked for.
#[derive(Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Its content.
    Content(Arc<str>),
    /// The store has none under this handle.
    Missing,
    /// The store failed.
    Failed,
}

/// What the caller tells: the argument of [`Exchange::handle`](crate::Exchange::handle).
#[derive(Clone)]
pub enum Input {
    /// The head of the response to the request that was sent last.
    Head(ResponseHead),
    /// The request that was sent last has no response.
    Unreachable,
    /// More of the current response's body, without its content encoding.
    Data(Bytes),
    /// The body is complete.
    End,
    /// The connection broke off within the body.
    Broken,
    /// The rest of the body cannot be decoded.
    Damaged,
    /// The originals that were asked for, in the order of their handles. One that lacks counts as failed.
    Fetched(Vec<Fetched>),
    /// The record was stored, or the store failed: then the next request goes on from what the client saw.
    Stored,
    /// The time to wait is over.
    Waited,
    /// There is no timer.
    CannotWait,
}

impl Input {
    /// Returns what this is, for messages: it shows no content.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Head(_) => "head",
            Self::Unreachable => "unreachable",
            Self::Data(_) => "data",
            Self::End => "end",
            Self::Broken => "broken",
            Self::Damaged => "damaged",
            Self::Fetched(_) => "fetched",
            Self::Stored => "stored",
            Self::Waited => "waited",
            Self::CannotWait => "cannot wait",
        }
    }
}

/// The error of an input that the exchange does not wait for. Nothing has changed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnexpectedInput {
    pub(crate) input: &'static str,
    pub(crate) awaited: &'static str,
}

impl fmt::Display for UnexpectedInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the exchange waits for {}, not for {}; poll it for its next command",
            self.awaited, self.input
        )
    }
}

impl std::error::Error for UnexpectedInput {}

/// An outcome worth counting. It holds no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Calls of `headroom_retrieve` were answered, and the answer that they belong to is complete.
    Retrieved(Retrieved),
    /// The original request was sent, or the rewritten one without thinking.
    Fallback(Fallback),
}

/// See [`Report::Retrieved`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retrieved {
    /// The wire format.
    pub api: Api,
    /// Requests sent to the provider beyond the client's own.
    pub rounds: u32,
    /// Calls that were answered.
    pub calls: u32,
    /// Whether the answer ended with an unanswered call.
    pub incomplete: bool,
}

/// See [`Report::Fallback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The wire format.
    pub api: Api,
    /// The status of the answer to the rewritten request: a refusal, or 200 if its encoding is unknown.
    pub status: StatusCode,
    /// Whether the provider accepted the original request.
    pub accepted: bool,
    /// Whether it refused both, and accepted the rewritten request without thinking.
    pub unbound: bool,
    /// Whether the refusal was about thinking after an epoch, and the provider accepted the rewritten request without the
    /// thinking before the newest prompt. The original was not sent then.
    pub epoch: bool,
}
