//! What `--persist` records about its changes.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::text::Format;
use crate::{cmd::wrap::agent::Agent, dirs::headroom_home, journal::Journal};

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

/// The folder of the records; `None` if the user has none.
pub(super) fn folder() -> Option<PathBuf> {
    headroom_home().map(|home| home.join("persist"))
}

/// The agents that have a record, without taking the lock.
pub(super) fn persisted() -> Vec<(Agent, PersistChange)> {
    let Some(journal) = folder().map(Journal::new) else { return Vec::new() };
    let change = |agent: &Agent| Some((*agent, journal.read(&name(*agent)).ok()??));
    Agent::value_variants().iter().filter_map(change).collect()
}

/// The agent's name on the command line.
pub(super) fn name(agent: Agent) -> String {
    agent.name().to_owned()
}
