use std::{io, path::PathBuf};

use crate::cmd::evals::client::ClientError;

/// Errors of a live evaluation. Answers received until then are kept, and not asked for again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveError {
    #[error("--live needs a model that answers: --model NAME, and --upstream URL for a local server")]
    NoModel,
    #[error("no key: set {0}, or name a local server with --upstream")]
    NoKey(&'static str),
    #[error("no known price for {0}, so --budget has no effect; remove it and limit the run with --items")]
    NoPrice(String),
    #[error("no questions are left; name other sets with --set, or raise --max-item-tokens")]
    NoQuestions,
    #[error(
        "--logprobs needs Chat Completions and a server that takes `grammar` and gives `logprobs` with it, such as that of \
         llama.cpp; omit it"
    )]
    NoLogprobs,
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{path}: the server answered {status}: {said}; set {variable} to a key that is valid there")]
    Key { path: String, status: u16, said: String, variable: &'static str },
    #[error("{path}: the server answered {status}: {said}; check --model, --api and --upstream")]
    NotFound { path: String, status: u16, said: String },
    #[error("{0}; nothing was asked further, since it refused the first question")]
    Refused(String),
    #[error("the server failed {times} times in a row, last: {said}; the same command continues from here")]
    Failing { times: u32, said: String },
    #[error("cannot read the questions")]
    Questions(#[source] io::Error),
    #[error("cannot save answers in {}", path.display())]
    Keep { path: PathBuf, source: io::Error },
}

impl LiveError {
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoModel | Self::NoKey(_) | Self::NoPrice(_) | Self::NoQuestions)
    }
}
