//! The engine, its stores and the exchange about a request, for packages of other languages.
//!
//! Every call returns when its work is done, so a binding calls from a thread that may wait. Settings are words, as users of
//! such a package write them.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use headroom_bindings::{BlockingEngine, BlockingStore, CallOptions};
//! use headroom_core::Api;
//!
//! let engine = BlockingEngine::new(64 << 20, 64 << 20);
//! let store = BlockingStore::memory(1 << 20, Duration::from_secs(3600));
//! let call = CallOptions::parse("recoverable", "client-tool", "local")?;
//! let compressed = engine.compress(&store, &call, Api::Anthropic, "{}".into());
//! assert!(compressed.body.is_none());
//! # Ok::<(), headroom_bindings::InvalidOption>(())
//! ```
#![forbid(unsafe_code)]

mod engine;
mod exchange;
mod options;
mod report;
mod store;

pub use engine::{BlockingEngine, Compressed, CompressedText};
pub use exchange::{BlockingExchange, ExchangeError, Prepared, RequestParts};
pub use options::{CallOptions, InvalidOption};
pub use report::{saved_tokens, transforms, vocabulary};
pub use store::{BlockingStore, message_of};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
