//! The error of a command, and the exit status that it gives.

use std::io;

use crate::{
    cmd::{
        compress::CompressError,
        dashboard::DashboardError,
        demo::DemoError,
        doctor::DoctorError,
        hook::HookError,
        inspect::InspectError,
        mcp::McpError,
        model::ModelCommandError,
        retrieve::RetrieveError,
        savings::SavingsError,
        simulate::SimulateError,
        update::UpdateError,
        wrap::{PersistError, WrapError},
    },
    config::ConfigError,
    proxy::ProxyError,
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Compress(#[from] CompressError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Doctor(#[from] DoctorError),
    #[cfg(feature = "evals")]
    #[error(transparent)]
    Evals(#[from] crate::cmd::evals::EvalsError),
    #[error(transparent)]
    Hook(#[from] HookError),
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    Mcp(#[from] McpError),
    #[error(transparent)]
    Model(#[from] ModelCommandError),
    #[error(transparent)]
    Persist(#[from] PersistError),
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error(transparent)]
    Retrieve(#[from] RetrieveError),
    #[error(transparent)]
    Savings(#[from] SavingsError),
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    #[error(transparent)]
    Update(#[from] UpdateError),
    #[error(transparent)]
    Wrap(#[from] WrapError),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl CommandError {
    /// Returns the exit status: 2 for wrong usage or configuration, otherwise 1; that of a shell for `headroom wrap`.
    pub(crate) const fn status(&self) -> u8 {
        let is_usage = match self {
            Self::Wrap(error) => return error.status(),
            Self::Compress(error) => error.is_usage(),
            Self::Dashboard(error) => error.is_usage(),
            #[cfg(feature = "evals")]
            Self::Evals(error) => error.is_usage(),
            Self::Hook(error) => error.is_usage(),
            Self::Inspect(error) => error.is_usage(),
            Self::Mcp(error) => error.is_usage(),
            Self::Model(error) => error.is_usage(),
            Self::Persist(error) => error.is_usage(),
            Self::Proxy(error) => error.is_usage(),
            Self::Retrieve(error) => error.is_usage(),
            Self::Savings(error) => error.is_usage(),
            Self::Config(_) => true,
            Self::Demo(_)
            | Self::Doctor(_)
            | Self::Simulate(_)
            | Self::Update(_)
            | Self::Runtime(_)
            | Self::Write(_) => false,
        };
        if is_usage { 2 } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_usage_has_a_status_of_its_own() {
        assert_eq!(CommandError::Write(io::Error::other("full")).status(), 1);
        let message = "not a port".to_owned();
        let error = ConfigError::Variable { name: "HEADROOM_LISTEN".to_owned(), message };
        assert_eq!(CommandError::from(error).status(), 2);
    }
}
