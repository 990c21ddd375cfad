//! What Headroom saves, and what stays visible, measured.
//!
//! [`Suite`] measures on recorded data where it is given some, and on data of its own always: whole conversations at
//! the prices of providers that cache, facts that were used later, planted facts, question sets, and whether every line
//! of the output is true. Other tools take part as [`Compressor`]s. What comes out is a [`report::Report`], the same on
//! every machine but for its timings.
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
pub mod stats;
mod suite;

pub use compressor::Compressor;
pub use data::{Data, File};
pub use suite::{EvalError, NoProgress, Options, Progress, SECTIONS, Suite};
