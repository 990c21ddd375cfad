//! A tower layer.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod config;
mod decode;
mod emit;
mod future;
mod headroom;
mod layer;
mod map_body;
#[cfg(feature = "metrics")]
mod metrics;
mod observer;
mod offload;
mod overrides;
mod path;
mod predicate;
mod read;
mod report;
mod rewrite;
mod service;
mod skip;
mod tenant;
mod work;

#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

pub use headroom_core as core;
pub use headroom_store as store;

pub use body::HeadroomBody;
pub use future::ResponseFuture;
pub use headroom::{HeadroomFuture, HeadroomLayer, HeadroomService};
pub use layer::CompressLayer;
pub use map_body::{Identity, MapBody};
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use metrics::MetricsObserver;
pub use observer::{Cancelled, Observer, Rewritten, Skipped, Stage, StoreFailed};
pub use overrides::HeadroomOverride;
pub use predicate::{And, DefaultPredicate, Predicate};
pub use report::RequestReport;
pub use rewrite::Rewrite;
pub use service::Compress;
pub use skip::SkipReason;
