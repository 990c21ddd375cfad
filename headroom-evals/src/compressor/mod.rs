//! Compressors: Headroom, the baselines of agents today, and other tools.

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

/// A request to a provider.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Its wire format.
    pub api: Api,
    /// The conversation that the request belongs to.
    pub conversation: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The model's answer, if known.
    pub answer: Option<&'a Node>,
}

impl Turn<'_> {
    /// Returns the format's name for other tools: `anthropic` or `openai`.
    #[must_use]
    pub const fn format(&self) -> &'static str {
        if matches!(self.api, Api::Anthropic) { "anthropic" } else { "openai" }
    }
}

/// The request that is sent instead.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The body.
    pub body: Vec<u8>,
    /// Originals that can be retrieved, if the compressor reports any.
    pub originals: Vec<Original>,
}

/// Maps requests to requests.
pub trait Compressor {
    /// Returns the name in reports.
    fn name(&self) -> &str;

    /// Returns the request to send to the provider.
    ///
    /// # Errors
    ///
    /// Fails if the compressor returned no request. The original request counts then.
    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed>;

    /// Whether this is Headroom as built here, or a variant to compare it with.
    fn is_own(&self) -> bool {
        false
    }

    /// Whether this is another tool, which takes part in every section, not only where conversations are replayed.
    fn is_peer(&self) -> bool {
        false
    }
}

/// Error of a compressor that returned no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);
