//! What was changed, so that it can be undone byte for byte. It is written before the change.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::text::Format;
use crate::{cmd::wrap::agent::Agent, config, file, secret};

/// The folder of the journals in the user's.
const FOLDER: &str = "persist";

/// The change of one file.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PersistChange {
    pub(super) file: PathBuf,
    pub(super) format: Format,
    /// The text before; `None` where there was no file.
    pub(super) before: Option<String>,
    /// The text that was written.
    pub(super) after: String,
    pub(super) keys: Vec<Key>,
    /// Folders that were made for the file, inner ones first.
    pub(super) folders: Vec<PathBuf>,
    /// Where it leads: the proxy's address.
    pub(super) proxy: String,
}

/// One key of it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Key {
    pub(super) path: Vec<String>,
    /// As it was written, in the file's format.
    pub(super) value: String,
    /// What stood there.
    pub(super) before: Option<String>,
    /// How many of the objects around it were not there.
    pub(super) made: usize,
}

/// The journals of this user. One process at a time has them.
pub(crate) struct Journals {
    folder: PathBuf,
    /// Let go when it is closed.
    _lock: File,
}

impl Journals {
    /// Waits for other processes. `None` where the user has no folder.
    pub(super) fn open() -> io::Result<Option<Self>> {
        let Some(folder) = config::home().map(|home| home.join(FOLDER)) else { return Ok(None) };
        secret::make_private(&folder)?;
        let lock = File::options().create(true).append(true).open(folder.join("lock"))?;
        lock.lock()?;
        Ok(Some(Self { folder, _lock: lock }))
    }

    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        read(&self.path(name))
    }

    pub(super) fn write<T: Serialize>(&self, name: &str, change: &T) -> io::Result<()> {
        // The file may hold keys: nobody else may read its copy.
        file::replace(&self.path(name), &serde_json::to_string(change)?)
    }

    pub(super) fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what a killed process left of a journal.
    pub(super) fn sweep(&self) {
        file::sweep(&self.path("lock"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension("json")
    }
}

/// The agents that have a journal, without waiting for anybody.
pub(super) fn persisted() -> Vec<(Agent, PersistChange)> {
    let Some(folder) = config::home().map(|home| home.join(FOLDER)) else { return Vec::new() };
    let change = |agent: &Agent| {
        let path = folder.join(name(*agent)).with_extension("json");
        Some((*agent, read(&path).ok()??))
    };
    Agent::value_variants().iter().filter_map(change).collect()
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// As the command line has it.
pub(super) fn name(agent: Agent) -> String {
    agent.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
