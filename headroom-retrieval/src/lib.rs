//! Answers a model's calls of `headroom_retrieve` behind its client's back: a state machine without I/O.
//!
//! Content that was elided from a prompt can be asked for by the model, with a tool that the client does not know. This
//! crate finds the calls of it in the provider's answer, holds them back from the client, sends what was said and the
//! answers to the calls upstream, and joins all rounds into one answer. What was hidden is stored, and put back when the
//! client sends the conversation again.
//!
//! ```text
//! client            caller, as told                           provider
//!   | -- request ---> | -- + the tool, + earlier exchanges ----> |
//!   |                 | <-- text, call of headroom_retrieve ---- |
//!   | <--- text ----- |                                          |
//!   |                 | -- + what was said, + the answer ------> |
//!   |                 | <-- more text, end of turn ------------- |
//!   | <--- text ----- |                                          |
//! ```
//!
//! Supported are Anthropic Messages, OpenAI Chat Completions and Responses, and Gemini, as server-sent events or as one
//! document, and Anthropic's models at Bedrock in event stream frames of AWS.
//!
//! A [`Session`] brings the request there: it has the originals of what the engine elides stored before anything is sent.
//!
//! There is no async, no clock, no thread and no body type here. An [`Exchange`] says what to do
//! ([`Command`]) and takes what came of it ([`Input`]), so that any transport can use it, and the same inputs always
//! give the same commands. Tower's layer is in `headroom-tower`; the engine that elides is `headroom-core`.
//!
//! # Example
//!
//! A whole loop. The provider is a list of streams, and the store a map.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use bytes::Bytes;
//! use headroom_core::{Api, Handle};
//! use headroom_retrieval::{
//!     Command, Exchange, Fetched, Input, Refusals, Reply, RequestLookup, ResponseHead, RewrittenRequest, Tenant,
//! };
//! use http::{HeaderMap, HeaderValue, Request, StatusCode, header::CONTENT_TYPE};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = "connected\nconnection refused\n";
//! let handle = Handle::from_content(log);
//! let originals = HashMap::from([(handle, log)]);
//! let block = |start: String, delta: String| {
//!     format!(
//!         "data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{start}}}\n\n\
//!          data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{delta}}}\n\n\
//!          data: {{\"type\":\"content_block_stop\",\"index\":0}}\n\n"
//!     )
//! };
//! let stream = |block: &str, stop: &str| {
//!     format!(
//!         "data: {{\"type\":\"message_start\",\"message\":{{\"id\":\"msg_1\",\"content\":[]}}}}\n\n{block}\
//!          data: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"{stop}\"}}}}\n\n\
//!          data: {{\"type\":\"message_stop\"}}\n\n"
//!     )
//! };
//! let call = block(
//!     r#"{"type":"tool_use","id":"toolu_1","name":"headroom_retrieve","input":{}}"#.to_owned(),
//!     format!(r#"{{"type":"input_json_delta","partial_json":"{{\"hash\":\"{handle}\"}}"}}"#),
//! );
//! let text = block(
//!     r#"{"type":"text","text":""}"#.to_owned(),
//!     r#"{"type":"text_delta","text":"It was refused."}"#.to_owned(),
//! );
//! let mut provider = vec![stream(&text, "end_turn"), stream(&call, "tool_use")];
//!
//! // The request: what was hidden in earlier answers is put back, then the engine would make it smaller.
//! let body = r#"{"model":"m","tools":[],"messages":[{"role":"user","content":"What does the log say?"}]}"#;
//! let (head, ()) = Request::post("/v1/messages").header("x-api-key", "k").body(())?.into_parts();
//! let tenant = Tenant::from_credentials(&head);
//! let lookup = RequestLookup::new(&head, Some(Api::Anthropic), body.as_bytes()).ok_or("no request")?;
//! let serves = lookup.serves();
//! let restore = lookup.restore(tenant.clone(), &Refusals::new());
//! assert!(restore.queries().is_empty(), "a conversation that begins has no records");
//!
//! // The answer.
//! let mut exchange = Exchange::new(RewrittenRequest {
//!     api: Api::Anthropic,
//!     tenant: tenant.name().to_owned(),
//!     handles: vec![handle],
//!     original: Bytes::from(body),
//!     rewritten: Bytes::from(body),
//!     serves,
//!     has_epochs: false,
//!     context: restore.context(),
//! });
//! let mut headers = HeaderMap::new();
//! headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
//! let (mut sent, mut current, mut client) = (Vec::new(), String::new(), Vec::new());
//! loop {
//!     match exchange.poll() {
//!         Command::Send(request) => {
//!             sent.push(String::from_utf8(request.body.to_vec())?);
//!             current = provider.pop().ok_or("no more answers")?;
//!             exchange.handle(Input::Head(ResponseHead::new(StatusCode::OK, &headers)))?;
//!         }
//!         Command::Read { .. } if current.is_empty() => exchange.handle(Input::End)?,
//!         Command::Read { .. } => {
//!             // As the network cuts it.
//!             let piece: String = current.drain(..current.len().min(100)).collect();
//!             exchange.handle(Input::Data(piece.into()))?;
//!         }
//!         Command::Fetch(fetch) => {
//!             let get = |handle| originals.get(handle).map_or(Fetched::Missing, |&text| Fetched::Content(text.into()));
//!             exchange.handle(Input::Fetched(fetch.handles.iter().map(get).collect()))?;
//!         }
//!         Command::Store(_record) => exchange.handle(Input::Stored)?,
//!         Command::Wait(_pause) => exchange.handle(Input::Waited)?,
//!         Command::Respond(reply) => assert_eq!(reply, Reply::Stream),
//!         Command::Write(bytes) => client.extend_from_slice(&bytes),
//!         Command::Forward => {
//!             client.extend_from_slice(current.as_bytes());
//!             break;
//!         }
//!         Command::Report(_) | Command::Remember(_) => {}
//!         Command::Fail => return Err("the provider broke off".into()),
//!         Command::Done => break,
//!     }
//! }
//!
//! let client = String::from_utf8(client)?;
//! assert!(client.contains("It was refused.") && !client.contains("headroom_retrieve"));
//! assert_eq!(client.matches("message_start").count(), 1, "one answer");
//! assert_eq!(sent.len(), 2);
//! assert!(sent[1].contains("connection refused"), "the model got the log");
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! See [`limits`]. An exchange holds the request as it was sent and the answer so far, within them.
//!
//! # Untrusted input
//!
//! Nothing panics, whatever request and answer are. Work is linear in both. Content is in no error and no
//! [`Debug`](std::fmt::Debug) form of an exchange.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod beginning;
mod bounded_set;
mod canonical;
mod chain;
mod command;
mod document;
mod edit;
mod exchange;
mod framing;
mod head;
mod keys;
pub mod limits;
mod opening;
mod redacted;
mod rejected;
mod restore;
mod rounds;
mod session;
mod stream;
mod tenant;
#[cfg(any(test, feature = "__fuzzing"))]
mod testing;
#[cfg(test)]
mod tests;
mod thinking;
mod thread;

pub use command::{
    Command, Fallback, FetchOriginals, Fetched, Input, Reply, Report, RequestHead, Retrieved, StoreRecord,
    UnexpectedInput, UpstreamRequest,
};
pub use exchange::{Exchange, RewrittenRequest};
pub use head::ResponseHead;
pub use rejected::{Refusal, Refusals};
pub use restore::{
    FoundRecords, RecordQuery, RequestLookup, ResponseContext, Restore, Restored, ThreadState,
};
pub use session::{Commit, CommitStep, Draft, KnownOriginals, PassReason, Session, SessionStep};
pub use tenant::Tenant;
pub use thinking::without_old_thinking;
pub use thread::{drop_thread_beta, unknown_thread};

/// Internals for tests and fuzz targets, not part of the API.
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::{
        framing::{Split, split},
        testing::{AnswerEnd, Script, ScriptedAnswer, Transcript, exception, frame, framed},
    };
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
