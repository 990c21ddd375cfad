//! The binary, from outside.

mod access;
mod compress;
mod config;
mod lifetime;
mod proxy;
mod streaming;
#[path = "../support/mod.rs"]
mod support;
