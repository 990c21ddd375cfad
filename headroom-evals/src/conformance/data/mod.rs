//! Recorded requests, and requests cut into the turns that led to them.

mod cut;
mod recordings;

pub use cut::{append, prefixes};
pub use recordings::{NEEDED, captures, robustness, shared, skipped, traces};

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
