//! Learned models for Headroom.
//!
//! The engine classifies texts by their structure and elides whole sentences and lines. Two models can do more:
//!
//! - [`Magika`] classifies a text where its structure is ambiguous: code or prose, and in which language. Its
//!   model is in the binary.
//! - [`Kompress`] chooses the words of prose that can be left out, with a model of your own in a folder.
//!
//! Both are passed to the [`EngineBuilder`] and are part of the engine's configuration from then on. Neither ever opens
//! a connection.
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "magika")] {
//! use headroom_core::{Classifier, Engine, Classification};
//! use headroom_model::Magika;
//!
//! let magika = Magika::new();
//! let source = "fn main() {\n    println!(\"moored\");\n}\n".repeat(60);
//! assert_eq!(magika.classify(&source), Some(Classification::Code("rs")));
//! let headroom = Engine::builder().classifier(magika).build();
//! # }
//! ```
//!
//! # Runtimes
//!
//! Models run in pure Rust ([`Runtime::Rust`]), or on ONNX Runtime ([`Runtime::Native`], feature `native`), loaded from
//! a library that you provide. Scores differ in their last digits between the two, and between processors, so all
//! engines that serve one conversation should use the same. Where they differ a block may change, which costs what the
//! provider has cached after it, and nothing else.
//!
//! # Crate features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `magika` | yes | `Magika`, with its model of 3 MB in the binary |
//! | `kompress` | | `Kompress`, with a model of your own |
//! | `native` | | `Runtime::Native`: ONNX Runtime, where it is installed |
//!
//! [`EngineBuilder`]: headroom_core::EngineBuilder
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
#[cfg(feature = "kompress")]
mod kompress;
#[cfg(feature = "magika")]
mod magika;
#[cfg_attr(
    not(any(feature = "magika", feature = "kompress")),
    allow(dead_code, reason = "without a model nothing runs")
)]
mod runtime;

pub use error::ModelError;
#[cfg(feature = "kompress")]
#[cfg_attr(docsrs, doc(cfg(feature = "kompress")))]
pub use kompress::{Kompress, KompressOptions};
#[cfg(feature = "magika")]
#[cfg_attr(docsrs, doc(cfg(feature = "magika")))]
pub use magika::Magika;
pub use runtime::Runtime;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
