//! Stores originals as files that several processes share.

mod blocking;
mod evict;
mod failure;
mod folder;
mod name;
mod options;
mod plaintext;
mod seen;
#[cfg(all(test, unix))]
mod tests;
mod vfs;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use headroom_core::{Handle, Original};
use tokio::task;

pub use self::plaintext::{InvalidPlaintextStore, PlaintextStore, PlaintextStoreBuilder};
use self::{
    blocking::BlockingDisk,
    failure::{Failure, blocking},
    name::Name,
    options::FolderOptions,
};
use crate::{ExchangeStore, OriginalStore, RecordKey, StoreError, tenant::Tenant};

const CAPACITY: u64 = 2 << 30;

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
/// The async methods panic outside a tokio runtime.
///
/// # Example
///
/// ```
/// use headroom_core::Original;
/// use headroom_store::{DiskStore, OriginalStore};
///
/// # async fn example(folder: &std::path::Path) -> Result<(), headroom_store::StoreError> {
/// let original = Original::new("a long log");
/// let handle = original.handle();
/// DiskStore::new(folder).put_many("team-a", vec![original]).await?;
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
    disk: Arc<BlockingDisk>,
}

impl DiskStore {
    /// Creates a store in this folder with the default limits. The folder is created when something is stored.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::builder(folder).build()
    }

    /// Starts a configuration.
    pub fn builder(folder: impl Into<PathBuf>) -> DiskStoreBuilder {
        DiskStoreBuilder(FolderOptions::new(folder.into(), CAPACITY))
    }

    /// Checks whether originals can be stored, for a message at startup: the store works as soon as its folder does.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created or written.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.blocking(|disk| disk.check()).await
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
        self.blocking(move |disk| disk.find(&handle)).await
    }

    /// Stores originals like [`put_many`](OriginalStore::put_many), on this thread and without a runtime. For programs
    /// that store once and end.
    ///
    /// # Errors
    ///
    /// As [`put_many`](OriginalStore::put_many).
    ///
    /// ```
    /// use headroom_core::Original;
    /// use headroom_store::DiskStore;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// DiskStore::new(folder).put_many_blocking("team-a", &[Original::new("a long log")])?;
    /// # Ok::<_, headroom_store::StoreError>(())
    /// ```
    pub fn put_many_blocking(&self, tenant: &str, originals: &[Original]) -> Result<(), StoreError> {
        let put = self.disk.put_many(Tenant::from_name(tenant), originals);
        put.map_err(|failure| failure.in_folder(self.disk.root()))?;
        if self.disk.begin_sweep() {
            self.disk.sweep();
        }
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&BlockingDisk) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let disk = Arc::clone(&self.disk);
        blocking(self.disk.root(), move || work(&disk)).await
    }

    /// Runs a write, and then a due sweep outside the request, which may be cancelled.
    async fn put(
        &self,
        work: impl FnOnce(&BlockingDisk) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(), StoreError> {
        let disk = Arc::clone(&self.disk);
        self.blocking(move |own| {
            work(own)?;
            if own.begin_sweep() {
                task::spawn_blocking(move || disk.sweep());
            }
            Ok(())
        })
        .await
    }
}

impl fmt::Debug for DiskStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskStore").field("folder", &self.disk.root()).finish_non_exhaustive()
    }
}

#[async_trait]
impl OriginalStore for DiskStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        let tenant = Tenant::from_name(tenant);
        self.put(move |disk| disk.put_many(tenant, &originals)).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let name = Name::original(Tenant::from_name(tenant), handle);
        self.blocking(move |disk| disk.get(&name)).await
    }

    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let (tenant, handles) = (Tenant::from_name(tenant), handles.to_vec());
        self.blocking(move |disk| disk.has_many(tenant, &handles)).await
    }
}

#[async_trait]
impl ExchangeStore for DiskStore {
    async fn put_record(&self, tenant: &str, keys: &[RecordKey], record: &str) -> Result<(), StoreError> {
        let (tenant, keys, record) = (Tenant::from_name(tenant), keys.to_vec(), record.to_owned());
        self.put(move |disk| disk.put_record(tenant, &keys, &record)).await
    }

    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let tenant = Tenant::from_name(tenant);
        let names: Vec<_> = keys.iter().map(|key| Name::record(tenant, key)).collect();
        self.blocking(move |disk| names.iter().map(|name| disk.get(name)).collect()).await
    }
}

/// Configuration of [`DiskStore`].
#[derive(Clone)]
#[must_use]
pub struct DiskStoreBuilder(FolderOptions);

impl DiskStoreBuilder {
    /// Keeps at most about this many bytes on the disk, in whole blocks, for all tenants and processes together.
    /// Default: 2 GiB.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.0.capacity = bytes;
        self
    }

    /// Drops an original this long after it was last stored or read. Default: 30 days.
    ///
    /// Every request of a conversation stores its originals again, so this limits the pause after which a conversation
    /// can be resumed without a first request that stores them anew. Uses are recorded at intervals of an eighth of it,
    /// and of ten minutes at most.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.0.time_to_idle = time;
        self
    }

    #[cfg(test)]
    fn vfs(mut self, vfs: Arc<dyn vfs::Vfs>) -> Self {
        self.0.vfs = vfs;
        self
    }

    /// Builds the store, without reading or writing yet.
    #[must_use]
    pub fn build(self) -> DiskStore {
        let bounds = self.0.bounds();
        DiskStore { disk: Arc::new(BlockingDisk::new(self.0.folder.join("originals"), self.0.vfs, bounds)) }
    }
}

impl fmt::Debug for DiskStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("DiskStoreBuilder", f)
    }
}
