//! The response side: answers calls of `headroom_retrieve`, hidden from the client.
//!
//! ```text
//! client            layer                                     provider
//!   | -- request ---> | -- + the tool, + earlier exchanges ----> |
//!   |                 | <-- text, call of headroom_retrieve ---- |
//!   | <--- text ----- |                                          |
//!   |                 | -- + what was said, + the answer ------> |
//!   |                 | <-- more text, end of turn ------------- |
//!   | <--- text ----- |                                          |
//! ```
//!
//! Streams stay streams: every event is passed on in the poll that completes it, and only events of our tool are
//! removed. An answer that does not call it passes through byte for byte. Hidden exchanges are stored, and restored
//! when the client sends the conversation again, so that thinking stays bound to the content before it and the model
//! keeps the content that it retrieved.

mod api;
mod aws;
mod buffered;
mod canonical;
mod decoded;
mod edit;
mod events;
mod exchange;
mod keys;
mod record;
mod rejected;
mod respond;
mod restore;
mod sse;
mod stream;
mod thread;
mod time;

#[cfg(test)]
mod tests;

use headroom_core::Api;
use http::request::Parts;

#[cfg(fuzzing)]
pub use self::events::{Split, split};
pub(crate) use self::{
    exchange::SentRequest,
    rejected::RejectedConversations,
    respond::{Replayer, Respond, respond},
    restore::{ResponseContext, Restore, RestoredRequest, ThreadState, restore},
    thread::{drop_beta, unknown_thread},
};

/// Rounds after the first.
const MAX_ROUNDS: u32 = 7;
/// Rounds whose calls are answered with content. In later ones the model is told to go on without it.
const MAX_CONTENT_ROUNDS: u32 = 4;
/// Calls of one round that are answered with content. The model is told to ask again for the others.
const MAX_CALLS: usize = 16;
/// Bytes that one exchange may add to the conversation.
const MAX_HIDDEN: usize = 2 << 20;
/// A longer event passes through unread.
const MAX_EVENT: usize = 8 << 20;
/// Bytes of events held until the end of a round, or until the name of a call is known; beyond it they pass.
const MAX_HELD: usize = 16 << 20;
/// A longer answer that is not a stream passes through unread.
const MAX_ANSWER: u64 = 32 << 20;
/// Bytes of an error that are read to pass it on in a stream.
const MAX_ERROR: u64 = 64 << 10;

/// Whether answers of this API can be stitched in this request's form, so that the request may be given the tool.
pub(crate) fn serves(api: Api, parts: &Parts) -> bool {
    let path = parts.uri.path();
    // Gemini streams that are not event streams are one array.
    if path.ends_with(":streamGenerateContent") && !parts.uri.query().unwrap_or_default().contains("alt=sse")
    {
        return false;
    }
    api::provider_format(api).is_some()
}
