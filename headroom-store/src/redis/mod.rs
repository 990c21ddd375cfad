//! Originals on a server that several machines share.

mod link;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use headroom_core::{Handle, Original};
use redis::{Client, Cmd, IntoConnectionInfo, Pipeline};
use tokio::task;

use self::link::{Link, ServerError};
use crate::{
    OriginalStore, StoreError,
    entry::{self, Encoder, MAX_BYTES},
    tenant::Tenant,
};

const TIME_TO_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const TIMEOUT: Duration = Duration::from_secs(1);
const PREFIX: &str = "headroom";

/// Keeps originals on a Redis or Valkey server, for replicas behind a load balancer. Cloning the store is cheap and
/// shares the connection.
///
/// Keys hold handles and hashes of tenants, values the originals compressed. A server that evicts must evict what
/// expires first (`volatile-ttl`), since that was seen longest ago. What the server acknowledged survives its restart
/// as its persistence settings have it. Clusters are not supported.
///
/// # Limits
///
/// | limit | default | what happens beyond it |
/// |---|---|---|
/// | [`time_to_idle`](RedisStoreBuilder::time_to_idle) | 7 days | an original that nobody stored again or read is dropped |
/// | [`timeout`](RedisStoreBuilder::timeout) | 1 second | the call fails, and the request goes on as it was |
///
/// # Panics
///
/// The methods panic outside of a tokio runtime with time enabled.
///
/// # Example
///
/// ```no_run
/// use headroom_store::RedisStore;
///
/// let store = RedisStore::new("redis://127.0.0.1:6379")?;
/// # Ok::<(), headroom_store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct RedisStore {
    link: Arc<Link>,
    prefix: Arc<str>,
    milliseconds: u64,
}

/// What is to be stored under a key.
struct Item {
    key: String,
    content: String,
    hash: blake3::Hash,
}

impl RedisStore {
    /// A store on this server with the default limits. It connects when it is used.
    ///
    /// # Errors
    ///
    /// When this is no URL of a server.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Self::builder(url).build()
    }

    /// Starts a configuration.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder {
            url: url.into(),
            prefix: PREFIX.to_owned(),
            time_to_idle: TIME_TO_IDLE,
            timeout: TIMEOUT,
        }
    }

    fn key(&self, tenant: Tenant, handle: &Handle) -> String {
        format!("{}:{tenant}:{handle}", self.prefix)
    }

    fn record_key(&self, tenant: Tenant, key: &Handle) -> String {
        format!("{}:{tenant}:{key}:record", self.prefix)
    }

    /// Stores what is not there, and lets all of it live on.
    async fn put(&self, items: Vec<Item>) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let mut touch = Pipeline::with_capacity(items.len());
        for item in &items {
            touch.cmd("PEXPIRE").arg(&item.key).arg(self.milliseconds);
        }
        let there: Vec<bool> = self.link.ask(&touch).await?;
        let missing: Vec<_> =
            items.into_iter().zip(there).filter(|(_, there)| !there).map(|(item, _)| item).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let set = self.set(missing).await?;
        self.link.ask::<()>(&set).await
    }

    async fn set(&self, items: Vec<Item>) -> Result<Pipeline, StoreError> {
        let milliseconds = self.milliseconds;
        let encode = move || {
            let mut encoder = Encoder::new()?;
            let mut set = Pipeline::with_capacity(items.len());
            for item in items {
                let value = encoder.encode(&item.content, &item.hash)?;
                // What another replica stored meanwhile is the same.
                set.cmd("SET").arg(item.key).arg(value).arg("PX").arg(milliseconds).ignore();
            }
            Ok::<_, std::io::Error>(set)
        };
        // What a panic says may be anything, so it is not passed on.
        let encoded =
            task::spawn_blocking(encode).await.map_err(|_| StoreError::unavailable(ServerError::Encoding));
        encoded?.map_err(StoreError::unavailable)
    }

    /// What is stored under these keys and was not damaged. Lets it live on.
    async fn fetch(
        &self,
        keys: impl Iterator<Item = String>,
    ) -> Result<Vec<Option<(String, blake3::Hash)>>, StoreError> {
        let mut get = Pipeline::new();
        for key in keys {
            get.add_command(Cmd::new().arg("GETEX").arg(key).arg("PX").arg(self.milliseconds).to_owned());
        }
        if get.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Option<Vec<u8>>> = self.link.ask(&get).await?;
        Ok(values.into_iter().map(|value| entry::decode(&value?)).collect())
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RedisStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl OriginalStore for RedisStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        let tenant = Tenant::of(tenant);
        let item = |original: Original| {
            let Original { handle, content } = original;
            if content.len() > MAX_BYTES {
                return Err(StoreError::too_large());
            }
            let hash = blake3::hash(content.as_bytes());
            // A handle is the hash of its content, so to anyone else it belongs already.
            if !entry::names(&handle, &hash) {
                return Err(StoreError::collision());
            }
            Ok(Item { key: self.key(tenant, &handle), content, hash })
        };
        self.put(originals.into_iter().map(item).collect::<Result<_, _>>()?).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let key = self.key(Tenant::of(tenant), handle);
        let found = self.fetch(std::iter::once(key)).await?.pop().flatten();
        Ok(found.filter(|(_, hash)| entry::names(handle, hash)).map(|(content, _)| content.into()))
    }

    async fn put_record(&self, tenant: &str, keys: &[Handle], record: &str) -> Result<(), StoreError> {
        if record.len() > MAX_BYTES {
            return Err(StoreError::too_large());
        }
        let (tenant, hash) = (Tenant::of(tenant), blake3::hash(record.as_bytes()));
        let item = |key| Item { key: self.record_key(tenant, key), content: record.to_owned(), hash };
        self.put(keys.iter().map(item).collect()).await
    }

    async fn get_records(&self, tenant: &str, keys: &[Handle]) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let tenant = Tenant::of(tenant);
        let found = self.fetch(keys.iter().map(|key| self.record_key(tenant, key))).await?;
        Ok(found.into_iter().map(|found| found.map(|(content, _)| content.into())).collect())
    }
}

/// Configuration of [`RedisStore`].
#[derive(Clone)]
#[must_use]
pub struct RedisStoreBuilder {
    url: String,
    prefix: String,
    time_to_idle: Duration,
    timeout: Duration,
}

impl RedisStoreBuilder {
    /// Puts this before every key. Default: `headroom`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Drops an original this long after it was last stored or read. Default: 7 days.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.time_to_idle = time;
        self
    }

    /// Fails a call that takes longer, connecting and a second attempt included. Default: 1 second.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// Builds the store. It connects when it is used.
    ///
    /// # Errors
    ///
    /// When the URL is none of a server.
    pub fn build(self) -> Result<RedisStore, StoreError> {
        let address = self.url.as_str().into_connection_info().and_then(Client::open);
        let client = address.map_err(|_| StoreError::unavailable(ServerError::Url))?;
        // The server refuses what reaches beyond its calendar.
        let milliseconds = self.time_to_idle.min(MAX_TIME).as_millis().max(1);
        Ok(RedisStore {
            link: Arc::new(Link::new(client, self.timeout)),
            prefix: self.prefix.into(),
            milliseconds: u64::try_from(milliseconds).unwrap_or(u64::MAX),
        })
    }
}

const MAX_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("time_to_idle", &self.time_to_idle)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
