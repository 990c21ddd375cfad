//! Reads the usage that a provider reports in its responses.

mod counts;
mod find;
mod request;
mod tap;

pub(crate) use self::{counts::Usage, request::ModelTap, tap::Tap};
