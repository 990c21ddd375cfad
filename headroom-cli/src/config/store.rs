use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use headroom_core::Handle;
use headroom_store::{DiskStore, MemoryStore, StoreError};
use serde::Deserialize;

use super::redis::{InvalidRedis, RedisServer};
use crate::dirs::{headroom_home, user_home};

/// Where originals are stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Store {
    /// In this process, until it ends.
    Memory,
    /// In a folder that all Headroom programs of this user share.
    Folder(PathBuf),
    /// On a server that proxies of several machines share.
    Redis(RedisServer),
}

impl Store {
    /// The user's folder; the memory of the process if the user has none.
    pub(super) fn own() -> Self {
        headroom_home().map_or(Self::Memory, Self::Folder)
    }

    /// Opens the store. Nothing is read or written yet.
    pub(crate) fn open(&self) -> Arc<dyn headroom_store::Store> {
        match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Folder(folder) => Arc::new(DiskStore::new(folder)),
            Self::Redis(server) => Arc::new(server.open()),
        }
    }

    /// Whether content can be stored now.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Memory => Ok(()),
            Self::Folder(folder) => DiskStore::new(folder).check().await,
            Self::Redis(server) => server.open().check().await,
        }
    }

    /// Returns an original that any tenant stored. Memory holds none that another process could find.
    pub(crate) async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        match self {
            Self::Memory => Ok(None),
            Self::Folder(folder) => DiskStore::new(folder).find(handle).await,
            Self::Redis(server) => server.open().find(handle).await,
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Redis(server) => server.fmt(f),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidStore {
    #[error("expected a folder, `memory`, or the URL of a Redis or Valkey server")]
    Empty,
    #[error(transparent)]
    Redis(#[from] InvalidRedis),
    #[error("only `~/` is understood, and only where HOME is set; give the whole path")]
    Tilde,
}

impl FromStr for Store {
    type Err = InvalidStore;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if RedisServer::is_meant(text) {
            return Ok(Self::Redis(RedisServer::parse(text)?));
        }
        path(text).map(Self::Folder)
    }
}

/// Expands a path as a user writes it: in a file or, quoted, in a variable, no shell expands it.
pub(super) fn path(text: &str) -> Result<PathBuf, InvalidStore> {
    if text.is_empty() {
        return Err(InvalidStore::Empty);
    }
    if !text.starts_with('~') {
        return Ok(text.into());
    }
    let home = user_home().ok_or(InvalidStore::Tilde)?;
    let rest = if text == "~" { "" } else { text.strip_prefix("~/").ok_or(InvalidStore::Tilde)? };
    Ok(home.join(rest))
}

impl TryFrom<String> for Store {
    type Error = InvalidStore;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_folder_memory_or_a_server() {
        assert_eq!("memory".parse(), Ok(Store::Memory));
        assert_eq!("/var/x".parse(), Ok(Store::Folder("/var/x".into())));
        assert_eq!("".parse::<Store>(), Err(InvalidStore::Empty));
        assert_eq!("~other/x".parse::<Store>(), Err(InvalidStore::Tilde));
        assert!(matches!("redis://h".parse(), Ok(Store::Redis(_))));
        assert_eq!("redis://".parse::<Store>(), Err(InvalidStore::Redis(InvalidRedis::Url)));
    }
}
