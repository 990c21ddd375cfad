//! Stores originals as files that agents read with their own tools.

use std::{
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use headroom_core::{Handle, Original};
use tokio::task;

use super::{
    Failure, blocking,
    blocking::REFRESH,
    evict::{Bounds, Evictor},
    folder::{BLOCK, Folder, Layout, Stamp},
    name,
    seen::Seen,
    vfs::{System, Vfs},
};
use crate::{StoreError, entry::MAX_BYTES};

const CAPACITY: u64 = 1 << 30;
const TIME_TO_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

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
/// The methods panic outside a tokio runtime.
///
/// # Example
///
/// ```
/// use headroom_core::{Handle, Original};
/// use headroom_store::PlaintextStore;
///
/// # async fn example(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
/// let spool = PlaintextStore::new(folder.join("plaintext"))?;
/// let content = "a long log".to_owned();
/// let handle = Handle::from_content(&content);
/// spool.put_many(vec![Original { handle, content }]).await?;
/// assert_eq!(std::fs::read_to_string(format!("{}/{handle}", spool.folder()))?, "a long log");
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
    rack: Arc<PlaintextFolder>,
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
        PlaintextStoreBuilder {
            folder: folder.into(),
            capacity: CAPACITY,
            time_to_idle: TIME_TO_IDLE,
            vfs: Arc::new(System),
        }
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
        let put = move |rack: &PlaintextFolder| {
            rack.put_many(&originals).map(|()| rack.sweeper.begin(&rack.folder))
        };
        if self.blocking(put).await? {
            let rack = Arc::clone(&self.rack);
            task::spawn_blocking(move || rack.sweep());
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
        self.blocking(move |rack| rack.has_many(&handles)).await
    }

    /// Returns the original under this handle, or `None` if there is no file or its content differs.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let handle = *handle;
        self.blocking(move |rack| rack.find(&handle)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PlaintextFolder) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let rack = Arc::clone(&self.rack);
        blocking(self.rack.folder.root(), move || work(&rack)).await
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
pub struct PlaintextStoreBuilder {
    folder: PathBuf,
    capacity: u64,
    time_to_idle: Duration,
    vfs: Arc<dyn Vfs>,
}

impl PlaintextStoreBuilder {
    /// Keeps at most about this many bytes on the disk, in whole blocks, for all processes together. Default: 1 GiB.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }

    /// Drops a file this long after a request last needed it. Default: 30 days.
    ///
    /// This limits the pause after which a conversation can be resumed with all its elided content: its first request
    /// writes missing files again. Uses are recorded at intervals of an eighth of it, and of ten minutes at most.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.time_to_idle = time;
        self
    }

    #[cfg(test)]
    pub(super) fn vfs(mut self, vfs: Arc<dyn Vfs>) -> Self {
        self.vfs = vfs;
        self
    }

    /// Builds the store, without reading or writing yet. A relative path is resolved against the current folder.
    ///
    /// # Errors
    ///
    /// If markers cannot name the folder: its path is not UTF-8, or contains a bracket or a control character.
    pub fn build(self) -> Result<PlaintextStore, InvalidPlaintextStore> {
        let path = std::path::absolute(&self.folder).map_err(|_| InvalidPlaintextStore(()))?;
        let folder = path.to_str().map(|path| path.trim_end_matches(std::path::MAIN_SEPARATOR));
        let is_plain =
            |path: &&str| !path.is_empty() && !path.contains(|c: char| c.is_control() || "[]".contains(c));
        let folder = folder.filter(is_plain).ok_or(InvalidPlaintextStore(()))?;
        let bounds = Bounds { blocks: self.capacity / BLOCK, idle: self.time_to_idle };
        let rack = PlaintextFolder {
            folder: Folder::new(folder.into(), Layout::Flat, self.vfs, REFRESH.min(bounds.idle / 8)),
            seen: Seen::new(),
            sweeper: Evictor::new(bounds),
        };
        Ok(PlaintextStore { folder: folder.into(), rack: Arc::new(rack) })
    }
}

impl fmt::Debug for PlaintextStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaintextStoreBuilder")
            .field("folder", &self.folder)
            .field("capacity", &self.capacity)
            .field("time_to_idle", &self.time_to_idle)
            .finish_non_exhaustive()
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

/// The operations of the plaintext store, for threads that may block.
struct PlaintextFolder {
    folder: Folder,
    /// The files that are known to be undamaged.
    seen: Seen<Handle, ()>,
    sweeper: Evictor,
}

impl PlaintextFolder {
    fn check(&self) -> Result<(), Failure> {
        self.folder.lock_shared()?;
        self.folder.prepare(b"")?;
        Ok(())
    }

    fn put_many(&self, originals: &[Original]) -> Result<(), Failure> {
        if originals.is_empty() {
            return Ok(());
        }
        if originals.iter().any(|original| original.content.len() > MAX_BYTES) {
            return Err(Failure::TooLarge);
        }
        // A handle that is not its content's hash already belongs to other content.
        if originals.iter().any(|original| Handle::from_content(&original.content) != original.handle) {
            return Err(Failure::Collision);
        }
        let lock = self.folder.lock_shared()?;
        let mut missing = Vec::new();
        for original in originals {
            if !self.has(&original.handle) {
                missing.push(original);
            }
        }
        drop(lock);
        let (mut prepared, mut blocks) = (Vec::with_capacity(missing.len()), 0);
        for original in missing {
            let (file, size) = self.folder.prepare(original.content.as_bytes())?;
            blocks += size;
            if blocks > self.sweeper.bounds.kept() {
                return Err(Failure::TooLarge);
            }
            prepared.push((file, original));
        }
        if prepared.is_empty() {
            return Ok(());
        }
        let is_recent = |path: &Path| self.is_recent(path);
        if !self.sweeper.make_room(&self.folder, blocks, &is_recent)? {
            return Err(Failure::Full);
        }
        // Count first, as in the disk store.
        self.folder.count(blocks)?;
        // A sweep that chose a changed old file must not delete its replacement.
        let _lock = self.folder.lock_shared()?;
        for (file, original) in prepared {
            let stamp = self.folder.publish(file, &path(&original.handle))?;
            self.seen.insert(original.handle, (), stamp, self.folder.instant());
        }
        Ok(())
    }

    /// Whether the file holds the original of this handle, and records a use. A file that cannot be read must be
    /// written again.
    fn has(&self, handle: &Handle) -> bool {
        let Ok(Some(stamp)) = self.verify(handle) else { return false };
        let seen = self.folder.see(&path(handle), stamp);
        if let Ok(stamp) = seen {
            self.seen.insert(*handle, (), stamp, self.folder.instant());
        }
        seen.is_ok()
    }

    /// Returns the state of the file if it holds the original of this handle.
    fn verify(&self, handle: &Handle) -> Result<Option<Stamp>, Failure> {
        let Some(stamp) = self.folder.stamp(&path(handle))? else { return Ok(None) };
        match self.seen.get(handle, &stamp) {
            Some(()) => Ok(Some(stamp)),
            None => Ok(self.read(handle)?.map(|(_, stamp)| stamp)),
        }
    }

    fn has_many(&self, handles: &[Handle]) -> Result<Vec<bool>, Failure> {
        let mut has = Vec::with_capacity(handles.len());
        for handle in handles {
            let found = self.verify(handle)?;
            has.push(found.is_some());
            if let Some(stamp) = found {
                // Reading works where writing does not.
                let stamp = self.folder.see(&path(handle), stamp).unwrap_or(stamp);
                self.seen.insert(*handle, (), stamp, self.folder.instant());
            }
        }
        Ok(has)
    }

    fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, Failure> {
        let found = self.read(handle)?;
        if found.is_none() {
            self.seen.forget(handle);
        }
        Ok(found.map(|(content, _)| content.into()))
    }

    /// Returns the original of this handle, if the file holds it.
    fn read(&self, handle: &Handle) -> Result<Option<(String, Stamp)>, Failure> {
        let (bytes, stamp) = match self.folder.read_bytes(&path(handle), MAX_BYTES as u64 + 1) {
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(None),
            read => match read? {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        let content =
            String::from_utf8(bytes).ok().filter(|content| Handle::from_content(content) == *handle);
        Ok(content.map(|content| (content, stamp)))
    }

    fn is_recent(&self, file: &Path) -> bool {
        let time = self.sweeper.bounds.protected(self.folder.refresh());
        name::parse_bare(file).is_some_and(|handle| self.seen.is_recent(&handle, self.folder.instant(), time))
    }

    fn sweep(&self) {
        self.sweeper.run(&self.folder, &|path| self.is_recent(path));
    }
}

fn path(handle: &Handle) -> PathBuf {
    handle.to_string().into()
}

#[cfg(all(test, unix))]
mod tests;
