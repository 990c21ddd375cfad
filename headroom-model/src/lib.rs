//! Learned models for Headroom.
//!
//! The engine tells texts apart by their structure and leaves out whole sentences and lines. Two models can do more:
//!
//! - [`Magika`] says what a text is where its structure leaves that open: code or prose, and in which language. Its model
//!   is in the binary.
//! - [`Kompress`] says which words of prose can be left out, with a model of your own in a folder.
//!
//! Both are given to the [`EngineBuilder`] of an engine, and are part of its configuration from then on. Neither opens a
//! connection, ever.
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
//! Models run in pure Rust ([`Runtime::Rust`]), or on ONNX Runtime ([`Runtime::Native`], feature `native`), which is
//! loaded from a library that you have. Scores differ in their last digits between the two, and between processors, so
//! all engines that serve a conversation should have the same: where they differ a block may change, which costs what
//! the provider has cached behind it, and nothing else.
//!
//! # Crate features
//!
//! | feature | default | brings |
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
