//! Records of changes to other programs' files, so that each can be undone byte for byte.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{file, secret};

/// A folder of records, one for each change.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    /// Held by the one process that changes records; released when it is closed.
    _lock: Option<File>,
}

impl Journal {
    /// Opens a folder without a lock.
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder, _lock: None }
    }

    /// Opens a folder for this process alone, and waits for others. Removes the partly written records of killed ones.
    pub(crate) fn locked(folder: PathBuf) -> io::Result<Self> {
        secret::make_private(&folder)?;
        let lock = File::options().create(true).append(true).open(folder.join("lock"))?;
        lock.lock()?;
        file::sweep(&folder.join("lock"));
        Ok(Self { folder, _lock: Some(lock) })
    }

    /// Returns the file of a record.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension("json")
    }

    /// Reads a record, if there is one.
    pub(crate) fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a record, which must happen before its change, so that this can be undone at any moment.
    pub(crate) fn write<T: Serialize>(&self, name: &str, change: &T) -> io::Result<()> {
        // The record may hold keys of the file: only its owner may read it.
        file::replace(&self.path(name), &serde_json::to_string(change)?)
    }

    /// Removes a record, if there is one.
    pub(crate) fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The missing folders of a file that is about to be created, inner ones first.
pub(crate) fn missing_folders(file: &Path) -> Vec<PathBuf> {
    let folders = file.ancestors().skip(1);
    folders.take_while(|folder| !folder.exists()).map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_and_forgotten() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("persist");
        assert_eq!(Journal::new(folder.clone()).read::<String>("codex").unwrap(), None);
        let journal = Journal::locked(folder.clone()).unwrap();
        journal.write("codex", &"a key").unwrap();
        assert_eq!(Journal::new(folder.clone()).read::<String>("codex").unwrap().as_deref(), Some("a key"));
        fs::write(journal.path("goose"), "{").unwrap();
        assert!(journal.read::<String>("goose").is_err());
        for _ in 0..2 {
            journal.forget("codex").unwrap();
        }
        assert_eq!(journal.read::<String>("codex").unwrap(), None);
    }

    #[test]
    fn missing_folders_are_told_from_those_that_are_there() {
        let home = tempfile::tempdir().unwrap();
        let (outer, inner) = (home.path().join("a"), home.path().join("a/b"));
        assert_eq!(missing_folders(&inner.join("file")), [inner, outer]);
        assert!(missing_folders(&home.path().join("file")).is_empty());
    }
}
