//! What a service runs, and calls of the programs that manage services.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::ServiceError;
use crate::config;

/// The call of the proxy, and the `HEADROOM_*` variables that it needs.
#[derive(Debug)]
pub(super) struct ProxyCommand {
    pub(super) program: PathBuf,
    /// The configuration file named on the command line.
    pub(super) config: Option<PathBuf>,
    pub(super) variables: Vec<(String, String)>,
}

impl ProxyCommand {
    /// The proxy of this program with the variables of this process.
    pub(super) fn new(program: PathBuf, config: Option<&Path>) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { program, config: config.map(absolute), variables: config::set_variables() }
    }

    /// The program and its arguments.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = vec![self.program.to_string_lossy().into_owned()];
        if let Some(file) = &self.config {
            words.extend(["--config".to_owned(), file.to_string_lossy().into_owned()]);
        }
        words.push("proxy".to_owned());
        words
    }
}

/// Whether a call succeeds.
pub(super) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    output(program, arguments).is_ok_and(|output| output.status.success())
}

/// Makes a call that must succeed.
pub(super) fn call(program: &'static str, arguments: &[&str]) -> Result<(), ServiceError> {
    let failed = |message: String| ServiceError::Command { program, arguments: arguments.join(" "), message };
    let output = output(program, arguments).map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

fn output(program: &str, arguments: &[&str]) -> io::Result<Output> {
    Command::new(program).args(arguments).stdin(Stdio::null()).output()
}
