//! Reads the usage that a provider reports in its responses, and the model that a request names, while bodies pass.

mod counts;
mod find;
mod request;
mod response;

pub(crate) use self::{counts::Usage, request::ModelReader, response::UsageReader};
