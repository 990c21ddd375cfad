use std::fmt;

use crate::{Handle, Report, UnchangedReason};

/// A removed piece that the output alone cannot give back.
///
/// Store it before the body is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Original {
    /// The name that the marker in the body uses.
    pub handle: Handle,
    /// The piece, exactly as it stood (JSON escapes decoded).
    pub content: String,
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").field("handle", &self.handle).field("bytes", &self.content.len()).finish()
    }
}

/// What became of a request body.
#[derive(Clone)]
pub enum Outcome {
    /// Send the body that you have.
    Unchanged {
        /// Why nothing was edited.
        reason: UnchangedReason,
        /// What was looked at.
        report: Report,
    },
    /// Store the originals, then send this body.
    Rewritten {
        /// The body to send.
        body: Vec<u8>,
        /// What must be in the store before the body is sent.
        originals: Vec<Original>,
        /// What was done.
        report: Report,
    },
}

impl Outcome {
    /// What was looked at and done.
    #[must_use]
    pub const fn report(&self) -> &Report {
        match self {
            Self::Unchanged { report, .. } | Self::Rewritten { report, .. } => report,
        }
    }

    /// The body to send instead, if there is one.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        match self {
            Self::Unchanged { .. } => None,
            Self::Rewritten { body, .. } => Some(body),
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged { reason, .. } => f.debug_struct("Unchanged").field("reason", reason).finish(),
            Self::Rewritten { body, originals, .. } => f
                .debug_struct("Rewritten")
                .field("bytes", &body.len())
                .field("originals", &originals.len())
                .finish(),
        }
    }
}
