//! `headroom extproc`: serves Envoy until a signal ends it.

mod args;

use std::path::PathBuf;

pub(crate) use self::args::{EXAMPLES, ExtprocArgs};
use super::error::CommandError;
use crate::{
    config::{self, Config, ConfigError},
    proxy,
};

/// Runs the service. The configuration file is read again on SIGHUP.
pub(crate) fn run(args: ExtprocArgs, file: Option<PathBuf>) -> Result<(), CommandError> {
    let (listen, is_open) = (args.listen(), args.no_token);
    let read = move || -> Result<Config, ConfigError> {
        let mut config = config::load(args.settings(), file.as_deref())?.without_responses()?;
        config.listen = listen;
        Ok(config)
    };
    let config = read()?;
    config::warn_of_unknown_variables();
    let runtime = tokio::runtime::Runtime::new().map_err(CommandError::Runtime)?;
    let result = runtime.block_on(proxy::serve_envoy(config, is_open, read));
    // Ends what outlived the drain.
    runtime.shutdown_background();
    Ok(result?)
}
