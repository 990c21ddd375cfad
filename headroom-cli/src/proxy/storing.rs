use std::sync::Arc;

use headroom_core::{Handle, Means};
use headroom_store::{DiskStore, MemoryStore, OriginalStore, StoreError};
use headroom_tower::{Observer, StoreFailed};

use crate::{
    config::{Config, Store},
    store,
};

/// The store of a running proxy.
#[derive(Clone, Debug)]
pub(super) enum OpenStore {
    Memory(MemoryStore),
    Folder(DiskStore),
}

impl OpenStore {
    /// Opens it when it is first used.
    pub(super) fn new(store: &Store) -> Self {
        match store {
            Store::Folder(folder) => Self::Folder(DiskStore::new(folder)),
            Store::Memory => Self::Memory(MemoryStore::new()),
        }
    }

    /// Opens it. One that does not work yet is no reason not to serve.
    pub(super) async fn open(store: &Store) -> Self {
        let store = Self::new(store);
        if let Self::Folder(folder) = &store
            && let Err(error) = folder.check().await
        {
            tracing::warn!("nothing can be set aside until this is mended: {}", store::reason(Some(&error)));
        }
        store
    }

    /// What is kept under this handle, whoever it belongs to: for the user who runs the proxy.
    pub(super) async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.find(handle)),
            Self::Folder(store) => store.find(handle).await,
        }
    }

    pub(super) fn shared(&self) -> Arc<dyn OriginalStore> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Folder(store) => Arc::new(store.clone()),
        }
    }
}

/// Says what keeps files from being written, if that is how the model fetches things back.
pub(super) async fn check_spool(config: &Config) {
    if let Some(spool) = config.spool.as_ref().filter(|_| config.means == Means::File)
        && let Err(error) = spool.open().check().await
    {
        tracing::warn!("nothing can be set aside until this is mended: {}", store::reason(Some(&error)));
    }
}

/// Says why a request went on as it was.
#[derive(Debug)]
pub(super) struct Warner;

impl Observer for Warner {
    fn on_store_error(&self, event: &StoreFailed<'_>) {
        tracing::warn!("cannot keep what was to be set aside: {}", store::reason(event.error));
    }
}
