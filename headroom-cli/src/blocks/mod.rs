//! What is said of the blocks of a request: where they are, and why they are as they are.

pub(crate) mod place;
pub(crate) mod reason;
