//! What a provider says that it counted: the `usage` in its responses.

mod counts;
mod find;
mod tap;

pub(crate) use self::{counts::Usage, tap::Tap};
