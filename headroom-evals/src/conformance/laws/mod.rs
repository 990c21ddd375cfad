//! The laws as functions over any engine. Each returns the first violation it finds.

mod causality;
mod drawn;
mod identity;
mod inline;
mod never_worse;
mod page;
mod private;
mod recoverable;
mod sentences;
mod splice;
mod truthful;
mod values;

use std::fmt;

use headroom_core::{Api, CompressOptions};

pub use causality::{Compared, ComparedRequest, causality, order};
pub use drawn::as_drawn;
pub use identity::identity;
pub use never_worse::never_worse;
pub use page::page;
pub use private::private;
pub use recoverable::recoverable;
pub use sentences::sentences;
pub use splice::splice;
pub use truthful::{Form, Forms, TruthCase, Verdict, truthful};

use crate::conformance::{
    diff::{self, Diff},
    engine::{Answer, EngineUnderTest},
};

/// A violation of a law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law's name.
    pub law: &'static str,
    /// A description. It quotes content, which is fine for test data.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.what)
    }
}

impl std::error::Error for Violation {}

/// One request and the engine's answer.
#[derive(Clone, Debug)]
pub struct Run {
    /// The wire format.
    pub api: Api,
    /// The request.
    pub input: Vec<u8>,
    /// The engine's answer.
    pub answer: Answer,
    /// The edits, if there are any.
    pub diff: Diff,
}

impl Run {
    /// Compresses a request and recovers the edits from the bytes.
    ///
    /// # Errors
    ///
    /// Returns a violation of the splice law if no edits explain the output.
    pub fn new(
        engine: &dyn EngineUnderTest,
        api: Api,
        input: &[u8],
        options: &CompressOptions,
    ) -> Result<Self, Violation> {
        let answer = engine.compress(api, input, options);
        let diff =
            diff::diff(api, input, answer.sent(input)).map_err(|what| Violation { law: "splice", what })?;
        Ok(Self { api, input: input.to_vec(), answer, diff })
    }
}

/// Checks every law that a single request can show.
///
/// # Errors
///
/// Returns the first violation.
pub fn every(run: &Run, options: &CompressOptions, forms: &Forms) -> Result<(), Violation> {
    never_worse(run)?;
    truthful(run, forms)?;
    identity(run)?;
    recoverable(run, options)
}
