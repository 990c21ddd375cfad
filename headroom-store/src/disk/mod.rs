//! Stores originals as files that several processes share.

mod blocking;
mod evict;
#[cfg(all(test, unix))]
mod fault;
#[cfg(all(test, unix))]
mod faults;
mod folder;
mod name;
mod plaintext;
mod seen;
#[cfg(all(test, unix))]
mod tests;
mod vfs;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use headroom_core::{Handle, Original};
use tokio::task;

pub use self::plaintext::{InvalidPlaintextStore, PlaintextStore, PlaintextStoreBuilder};
use self::{
    blocking::BlockingDisk,
    evict::Bounds,
    folder::BLOCK,
    name::{FileKind, Name},
    vfs::{System, Vfs},
};
use crate::{OriginalStore, StoreError, tenant::Tenant};

const CAPACITY: u64 = 2 << 30;
const TIME_TO_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Stores originals in a folder. Several processes may use the folder at once. Cloning the store is cheap.
///
/// Everything is under `originals` in the given folder, compressed, one file for each original and tenant, readable by
/// the user alone. File names show handles and hashes of tenants. The folder may be deleted at any time; the next
/// request of a conversation restores its originals.
///
/// # Limits
///
/// | limit | default | beyond it |
/// |---|---|---|
/// | [`capacity`](DiskStoreBuilder::capacity) | 2 GiB | the least recently used originals are dropped |
/// | [`time_to_idle`](DiskStoreBuilder::time_to_idle) | 30 days | an original that was neither stored again nor read is dropped |
///
/// The process that notices that eviction is due does it outside its requests. An original used within the last five
/// minutes is never dropped, whatever the clock says: a folder full of these refuses more with
/// [`StoreError::is_unavailable`]. A request whose originals do not fit at all, or that has one of more than 256 MiB,
/// is refused with [`StoreError::is_too_large`].
///
/// # Errors
///
/// [`StoreError::is_unavailable`] names the folder and gives the system's error. The same call works again as soon as
/// the folder does. A lock that another process holds for longer than two seconds is such an error; until the lock is
/// free again, further calls wait for 20 ms only. Reading takes no lock.
///
/// # Faults
///
/// An original that `put_many` acknowledged survives a kill of the process at any point, and no half-written file is
/// ever seen. After a loss of power, files that had not reached the disk are missing or damaged: writing does not wait
/// for the disk. The hash reveals damage, which reads as missing, never as other content, and the next request of the
/// conversation stores the original again. Damage that changes neither the size nor the times of a file is noticed when
/// the file is read.
///
/// A pipe, a device, a link or a folder under the name of a file counts as damage, too. The store neither waits for nor
/// follows these.
///
/// # Panics
///
/// The methods panic outside a tokio runtime.
///
/// # Example
///
/// ```
/// use headroom_core::{Handle, Original};
/// use headroom_store::{DiskStore, OriginalStore};
///
/// # async fn example(folder: &std::path::Path) -> Result<(), headroom_store::StoreError> {
/// let content = "a long log".to_owned();
/// let handle = Handle::from_content(&content);
/// DiskStore::new(folder).put_many("team-a", vec![Original { handle, content }]).await?;
///
/// let later = DiskStore::new(folder); // in another process, perhaps
/// assert_eq!(later.get("team-a", &handle).await?.as_deref(), Some("a long log"));
/// assert!(later.get("team-b", &handle).await?.is_none());
/// # Ok(())
/// # }
/// # fn main() {
/// #     let folder = tempfile::tempdir().unwrap();
/// #     let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// #     runtime.block_on(example(folder.path())).unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct DiskStore {
    shelf: Arc<BlockingDisk>,
}

impl DiskStore {
    /// Creates a store in this folder with the default limits. The folder is created when something is stored.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::builder(folder).build()
    }

    /// Starts a configuration.
    pub fn builder(folder: impl Into<PathBuf>) -> DiskStoreBuilder {
        DiskStoreBuilder {
            folder: folder.into(),
            capacity: CAPACITY,
            time_to_idle: TIME_TO_IDLE,
            vfs: Arc::new(System),
        }
    }

    /// Checks whether originals can be stored, for a message at startup: the store works as soon as its folder does.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created or written.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.blocking(|shelf| shelf.check()).await
    }

    /// Returns the whole original, whichever tenant stored it.
    ///
    /// For tools of the folder's owner, never for answers to a tenant.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let handle = *handle;
        self.blocking(move |shelf| shelf.find(&handle)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&BlockingDisk) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shelf = Arc::clone(&self.shelf);
        blocking(self.shelf.root(), move || work(&shelf)).await
    }

    /// Runs a write, and then a due sweep outside the request.
    async fn put(
        &self,
        work: impl FnOnce(&BlockingDisk) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), StoreError> {
        let due = self.blocking(|shelf| work(shelf).map(|()| shelf.begin_sweep())).await?;
        if due {
            let shelf = Arc::clone(&self.shelf);
            task::spawn_blocking(move || shelf.sweep());
        }
        Ok(())
    }
}

impl fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskStore").field("folder", &self.shelf.root()).finish_non_exhaustive()
    }
}

#[async_trait]
impl OriginalStore for DiskStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        let tenant = Tenant::from_name(tenant);
        self.put(move |shelf| shelf.put_many(tenant, &originals)).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let name = Name { tenant: Tenant::from_name(tenant), key: *handle, kind: FileKind::Original };
        self.blocking(move |shelf| shelf.get(&name)).await
    }

    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let (tenant, handles) = (Tenant::from_name(tenant), handles.to_vec());
        self.blocking(move |shelf| shelf.has_many(tenant, &handles)).await
    }

    async fn put_record(&self, tenant: &str, keys: &[Handle], record: &str) -> Result<(), StoreError> {
        let (tenant, keys, record) = (Tenant::from_name(tenant), keys.to_vec(), record.to_owned());
        self.put(move |shelf| shelf.put_record(tenant, &keys, &record)).await
    }

    async fn get_records(&self, tenant: &str, keys: &[Handle]) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let tenant = Tenant::from_name(tenant);
        let names = keys.iter().map(|key| Name { tenant, key: *key, kind: FileKind::Record });
        let names: Vec<_> = names.collect();
        self.blocking(move |shelf| names.iter().map(|name| shelf.get(name)).collect()).await
    }
}

/// Configuration of [`DiskStore`].
#[derive(Clone)]
#[must_use]
pub struct DiskStoreBuilder {
    folder: PathBuf,
    capacity: u64,
    time_to_idle: Duration,
    vfs: Arc<dyn Vfs>,
}

impl DiskStoreBuilder {
    /// Keeps at most about this many bytes on the disk, in whole blocks, for all tenants and processes together.
    /// Default: 2 GiB.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }

    /// Drops an original this long after it was last stored or read. Default: 30 days.
    ///
    /// Every request of a conversation stores its originals again, so this limits the pause after which a conversation
    /// can be resumed without a first request that stores them anew. Uses are recorded at intervals of an eighth of it,
    /// and of ten minutes at most.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.time_to_idle = time;
        self
    }

    #[cfg(test)]
    fn vfs(mut self, vfs: Arc<dyn Vfs>) -> Self {
        self.vfs = vfs;
        self
    }

    /// Builds the store, without reading or writing yet.
    #[must_use]
    pub fn build(self) -> DiskStore {
        let bounds = Bounds { blocks: self.capacity / BLOCK, idle: self.time_to_idle };
        DiskStore { shelf: Arc::new(BlockingDisk::new(self.folder.join("originals"), self.vfs, bounds)) }
    }
}

impl fmt::Debug for DiskStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskStoreBuilder")
            .field("folder", &self.folder)
            .field("capacity", &self.capacity)
            .field("time_to_idle", &self.time_to_idle)
            .finish_non_exhaustive()
    }
}

/// Why an operation failed.
#[derive(Debug)]
enum Failure {
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
async fn blocking<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, StoreError> {
    let result = task::spawn_blocking(work).await;
    // A panic message may contain anything, so it is not passed on.
    result.unwrap_or_else(|_| Err(io::Error::other("its thread ended early").into())).map_err(|failure| {
        let unavailable = |source| StoreError::unavailable(FolderError { folder: folder.to_owned(), source });
        match failure {
            Failure::Io(source) => unavailable(source),
            Failure::Full => unavailable(io::Error::new(io::ErrorKind::StorageFull, FULL)),
            Failure::Collision => StoreError::collision(),
            Failure::TooLarge => StoreError::too_large(),
        }
    })
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
