//! The request side as a tower layer and its service.

mod layer;
mod service;

pub(crate) use self::service::RequestState;
pub use self::{layer::PromptCompressionLayer, service::PromptCompression};
