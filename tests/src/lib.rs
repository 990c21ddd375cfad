//! Support for the engine's tests: readers, generators, and the laws as functions over any engine.
//!
//! Everything here judges the engine from outside, by its bytes, and takes only types from it.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

pub mod data;
pub mod generate;
#[cfg(test)]
mod mutants;

pub use headroom_evals::conformance::{ask, diff, engine, forms, json, laws, output, rng, semantic, spans};
