//! Stores originals on a server that several machines share.

mod connection;
mod find;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use blake3::Hash;
use headroom_core::{Handle, Original};
use moka::{policy::EvictionPolicy, sync::Cache};
use redis::{Client, Cmd, IntoConnectionInfo, Pipeline};
use tokio::task;

use self::connection::{Connection, ServerError};
use crate::{
    ExchangeStore, OriginalStore, RecordKey, StoreError,
    entry::{self, Encoder, MAX_BYTES},
    tenant::Tenant,
};

const TIME_TO_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const TIMEOUT: Duration = Duration::from_secs(1);
const PREFIX: &str = "headroom";
/// How long the value of a check stays.
const CHECK_MILLISECONDS: u64 = 10_000;
/// Values that this process has verified and need not read again; about 4 MB.
const MAX_VERIFIED: u64 = 16 << 10;

/// Stores originals on a Redis or Valkey server, for replicas behind a load balancer. Cloning the store is cheap and
/// shares the connection.
///
/// Keys hold handles and hashes of tenants; values hold the originals, compressed. A server that evicts must evict the
/// value that expires first (`volatile-ttl`), since it is the least recently used. The server's persistence settings
/// decide whether acknowledged originals survive its restart. Clusters and sentinels are not supported.
///
/// The URL is `redis://USER:PASSWORD@HOST:PORT/DATABASE`, all but the host optional; `valkey://` is the same, and
/// `rediss://` and `valkeys://` are TLS, with the feature `redis-tls`.
///
/// # Damage
///
/// A damaged value reads as missing. The next put of its original writes it again once a read has found the damage: a
/// process reads a value before it relies on it for the first time, and from then on compares its length.
///
/// # Limits
///
/// | limit | default | beyond it |
/// |---|---|---|
/// | [`time_to_idle`](RedisStoreBuilder::time_to_idle) | 7 days | an original that was neither stored again nor read is dropped |
/// | [`timeout`](RedisStoreBuilder::timeout) | 1 second | the call fails, and the request is sent unchanged |
///
/// # Panics
///
/// The methods panic outside a tokio runtime with time enabled.
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
    connection: Arc<Connection>,
    prefix: Arc<str>,
    milliseconds: u64,
    verified: Cache<String, VerifiedValue>,
}

/// A value that was verified or stored.
#[derive(Clone, Copy)]
struct VerifiedValue {
    hash: Hash,
    len: usize,
}

/// A value to be stored under a key.
struct RedisItem {
    key: String,
    content: String,
    hash: Hash,
    /// The handle that the hash must match; records have none.
    handle: Option<Handle>,
}

impl RedisItem {
    /// Whether a value with this hash may stay under the key. A value that does not match its handle is damaged.
    fn accepts(&self, found: Option<&Hash>) -> Result<bool, StoreError> {
        match (found, &self.handle) {
            (None, _) => Ok(false),
            (Some(_), None) => Ok(true),
            (Some(hash), Some(_)) if *hash == self.hash => Ok(true),
            (Some(hash), Some(handle)) if entry::names(handle, hash) => Err(StoreError::collision()),
            _ => Ok(false),
        }
    }
}

/// A value with its hash, and the length of what is stored.
type Decoded = ((String, Hash), usize);

impl RedisStore {
    /// Creates a store on this server with the default limits. It connects on first use.
    ///
    /// # Errors
    ///
    /// If this is not the URL of a server.
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

    /// Checks that the server can be reached, knows this client and takes values.
    ///
    /// # Errors
    ///
    /// If it cannot be reached, or refuses, as a full or read-only one does.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut set = Pipeline::with_capacity(1);
        set.cmd("SET")
            .arg(format!("{}:check", self.prefix))
            .arg("")
            .arg("PX")
            .arg(CHECK_MILLISECONDS)
            .ignore();
        self.connection.ask::<()>(&set).await
    }

    fn key(&self, tenant: Tenant, handle: &Handle) -> String {
        format!("{}:{tenant}:{handle}", self.prefix)
    }

    fn record_key(&self, tenant: Tenant, key: &RecordKey) -> String {
        format!("{}:{tenant}:{key}:record", self.prefix)
    }

    /// Stores missing and damaged values, and refreshes the expiry of all.
    async fn put(&self, items: Vec<RedisItem>) -> Result<(), StoreError> {
        let keys: Vec<_> = items.iter().map(|item| item.key.clone()).collect();
        let mut missing = Vec::new();
        for (item, found) in items.into_iter().zip(self.verify(keys).await?) {
            if !item.accepts(found.as_ref())? {
                missing.push(item);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let (set, stored) = self.set(missing).await?;
        self.connection.ask::<()>(&set).await?;
        for (key, value) in stored {
            self.verified.insert(key, value);
        }
        Ok(())
    }

    /// Returns the hashes of the undamaged values and refreshes their expiry. Reads those unknown to this process.
    async fn verify(&self, keys: Vec<String>) -> Result<Vec<Option<Hash>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut touch = Pipeline::with_capacity(2 * keys.len());
        for key in &keys {
            touch.cmd("PEXPIRE").arg(key).arg(self.milliseconds).ignore();
            touch.cmd("STRLEN").arg(key);
        }
        let lens: Vec<usize> = self.connection.ask(&touch).await?;
        let known = |(key, len): (&String, &usize)| {
            self.verified.get(key).filter(|known| known.len == *len).map(|known| known.hash)
        };
        let mut found: Vec<_> = keys.iter().zip(&lens).map(known).collect();
        let is_unknown =
            |at: &usize| found.get(*at) == Some(&None) && lens.get(*at).is_some_and(|len| *len > 0);
        let unknown: Vec<_> = (0..keys.len()).filter(is_unknown).collect();
        let read = self.fetch(unknown.iter().filter_map(|at| keys.get(*at).cloned()).collect()).await?;
        for (at, value) in unknown.into_iter().zip(read) {
            if let (Some(slot), Some((_, hash))) = (found.get_mut(at), value) {
                *slot = Some(hash);
            }
        }
        Ok(found)
    }

    /// Returns the commands that store these values, and the entries to remember once they are sent.
    async fn set(
        &self,
        items: Vec<RedisItem>,
    ) -> Result<(Pipeline, Vec<(String, VerifiedValue)>), StoreError> {
        let milliseconds = self.milliseconds;
        let encode = move || {
            let mut encoder = Encoder::new()?;
            let (mut set, mut stored) = (Pipeline::with_capacity(items.len()), Vec::new());
            for item in items {
                let value = encoder.encode(&item.content, &item.hash)?;
                let len = value.len();
                // If another replica stored the value meanwhile, it is the same.
                set.cmd("SET").arg(&item.key).arg(value).arg("PX").arg(milliseconds).ignore();
                stored.push((item.key, VerifiedValue { hash: item.hash, len }));
            }
            Ok::<_, std::io::Error>((set, stored))
        };
        beside(encode).await?.map_err(StoreError::unavailable)
    }

    /// Returns the undamaged values under these keys, and refreshes their expiry.
    async fn fetch(&self, keys: Vec<String>) -> Result<Vec<Option<(String, Hash)>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = Pipeline::with_capacity(keys.len());
        for key in &keys {
            get.add_command(Cmd::new().arg("GETEX").arg(key).arg("PX").arg(self.milliseconds).to_owned());
        }
        let values: Vec<Option<Vec<u8>>> = self.connection.ask(&get).await?;
        let decode = |value: Option<Vec<u8>>| {
            let value = value?;
            Some((entry::decode(&value)?, value.len()))
        };
        let decoded = beside(move || values.into_iter().map(decode).collect::<Vec<_>>()).await?;
        let learn = |(key, found): (String, Option<Decoded>)| {
            let Some(((content, hash), len)) = found else {
                // Forget the value, so that the next put writes it again.
                self.verified.invalidate(&key);
                return None;
            };
            self.verified.insert(key, VerifiedValue { hash, len });
            Some((content, hash))
        };
        Ok(keys.into_iter().zip(decoded).map(learn).collect())
    }
}

/// Does slow work on a thread that may block.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    // A panic message may contain anything, so it is not passed on.
    task::spawn_blocking(work).await.map_err(|_| StoreError::unavailable(ServerError::Encoding))
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
        let tenant = Tenant::from_name(tenant);
        let item = |original: Original| {
            let handle = original.handle();
            let content = original.into_content();
            if content.len() > MAX_BYTES {
                return Err(StoreError::too_large());
            }
            let hash = blake3::hash(content.as_bytes());
            // A handle that is not its content's hash already belongs to other content.
            if !entry::names(&handle, &hash) {
                return Err(StoreError::collision());
            }
            Ok(RedisItem { key: self.key(tenant, &handle), content, hash, handle: Some(handle) })
        };
        self.put(originals.into_iter().map(item).collect::<Result<_, _>>()?).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let key = self.key(Tenant::from_name(tenant), handle);
        let found = self.fetch(vec![key]).await?.pop().flatten();
        Ok(found.filter(|(_, hash)| entry::names(handle, hash)).map(|(content, _)| content.into()))
    }

    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let tenant = Tenant::from_name(tenant);
        let found = self.verify(handles.iter().map(|handle| self.key(tenant, handle)).collect()).await?;
        let has =
            |(handle, hash): (&Handle, Option<Hash>)| hash.is_some_and(|hash| entry::names(handle, &hash));
        Ok(handles.iter().zip(found).map(has).collect())
    }
}

#[async_trait]
impl ExchangeStore for RedisStore {
    async fn put_record(&self, tenant: &str, keys: &[RecordKey], record: &str) -> Result<(), StoreError> {
        if record.len() > MAX_BYTES {
            return Err(StoreError::too_large());
        }
        let (tenant, hash) = (Tenant::from_name(tenant), blake3::hash(record.as_bytes()));
        let item = |key| {
            let (key, content) = (self.record_key(tenant, key), record.to_owned());
            RedisItem { key, content, hash, handle: None }
        };
        self.put(keys.iter().map(item).collect()).await
    }

    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let tenant = Tenant::from_name(tenant);
        let found = self.fetch(keys.iter().map(|key| self.record_key(tenant, key)).collect()).await?;
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

    /// Fails a call that takes longer, including connecting and a second attempt. Default: 1 second.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// Builds the store. It connects on first use.
    ///
    /// # Errors
    ///
    /// If the URL is not that of a server.
    pub fn build(self) -> Result<RedisStore, StoreError> {
        let address = self.url.as_str().into_connection_info().and_then(Client::open);
        let client = address.map_err(|_| StoreError::unavailable(ServerError::Url))?;
        // The server rejects expiries beyond its calendar.
        let milliseconds = self.time_to_idle.min(MAX_TIME).as_millis().max(1);
        Ok(RedisStore {
            connection: Arc::new(Connection::new(client, self.timeout)),
            prefix: self.prefix.into(),
            milliseconds: u64::try_from(milliseconds).unwrap_or(u64::MAX),
            verified: Cache::builder()
                .max_capacity(MAX_VERIFIED)
                // The cache's default policy rejects some new entries when it is full.
                .eviction_policy(EvictionPolicy::lru())
                .build(),
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
