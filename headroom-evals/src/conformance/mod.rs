//! Readers, generators of tool output, and the laws as functions over any engine.
//!
//! Everything here judges an engine from outside, by its bytes, and takes only types from it. Judges assume well-formed
//! input: an invalid request, or output that breaks its own form, may make them panic. [`checks`](crate::checks) counts
//! that as a failure.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss
)]

pub mod ask;
pub mod data;
pub mod diff;
pub mod engine;
pub mod events;
pub mod forms;
pub mod json;
pub mod laws;
pub mod output;
pub mod rng;
pub mod semantic;
pub mod spans;
