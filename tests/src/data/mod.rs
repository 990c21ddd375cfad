//! Requests that are not generated: own fixtures, and recordings that lie outside of the repository.

mod cut;
mod fixtures;
mod recorded;

pub use cut::{append, prefixes};
pub use fixtures::{conversations, fixtures};
pub use recorded::{captures, robustness, shared, skipped, traces};

use headroom_core::Api;

/// Requests that one client sent one after the other.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Where it comes from.
    pub name: String,
    /// The wire format of all of them.
    pub api: Api,
    /// The bodies, oldest first.
    pub bodies: Vec<Vec<u8>>,
}
