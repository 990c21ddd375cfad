//! Runs the proxy whenever the user is logged in, by the program of the system that starts such services.

mod command;
mod error;
mod launchd;
mod schtasks;
mod systemd;
mod xml;

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub(crate) use self::error::ServiceError;
use self::{command::ProxyCommand, launchd::Launchd, schtasks::TaskScheduler, systemd::Systemd};
use crate::{
    config::Config,
    file,
    journal::{Journal, missing_folders},
    proxy::{Listener, probe},
};

/// The name of the service's record.
const RECORD: &str = "service";
/// The service starts in a fraction of a second, or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// The programs that can start the proxy at login.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServiceKind {
    /// A user unit of systemd (Linux)
    #[default]
    Systemd,
    /// A LaunchAgent (macOS)
    Launchd,
    /// A task of the Task Scheduler (Windows)
    Schtasks,
}

impl ServiceKind {
    /// The one that this system has.
    pub(crate) const fn of_this_system() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else if cfg!(windows) {
            Self::Schtasks
        } else {
            Self::Systemd
        }
    }

    fn manager(self) -> Box<dyn ServiceManager> {
        match self {
            Self::Systemd => Box::new(Systemd),
            Self::Launchd => Box::new(Launchd::new()),
            Self::Schtasks => Box::new(TaskScheduler),
        }
    }
}

/// A program that starts services at login, and its way to define one.
trait ServiceManager {
    /// Its name in messages.
    fn title(&self) -> &'static str;

    /// The name that the service has there.
    fn service(&self) -> &'static str;

    /// The file that defines the service; `None` if the user has no folder for it.
    fn file(&self) -> Option<PathBuf>;

    /// The text of that file.
    fn definition(&self, command: &ProxyCommand) -> Result<String, ServiceError>;

    /// Whether it runs for this user.
    fn is_available(&self) -> bool;

    /// Whether it has started the service.
    fn is_active(&self) -> bool;

    /// Whether it has a service of this name that is somebody else's, which no file shows.
    fn is_taken(&self) -> bool {
        false
    }

    /// Makes it start the service at every login.
    fn enable(&self, file: &Path) -> Result<(), ServiceError>;

    /// Starts the service now, anew if it runs.
    fn restart(&self, file: &Path) -> Result<(), ServiceError>;

    /// Stops the service and undoes [`enable`](Self::enable), while the file is still there.
    fn disable(&self) -> Result<(), ServiceError>;

    /// Called after the file is gone.
    fn forget(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Where the messages of the service are.
    fn log(&self) -> String;

    /// What the user should know about a service with this command.
    fn note(&self, _: &ProxyCommand) -> Option<String> {
        None
    }
}

/// The definition that was written.
#[derive(Debug, Deserialize, Serialize)]
struct ServiceRecord {
    /// Records of versions that knew only systemd have none.
    #[serde(default)]
    manager: ServiceKind,
    file: PathBuf,
    text: String,
    folders: Vec<PathBuf>,
}

/// Sets up and starts the service, and describes its state.
pub(super) fn start(
    kind: ServiceKind,
    journal: &Journal,
    config: &Config,
    file: Option<&Path>,
) -> Result<String, ServiceError> {
    let noted: Option<ServiceRecord> = journal.read(RECORD).map_err(|source| failed(RECORD, source))?;
    if noted.as_ref().is_some_and(|record| record.manager != kind) {
        stop(journal)?;
        return start(kind, journal, config, file);
    }
    let program = env::current_exe().map_err(ServiceError::Program)?;
    let manager = kind.manager();
    let unavailable = || ServiceError::NoManager { title: manager.title(), program: program.clone() };
    let path = manager.file().filter(|_| manager.is_available()).ok_or_else(unavailable)?;
    let command = ProxyCommand::new(program.clone(), file);
    let text = manager.definition(&command)?;
    let now = file::read(&path).map_err(|source| failed(&path, source))?;
    let is_ours = |now: &str| now == text || noted.as_ref().is_some_and(|record| record.text == now);
    if now.as_deref().is_some_and(|now| !is_ours(now)) {
        return Err(ServiceError::OtherFile { path });
    }
    if noted.is_none() && manager.is_taken() {
        return Err(ServiceError::OtherService { title: manager.title(), service: manager.service() });
    }
    let folders = noted.map_or_else(|| missing_folders(&path), |record| record.folders);
    let record = ServiceRecord { manager: kind, file: path.clone(), text, folders };
    let is_own = manager.is_active();
    journal.write(RECORD, &record).map_err(|source| failed(&path, source))?;
    file::replace(&path, &record.text).map_err(|source| failed(&path, source))?;
    manager.enable(&path)?;
    let said = run(manager.as_ref(), &path, is_own, config.listen.address())?;
    let note = manager.note(&command).map(|note| format!("note: {note}\n")).unwrap_or_default();
    Ok(said + &note)
}

/// Starts the service now, unless another proxy has its address.
fn run(
    manager: &dyn ServiceManager,
    file: &Path,
    is_own: bool,
    address: SocketAddr,
) -> Result<String, ServiceError> {
    let service = manager.service();
    if !is_own && listener(address).is_ours() {
        return Ok(format!(
            "The service {service} is set up. It starts at the next login: another `headroom proxy` runs at {address} now\n"
        ));
    }
    manager.restart(file)?;
    let start = Instant::now();
    while !listener(address).is_ours() {
        if start.elapsed() > PATIENCE {
            return Err(ServiceError::Silent { address, log: manager.log() });
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(format!("The service {service} runs the proxy, now and whenever you log in\n"))
}

/// Stops and removes the service; returns whether there was one.
pub(super) fn stop(journal: &Journal) -> Result<bool, ServiceError> {
    let record: Option<ServiceRecord> = journal.read(RECORD).map_err(|source| failed(RECORD, source))?;
    let Some(record) = record else { return Ok(false) };
    let failed = |source| failed(&record.file, source);
    let manager = record.manager.manager();
    // A missing definition cannot be stopped, and one changed by hand is not Headroom's.
    let is_ours = file::read(&record.file).map_err(failed)?.is_some_and(|text| text == record.text);
    if is_ours {
        let is_available = manager.is_available();
        if is_available {
            manager.disable()?;
        }
        fs::remove_file(&record.file).map_err(failed)?;
        for folder in &record.folders {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        if is_available {
            manager.forget()?;
        }
    }
    journal.forget(RECORD).map_err(failed)?;
    Ok(is_ours)
}

fn failed(path: impl AsRef<Path>, source: std::io::Error) -> ServiceError {
    ServiceError::Io { path: path.as_ref().to_owned(), source }
}

fn listener(address: SocketAddr) -> Listener {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_or(Listener::Nobody, |runtime| runtime.block_on(probe(address)))
}
