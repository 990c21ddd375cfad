//! Stores originals as files that agents read with their own tools.

mod folder;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use headroom_core::{Handle, Original};
use tokio::task;

use self::folder::PlaintextFolder;
use super::{
    failure::{Failure, blocking},
    options::FolderOptions,
};
use crate::StoreError;

const CAPACITY: u64 = 1 << 30;

/// Writes originals as files under their handles, for agents that read them with their own tools: see
/// [`Retrieval::File`](headroom_core::Retrieval::File). Several processes may use the folder at once. Cloning the store
/// is cheap.
///
/// A file holds exactly the original. Only the user who wrote it can read it, and a folder that the store creates; an
/// existing folder that others can open is not used. There are no tenants: anyone who may read the folder may read
/// everything in it, so a plaintext store is for the agents of one user on one machine.
///
/// # Limits
///
/// | limit | default | beyond it |
/// |---|---|---|
/// | [`capacity`](PlaintextStoreBuilder::capacity) | 1 GiB | the least recently needed files are dropped |
/// | [`time_to_idle`](PlaintextStoreBuilder::time_to_idle) | 30 days | a file that no request needed again is dropped |
///
/// A request needs the files of its whole conversation, so they stay while it continues. A file needed within the last
/// five minutes is never dropped: a folder full of these refuses more. Files whose names are not handles are never
/// touched.
///
/// # Crashes
///
/// An original that [`put_many`](Self::put_many) acknowledged survives a kill of the process at any point. A file
/// reaches the disk before it gets its name, so none is ever seen in part, not even after a loss of power. A file that
/// was changed is written again when the next request needs it, and so is one that was replaced by a link, a pipe or a
/// device, which the store neither follows nor waits for.
///
/// # Panics
///
/// The async methods panic outside a tokio runtime.
///
/// # Example
///
/// ```
/// use headroom_core::Original;
/// use headroom_store::PlaintextStore;
///
/// # async fn example(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
/// let plaintext = PlaintextStore::new(folder.join("plaintext"))?;
/// let original = Original::new("a long log");
/// let handle = original.handle();
/// plaintext.put_many(vec![original]).await?;
/// assert_eq!(std::fs::read_to_string(format!("{}/{handle}", plaintext.folder()))?, "a long log");
/// # Ok(())
/// # }
/// # fn main() {
/// #     let folder = tempfile::tempdir().unwrap();
/// #     let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// #     runtime.block_on(example(folder.path())).unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct PlaintextStore {
    folder: Arc<str>,
    files: Arc<PlaintextFolder>,
}

impl PlaintextStore {
    /// Creates a store in this folder with the default limits. The folder is created when something is written.
    ///
    /// # Errors
    ///
    /// See [`PlaintextStoreBuilder::build`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, InvalidPlaintextStore> {
        Self::builder(folder).build()
    }

    /// Starts a configuration.
    pub fn builder(folder: impl Into<PathBuf>) -> PlaintextStoreBuilder {
        PlaintextStoreBuilder(FolderOptions::new(folder.into(), CAPACITY))
    }

    /// Returns the folder as markers name it: an absolute path.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Checks whether originals can be written, for a message at startup: the store works as soon as its folder does.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created or written, or others can open it.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.blocking(PlaintextFolder::check).await
    }

    /// Writes the originals of one request. Existing files are left unchanged, and their expiry begins anew.
    ///
    /// # Errors
    ///
    /// If any of them may not be there afterwards. Which of the others were written is unspecified.
    pub async fn put_many(&self, originals: Vec<Original>) -> Result<(), StoreError> {
        let files = Arc::clone(&self.files);
        self.blocking(move |own| {
            own.put_many(&originals)?;
            if own.begin_sweep() {
                task::spawn_blocking(move || files.sweep());
            }
            Ok(())
        })
        .await
    }

    /// Writes originals like [`put_many`](Self::put_many), on this thread and without a runtime. For programs that store
    /// once and end.
    ///
    /// # Errors
    ///
    /// As [`put_many`](Self::put_many).
    ///
    /// ```
    /// use headroom_core::Original;
    /// use headroom_store::PlaintextStore;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// let plaintext = PlaintextStore::new(folder.path().join("plaintext"))?;
    /// let original = Original::new("a long log");
    /// let handle = original.handle();
    /// plaintext.put_many_blocking(&[original])?;
    /// assert_eq!(std::fs::read_to_string(format!("{}/{handle}", plaintext.folder()))?, "a long log");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn put_many_blocking(&self, originals: &[Original]) -> Result<(), StoreError> {
        let put = self.files.put_many(originals);
        put.map_err(|failure| failure.in_folder(self.files.root()))?;
        if self.files.begin_sweep() {
            self.files.sweep();
        }
        Ok(())
    }

    /// Returns which of these originals are there undamaged. Their expiry begins anew.
    ///
    /// Works where [`put_many`](Self::put_many) fails, as on a full disk.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub async fn has_many(&self, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let handles = handles.to_vec();
        self.blocking(move |files| files.has_many(&handles)).await
    }

    /// Returns the original under this handle, or `None` if there is no file or its content differs.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let handle = *handle;
        self.blocking(move |files| files.find(&handle)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PlaintextFolder) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let files = Arc::clone(&self.files);
        blocking(self.files.root(), move || work(&files)).await
    }
}

impl fmt::Debug for PlaintextStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaintextStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Configuration of [`PlaintextStore`].
#[derive(Clone)]
#[must_use]
pub struct PlaintextStoreBuilder(FolderOptions);

impl PlaintextStoreBuilder {
    /// Keeps at most about this many bytes on the disk, in whole blocks, for all processes together. Default: 1 GiB.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.0.capacity = bytes;
        self
    }

    /// Drops a file this long after a request last needed it. Default: 30 days.
    ///
    /// This limits the pause after which a conversation can be resumed with all its elided content: its first request
    /// writes missing files again. Uses are recorded at intervals of an eighth of it, and of ten minutes at most.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.0.time_to_idle = time;
        self
    }

    #[cfg(test)]
    pub(super) fn vfs(mut self, vfs: Arc<dyn super::vfs::Vfs>) -> Self {
        self.0.vfs = vfs;
        self
    }

    /// Builds the store, without reading or writing yet. A relative path is resolved against the current folder.
    ///
    /// # Errors
    ///
    /// If markers cannot name the folder: its path is not UTF-8, or contains a bracket or a control character.
    pub fn build(self) -> Result<PlaintextStore, InvalidPlaintextStore> {
        let path = std::path::absolute(&self.0.folder).map_err(|_| InvalidPlaintextStore(()))?;
        let folder = path.to_str().map(|path| path.trim_end_matches(std::path::MAIN_SEPARATOR));
        let is_plain =
            |path: &&str| !path.is_empty() && !path.contains(|c: char| c.is_control() || "[]".contains(c));
        let folder = folder.filter(is_plain).ok_or(InvalidPlaintextStore(()))?;
        let bounds = self.0.bounds();
        let files = PlaintextFolder::new(folder.into(), self.0.vfs, bounds);
        Ok(PlaintextStore { folder: folder.into(), files: Arc::new(files) })
    }
}

impl fmt::Debug for PlaintextStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("PlaintextStoreBuilder", f)
    }
}

/// Error returned when markers cannot name the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPlaintextStore(());

impl fmt::Display for InvalidPlaintextStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a model could not be told this path; expected UTF-8 without brackets and control characters",
        )
    }
}

impl std::error::Error for InvalidPlaintextStore {}

#[cfg(all(test, unix))]
mod tests;
