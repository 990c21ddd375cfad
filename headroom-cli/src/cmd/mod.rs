//! One module for each command.

pub(crate) mod args;
pub(crate) mod compress;
pub(crate) mod config;
pub(crate) mod dashboard;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod error;
#[cfg(feature = "evals")]
pub(crate) mod evals;
#[cfg(feature = "envoy")]
pub(crate) mod extproc;
pub(crate) mod hook;
pub(crate) mod inspect;
pub(crate) mod mcp;
pub(crate) mod model;
pub(crate) mod proxy;
pub(crate) mod retrieve;
pub(crate) mod savings;
pub(crate) mod shell;
pub(crate) mod simulate;
pub(crate) mod update;
pub(crate) mod wrap;
