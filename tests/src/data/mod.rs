//! Requests that are not generated: fixtures, and recordings from outside the repository.

mod fixtures;

pub use fixtures::{conversations, fixtures};
pub use headroom_evals::conformance::data::{
    Conversation, NEEDED, append, captures, prefixes, robustness, shared, skipped, traces,
};
