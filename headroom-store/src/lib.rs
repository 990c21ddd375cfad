//! Storage for the content that Headroom elides from prompts.
//!
//! The engine returns the originals of everything that its output alone cannot restore. They go into an
//! [`OriginalStore`] before the request is sent, each under its [`Handle`], so that every marker a provider has seen
//! can be resolved. Records of hidden exchanges go into an [`ExchangeStore`]. [`MemoryStore`] is the default for both;
//! [`DiskStore`] survives the process; other stores implement the same traits.
//!
//! # Example
//!
//! ```
//! use headroom_core::Original;
//! use headroom_store::{MemoryStore, OriginalStore, RetrieveQuery};
//!
//! # async fn example() -> Result<(), headroom_store::StoreError> {
//! let store = MemoryStore::new();
//! let original = Original::new("start\nworking\ndone");
//! let handle = original.handle();
//!
//! store.put_many("team-a", vec![original]).await?;
//!
//! let content = store.get("team-a", &handle).await?.expect("stored above");
//! assert!(RetrieveQuery::new().lines("2-3").answer(&content).ends_with(":\nworking\ndone"));
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
//! the same content. [`TenantLimits`] bounds what each may store.
//!
//! # Crate features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `memory` | yes | [`MemoryStore`] |
//! | `disk` | no | [`DiskStore`], shared by processes, and [`PlaintextStore`], files that agents read themselves; needs a tokio runtime |
//! | `redis` | no | [`RedisStore`], shared by machines; works with Valkey too and needs a tokio runtime |
//! | `redis-tls` | no | the same over TLS (`rediss://`), with rustls; the build has one of its cryptography providers, such as `rustls/ring` |
//!
//! [`Handle`]: headroom_core::Handle
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "disk")]
mod disk;
#[cfg(any(feature = "disk", feature = "redis"))]
mod entry;
mod error;
mod key;
#[cfg(feature = "memory")]
mod memory;
mod query;
#[cfg(feature = "redis")]
mod redis;
mod search;
mod store;
#[cfg(any(feature = "disk", feature = "redis"))]
mod tenant;
mod tenant_limits;
mod units;

#[cfg(feature = "disk")]
#[cfg_attr(docsrs, doc(cfg(feature = "disk")))]
pub use disk::{DiskStore, DiskStoreBuilder, InvalidPlaintextStore, PlaintextStore, PlaintextStoreBuilder};
pub use error::{BoxError, StoreError};
pub use key::RecordKey;
#[cfg(feature = "memory")]
pub use memory::{MemoryStore, MemoryStoreBuilder};
pub use query::{RetrieveCall, RetrieveQuery, retrieve};
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use redis::{RedisStore, RedisStoreBuilder};
pub use store::{ExchangeStore, OriginalStore, Store};
pub use tenant_limits::TenantLimits;

#[cfg(all(doctest, feature = "memory"))]
#[doc = include_str!("../README.md")]
struct Readme;
