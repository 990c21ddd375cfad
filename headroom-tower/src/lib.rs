//! A [tower] layer that makes the prompts in LLM requests smaller before they are sent.
//!
//! Tool outputs, logs, search results, file reads and JSON in a request are rewritten by the engine of
//! [`headroom_core`]; everything else stays byte for byte what it was. The layer works in any HTTP stack: it keeps the
//! inner service's response and error, and gives it a body type of your choice.
//!
//! - [`HeadroomLayer`] is the layer with a store, for services that answer with an HTTP response.
//! - [`PromptCompressionLayer`] is the request side alone, for any response.
//! - [`PromptCompressionLayer::rewrite`] takes a request and gives one back, for gateways that are no tower stack.
//!
//! # Example
//!
//! ```
//! use axum::{Router, extract::Request, routing::post};
//! use headroom_tower::{HeadroomLayer, RequestReport};
//!
//! async fn proxy(request: Request) -> String {
//!     let report = request.extensions().get::<RequestReport>();
//!     format!("{} tokens saved", report.and_then(|r| r.report()).map_or(0, |r| r.tokens_saved))
//! }
//!
//! let app: Router = Router::new().route("/v1/messages", post(proxy)).layer(HeadroomLayer::new());
//! # let _ = app;
//! ```
//!
//! # Order of layers
//!
//! ```text
//! server edge:  Trace -> BodyDeadline -> BodyLimit -> Auth -> Headroom -> cache -> router
//! client edge:  Headroom -> Retry -> sign -> transport
//! ```
//!
//! - Outside of retries, so that a request is rewritten once.
//! - Outside of what signs the body. Requests that are already signed pass untouched.
//! - Inside of what authenticates, so that nobody else's work is done.
//! - Behind what translates between wire formats, or in front of it with the client's own path.
//! - Outside of a response cache: the same request always becomes the same bytes, so its keys stay valid.
//!
//! The bodies that the layers make are [`Default`] and [`Clone`] where yours are, so all of this fits into one
//! `ServiceBuilder`, with tower's own retries too:
//!
//! ```
//! use std::{convert::Infallible, future::{Ready, ready}};
//!
//! use bytes::Bytes;
//! use headroom_tower::{PromptCompressionLayer, HeadroomBody};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, retry::Policy, service_fn};
//!
//! #[derive(Clone)]
//! struct Attempts(usize);
//!
//! impl<B: Clone, R, E> Policy<Request<B>, Response<R>, E> for Attempts {
//!     type Future = Ready<()>;
//!
//!     fn retry(&mut self, _: &mut Request<B>, result: &mut Result<Response<R>, E>) -> Option<Ready<()>> {
//!         let is_busy = result.as_ref().is_ok_and(|response| response.status() == 503);
//!         self.0 = self.0.checked_sub(usize::from(is_busy))?;
//!         is_busy.then(|| ready(()))
//!     }
//!
//!     fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
//!         Some(request.clone()) // a rewritten body is one `Bytes`: nothing is copied
//!     }
//! }
//!
//! let transport = service_fn(async |_request: Request<HeadroomBody<Full<Bytes>>>| {
//!     Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
//! });
//! let client = ServiceBuilder::new().layer(PromptCompressionLayer::new()).retry(Attempts(3)).service(transport);
//! # let request = Request::post("/v1/messages").body(Full::<Bytes>::default()).unwrap();
//! # let _ = async { tower::ServiceExt::oneshot(client, request).await };
//! ```
//!
//! # What the inner service gets
//!
//! | | body | headers |
//! |---|---|---|
//! | not wanted by the predicate, signed, an upgrade | `B` itself, unread and unboxed | as they came |
//! | rewritten | one chunk | exact `Content-Length`, no `Transfer-Encoding`, no `Content-Encoding` |
//! | the engine found nothing to do | the bytes that came | as they came |
//! | over a limit | what was read, then the rest as it comes | as they came |
//! | the body failed while it was read | what was read, then the body's own error | as they came |
//! | with trailers | what was read, then the trailers | as they came |
//! | a store failed | rewritten without setting anything aside, or the bytes that came | as above |
//! | something panicked, no place to work | the bytes that came | as they came |
//!
//! Every request whose body was looked at has a [`RequestReport`] in its extensions.
//!
//! # What the client gets
//!
//! The response of the inner service as it is, but for [`HeadroomLayer`] with
//! [`Retrieval::ServerTool`](headroom_core::Retrieval::ServerTool). There the model has a tool, `headroom_retrieve`, to ask for what
//! was set aside. Its calls are answered from the store, and the inner service is called again with the answer added,
//! up to seven times. The client gets one answer in which nothing of that shows: Anthropic Messages, OpenAI Chat
//! Completions and Responses, and Gemini, as server-sent events or in one piece; Anthropic's models also at Vertex, and
//! at Bedrock in the frames of AWS.
//!
//! - Every event of a stream passes in the poll in which it is complete; only those of the tool are taken out. A
//!   response without a call of it passes byte for byte.
//! - What was exchanged is kept in the store, and put back in its place when the client sends the conversation again.
//!   It belongs to that conversation, whatever its ids and texts are, and is found after its credential was renewed.
//!   Thinking stays bound to what it followed, the prompt cache keeps hitting, and the model keeps what it fetched.
//! - Where the client's own tools are called beside it, the client gets those calls at once, and the answer to the
//!   hidden one goes with its next request.
//! - Usage is the context of the last call of the inner service, and the output of all.
//! - Where the client changed an answer so that its hidden part fits no more, thinking goes out from there on, for it is
//!   bound to that part. A request with `thinking.block_binding` says itself what becomes of it.
//! - Of message threads (`thread`) the layer makes conversations that are sent in full: it takes the `create` out, and
//!   answers `continue` with `thread_not_found`, on which clients send everything.
//! - A failure of a later call is an error event in a stream, and the response itself otherwise. While the inner
//!   service is busy (429, 5xx) it is called again after a pause.
//! - Such requests ask for a response without encoding. A stream that is encoded all the same is decoded, with the
//!   `decompression` features, and reaches the client without its encoding. Where the encoding cannot be read, the
//!   request is sent again as it came, and the conversation goes on as it comes.
//! - Where the client sets cache breakpoints and has one left, the newest hidden answer gets one that lives as long as
//!   the client's last, so that the next request reads it from the cache.
//! - What a provider says beside the content (verdicts, transformations, details of usage) is kept for every call that
//!   the client sees.
//! - Dropping the response's body drops the call that goes on for it.
//!
//! Requests to which the answer could not be stitched are treated as if there were no such tool: more than one choice,
//! Gemini's `cachedContent`, `streamFunctionCallArguments` and streams that are no events, Responses in the background or in a `conversation`, and
//! Bedrock Converse.
//!
//! # Files in place of answers
//!
//! With `plaintext` (feature `plaintext`), originals are written as files that the agent reads with its own tools, and the
//! response stays what it is. This is the only way to set anything aside where no response is seen
//! ([`PromptCompressionLayer`], [`PromptCompressionLayer::rewrite`], the adapters of other frameworks) and the client brings no tool, and
//! where answers cannot be stitched. It is never chosen by itself: the agent must run on this machine, as the
//! same user, and be allowed to read the folder, and what it reads it pays for in full, while `headroom_retrieve`
//! gives it the part that it asks for. Requests whose tools neither run commands nor show files are treated as with
//! [`Retrieval::Disabled`](headroom_core::Retrieval::Disabled).
//!
//! # When a request is refused
//!
//! If a rewritten request is answered with 400 or 422, or with 413 where it had grown, [`HeadroomLayer`] sends it
//! again as it came. If that is accepted, the conversation goes on as it comes from then on, as far as this layer
//! remembers, unless it was the first request of the conversation.
//!
//! If it is refused too, and the first refusal speaks of thinking, exchanges were lost with the store: the rewritten
//! request is sent once more without thinking. If that is accepted, the thinking that the conversation had so far stays
//! out of it, and the thinking that follows goes on. These memories are the one thing that later requests depend on.
//!
//! # Errors
//!
//! The layers have none of their own: `Error` is the inner service's, and the body's error is `B`'s. Whatever goes
//! wrong, the original request goes on, and the [`Observer`] is told the [`SkipReason`].
//!
//! Rejecting is not this layer's job. Put `RequestBodyLimitLayer` (413) and `TimeoutLayer` (408) of `tower-http`
//! outside of it.
//!
//! # Readiness
//!
//! The inner service is polled ready before the body is read, so a slow upload holds a slot of a `ConcurrencyLimit` or
//! `Buffer` inside. Put a body deadline outside.
//!
//! # Cancel safety
//!
//! The response future owns the request. It may be dropped at any time: work that has not begun is not begun, work in
//! the blocking pool ends by itself, and the observer is told. An original may then be in the store though its request
//! never left; nothing else remains.
//!
//! # Limits
//!
//! | limit | default | beyond it |
//! |---|---|---|
//! | [`max_body`](PromptCompressionLayer::max_body) | 32 MiB | passes through |
//! | [`max_decompressed_body`](PromptCompressionLayer::max_decompressed_body) | 64 MiB | passes through, encoded as it came |
//! | [`blocking_threshold`](PromptCompressionLayer::blocking_threshold) | 32 KiB | work moves to tokio's blocking pool |
//! | [`max_blocking_tasks`](PromptCompressionLayer::max_blocking_tasks) | one per processor | waits |
//! | calls for one answer beyond the client's own | 4 | the model is told so, up to 7; then its turn ends, or fails if it said nothing |
//! | calls of the tool in one round | 16 | the model is told to ask again for the others |
//! | one answer of the tool | 32 KiB | cut, and says so |
//! | what one answer adds to the conversation | 2 MiB | the model is told so |
//! | a response in one piece | 32 MiB | passes through |
//! | one event of a stream | 8 MiB | it passes unread; in a hidden round the answer fails |
//! | a stream's content kept for the next call | 16 MiB | its calls are not answered |
//! | events of a structured answer that wait for its end | 16 MiB | they pass |
//! | refused conversations remembered, of either kind | 4096 | the oldest is forgotten |
//!
//! While a stream goes on, the layer holds the request as it was sent and what the answer says so far: a few KiB of its
//! own beside these, within the limits above.
//!
//! # Untrusted input
//!
//! No request makes the layer panic. Bodies are read and decoded up to the limits only, encoded bodies as they come
//! out of the decoder. A panic in the engine or the store is caught. Content reaches no log, metric, span or error;
//! credentials are hashed to tell tenants apart and are kept nowhere.
//!
//! # Crate features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `memory` | yes | [`HeadroomLayer::new`] with a store in memory |
//! | `plaintext` | | originals as files that agents read with their own tools |
//! | `tokio` | yes | work on large bodies leaves the runtime's threads |
//! | `tracing` | yes | the span `headroom.compress` and events, without content |
//! | `metrics` | | `MetricsObserver` on the `metrics` facade |
//! | `tiktoken` | | tokens counted with OpenAI's published vocabularies, 50 MB of the binary; estimated without |
//! | `code` | | source code is parsed, in thirteen languages; needs a C compiler |
//! | `decompression-gzip`, `-deflate`, `-br`, `-zstd`, `-full` | | encoded request bodies and streams |
//!
//! Without `tiktoken` tokens are estimated, and savings are taken for less than they are: prompts become as small within one
//! part in a thousand, and reports name fewer tokens. Without `code` source files stay whole. Both are part of the
//! configuration: all processes that serve a conversation need the same. Single languages can be had with the features
//! `code-…` of `headroom-core`, named in your own `Cargo.toml`.
//!
//! Without a `decompression` feature, requests with that `Content-Encoding` pass through. Coding agents do encode:
//! some send gzip, some zstd.
//!
//! [tower]: https://docs.rs/tower
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod blocking;
mod body;
mod compress_task;
mod config;
mod decode;
mod files;
mod future;
mod headroom;
mod layer;
mod map_body;
#[cfg_attr(not(feature = "tokio"), path = "memory/unbounded.rs")]
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
mod observer;
mod original_set;
mod overrides;
mod predicate;
mod read;
mod report;
mod response_body;
mod rewrite;
mod server_tool;
mod service;
mod skip;
mod telemetry;
mod tenant;

#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

pub use headroom_core;
pub use headroom_store;

pub use body::HeadroomBody;
pub use future::ResponseFuture;
pub use headroom::{Headroom, HeadroomFuture, HeadroomLayer};
pub use layer::PromptCompressionLayer;
pub use map_body::{Identity, MapBody};
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use metrics::MetricsObserver;
pub use observer::{Cancelled, Fallback, Observer, Retrieved, Rewritten, Skipped, Stage, StoreFailure};
pub use overrides::HeadroomOverride;
pub use predicate::{And, DefaultPredicate, Predicate};
pub use report::RequestReport;
pub use response_body::ResponseBody;
pub use rewrite::Rewrite;
pub use service::PromptCompression;
pub use skip::SkipReason;

/// What the fuzz targets look at, and no part of the API.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::server_tool::{Split, split};
}

#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../README.md")]
struct Readme;
