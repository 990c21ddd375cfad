use std::{io, path::PathBuf};

use crate::{config::InvalidBase, proxy::ProxyError};

/// Errors of `headroom evals agents`. Runs that were finished until then are kept, and not repeated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentsError {
    #[error("cannot read the tasks in {}", path.display())]
    Tasks { path: PathBuf, source: io::Error },
    #[error("{}: {said}", path.display())]
    Syntax { path: PathBuf, said: String },
    #[error("{}: {said}", path.display())]
    Task { path: PathBuf, said: String },
    #[error(
        "{task}: its check `{check}` succeeds before the agent has run, so it tells nothing; let it fail until the task is solved"
    )]
    SolvedBefore { task: String, check: String },
    #[error("{task}: its check `{check}` cannot be run (exit status {status}): {said}")]
    Check { task: String, check: String, status: i32, said: String },
    #[error("{task}: cannot copy its folder {}", path.display())]
    Copy { task: String, path: PathBuf, source: io::Error },
    #[error("cannot run sh")]
    Spawn(#[source] io::Error),
    #[error(
        "{task}: the provider answered no request of the agent ({refused} refused, {ended}); its output is in {}",
        log.display()
    )]
    NoAnswer { task: String, refused: u64, ended: String, log: PathBuf },
    #[error("{variable}: cannot be used as an upstream of the proxy")]
    Upstream { variable: &'static str, source: InvalidBase },
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl AgentsError {
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Tasks { .. }
                | Self::Syntax { .. }
                | Self::Task { .. }
                | Self::SolvedBefore { .. }
                | Self::Upstream { .. }
        )
    }
}
