//! A [tower] layer that makes the prompts in LLM requests smaller before they are sent.
//!
//! [`headroom_core`] rewrites the tool outputs, logs, search results, file reads and JSON in a request; all other bytes
//! stay the same. The layer works in any HTTP stack: it keeps the inner service's response and error, and gives it a
//! body type of your choice.
//!
//! - [`HeadroomLayer`] is the layer with a store, for services that answer with an HTTP response.
//! - [`PromptCompressionLayer`] is the request side alone, for any response.
//! - [`PromptCompressionLayer::rewrite`] turns one request into another, for gateways that are not tower stacks.
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
//! - Outside retries, so that a request is rewritten once.
//! - Outside anything that signs the body. Requests that are already signed pass through unchanged.
//! - Inside authentication, so that unauthenticated requests cost nothing.
//! - Inside a translation between wire formats, or outside it with the client's own path.
//! - Outside a response cache: the same request always gives the same bytes, so cache keys stay valid.
//!
//! The layers' bodies are [`Default`] and [`Clone`] where yours are, so all of this fits into one `ServiceBuilder`,
//! with tower's own retries too:
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
//! | request | body | headers |
//! |---|---|---|
//! | excluded by the predicate, signed, an upgrade | `B` itself, unread and unboxed | unchanged |
//! | rewritten | one chunk | exact `Content-Length`, no `Transfer-Encoding`, no `Content-Encoding` |
//! | nothing for the engine to do | the original bytes | unchanged |
//! | over a limit | the bytes read so far, then the rest of the stream | unchanged |
//! | the body failed while it was read | the bytes read so far, then the body's own error | unchanged |
//! | with trailers | the bytes read, then the trailers | unchanged |
//! | a store failed | rewritten without eliding anything new, or the original bytes | as above |
//! | a panic, or the runtime shut down | the original bytes | unchanged |
//!
//! Every request whose body was read has a [`RequestReport`] in its extensions.
//!
//! # What the client gets
//!
//! The inner service's response, unchanged, except for [`HeadroomLayer`] with
//! [`Retrieval::ServerTool`](headroom_core::Retrieval::ServerTool). There the model has a tool, `headroom_retrieve`, to
//! ask for elided content. The layer answers its calls from the store and calls the inner service again with the
//! answers added, up to seven times. The client gets one answer that shows none of this. Supported are Anthropic
//! Messages, OpenAI Chat Completions and Responses, and Gemini, as server-sent events or as one document; and
//! Anthropic's models at Vertex, and at Bedrock in AWS event stream frames.
//!
//! - Every event of a stream is passed on in the poll that completes it; only those of the tool are removed. A response
//!   that does not call the tool passes through byte for byte.
//! - The store keeps each hidden exchange, and the layer restores it when the client sends the conversation again. An
//!   exchange belongs to its conversation, whatever ids and texts that has, and is found after the credential was
//!   renewed. So thinking stays bound to the content before it, the prompt cache keeps hitting, and the model keeps the
//!   content it retrieved.
//! - If the model also calls the client's own tools, the client gets those calls at once, and the hidden answer goes
//!   out with the client's next request.
//! - Usage reports the context of the last call of the inner service, and the output of all calls.
//! - If the client changed an answer so that its hidden part no longer fits, thinking from there on is removed, because
//!   it is bound to that part. Requests with `thinking.block_binding` decide this themselves.
//! - Message threads (`thread`) are turned into conversations that are sent in full: the layer removes `create`, and
//!   answers `continue` with `thread_not_found`, upon which clients send everything.
//! - If a later call fails, a stream gets an error event; otherwise the client gets the failed response. While the
//!   inner service is busy (429, 5xx), it is called again after a pause.
//! - These requests ask for an unencoded response. A stream that is encoded anyway is decoded, with the `decompression`
//!   features, and reaches the client without its encoding. If the encoding cannot be decoded, the original request is
//!   sent, and the rest of the conversation is sent unchanged.
//! - If the client sets cache breakpoints and has one left, the newest hidden answer gets one with the lifetime of the
//!   client's last, so that the next request reads it from the cache.
//! - What a provider reports beside the content (verdicts, transformations, details of usage) is kept for every call
//!   that the client sees.
//! - Dropping the response's body drops the call in progress for it.
//!
//! Some requests have answers that cannot be stitched together. They are treated as if the tool did not exist: more
//! than one choice, Gemini's `cachedContent`, `streamFunctionCallArguments` and streams without events, Responses in
//! the background or in a `conversation`, and Bedrock Converse.
//!
//! # Originals as files
//!
//! With the feature `plaintext`, the setter `plaintext` writes originals as files that the agent reads with its own
//! tools, and the response is left alone. Nothing else allows eliding where answers cannot be stitched, or where the
//! layer sees no response ([`PromptCompressionLayer`], [`PromptCompressionLayer::rewrite`], the adapters of other
//! frameworks) and the client brings no tool. It is never chosen automatically: the agent must run on this machine, as
//! the same user, with permission to read the folder. It also pays for a whole file, while `headroom_retrieve` returns
//! only the part it asks for. Requests whose tools neither run commands nor show files are treated as with
//! [`Retrieval::Disabled`](headroom_core::Retrieval::Disabled).
//!
//! # When a request is refused
//!
//! If a rewritten request is answered with 400 or 422, or with 413 where it had grown, [`HeadroomLayer`] sends the
//! original request. If that is accepted, the rest of the conversation is sent unchanged for as long as this layer
//! remembers it, unless it was the first request of the conversation.
//!
//! If it is refused too, and the first refusal mentions thinking, exchanges were lost with the store: the rewritten
//! request is sent once more without thinking. If that is accepted, the conversation's thinking up to this point stays
//! out of it, and later thinking is kept. Besides these memories, later requests depend only on which originals could
//! be stored.
//!
//! # Errors
//!
//! The layers have no errors of their own: `Error` is the inner service's, and the body's error is `B`'s. On any
//! failure the original request is sent, and the [`Observer`] gets the [`SkipReason`].
//!
//! The layer rejects nothing by size or time. Put `RequestBodyLimitLayer` (413) and `TimeoutLayer` (408) of
//! `tower-http` outside it.
//!
//! # Readiness
//!
//! The inner service is polled ready before the body is read, so a slow upload holds a slot of an inner
//! `ConcurrencyLimit` or `Buffer`. Put a body deadline outside.
//!
//! # Fairness
//!
//! Work on large bodies, and the memory for bodies, are given to tenants in turn: the next is the one that had least, by
//! bytes, of those that wait. A quarter of the memory, and as many places in the blocking pool as there are processors, are
//! a reserve from which each tenant may take a first share. So a tenant that floods makes its own requests wait. Turns decide
//! when a request is worked on, never what it becomes.
//!
//! # Cancel safety
//!
//! The response future owns the request and may be dropped at any time: no further work starts, work in the blocking
//! pool finishes by itself, and the observer is told. An original may then be in the store though its request was never
//! sent; nothing else remains.
//!
//! # Limits
//!
//! | limit | default | beyond it |
//! |---|---|---|
//! | [`max_body`](PromptCompressionLayer::max_body) | 32 MiB | passes through |
//! | [`max_decompressed_body`](PromptCompressionLayer::max_decompressed_body) | 64 MiB | passes through, still encoded |
//! | [`blocking_threshold`](PromptCompressionLayer::blocking_threshold) | 32 KiB | work moves to tokio's blocking pool |
//! | [`max_blocking_tasks`](PromptCompressionLayer::max_blocking_tasks) | one per processor, and as many more for tenants that have none | waits for the tenant's turn |
//! | calls for one answer beyond the client's own | 4 | the model is told so, up to 7; then its turn ends, or fails if it said nothing |
//! | calls of the tool in one round | 16 | the model is told to ask again for the others |
//! | one answer of the tool | 32 KiB | is cut, with a note |
//! | additions of one answer to the conversation | 2 MiB | the model is told so |
//! | a response in one document | 32 MiB | passes through |
//! | one event of a stream | 8 MiB | passes through unread; in a hidden round the answer fails |
//! | content of a stream kept for the next call | 16 MiB | its calls are not answered |
//! | events of a structured answer that wait for its end | 16 MiB | pass through |
//! | refused conversations remembered, of either kind | 4096 | the oldest is forgotten |
//!
//! During a stream the layer holds the request as it was sent and the answer so far, within the limits above, and a few
//! KiB of its own.
//!
//! # Untrusted input
//!
//! No request makes the layer panic. Bodies are read and decoded up to the limits only; for encoded bodies the limit
//! applies to the decoder's output. A panic in the engine or the store is caught. Content reaches no log, metric, span
//! or error; credentials are hashed to distinguish tenants and stored nowhere.
//!
//! # Crate features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`HeadroomLayer::new`] with a store in memory |
//! | `plaintext` | | originals as files that agents read with their own tools |
//! | `tokio` | yes | work on large bodies moves to tokio's blocking pool |
//! | `tracing` | yes | the span `headroom.compress` and events, without content |
//! | `metrics` | | `MetricsObserver` for the `metrics` facade |
//! | `tiktoken` | | token counts by OpenAI's published vocabularies, 2 MB of the binary; estimates without |
//! | `code` | | parsing of source code in thirteen languages; needs a C compiler |
//! | `decompression-gzip`, `-deflate`, `-br`, `-zstd`, `-full` | | encoded request bodies and streams |
//!
//! Without `tiktoken`, tokens are estimated and savings underestimated: prompts shrink to the same size within one part
//! in a thousand, and reports show fewer tokens. Without `code`, source files stay whole. Both are part of the
//! configuration: all processes that serve a conversation must agree on them. To enable single languages, name the
//! features `code-…` of `headroom-core` in your own `Cargo.toml`.
//!
//! Without a `decompression` feature, requests with that `Content-Encoding` pass through. Coding agents do encode: some
//! send gzip, some zstd.
//!
//! [tower]: https://docs.rs/tower
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod arrival;
mod blocking;
mod body;
mod compress_task;
mod config;
mod decode;
#[cfg(feature = "tokio")]
mod fair;
mod files;
mod future;
mod headroom;
mod holdout;
mod map_body;
#[cfg_attr(not(feature = "tokio"), path = "memory/unbounded.rs")]
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
mod observer;
mod overrides;
mod predicate;
mod prompt_compression;
mod read;
mod report;
mod response_body;
mod rewrite;
mod server_tool;
mod skip;
mod store_call;
mod telemetry;

#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

pub use headroom_core;
pub use headroom_store;

pub use arrival::{ArrivalMemory, ArrivalMeter};
pub use body::HeadroomBody;
pub use future::ResponseFuture;
pub use headroom::{Headroom, HeadroomFuture, HeadroomLayer};
pub use holdout::ConversationId;
pub use map_body::{Identity, MapBody};
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use metrics::MetricsObserver;
pub use observer::{
    Cancelled, Fallback, Observer, Retrieved, Rewritten, Skipped, Stage, StoreFailure, StoreOperation,
};
pub use overrides::HeadroomOverride;
pub use predicate::{And, DefaultPredicate, Predicate};
pub use prompt_compression::{PromptCompression, PromptCompressionLayer};
pub use report::RequestReport;
pub use response_body::ResponseBody;
pub use rewrite::Rewrite;
pub use skip::SkipReason;

#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../README.md")]
struct Readme;
