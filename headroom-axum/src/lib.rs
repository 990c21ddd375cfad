//! Makes the prompts in LLM requests smaller in front of an [axum] router.
//!
//! [`layer`] is [`HeadroomLayer`] with axum's own body type, so it fits wherever an axum middleware does: on a
//! `Router`, on routes, around a `Router`, and outside `from_fn`. [`HeadroomReport`] gives a handler the outcome of its
//! request, and `Routes` (feature `routes`) are routes for a gateway's own clients. All settings are those of
//! [`HeadroomLayer`].
//!
//! # Example
//!
//! ```
//! use axum::{Router, body::Bytes, routing::post};
//! use headroom_axum::HeadroomReport;
//!
//! async fn proxy(report: HeadroomReport, body: Bytes) -> String {
//!     format!("{} bytes go on, {} tokens saved", body.len(), report.tokens_saved())
//! }
//!
//! let app: Router = Router::new().route("/v1/messages", post(proxy)).layer(headroom_axum::layer());
//! # let _ = app;
//! ```
//!
//! # Order of layers
//!
//! axum runs the layer that was added last first. Add layers that need the original request after this one:
//!
//! ```
//! use axum::{Router, routing::post};
//! use headroom_axum::layer;
//! use tower_http::limit::RequestBodyLimitLayer;
//!
//! let app: Router = Router::new()
//!     .route("/v1/messages", post(async || "proxied"))
//!     .layer(layer()) // runs second
//!     .layer(RequestBodyLimitLayer::new(64 << 20)); // runs first
//! # let _ = app;
//! ```
//!
//! A `ServiceBuilder` runs layers in the order in which they are written:
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, http::StatusCode, routing::post};
//! use tower::ServiceBuilder;
//! use tower_http::{
//!     cors::CorsLayer, decompression::RequestDecompressionLayer, limit::RequestBodyLimitLayer, timeout::TimeoutLayer,
//!     trace::TraceLayer,
//! };
//!
//! let stack = ServiceBuilder::new()
//!     .layer(TraceLayer::new_for_http())
//!     .layer(CorsLayer::permissive())
//!     .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(600)))
//!     .layer(RequestBodyLimitLayer::new(64 << 20))
//!     .layer(RequestDecompressionLayer::new())
//!     .layer(headroom_axum::layer());
//! let app: Router = Router::new().route("/v1/messages", post(async || "proxied")).layer(stack);
//! # let _ = app;
//! ```
//!
//! ```text
//! Trace -> BodyDeadline -> BodyLimit -> Auth -> Headroom -> cache -> handler
//! ```
//!
//! # Limits
//!
//! - axum's `DefaultBodyLimit` (2 MiB) is enforced by the handler's extractor and counts the rewritten body, so a long
//!   conversation may pass that would otherwise exceed it. Conversations of agents are often longer: raise it.
//! - An outer `RequestBodyLimitLayer` counts the original body. If it fails while the body is read, the handler's
//!   extractor gets the same error and answers with 413, as without this layer. (A `HeadroomLayer::new()` without
//!   axum's body wraps that error once more, and axum's extractors then answer with 400.)
//! - Bodies over [`max_body`](HeadroomLayer::max_body) (32 MiB) pass through.
//!
//! # Errors
//!
//! None: the inner service's error is unchanged, and on any failure the original request is sent.
//!
//! # Crate features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `routes` | | `Routes`, ready-made routes for a gateway |
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
//! [axum]: https://docs.rs/axum
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod report;
#[cfg(feature = "routes")]
mod routes;

#[cfg(test)]
#[cfg(feature = "memory")]
mod tests;

pub use headroom_tower;
pub use headroom_tower::headroom_core;

pub use body::IntoAxumBody;
pub use headroom_tower::{HeadroomLayer, HeadroomOverride, RequestReport, SkipReason};
pub use report::HeadroomReport;
#[cfg(feature = "routes")]
#[cfg_attr(docsrs, doc(cfg(feature = "routes")))]
pub use routes::{BearerToken, InvalidBearerToken, Routes, Stats};

/// Creates a layer with axum's body, the default settings and a store in memory.
///
/// Routes that share a conversation should share the layer: clone it, because every call creates a new store.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::post};
/// use headroom_axum::headroom_core::Tier;
///
/// let headroom = headroom_axum::layer().tier(Tier::Dedup);
/// let app: Router = Router::new()
///     .route("/v1/messages", post(async || "proxied"))
///     .route_layer(headroom.clone())
///     .route("/v1/models", axum::routing::get(async || "as it is"));
/// # let _ = app;
/// ```
#[cfg(feature = "memory")]
#[cfg_attr(docsrs, doc(cfg(feature = "memory")))]
pub fn layer() -> HeadroomLayer<IntoAxumBody> {
    HeadroomLayer::new().map_body(IntoAxumBody::new())
}

/// Creates a layer with axum's body, the default settings and this store.
///
/// # Example
///
/// ```
/// use headroom_axum::headroom_tower::headroom_store::MemoryStore;
///
/// let store = MemoryStore::new(); // shared with what else reads it
/// let layer = headroom_axum::layer_with_store(store.clone());
/// # let _ = layer;
/// ```
pub fn layer_with_store(store: impl headroom_tower::headroom_store::Store) -> HeadroomLayer<IntoAxumBody> {
    HeadroomLayer::with_store(store).map_body(IntoAxumBody::new())
}

#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../README.md")]
struct Readme;
