//! What makes requests smaller: Headroom, the ways that agents use today, and other tools.

mod baseline;
mod command;
mod own;

use headroom_core::{Api, Original};

pub use self::{
    baseline::{Masking, Truncation, Whole},
    command::Command,
    own::Own,
};
use crate::ordered_json::Node;

/// A request on its way to the provider.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Its wire format.
    pub api: Api,
    /// The conversation that it belongs to.
    pub conversation: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// What the model answered, where that is known.
    pub answer: Option<&'a Node>,
}

impl Turn<'_> {
    /// The name by which other tools know the format: `anthropic` or `openai`.
    #[must_use]
    pub const fn format(&self) -> &'static str {
        if matches!(self.api, Api::Anthropic) { "anthropic" } else { "openai" }
    }
}

/// What is sent in place of a request.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The body.
    pub body: Vec<u8>,
    /// What can be fetched back, where the compressor says so.
    pub originals: Vec<Original>,
}

/// Maps requests to requests.
pub trait Compressor {
    /// What reports call it.
    fn name(&self) -> &str;

    /// What would be sent to the provider.
    ///
    /// # Errors
    ///
    /// Where the compressor gave no request. The request as it was then counts.
    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed>;

    /// Whether it is Headroom as it is built here, or one to compare it with.
    fn is_own(&self) -> bool {
        false
    }

    /// Whether it is another tool, so that it takes part in everything, and not only where conversations are replayed.
    fn is_peer(&self) -> bool {
        false
    }
}

/// A compressor gave no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);
