//! The Node package of Headroom, as a native addon.
//!
//! What users call is written in TypeScript, in `ts`; this is what it calls, and is private to it.
// Only Node calls what is here, so that the harness of Rust's tests would find it unused.
#![cfg(not(test))]
#![deny(unsafe_code)]
#![expect(unreachable_pub, reason = "what Node sees is public to the macros only")]

mod body;
mod engine;
mod errors;
mod exchange;
mod outcome;
mod report;
mod settings;
mod store;
mod strings;
mod task;
mod tool;
