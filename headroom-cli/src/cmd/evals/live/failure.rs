//! Tells why a question got no answer, so that none of it counts as a wrong one.

use std::fmt;

/// Why a question got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FailureKind {
    /// The request has more tokens than the model can read.
    TooLong,
    /// No whole answer came within the time limit.
    TimedOut,
    /// The server was busy or failing, and stayed so.
    Busy,
    /// The server refused this request.
    Refused,
    /// What came is no answer of the API.
    Unreadable,
}

/// A question without an answer, and what the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) said: String,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "too long for the model",
            Self::TimedOut => "no answer in time",
            Self::Busy => "server busy or failing",
            Self::Refused => "request refused",
            Self::Unreadable => "answer unreadable",
        })
    }
}

/// What a status other than success means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The key is missing or wrong, or there is no money behind it.
    Key,
    /// There is no such path or model.
    NotFound,
    /// Only this question has no answer.
    Question(FailureKind),
}

/// How servers say that a prompt does not fit the model.
const TOO_LONG: [&str; 11] = [
    "context length",
    "context_length",
    "context size",
    "exceed_context",
    "context window",
    "prompt is too long",
    "input is too long",
    "too many tokens",
    "maximum context",
    "exceeds the maximum number of tokens",
    "token limit",
];

impl Refusal {
    pub(super) fn of(status: u16, said: &str) -> Self {
        let said = said.to_lowercase();
        let is_too_long = status == 413 || TOO_LONG.iter().any(|words| said.contains(words));
        match status {
            401..=403 => Self::Key,
            400..=599 if is_too_long => Self::Question(FailureKind::TooLong),
            404 | 405 => Self::NotFound,
            429 | 500..=599 => Self::Question(FailureKind::Busy),
            _ => Self::Question(FailureKind::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_told_apart() {
        use FailureKind::{Busy, Refused, TooLong};
        for (status, said, refusal) in [
            (401, "no key", Refusal::Key),
            (402, "insufficient credits", Refusal::Key),
            (404, "The model `x` does not exist", Refusal::NotFound),
            (
                400,
                "request (5269 tokens) exceeds the available context size (4096 tokens)",
                Refusal::Question(TooLong),
            ),
            (400, r#"{"error":{"code":"context_length_exceeded"}}"#, Refusal::Question(TooLong)),
            (400, "prompt is too long: 210000 tokens > 200000 maximum", Refusal::Question(TooLong)),
            (
                400,
                "The input token count exceeds the maximum number of tokens allowed",
                Refusal::Question(TooLong),
            ),
            (413, "", Refusal::Question(TooLong)),
            (500, "the request exceeds the available context size", Refusal::Question(TooLong)),
            (400, "messages: text content blocks must be non-empty", Refusal::Question(Refused)),
            (429, "slow down", Refusal::Question(Busy)),
            (529, "overloaded", Refusal::Question(Busy)),
        ] {
            assert_eq!(Refusal::of(status, said), refusal, "{status} {said}");
        }
    }
}
