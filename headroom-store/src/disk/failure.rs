//! Failures of work on a folder, and the thread that it is done on.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use tokio::task;

use crate::StoreError;

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Failure {
    Io(io::Error),
    Collision,
    TooLarge,
    /// The folder is full, and nothing in it may be deleted.
    Full,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Works on a folder, on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, StoreError> {
    let result = task::spawn_blocking(work).await;
    // A panic message may contain anything, so it is not passed on.
    result
        .unwrap_or_else(|_| Err(io::Error::other("its thread ended early").into()))
        .map_err(|failure| failure.in_folder(folder))
}

impl Failure {
    /// Returns the error of work on this folder.
    pub(super) fn in_folder(self, folder: &Path) -> StoreError {
        let unavailable = |source| StoreError::unavailable(FolderError { folder: folder.to_owned(), source });
        match self {
            Self::Io(source) => unavailable(source),
            Self::Full => unavailable(io::Error::new(io::ErrorKind::StorageFull, FULL)),
            Self::Collision => StoreError::collision(),
            Self::TooLarge => StoreError::too_large(),
        }
    }
}

const FULL: &str = "its capacity is taken by what was seen in the last minutes; give it more";

/// Adds the folder to an error, so that the reader knows where to look.
#[derive(Debug)]
struct FolderError {
    folder: PathBuf,
    source: io::Error,
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot use the folder {}", self.folder.display())
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
