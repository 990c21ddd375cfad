//! The response side: calls of `headroom_retrieve` are answered here, and the client never sees them.
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
//! Streams stay streams: every event passes in the poll in which it is complete, and only our own are taken out. An
//! answer without a call of ours passes byte for byte. What was exchanged behind the client's back is kept, and put
//! back in its place when the client sends the conversation again, so that thinking stays bound to what it followed
//! and the model keeps what it fetched.

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

/// Rounds that follow the first.
const MAX_ROUNDS: u32 = 7;
/// Rounds whose calls are answered with content. In later ones the model is told to go on without it.
const MAX_CONTENT_ROUNDS: u32 = 4;
/// Calls of one round that are answered with content. The model is told to ask again for more.
const MAX_CALLS: usize = 16;
/// Bytes that one exchange adds to the conversation.
const MAX_HIDDEN: usize = 2 << 20;
/// An event that is longer passes unseen.
const MAX_EVENT: usize = 8 << 20;
/// Bytes of events that wait for the end of a round, or for the name of a call; more than that are not held back.
const MAX_HELD: usize = 16 << 20;
/// An answer that does not come as a stream and is longer passes unseen.
const MAX_ANSWER: u64 = 32 << 20;
/// Bytes of an error that are read to pass it on in a stream.
const MAX_ERROR: u64 = 64 << 10;

/// Whether answers of this API, as a stream or in one piece, are stitched, so that its requests may be given the tool.
pub(crate) fn serves(api: Api, parts: &Parts) -> bool {
    let path = parts.uri.path();
    // A stream of Gemini's that is no event stream is one array.
    if path.ends_with(":streamGenerateContent") && !parts.uri.query().unwrap_or_default().contains("alt=sse")
    {
        return false;
    }
    api::provider_format(api).is_some()
}
