//! What the tests of the engine share: readers, generators, and the laws as functions over any engine.
//!
//! Everything here judges the engine from outside, by its bytes. Nothing is taken from the engine but its types.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

pub mod ask;
pub mod data;
pub mod diff;
pub mod engine;
pub mod forms;
pub mod generate;
pub mod json;
pub mod laws;
pub mod output;
pub mod rng;
pub mod semantic;
pub mod spans;
