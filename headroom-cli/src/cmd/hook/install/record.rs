//! What `headroom hook install` records about its changes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{HookAgent, HookError};
use crate::{dirs::state_home, journal::Journal, jsonc};

/// A change of one file.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct HookRecord {
    pub(super) file: PathBuf,
    /// The text before the change; `None` if there was no file.
    pub(super) before: Option<String>,
    /// The text after the change.
    pub(super) after: String,
    /// What was inserted, in this order.
    pub(super) inserted: Vec<String>,
    /// The objects and lists that were created, inner ones first.
    pub(super) created: Vec<Vec<String>>,
    /// Folders that were created, inner ones first.
    pub(super) folders: Vec<PathBuf>,
}

/// A hook that was installed.
#[derive(Debug)]
pub(crate) struct InstalledHook {
    pub(crate) agent: &'static str,
    pub(crate) file: PathBuf,
    /// The command in the file; `None` if the file no longer has the hook.
    pub(crate) command: Option<String>,
    /// Whether the program of the command exists.
    pub(crate) has_program: bool,
}

fn folder() -> Option<PathBuf> {
    Some(state_home()?.join("headroom/hook"))
}

/// The records, and the name of the one for this file.
pub(super) fn journal(agent: HookAgent, file: &Path) -> Result<(Journal, String), HookError> {
    let folder = folder().ok_or(HookError::Home { agent: agent.as_str() })?;
    Ok((Journal::new(folder), name(agent, file)))
}

fn name(agent: HookAgent, file: &Path) -> String {
    if agent.user_file().is_some_and(|own| own == file) {
        return agent.as_str().to_owned();
    }
    let hash = blake3::hash(file.as_os_str().as_encoded_bytes()).to_hex();
    format!("{}-{}", agent.as_str(), hash.get(..16).unwrap_or_default())
}

/// The files with a record.
pub(super) fn files() -> Vec<(HookAgent, PathBuf)> {
    let Some(folder) = folder() else { return Vec::new() };
    let names = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let journal = Journal::new(folder);
    let record = |path: PathBuf| {
        let record: HookRecord = journal.read(path.file_stem()?.to_str()?).ok()??;
        Some((HookAgent::Claude, record.file))
    };
    let mut files: Vec<_> =
        names.filter(|path| path.extension().is_some_and(|end| end == "json")).filter_map(record).collect();
    files.sort_by(|one, other| one.1.cmp(&other.1));
    files
}

/// The hooks that were installed.
pub(crate) fn installed() -> Vec<InstalledHook> {
    let one = |(agent, file): (HookAgent, PathBuf)| {
        let settings =
            fs::read_to_string(&file).ok().and_then(|text| jsonc::parse(&text)).unwrap_or_default();
        let commands = super::entry::own_hooks(&settings);
        let command =
            commands.first().and_then(|hook| hook.pointer("/hooks/0/command")).and_then(Value::as_str);
        let program = command.map(super::entry::program);
        InstalledHook {
            agent: agent.as_str(),
            has_program: program.is_some_and(|program| Path::new(&program).is_file()),
            command: command.map(str::to_owned),
            file,
        }
    };
    files().into_iter().map(one).collect()
}
