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
//! [`headroom_retrieval`] decides all of this. Here its commands are carried out with tower's services and bodies.
//!
//! Streams stay streams: every event is passed on in the poll that completes it, and only events of our tool are
//! removed. An answer that does not call it passes through byte for byte. Hidden exchanges are stored, and restored
//! when the client sends the conversation again, so that thinking stays bound to the content before it and the model
//! keeps the content that it retrieved.

mod carrier;
mod decoded;
mod respond;
mod restore;
mod stream;
mod time;
mod upstream;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    carrier::SentRequest,
    respond::{Respond, respond},
    restore::{RestoredRequest, Restoring, restore},
    upstream::Replayer,
};
