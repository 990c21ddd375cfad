use std::fmt;

use crate::{Original, Report, UnchangedReason};

/// The result of compressing a request body.
#[derive(Clone)]
pub enum Outcome {
    /// Nothing changed: send the body that you have.
    Unchanged {
        /// Why nothing was edited.
        reason: UnchangedReason,
        /// What the engine looked at.
        report: Report,
    },
    /// The body changed: store the originals, then send the new body.
    Rewritten {
        /// The body to send.
        body: Vec<u8>,
        /// The originals to store before the body is sent.
        originals: Vec<Original>,
        /// What the engine did.
        report: Report,
    },
}

impl Outcome {
    /// Returns the report of what was looked at and done.
    #[must_use]
    pub const fn report(&self) -> &Report {
        match self {
            Self::Unchanged { report, .. } | Self::Rewritten { report, .. } => report,
        }
    }

    /// Returns the body to send instead, if there is one.
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
