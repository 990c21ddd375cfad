//! Makes the prompts in LLM requests smaller before [reqwest] sends them.
//!
//! [`HeadroomMiddleware`] goes into a client of [reqwest-middleware], and everything that sends through that client is
//! served: SDKs too, where they take such a client. [`HeadroomMiddleware::rewrite`] does the same to one request of a
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
//! - Attach it before retries, so that a request is rewritten once. A rewritten body is as reusable as the one that
//!   came. Behind retries it works as well: every attempt becomes the same bytes, at the cost of the work.
//! - Attach it before what signs the body. Requests that are already signed pass untouched.
//!
//! # Per request
//!
//! A [`HeadroomOverride`] among the request's extensions changes the settings for it, and a [`RequestReport`] is there
//! afterwards, for middlewares inside and for callers of `execute_with_extensions`.
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
//! A middleware of reqwest-middleware gets nothing that outlives its own call, so it cannot ask again behind the back of
//! a stream: this one sees requests only, and sets nothing aside unless the client has a tool to fetch it back
//! ([`Retrieval::ClientTool`](headroom_core::Retrieval::ClientTool)) or reads files (feature `plaintext`). Where calls of `headroom_retrieve` are to
//! be answered, put [`HeadroomLayer`](headroom_tower::HeadroomLayer) around the client:
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
//! # What goes on
//!
//! | | body | headers |
//! |---|---|---|
//! | rewritten | reusable bytes | exact `Content-Length`, no `Transfer-Encoding`, no `Content-Encoding` |
//! | a streaming body | the stream, unread, reported as [`SkipReason::ReadFailed`] | as they came |
//! | anything else | the body itself | as they came |
//!
//! # Errors
//!
//! None: the middleware hands on what the client says, and whatever goes wrong, the original request is sent.
//!
//! # Cancel safety
//!
//! The request keeps its body until there is another. A dropped [`rewrite`](HeadroomMiddleware::rewrite) leaves it as
//! it was.
//!
//! # Limits
//!
//! Those of [`PromptCompressionLayer`]: bodies over 32 MiB pass, work on bodies over 32 KiB leaves the runtime's threads.
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
