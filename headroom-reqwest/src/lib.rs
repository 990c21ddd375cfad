//! Makes the prompts in LLM requests smaller before [reqwest] sends them.
//!
//! [`HeadroomMiddleware`] goes into a client of [reqwest-middleware], and applies to everything sent through that
//! client, including SDKs that accept such a client. [`HeadroomMiddleware::rewrite`] does the same to one request of a
//! plain client.
//!
//! # Example
//!
//! ```
//! use headroom_reqwest::HeadroomMiddleware;
//! use reqwest_middleware::ClientBuilder;
//!
//! # async fn example(body: String) -> Result<(), reqwest_middleware::Error> {
//! let client = ClientBuilder::new(reqwest::Client::new()).with(HeadroomMiddleware::new()).build();
//! let response = client
//!     .post("https://api.anthropic.com/v1/messages")
//!     .header("content-type", "application/json")
//!     .body(body)
//!     .send()
//!     .await?;
//! # let _ = response;
//! # Ok(())
//! # }
//! # drop(example);
//! ```
//!
//! # Order
//!
//! ```text
//! Headroom -> Retry -> sign -> transport
//! ```
//!
//! - Attach it before retries, so that a request is rewritten once. A rewritten body is as reusable as the original.
//!   After retries it works too: every attempt gives the same bytes, at the cost of the work.
//! - Attach it before anything that signs the body. Requests that are already signed pass through unchanged.
//!
//! # Per request
//!
//! A [`HeadroomOverride`] in the request's extensions changes the settings for it. Afterwards a [`RequestReport`] is
//! there, for inner middlewares and for callers of `execute_with_extensions`.
//!
//! ```
//! use headroom_reqwest::HeadroomOverride;
//! use reqwest_middleware::{ClientWithMiddleware, RequestBuilder};
//!
//! fn untouched(client: &ClientWithMiddleware) -> RequestBuilder {
//!     client.post("https://api.openai.com/v1/responses").with_extension(HeadroomOverride::disabled())
//! }
//! # let _ = untouched;
//! ```
//!
//! # Answers
//!
//! A middleware of reqwest-middleware gets nothing that outlives its own call, so it cannot send another request during
//! a stream. This one handles requests only, and elides nothing unless the client has a retrieval tool
//! ([`Retrieval::ClientTool`](headroom_core::Retrieval::ClientTool)) or reads files (feature `plaintext`). To have
//! calls of `headroom_retrieve` answered, put [`HeadroomLayer`](headroom_tower::HeadroomLayer) around the client:
//!
//! ```
//! use bytes::Bytes;
//! use headroom_reqwest::headroom_tower::{HeadroomBody, HeadroomLayer, headroom_store::MemoryStore};
//! use http_body_util::Full;
//! use reqwest::{Body, Client};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # async fn example(client: Client, request: http::Request<Full<Bytes>>) -> Result<(), reqwest::Error> {
//! let send = service_fn(move |request: http::Request<HeadroomBody<Full<Bytes>>>| {
//!     let client = client.clone();
//!     async move { client.execute(request.map(Body::wrap).try_into()?).await.map(http::Response::<Body>::from) }
//! });
//! let client = ServiceBuilder::new().layer(HeadroomLayer::with_store(MemoryStore::new())).service(send);
//! let response = client.oneshot(request).await?; // to an absolute URL; the answer streams
//! # let _ = response;
//! # Ok(())
//! # }
//! # drop(example);
//! ```
//!
//! # What is sent
//!
//! | request | body | headers |
//! |---|---|---|
//! | rewritten | reusable bytes | exact `Content-Length`, no `Transfer-Encoding`, no `Content-Encoding` |
//! | a streaming body | the stream, unread, reported as [`SkipReason::ReadFailed`] | unchanged |
//! | anything else | the body itself | unchanged |
//!
//! # Errors
//!
//! None: the middleware returns the client's result, and on any failure the original request is sent.
//!
//! # Cancel safety
//!
//! The request keeps its body until it is replaced. Dropping the future of [`rewrite`](HeadroomMiddleware::rewrite)
//! leaves it unchanged.
//!
//! # Limits
//!
//! Those of [`PromptCompressionLayer`]: bodies over 32 MiB pass through, and work on bodies over 32 KiB moves to
//! tokio's blocking pool.
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
//! [reqwest]: https://docs.rs/reqwest
//! [reqwest-middleware]: https://docs.rs/reqwest-middleware
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod middleware;
mod request;

#[cfg(test)]
mod tests;

pub use headroom_tower;
pub use headroom_tower::headroom_core;

pub use headroom_tower::{HeadroomOverride, PromptCompressionLayer, RequestReport, SkipReason};
pub use middleware::HeadroomMiddleware;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
