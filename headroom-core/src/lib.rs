//! The Headroom engine: compresses the body of an LLM request.
//!
//! The engine is synchronous and pure. It opens no file, no socket and no clock, so the same request
//! always gives the same bytes, on every machine and after every restart.
//!
//! # Example
//!
//! ```
//! use headroom_core::{Api, Engine, CompressOptions, Outcome};
//!
//! let headroom = Engine::new();
//! let body = br#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#;
//! match headroom.compress(Api::OpenAiChat, body, &CompressOptions::default()) {
//!     Outcome::Unchanged { reason, .. } => println!("sent as it was: {reason}"),
//!     Outcome::Rewritten { body, originals, .. } => {
//!         assert!(originals.is_empty(), "store these before sending the body");
//!         println!("{} bytes to send", body.len());
//!     }
//! }
//! ```
//!
//! # Guarantees
//!
//! - **Splice.** Output and input differ only inside tool results, and by old thinking that leaves at an epoch. If nothing
//!   is edited, nothing changes.
//! - **Causality.** The output for a block depends on the configuration, the head of the request and the blocks
//!   up to and including it. When a conversation grows by appending, so does its output, and the provider's
//!   prompt cache keeps hitting. Only with [`CompressOptions::epochs`], and only at a prompt of the user where it is
//!   expected to be repaid, is earlier content rewritten.
//! - **Recoverable.** Content that cannot be restored from the output is in `originals` of [`Outcome::Rewritten`].
//! - **Never worse.** An edit is made only if it saves tokens.
//! - **Truthful.** Every line of output is a line of input, an exact decode of a declared form, or a marker.
//!
//! # Crate features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `tiktoken` | yes | tokens counted with OpenAI's published vocabularies ([`Vocabulary`]), 2 MB of the binary; without it [`TokenEstimate`] counts |
//! | `serde` | | `Serialize` on reports, `Deserialize` on configuration |
//! | `code` | | parses source code in every language below; needs a C compiler |
//! | `code-bash`, `-c`, `-cpp`, `-csharp`, `-go`, `-java`, `-javascript`, `-perl`, `-php`, `-python`, `-ruby`, `-rust`, `-typescript` | | one language |
//!
//! `tiktoken` and the languages are part of the configuration: use the same in all engines that handle a conversation.
//!
//! # Untrusted input
//!
//! No input makes the engine panic or recurse without bound. Work and memory are linear in the body, and bodies
//! over the limits of [`EngineBuilder`] are declined with an [`UnchangedReason`].
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cache;
mod compress;
mod content;
mod decide;
mod detect;
mod engine;
mod epoch;
mod formats;
mod models;
mod originals;
mod records;
mod relevance;
mod text;
mod tokenizer;
mod tuning;
mod wire;

pub use content::{
    Action, BlockReport, CacheHint, ContentKind, KeptTool, Language, ListedTool, Original, Retrieval, Tier,
    Transform, UnchangedReason, UnknownCacheHint, UnknownRetrieval, UnknownTier,
};
pub use engine::Engine;
pub use engine::builder::EngineBuilder;
pub use engine::hints::{Hints, TextOutcome};
pub use engine::options::CompressOptions;
pub use engine::outcome::Outcome;
pub use engine::report::Report;
pub use epoch::{EpochReport, ModelPrices};
pub use models::{Classification, Classifier, TokenPruner};
pub use text::marker::{Handle, InvalidHandle};
#[cfg(any(feature = "tiktoken", test))]
pub use tokenizer::Vocabulary;
pub use tokenizer::{TokenCounter, TokenEstimate};
pub use wire::api::{Api, UnknownApi};
pub use wire::{RETRIEVE_TOOL_NAME, retrieve_tool};

/// Other numbers for compressors and detectors, for the evaluation. No part of the API.
#[cfg(feature = "__tuning")]
#[doc(hidden)]
pub mod __tuning {
    pub use crate::tuning::numbers::{Number, numbers, with};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[derive(Debug)]
pub struct Readme;
