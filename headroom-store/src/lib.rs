//! Storage for the content that Headroom elides from prompts.
//!
//! The engine returns the originals of everything that its output alone cannot restore. They go into an
//! [`OriginalStore`] before the request is sent, each under its [`Handle`], so that every marker a provider has seen
//! can be resolved. [`MemoryStore`] is the default; [`DiskStore`] survives the process; other stores implement the same
//! trait.
//!
//! # Example
//!
//! ```
//! use headroom_core::{Handle, Original};
//! use headroom_store::{MemoryStore, OriginalStore, Part};
//!
//! # async fn example() -> Result<(), headroom_store::StoreError> {
//! let store = MemoryStore::new();
//! let log = "start\nworking\ndone".to_owned();
//! let handle = Handle::from_content(&log);
//!
//! store.put_many("team-a", vec![Original { handle, content: log }]).await?;
//!
//! let piece = store.get_part("team-a", &handle, &Part::lines(2, 3)).await?.expect("stored above");
//! assert_eq!(piece.text(), "working\ndone");
//! assert!(store.get("team-b", &handle).await?.is_none(), "other tenants see nothing");
//! # Ok(())
//! # }
//! # fn main() {
//! #     let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! #     runtime.block_on(example()).unwrap();
//! # }
//! ```
//!
//! # Tenants
//!
//! Every call names the tenant. An original is visible only to the tenant that stored it, even if two tenants stored
//! the same content.
//!
//! # Crate features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`MemoryStore`] |
//! | `disk` | no | [`DiskStore`], shared by processes, and [`PlaintextStore`], files that agents read themselves; needs a tokio runtime |
//! | `redis` | no | [`RedisStore`], shared by machines; works with Valkey too and needs a tokio runtime |
//!
//! [`Handle`]: headroom_core::Handle
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "disk")]
mod disk;
#[cfg(any(feature = "disk", feature = "redis"))]
mod entry;
mod error;
#[doc(hidden)]
pub mod json;
#[cfg(feature = "memory")]
mod memory;
mod part;
mod query;
#[cfg(feature = "redis")]
mod redis;
mod search;
mod store;
#[cfg(any(feature = "disk", feature = "redis"))]
mod tenant;
mod units;

#[cfg(feature = "disk")]
#[cfg_attr(docsrs, doc(cfg(feature = "disk")))]
pub use disk::{DiskStore, DiskStoreBuilder, InvalidPlaintextStore, PlaintextStore, PlaintextStoreBuilder};
pub use error::{BoxError, StoreError};
#[cfg(feature = "memory")]
pub use memory::{MemoryStore, MemoryStoreBuilder};
pub use part::{Part, Piece};
pub use query::{RetrieveQuery, retrieve};
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use redis::{RedisStore, RedisStoreBuilder};
pub use store::OriginalStore;

#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../README.md")]
struct Readme;
