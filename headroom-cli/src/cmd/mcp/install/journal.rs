//! Records a change so that it can be undone byte for byte.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::client::McpClient;
use crate::file;

/// A change of one file.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct InstallChange {
    pub(super) file: PathBuf,
    /// The text before the change; `None` if there was no file.
    pub(super) before: Option<String>,
    /// The text after the change.
    pub(super) after: String,
}

/// The path of the record for this client.
pub(super) fn path(client: McpClient) -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("headroom/mcp").join(client.as_str()).with_extension("json"))
}

impl InstallChange {
    /// Reads the record, if there is one.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        // The file may hold keys: only its owner may read the copy.
        file::replace(path, &serde_json::to_string(self)?)
    }
}
