//! Requests that are not generated: own fixtures, and recordings that lie outside of the repository.

mod fixtures;

pub use fixtures::{conversations, fixtures};
pub use headroom_evals::conformance::data::{
    Conversation, NEEDED, append, captures, prefixes, robustness, shared, skipped, traces,
};
