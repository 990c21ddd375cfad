//! Makes the prompts in LLM requests smaller in front of an [actix-web] service.
//!
//! [`Headroom`] is a middleware for `App`, `Scope`, `Resource` and routes. It reads the body of an LLM request,
//! replaces it by a smaller one, and corrects the headers that describe it. Inner extractors (`Json`, `String`,
//! `Bytes`, `Payload`) work as they do without it.
//!
//! # Example
//!
//! ```
//! use actix_web::{App, HttpServer, web};
//! use headroom_actix::{Headroom, RequestReport};
//!
//! async fn proxy(report: Option<web::ReqData<RequestReport>>, body: web::Bytes) -> String {
//!     let saved = report.as_ref().and_then(|r| r.report()).map_or(0, |r| r.tokens_saved);
//!     format!("{} bytes go on, {saved} tokens saved", body.len())
//! }
//!
//! let headroom = Headroom::new(); // made once: what it remembers is shared by all workers
//! let server = HttpServer::new(move || {
//!     App::new().wrap(headroom.clone()).route("/v1/messages", web::post().to(proxy))
//! });
//! # let _ = server;
//! ```
//!
//! # Order of middlewares
//!
//! actix-web runs the middleware that was wrapped last first. Wrap middlewares that need the original request after
//! this one:
//!
//! ```text
//! App::new().wrap(headroom).wrap(auth).wrap(logger)      # logger -> auth -> Headroom -> handler
//! ```
//!
//! # Per request
//!
//! A [`HeadroomOverride`] in the request's extensions, put there by an outer middleware, changes the settings for it.
//! Afterwards a [`RequestReport`] is in the extensions if the body was read.
//!
//! # Answers
//!
//! Services of actix-web stay on their thread and are not cloned, so this middleware cannot call them again during a
//! stream. It handles requests only, and elides nothing unless the client has a retrieval tool
//! ([`Retrieval::ClientTool`](headroom_core::Retrieval::ClientTool)) or reads files (feature `plaintext`). To have
//! calls of `headroom_retrieve` answered, put [`HeadroomLayer`](headroom_tower::HeadroomLayer) around the client with
//! which a handler calls the provider.
//!
//! # What the inner service gets
//!
//! | request | payload | headers |
//! |---|---|---|
//! | excluded by the predicate, signed, an upgrade | the payload itself, unread | unchanged |
//! | rewritten | one chunk | exact `Content-Length`, no `Transfer-Encoding`, no `Content-Encoding` |
//! | nothing for the engine to do | the original bytes | unchanged |
//! | over a limit | the bytes read so far, then the rest of the stream | unchanged |
//! | the payload failed while it was read | the bytes read so far, then the payload's own error | unchanged |
//!
//! # Errors
//!
//! None of its own: the inner service's errors pass through, and on any failure the original request is sent.
//!
//! # Panics
//!
//! actix-web itself panics when a request's head is changed while a clone of its `HttpRequest` exists; its router
//! changes heads, and so does this middleware when it corrects the headers. An outer middleware must not keep such a
//! clone while it calls the inner service.
//!
//! # Limits
//!
//! - Extractors count the rewritten body: `PayloadConfig` (256 KiB) and `JsonConfig` (2 MiB) may accept a conversation
//!   that they would otherwise refuse. Conversations of agents are often longer: raise them.
//! - Those of [`PromptCompressionLayer`]: payloads over 32 MiB pass through, and work on payloads over 32 KiB moves to
//!   tokio's blocking pool.
//!
//! # Crate features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | a store in memory |
//! | `tracing` | yes | the span `headroom.compress` and events, without content |
//! | `tiktoken` | | token counts by OpenAI's published vocabularies, 2 MB of the binary; estimates without |
//! | `code` | | parsing of source code in thirteen languages; needs a C compiler |
//! | `plaintext` | | originals as files that agents read with their own tools |
//! | `metrics` | | `MetricsObserver` for the `metrics` facade |
//! | `decompression-gzip`, `-deflate`, `-br`, `-zstd`, `-full` | | encoded request bodies |
//!
//! Without `tiktoken`, tokens are estimated and savings underestimated: prompts shrink to the same size within one part
//! in a thousand, and reports show fewer tokens. Without `code`, source files stay whole. Both are part of the
//! configuration: all processes that serve a conversation must agree on them. To enable single languages, name the
//! features `code-…` of `headroom-core` in your own `Cargo.toml`.
//!
//! [actix-web]: https://docs.rs/actix-web
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod head;
mod middleware;
mod payload;
mod transform;

#[cfg(test)]
mod tests;

pub use headroom_tower;
pub use headroom_tower::headroom_core;

pub use headroom_tower::{HeadroomOverride, PromptCompressionLayer, RequestReport, SkipReason};
pub use middleware::HeadroomMiddleware;
pub use transform::Headroom;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
