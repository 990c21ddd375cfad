//! Measures what Headroom saves, and what stays visible.
//!
//! [`Suite`] always measures on data of its own, and on recorded data if given some: whole conversations at the prices
//! of providers that cache, facts that were used later, planted facts, question sets, and whether every line of the
//! output is true. Other tools take part as [`Compressor`]s. The result is a [`report::Report`], the same on every
//! machine except for its timings.
//!
//! # Example
//!
//! ```
//! use headroom_evals::{Data, NoProgress, Options, Suite, report};
//!
//! let options = Options { only: vec!["planted".to_owned()], quick: true, ..Options::default() };
//! let found = Suite::new(Data::new(None), options).run(&NoProgress)?;
//! assert_eq!(found.sections.len(), 1);
//! println!("{}", report::markdown(&found));
//! # Ok::<(), headroom_evals::EvalError>(())
//! ```
#![forbid(unsafe_code)]

pub mod checks;
pub mod compressor;
pub mod conformance;
mod data;
pub mod ordered_json;
pub mod questions;
pub mod replay;
pub mod report;
pub mod session;
pub mod stats;
mod suite;
/// Half and double of each number by which the engine chooses.
#[cfg(feature = "__tuning")]
#[doc(hidden)]
pub mod tuning;

pub use compressor::Compressor;
pub use data::{Data, File};
pub use suite::{EvalError, NoProgress, Options, Progress, SECTIONS, Suite};
