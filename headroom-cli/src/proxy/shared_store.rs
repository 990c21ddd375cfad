//! A store on a server, as a proxy uses it: no request waits for a server that is down.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use headroom_core::{Handle, Original};
use headroom_store::{ExchangeStore, OriginalStore, RecordKey, RedisStore, StoreError};
use metrics::gauge;

use crate::{config::RedisServer, proxy::accounting::metered::STORE_UP, store};

/// How often a server that is down is tried.
const PROBE_PERIOD: Duration = Duration::from_millis(500);

/// A store on a server. While the server is down every call fails at once, and one task tries it until it works again.
#[derive(Clone)]
pub(crate) struct SharedStore {
    store: RedisStore,
    outage: Arc<Outage>,
}

#[derive(Debug)]
struct Outage {
    is_on: AtomicBool,
    /// The server, without its password.
    server: String,
}

/// The error of calls during an outage. Why it began is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the server is down")]
struct Down;

impl SharedStore {
    /// Connects on first use.
    pub(super) fn new(server: &RedisServer) -> Self {
        let outage = Outage { is_on: AtomicBool::new(false), server: server.to_string() };
        Self { store: server.open(), outage: Arc::new(outage) }
    }

    /// Tries the server.
    pub(super) async fn check(&self) {
        gauge!(STORE_UP).set(1.0);
        let _ = self.watch(self.store.check()).await;
    }

    /// Whether the server is down.
    pub(super) fn is_down(&self) -> bool {
        self.outage.is_on.load(Ordering::Relaxed)
    }

    /// Finds an original of any tenant. That of the given one costs the server least.
    pub(super) async fn find(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        match self.get(tenant, handle).await? {
            Some(content) => Ok(Some(content)),
            // A long search says nothing about whether the server works.
            None if self.is_down() => Err(StoreError::unavailable(Down)),
            None => self.store.find(handle).await,
        }
    }

    /// Makes a call, unless the server is down; if it fails, an outage begins.
    async fn watch<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.is_down() {
            return Err(StoreError::unavailable(Down));
        }
        let answer = call.await;
        if let Err(error) = answer.as_ref()
            && error.is_unavailable()
            && !self.outage.is_on.swap(true, Ordering::Relaxed)
        {
            gauge!(STORE_UP).set(0.0);
            tracing::warn!(
                "the store {} fails: {}; until it works again, requests are sent without eliding anything new",
                self.outage.server,
                store::reason(Some(error))
            );
            tokio::spawn(self.clone().recover());
        }
        answer
    }

    /// Tries the server until it works.
    async fn recover(self) {
        while self.store.check().await.is_err() {
            tokio::time::sleep(PROBE_PERIOD).await;
        }
        gauge!(STORE_UP).set(1.0);
        self.outage.is_on.store(false, Ordering::Relaxed);
        tracing::info!("the store {} works again", self.outage.server);
    }
}

impl fmt::Debug for SharedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedStore").field("outage", &self.outage).finish_non_exhaustive()
    }
}

#[async_trait]
impl OriginalStore for SharedStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        self.watch(self.store.put_many(tenant, originals)).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        self.watch(self.store.get(tenant, handle)).await
    }

    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        self.watch(self.store.has_many(tenant, handles)).await
    }
}

#[async_trait]
impl ExchangeStore for SharedStore {
    async fn put_record(&self, tenant: &str, keys: &[RecordKey], record: &str) -> Result<(), StoreError> {
        self.watch(self.store.put_record(tenant, keys, record)).await
    }

    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        self.watch(self.store.get_records(tenant, keys)).await
    }
}
