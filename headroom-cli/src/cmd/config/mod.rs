//! `headroom config`: checks, prints or describes the configuration.

mod args;

use std::path::Path;

use serde_json::json;

pub(crate) use self::args::{ConfigCommand, EXAMPLES};
use super::error::CommandError;
use crate::{
    chain::Chain,
    config::{self, Settings},
    output,
};

/// Checks, prints or describes the configuration. Returns the exit status.
pub(crate) fn run(command: ConfigCommand, file: Option<&Path>) -> Result<u8, CommandError> {
    let load = || config::load(Settings::default(), file);
    let (text, status) = match command {
        ConfigCommand::Check { json: true } => match load() {
            Ok(_) => (format!("{}\n", json!({"ok": true})), 0),
            Err(error) => (format!("{}\n", json!({"ok": false, "error": Chain(&error).to_string()})), 2),
        },
        ConfigCommand::Check { json: false } => {
            (load().map(|_| "the configuration can be used\n".to_owned())?, 0)
        }
        ConfigCommand::Print { json: true } => (format!("{}\n", load()?.to_json()), 0),
        ConfigCommand::Print { json: false } => (load()?.to_toml(), 0),
        ConfigCommand::Schema => (format!("{:#}\n", config::schema()), 0),
    };
    if matches!(command, ConfigCommand::Check { .. }) {
        config::warn_of_unknown_variables();
    }
    output::write(text.as_bytes()).map_err(CommandError::Write)?;
    Ok(status)
}
