//! Recorded requests, and the earlier requests reconstructed from them.

mod cut;
mod recordings;

pub use cut::{append, prefixes};
pub use recordings::{NEEDED, captures, robustness, shared, skipped, traces};

use headroom_core::Api;

/// Consecutive requests of one client.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The source of the conversation.
    pub name: String,
    /// The wire format of all requests.
    pub api: Api,
    /// The bodies, oldest first.
    pub bodies: Vec<Vec<u8>>,
}
