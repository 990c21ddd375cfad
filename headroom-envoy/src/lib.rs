//! An external processing service (`ext_proc`) for Envoy that makes the prompts in LLM requests smaller.
//!
//! Envoy sends the requests of its clients to a gRPC service before it forwards them. [`ExternalProcessor`] is that service:
//! it gives every request to a [`PromptCompressionLayer`](headroom_tower::PromptCompressionLayer) and answers with what
//! that made of it. The same request becomes the same bytes as behind the layer in a tower stack.
//!
//! # Example
//!
//! ```
//! use headroom_envoy::{ExternalProcessor, Health};
//! use headroom_tower::PromptCompressionLayer;
//! use tower_service::Service;
//!
//! # async fn answer(request: http::Request<http_body_util::Full<bytes::Bytes>>) {
//! let mut processor = ExternalProcessor::new(PromptCompressionLayer::new());
//! let mut health = Health::new().await;
//! // In the handler of a server that speaks HTTP/2:
//! let Ok(response) = match request.uri().path().starts_with("/grpc.health.v1.Health/") {
//!     true => health.call(request).await,
//!     false => processor.call(request).await,
//! };
//! # let _ = response;
//! # }
//! ```
//!
//! # Body modes
//!
//! | `request_body_mode` of the filter | |
//! |---|---|
//! | `BUFFERED` | rewritten. Envoy holds the body and refuses one that is longer than its buffer with 413 |
//! | `FULL_DUPLEX_STREAMED` | rewritten, up to the layer's limit; longer ones go on in pieces as they came |
//! | any other | unchanged: headers that describe the body could not change with it |
//!
//! The layer decides by path, method and headers which bodies it reads; all others go on. Where a rewritten body is buffered,
//! `content-length` is set; where it is streamed, `content-length` is removed and the length is told by framing. An encoded body
//! is decoded, and loses `content-encoding` with that.
//!
//! Once nothing is left to do for a request, the service ends the stream, upon which Envoy goes on by itself. So responses are never
//! touched, and a long answer of a model holds nothing here.
//!
//! # Errors
//!
//! The service fails no request that it can pass on. What it cannot read or does not understand goes on as it came, and a message that
//! is too long or out of order ends the stream without an error. Only where pieces of a body reach their destination through the
//! service alone and break off, the stream ends with `DATA_LOSS`, so that a part is not taken for the whole. What happens while the
//! service cannot be reached is configured in Envoy: `failure_mode_allow`.
//!
//! # Limits
//!
//! | limit | | beyond it |
//! |---|---|---|
//! | one message of Envoy | 33 MiB | the request goes on as it came |
//! | one piece of a streamed body in an answer | 64 KiB | is cut |
//! | messages that have arrived, at a time | [512 MiB](ExternalProcessor::max_arriving) | waits, and holds Envoy back |
//! | bodies that the layer works on | the layer's | as there |
//!
//! Answers that Envoy does not take are not piled up: the work on a request goes on when they were taken.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod arrival;
mod exchange;
mod head;
mod health;
mod messages;
mod proto;
mod replies;
mod reply;
mod service;

#[cfg(test)]
mod tests;

pub use headroom_tower;

pub use exchange::ProcessedRequest;
pub use health::Health;
pub use service::ExternalProcessor;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
