//! Runs the proxy as a systemd user service whenever the user is logged in.

use std::{
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::{self, Config},
    dirs::named,
    file,
    journal::{Journal, missing_folders},
    proxy::{Listener, probe},
};

const UNIT: &str = "headroom-proxy.service";
/// The name of its record.
const NAME: &str = "service";
/// The service starts in a fraction of a second, or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the service cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error(
        "systemd does not run for this user, so it cannot start the proxy; let your system run `{} proxy` when you log \
         in. Everything else is done", program.display()
    )]
    NoSystemd { program: PathBuf },
    #[error("{} is not Headroom's unit; remove it, or start the proxy in another way", path.display())]
    Other { path: PathBuf },
    #[error("systemctl --user {arguments} failed: {message}")]
    Systemctl { arguments: String, message: String },
    #[error("the service does not answer at {address}; see `journalctl --user -u {UNIT}`")]
    Silent { address: SocketAddr },
    #[error("cannot set up {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot find the path of this program")]
    Program(#[source] io::Error),
}

/// The unit file that was written.
#[derive(Debug, Deserialize, Serialize)]
struct Unit {
    file: PathBuf,
    text: String,
    folders: Vec<PathBuf>,
}

/// Sets up and starts the service, and describes its state.
pub(super) fn start(journal: &Journal, config: &Config, file: Option<&Path>) -> Result<String, ServiceError> {
    let program = env::current_exe().map_err(ServiceError::Program)?;
    let path = named("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("systemd/user").join(UNIT));
    let Some(path) = path.filter(|_| is_there()) else { return Err(ServiceError::NoSystemd { program }) };
    let failed = |source| ServiceError::Io { path: path.clone(), source };
    let noted: Option<Unit> = journal.read(NAME).map_err(failed)?;
    let text = unit(&program, &config::set_variables(), file.map(absolute).as_deref());
    let now = file::read(&path).map_err(failed)?;
    let is_ours = |now: &str| now == text || noted.as_ref().is_some_and(|unit| unit.text == now);
    if now.as_deref().is_some_and(|now| !is_ours(now)) {
        return Err(ServiceError::Other { path });
    }
    let folders = noted.map_or_else(|| missing_folders(&path), |unit| unit.folders);
    let unit = Unit { file: path.clone(), text, folders };
    journal.write(NAME, &unit).map_err(failed)?;
    file::replace(&path, &unit.text).map_err(failed)?;
    systemctl(&["daemon-reload"])?;
    systemctl(&["enable", UNIT])?;
    let address = config.listen.address();
    let is_own = systemctl(&["is-active", "--quiet", UNIT]).is_ok();
    if !is_own && listener(address).is_ours() {
        return Ok(format!(
            "The service {UNIT} is set up. It starts at the next login: another `headroom proxy` runs at {address} now\n"
        ));
    }
    systemctl(&["restart", UNIT])?;
    let start = Instant::now();
    while !listener(address).is_ours() {
        if start.elapsed() > PATIENCE {
            return Err(ServiceError::Silent { address });
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(format!("The service {UNIT} runs the proxy, now and whenever you log in\n"))
}

/// Stops and removes the service; returns whether there was one.
pub(super) fn stop(journal: &Journal) -> Result<bool, ServiceError> {
    let failed = |source| ServiceError::Io { path: PathBuf::from(UNIT), source };
    let Some(unit) = journal.read::<Unit>(NAME).map_err(failed)? else { return Ok(false) };
    // A missing unit cannot be stopped, and one changed by hand is not Headroom's.
    let is_ours = file::read(&unit.file).map_err(failed)?.is_some_and(|text| text == unit.text);
    if is_ours {
        if is_there() {
            systemctl(&["disable", "--now", UNIT])?;
        }
        fs::remove_file(&unit.file).map_err(failed)?;
        for folder in &unit.folders {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        if is_there() {
            systemctl(&["daemon-reload"])?;
        }
    }
    journal.forget(NAME).map_err(failed)?;
    Ok(is_ours)
}

fn unit(program: &Path, variables: &[(String, String)], file: Option<&Path>) -> String {
    let mut words = vec![word(&program.to_string_lossy())];
    if let Some(file) = file {
        words.extend(["--config".to_owned(), word(&file.to_string_lossy())]);
    }
    words.push("proxy".to_owned());
    let environment =
        variables.iter().map(|(name, value)| format!("Environment=\"{name}={}\"\n", escaped(value)));
    format!(
        "[Unit]\nDescription=Headroom proxy\n\n[Service]\nExecStart={}\n{}Restart=on-failure\n\n[Install]\nWantedBy=default.target\n",
        words.join(" "),
        environment.collect::<String>()
    )
}

/// Quotes text as one word of a systemd command line.
fn word(text: &str) -> String {
    format!("\"{}\"", escaped(text).replace('$', "$$"))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('\n', "\\n")
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether systemd runs for this user.
fn is_there() -> bool {
    run(&["show-environment"]).is_ok_and(|output| output.status.success())
}

fn systemctl(arguments: &[&str]) -> Result<(), ServiceError> {
    let failed = |message: String| ServiceError::Systemctl { arguments: arguments.join(" "), message };
    let output = run(arguments).map_err(|error| failed(error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
    }
}

fn run(arguments: &[&str]) -> io::Result<Output> {
    Command::new("systemctl").arg("--user").args(arguments).stdin(Stdio::null()).output()
}

fn listener(address: SocketAddr) -> Listener {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_or(Listener::Nobody, |runtime| runtime.block_on(probe(address)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_reads_what_was_meant() {
        let text = unit(
            Path::new("/opt/my $tools/100%/headroom"),
            &[("HEADROOM_UPSTREAM".to_owned(), "http://a/\"b\"%20".to_owned())],
            Some(Path::new("/etc/h.toml")),
        );
        assert!(
            text.contains("ExecStart=\"/opt/my $$tools/100%%/headroom\" --config \"/etc/h.toml\" proxy\n")
        );
        assert!(text.contains("Environment=\"HEADROOM_UPSTREAM=http://a/\\\"b\\\"%%20\"\n"));
    }
}
