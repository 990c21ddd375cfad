//! What is noted about the first request of a conversation, for its later ones.

use headroom_core::Api;
use headroom_store::RecordKey;

use crate::{RecordQuery, Restore};

impl Restore {
    /// Whether the model has answered nothing yet in the conversation.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.lookup.turns.is_empty()
    }

    /// Returns where the store has a note about how the conversation of this hash began.
    #[must_use]
    pub fn beginning(&self, conversation: u64) -> RecordQuery {
        let key = note_key(self.lookup.api, conversation);
        RecordQuery { tenant: self.owner.lasting().to_owned(), keys: vec![key] }
    }
}

/// Returns the key of a note about how a conversation began, which its later requests must follow.
fn note_key(api: Api, conversation: u64) -> RecordKey {
    let mut hasher = blake3::Hasher::new_derive_key("headroom-tower beginning v1");
    hasher.update(api.as_str().as_bytes()).update(&conversation.to_be_bytes());
    RecordKey::from_hash(hasher.finalize().as_bytes())
}
