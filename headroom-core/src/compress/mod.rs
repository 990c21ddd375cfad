//! One module per way to make a text smaller. Each is pure: text in, text or ranges out.

pub(crate) mod fold;
pub(crate) mod json;
pub(crate) mod terminal;
