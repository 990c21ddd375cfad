//! Generates conversations: valid requests of every API, with every oddity that JSON allows.

mod content;
mod conversation;
mod raw;
mod render;

pub use content::{Content, Shape};
pub use conversation::{Call, Conversation, Exchange, Spelling, conversations};
pub use raw::{Escapes, Raw, Space, Style};
pub use render::{bodies, body, result_item, user_item};
