use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use headroom_core::{Handle, Original, Retrieval};
use headroom_store::{DiskStore, MemoryStore, OriginalStore, PlaintextStore, StoreError};
use headroom_tower::{Observer, StoreFailure};

use crate::{
    config::{Config, Store},
    store,
};

/// The store of a running proxy.
#[derive(Clone, Debug)]
pub(crate) enum OpenStore {
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
    async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
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
pub(super) async fn check_originals_dir(config: &Config) {
    if let Some(plaintext) = config.originals_dir.as_ref().filter(|_| config.retrieval == Retrieval::File)
        && let Err(error) = plaintext.open().check().await
    {
        tracing::warn!("nothing can be set aside until this is mended: {}", store::reason(Some(&error)));
    }
}

/// Finds what any program of this user set aside, whatever credential it was for. The store is the user's own.
#[derive(Debug)]
pub(crate) struct AnyTenantStore {
    pub(super) store: OpenStore,
    pub(super) plaintext: Option<PlaintextStore>,
}

impl AnyTenantStore {
    /// Over the folder of this user, and the one of the files that agents read themselves.
    pub(crate) fn in_folders(store: &Path, plaintext: Option<PlaintextStore>) -> Self {
        Self { store: OpenStore::Folder(DiskStore::new(store)), plaintext }
    }
}

#[async_trait]
impl OriginalStore for AnyTenantStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        self.store.shared().put_many(tenant, originals).await
    }

    async fn get(&self, _: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        match (self.store.find(handle).await, &self.plaintext) {
            (Ok(None), Some(plaintext)) => plaintext.find(handle).await,
            (found, _) => found,
        }
    }
}

/// Says why a request went on as it was.
#[derive(Debug)]
pub(super) struct StoreHealthWarner;

impl Observer for StoreHealthWarner {
    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        tracing::warn!("cannot keep what was to be set aside: {}", store::reason(event.error));
    }
}
