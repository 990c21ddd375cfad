//! The types that describe content: its kind, how it may be edited and retrieved, and what was done to it.

mod block;
mod cache_hint;
mod kind;
mod language;
mod listed_tool;
mod original;
mod reason;
mod retrieval;
mod tier;
mod traits;
mod transform;

pub use block::BlockReport;
pub use cache_hint::{CacheHint, UnknownCacheHint};
pub use kind::ContentKind;
pub use language::Language;
pub use listed_tool::{KeptTool, ListedTool};
pub use original::Original;
pub use reason::UnchangedReason;
pub use retrieval::{Retrieval, UnknownRetrieval};
pub use tier::{Tier, UnknownTier};
pub use transform::{Action, Transform};
