use std::sync::Arc;

use async_trait::async_trait;
use headroom_core::{Handle, Original, Retrieval};
use headroom_store::{DiskStore, MemoryStore, OriginalStore, PlaintextStore, StoreError};
use headroom_tower::{Observer, StoreFailure, StoreOperation};

use super::shared_store::SharedStore;
use crate::{
    config::{Config, Store},
    store,
};

/// The store of a running proxy.
#[derive(Clone, Debug)]
pub(crate) enum OpenStore {
    Memory(MemoryStore),
    Folder(DiskStore),
    Shared(SharedStore),
}

impl OpenStore {
    /// Opens the store on first use.
    pub(super) fn new(store: &Store) -> Self {
        match store {
            Store::Folder(folder) => Self::Folder(DiskStore::new(folder)),
            Store::Memory => Self::Memory(MemoryStore::new()),
            Store::Redis(server) => Self::Shared(SharedStore::new(server)),
        }
    }

    /// Opens the store. The proxy runs even if the store does not work yet.
    pub(super) async fn open(store: &Store) -> Self {
        let store = Self::new(store);
        match &store {
            Self::Memory(_) => {}
            Self::Folder(folder) => {
                if let Err(error) = folder.check().await {
                    tracing::warn!(
                        "nothing can be elided until this is fixed: {}",
                        store::reason(Some(&error))
                    );
                }
            }
            Self::Shared(shared) => shared.check().await,
        }
        store
    }

    /// Whether other proxies use it, too.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// Whether its server is down.
    pub(super) fn is_down(&self) -> bool {
        matches!(self, Self::Shared(shared) if shared.is_down())
    }

    /// Finds an original of any tenant: for the user who runs the proxy.
    async fn find(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        match self {
            Self::Memory(store) => Ok(store.find(handle)),
            Self::Folder(store) => store.find(handle).await,
            Self::Shared(store) => store.find(tenant, handle).await,
        }
    }

    pub(super) fn shared(&self) -> Arc<dyn headroom_store::Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Folder(store) => Arc::new(store.clone()),
            Self::Shared(store) => Arc::new(store.clone()),
        }
    }
}

/// Warns if the folder of plain-text originals is needed and cannot be written.
pub(super) async fn check_originals_dir(config: &Config) {
    if let Some(plaintext) = config.originals_dir.as_ref().filter(|_| config.retrieval == Retrieval::File)
        && let Err(error) = plaintext.open().check().await
    {
        tracing::warn!("nothing can be elided until this is fixed: {}", store::reason(Some(&error)));
    }
}

/// Finds originals of any tenant and of any Headroom program. The store is the user's own.
#[derive(Debug)]
pub(crate) struct AnyTenantStore {
    pub(super) store: OpenStore,
    pub(super) plaintext: Option<PlaintextStore>,
}

impl AnyTenantStore {
    /// Looks in the configured store and in the folder of the plain-text originals.
    pub(crate) fn new(store: &Store, plaintext: Option<PlaintextStore>) -> Self {
        Self { store: OpenStore::new(store), plaintext }
    }
}

#[async_trait]
impl OriginalStore for AnyTenantStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        self.store.shared().put_many(tenant, originals).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        match (self.store.find(tenant, handle).await, &self.plaintext) {
            (Ok(None), Some(plaintext)) => plaintext.find(handle).await,
            (found, _) => found,
        }
    }
}

/// Logs why nothing was elided from a request.
#[derive(Debug)]
pub(super) struct StoreHealthWarner {
    /// Whether the store itself says when it is down.
    is_watched: bool,
}

impl StoreHealthWarner {
    pub(super) const fn new(store: &OpenStore) -> Self {
        Self { is_watched: store.is_shared() }
    }
}

impl Observer for StoreHealthWarner {
    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        let is = |kind: fn(&StoreError) -> bool| event.error.is_some_and(kind);
        // One tenant's limit is its own affair, and holds for each of its requests; a metric counts it.
        if self.is_watched && is(StoreError::is_unavailable) || is(StoreError::is_tenant_limit) {
            return;
        }
        let reason = store::reason(event.error);
        match event.operation {
            StoreOperation::Read => {
                tracing::warn!("cannot read what is stored, so the model gets none of it: {reason}");
            }
            _ => tracing::warn!("cannot store originals, so nothing is elided: {reason}"),
        }
    }
}
