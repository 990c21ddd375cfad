//! Makes the prompts in LLM requests smaller in front of an [actix-web] service.
//!
//! [`Headroom`] is a middleware for `App`, `Scope`, `Resource` and routes. It reads the body of an LLM request, puts a
//! smaller one in its place, and corrects the headers that describe it. Extractors behind it (`Json`, `String`,
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
//! actix-web runs the middleware that was wrapped last first. What is to see the request as it came is wrapped after
//! this one:
//!
//! ```text
//! App::new().wrap(headroom).wrap(auth).wrap(logger)      # logger -> auth -> Headroom -> handler
//! ```
//!
//! # Per request
//!
//! A [`HeadroomOverride`] in the request's extensions, put there by a middleware outside, changes the settings for it.
//! A [`RequestReport`] is in the extensions afterwards if the body was looked at.
//!
//! # Answers
//!
//! Services of actix-web stay on their thread and are not cloned, so they cannot be asked again behind the back of a
//! stream: this middleware sees requests only, and sets nothing aside unless the client has a tool to fetch it back
//! ([`Retrieval::ClientTool`](headroom_core::Retrieval::ClientTool)) or reads files (feature `plaintext`). Where calls of `headroom_retrieve` are to
//! be answered, put [`HeadroomLayer`](headroom_tower::HeadroomLayer) around the client with which a handler asks the provider.
//!
//! # What the inner service gets
//!
//! | | payload | headers |
//! |---|---|---|
//! | not wanted by the predicate, signed, an upgrade | the payload itself, unread | as they came |
//! | rewritten | one chunk | exact `Content-Length`, no `Transfer-Encoding`, no `Content-Encoding` |
//! | the engine found nothing to do | the bytes that came | as they came |
//! | over a limit | what was read, then the rest as it comes | as they came |
//! | the payload failed while it was read | what was read, then the payload's own error | as they came |
//!
//! # Errors
//!
//! None of its own: errors of the inner service pass, and whatever goes wrong, the original request goes on.
//!
//! # Panics
//!
//! actix-web itself panics when a request's head is changed while somebody holds a clone of its `HttpRequest`; its
//! router does so, and so does this middleware when it corrects the headers. A middleware outside of this one must
//! not keep such a clone while it calls the inner service.
//!
//! # Limits
//!
//! - Extractors count the body that goes on: `PayloadConfig` (256 KiB) and `JsonConfig` (2 MiB) may take a conversation
//!   that they would have refused. Conversations of agents are often longer: raise them.
//! - Those of [`PromptCompressionLayer`]: payloads over 32 MiB pass, work on payloads over 32 KiB leaves the worker's thread.
//!
//! # Crate features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `memory` | yes | a store in memory |
//! | `tracing` | yes | the span `headroom.compress` and events, without content |
//! | `tiktoken` | | tokens counted with OpenAI's published vocabularies, 50 MB of the binary; estimated without |
//! | `code` | | source code is parsed, in thirteen languages; needs a C compiler |
//! | `plaintext` | | originals as files that agents read with their own tools |
//! | `metrics` | | `MetricsObserver` on the `metrics` facade |
//! | `decompression-gzip`, `-deflate`, `-br`, `-zstd`, `-full` | | encoded request bodies |
//!
//! Without `tiktoken` tokens are estimated, and savings are taken for less than they are: prompts become as small within one
//! part in a thousand, and reports name fewer tokens. Without `code` source files stay whole. Both are part of the
//! configuration: all processes that serve a conversation need the same. Single languages can be had with the features
//! `code-…` of `headroom-core`, named in your own `Cargo.toml`.
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
