//! `headroom proxy`: runs the proxy until a signal ends it.

mod args;

use std::path::PathBuf;

pub(crate) use self::args::EXAMPLES;
use super::error::CommandError;
use crate::{
    config::{self, Settings},
    proxy, runtime,
};

/// Runs the proxy. The configuration file is read again on SIGHUP.
pub(crate) fn run(settings: Settings, file: Option<PathBuf>) -> Result<(), CommandError> {
    let read = move || config::load(settings.clone(), file.as_deref());
    let config = read()?;
    config::warn_of_unknown_variables();
    let runtime = runtime::server().map_err(CommandError::Runtime)?;
    let result = runtime.block_on(proxy::run(config, read));
    // Cancels requests that outlived the drain; a name lookup must not delay the exit.
    runtime.shutdown_background();
    Ok(result?)
}
