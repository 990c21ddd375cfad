//! The laws as functions over any engine. Each returns the first violation it finds.

mod causality;
mod drawn;
mod never_worse;
mod page;
mod private;
mod recoverable;
mod sentences;
mod splice;
mod truthful;

use std::fmt;

use headroom_core::{Api, CompressOptions};

pub use causality::{Compared, ComparedRequest, causality, order};
pub use drawn::as_drawn;
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

/// A law that was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law's name.
    pub law: &'static str,
    /// What was seen. Quotes content, which is fine for test data.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.what)
    }
}

impl std::error::Error for Violation {}

/// One request and what an engine made of it.
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
    /// Compresses a request and reads the edits back out of the bytes.
    ///
    /// # Errors
    ///
    /// A violation of the splice law where the output cannot be explained by edits.
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

/// Every law that one request alone can show.
///
/// # Errors
///
/// The first violation.
pub fn every(run: &Run, options: &CompressOptions, forms: &Forms) -> Result<(), Violation> {
    never_worse(run)?;
    truthful(run, forms)?;
    recoverable(run, options)
}
