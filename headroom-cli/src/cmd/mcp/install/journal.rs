//! What was changed, so that it can be undone byte for byte.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::client::McpClient;
use crate::file;

/// One change of one file.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct InstallChange {
    pub(super) file: PathBuf,
    /// The text before; `None` where there was no file.
    pub(super) before: Option<String>,
    /// The text that was written.
    pub(super) after: String,
}

/// Where the change for this client is noted.
pub(super) fn path(client: McpClient) -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("headroom/mcp").join(client.as_str()).with_extension("json"))
}

impl InstallChange {
    /// The noted change, if there is one.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        // The file may hold keys: nobody else may read its copy.
        file::replace(path, &serde_json::to_string(self)?)
    }
}
