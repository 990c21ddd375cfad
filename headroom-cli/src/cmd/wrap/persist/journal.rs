//! Records a change, before it is made, so that it can be undone byte for byte.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::text::Format;
use crate::{cmd::wrap::agent::Agent, config, file, secret};

/// The folder of the records in the user's folder.
const FOLDER: &str = "persist";

/// A change of one file.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct PersistChange {
    pub(super) file: PathBuf,
    pub(super) format: Format,
    /// The text before the change; `None` if there was no file.
    pub(super) before: Option<String>,
    /// The text after the change.
    pub(super) after: String,
    pub(super) keys: Vec<Key>,
    /// Folders that were created for the file, inner ones first.
    pub(super) folders: Vec<PathBuf>,
    /// The proxy's address in the new text.
    pub(super) proxy: String,
}

/// One changed key.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Key {
    pub(super) path: Vec<String>,
    /// The new value, in the file's format.
    pub(super) value: String,
    /// The previous value.
    pub(super) before: Option<String>,
    /// How many of the enclosing objects were created.
    pub(super) made: usize,
}

/// The records of this user, locked for one process at a time.
pub(crate) struct Journals {
    folder: PathBuf,
    /// Released when it is closed.
    _lock: File,
}

impl Journals {
    /// Waits for other processes. `None` if the user has no folder.
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
        // The file may hold keys: only its owner may read the copy.
        file::replace(&self.path(name), &serde_json::to_string(change)?)
    }

    pub(super) fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes partly written records of killed processes.
    pub(super) fn sweep(&self) {
        file::sweep(&self.path("lock"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension("json")
    }
}

/// The agents that have a record, without taking the lock.
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

/// The agent's name on the command line.
pub(super) fn name(agent: Agent) -> String {
    agent.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
