//! What differs in the heads of requests of one conversation: system prompts and tool definitions.
//!
//! A provider's cache holds prefixes, so a date in the system prompt that changes makes it write the whole conversation
//! again. Only hashes of the heads are held, and of a change only its place and its kind is told.

mod change;
mod line;
mod print;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    change::{HeadChange, HeadChangeKind},
    print::{DefinedTool, HeadPrint, conversation, defined_tools},
};
