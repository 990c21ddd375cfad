//! The binary, from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

mod access;
mod aws;
mod browser;
mod certificate;
mod compress;
mod config;
mod conformance;
mod cores;
mod crowd;
mod dashboard;
mod demo;
mod destinations;
mod doctor;
mod epochs;
#[cfg(feature = "evals")]
mod evals;
mod faults;
mod heads;
mod hook;
mod http2;
mod http2_frames;
mod inspect;
mod ledger;
mod lifetime;
mod limits;
mod log_format;
mod mcp;
mod model;
mod originals_dir;
#[cfg(feature = "otel")]
mod otel;
mod own;
mod proxy;
mod retrieve;
mod simulate;
#[cfg(feature = "evals")]
mod small_model;
mod streaming;
#[path = "../support/mod.rs"]
mod support;
mod tenant;
mod tenant_limit;
mod terminal;
mod tls;
mod update;
mod wrap;
