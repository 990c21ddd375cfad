//! `headroom compress`: the layer's rewriting as a filter.

mod args;
mod request;
mod text;

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use headroom_store::StoreError;
use serde::Serialize;

pub(crate) use self::{
    args::{CompressArgs, EXAMPLES},
    request::{local, through},
};
use crate::{config::Config, output, store};

/// Errors of `headroom compress`. A body that cannot be made smaller is none: it is passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompressError {
    #[error(
        "nothing to read: standard input is a terminal. Give it a request body, as in `headroom compress < \
         request.json`; `headroom compress --help` has more"
    )]
    Terminal,
    #[error("cannot read standard input")]
    Read(#[source] io::Error),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
    #[error("cannot write the report {}", path.display())]
    Report { path: PathBuf, source: io::Error },
}

impl CompressError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Terminal)
    }
}

/// Compresses standard input to standard output and writes the report if one was asked for.
pub(crate) fn run(args: &CompressArgs, config: &Config) -> Result<(), CompressError> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() {
        return Err(CompressError::Terminal);
    }
    let mut input = Vec::new();
    stdin.read_to_end(&mut input).map_err(CompressError::Read)?;
    if args.text { text::run(args, config, &input) } else { request::run(args, config, input) }
}

fn write_output(bytes: &[u8]) -> Result<(), CompressError> {
    output::write(bytes).map_err(CompressError::Write)
}

/// Reports the store error because of which the input is passed on unchanged.
fn warn_not_stored(error: Option<&StoreError>) {
    output::note(&format_args!("headroom: nothing was elided: {}", store::reason(error)));
}

fn write_report(path: &Path, report: &impl Serialize) -> Result<(), CompressError> {
    let result = serde_json::to_string(report).map_err(io::Error::from).and_then(|mut json| {
        json.push('\n');
        if path == Path::new("-") { output::write_to_stderr(&json) } else { fs::write(path, json) }
    });
    result.map_err(|source| CompressError::Report { path: path.to_owned(), source })
}
