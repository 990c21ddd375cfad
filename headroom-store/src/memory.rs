use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use headroom_core::{Handle, Original};
use moka::{policy::EvictionPolicy, sync::Cache};

use crate::{ExchangeStore, OriginalStore, RecordKey, StoreError, key::EntryKey};

/// The size of an entry besides its content and its tenant's name.
const ENTRY_BYTES: usize = 256;
const CAPACITY: u64 = 256 << 20;
const TIME_TO_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// Stores originals in this process's memory. Cloning it is cheap and shares the content.
///
/// # Limits
///
/// | limit | default | beyond it |
/// |---|---|---|
/// | [`capacity`](MemoryStoreBuilder::capacity) | 256 MiB | the least recently used originals are dropped |
/// | [`time_to_idle`](MemoryStoreBuilder::time_to_idle) | 24 hours | an original that nobody stored again or read is dropped |
/// | [`time_to_live`](MemoryStoreBuilder::time_to_live) | none | |
///
/// Eviction is approximately by last use: under load the order is not exact. The limit on bytes comes first, so
/// requests with more originals than the capacity within minutes drop each other's originals, and a marker then does
/// not resolve until the next request of its conversation stores its original again. Size the store for everything that
/// all conversations send within minutes. Changing the system clock has no effect.
///
/// All tenants share the capacity. A request whose originals do not fit at all is refused with
/// [`StoreError::is_too_large`].
///
/// # Example
///
/// ```
/// use headroom_store::MemoryStore;
/// use std::time::Duration;
///
/// let store = MemoryStore::builder().capacity(1 << 30).time_to_idle(Duration::from_secs(3600)).build();
/// assert_eq!(store.stored_bytes(), 0);
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    cache: Cache<Key, Arc<str>>,
    capacity: u64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    tenant: Arc<str>,
    entry: EntryKey,
}

impl Key {
    fn original(tenant: &Arc<str>, handle: &Handle) -> Self {
        Self { tenant: Arc::clone(tenant), entry: EntryKey::Original(*handle) }
    }

    fn record(tenant: &Arc<str>, key: &RecordKey) -> Self {
        Self { tenant: Arc::clone(tenant), entry: EntryKey::Record(*key) }
    }
}

impl MemoryStore {
    /// Creates a store with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a configuration.
    pub fn builder() -> MemoryStoreBuilder {
        MemoryStoreBuilder::default()
    }

    /// Returns how many bytes are stored, including bookkeeping. Runs pending evictions first.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.cache.run_pending_tasks();
        self.cache.weighted_size()
    }

    /// Returns the whole original, whichever tenant stored it. Searches the whole store.
    ///
    /// For tools of the user who runs this process, never for answers to a tenant.
    #[must_use]
    pub fn find(&self, handle: &Handle) -> Option<Arc<str>> {
        self.cache
            .iter()
            .find(|(key, _)| key.entry == EntryKey::Original(*handle))
            .map(|(_, content)| content)
    }

    fn put(&self, tenant: &Arc<str>, original: &Original) -> Result<(), StoreError> {
        let key = Key::original(tenant, &original.handle());
        let content = original.content();
        let entry = self.cache.entry_by_ref(&key).or_insert_with(|| Arc::from(content));
        if !entry.is_fresh() && **entry.value() != *content {
            return Err(StoreError::collision());
        }
        Ok(())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[async_trait]
impl OriginalStore for MemoryStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        let needed = originals.iter().map(|original| weight(tenant, original.content())).sum::<u64>();
        if needed > self.capacity {
            return Err(StoreError::too_large());
        }
        let tenant = Arc::from(tenant);
        originals.iter().try_for_each(|original| self.put(&tenant, original))
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        Ok(self.cache.get(&Key::original(&Arc::from(tenant), handle)))
    }
}

#[async_trait]
impl ExchangeStore for MemoryStore {
    async fn put_record(&self, tenant: &str, keys: &[RecordKey], record: &str) -> Result<(), StoreError> {
        if !keys.is_empty() && weight(tenant, record) > self.capacity {
            return Err(StoreError::too_large());
        }
        let tenant = Arc::from(tenant);
        for key in keys {
            self.cache.entry(Key::record(&tenant, key)).or_insert_with(|| Arc::from(record));
        }
        Ok(())
    }

    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let tenant = Arc::from(tenant);
        Ok(keys.iter().map(|key| self.cache.get(&Key::record(&tenant, key))).collect())
    }
}

/// Configuration of [`MemoryStore`].
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryStoreBuilder {
    capacity: u64,
    time_to_idle: Duration,
    time_to_live: Option<Duration>,
}

impl Default for MemoryStoreBuilder {
    fn default() -> Self {
        Self { capacity: CAPACITY, time_to_idle: TIME_TO_IDLE, time_to_live: None }
    }
}

impl MemoryStoreBuilder {
    /// Keeps at most this many bytes, including a little bookkeeping per original. Default: 256 MiB.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }

    /// Drops an original this long after it was last stored or read. Default: 24 hours.
    ///
    /// Every request of a conversation stores its originals again, so this limits the pause between two requests plus
    /// the time until the model retrieves, not the length of the conversation.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.time_to_idle = time.min(Self::MAX_TIME);
        self
    }

    /// Drops an original this long after it was first stored, however often it is used. Default: never.
    pub fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time.min(Self::MAX_TIME));
        self
    }

    /// Builds the store.
    #[must_use]
    pub fn build(self) -> MemoryStore {
        // The cache's default policy rejects some new entries when it is full, but a stored original must be there.
        let mut cache = Cache::builder()
            .max_capacity(self.capacity)
            .weigher(|key: &Key, content: &Arc<str>| {
                u32::try_from(weight(&key.tenant, content)).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(self.time_to_idle);
        if let Some(time) = self.time_to_live {
            cache = cache.time_to_live(time);
        }
        MemoryStore { cache: cache.build(), capacity: self.capacity }
    }

    /// The cache panics for times beyond about 1000 years.
    const MAX_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
}

fn weight(tenant: &str, content: &str) -> u64 {
    (tenant.len() + content.len() + ENTRY_BYTES) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    fn original(content: &str) -> Original {
        Original::new(content.to_owned())
    }

    #[tokio::test]
    async fn what_was_put_is_there_and_only_for_its_tenant() {
        let store = MemoryStore::new();
        store.put_many("a", vec![original("x"), original("y")]).await.unwrap();
        assert_eq!(store.get("a", &Handle::from_content("x")).await.unwrap().as_deref(), Some("x"));
        assert_eq!(store.get("a", &Handle::from_content("y")).await.unwrap().as_deref(), Some("y"));
        assert!(store.get("b", &Handle::from_content("x")).await.unwrap().is_none());
        assert!(store.get("b", &Handle::from_content("y")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn records_are_kept_apart_under_any_key() {
        let store = MemoryStore::builder().capacity(10_000).build();
        let keys = [1, 2, 3].map(|n| RecordKey::from_hash(&[n; 32]));
        store.put_record("a", &keys[..2], "the exchange").await.unwrap();
        store.put_record("a", &keys[..1], "another").await.expect("a key may keep its record");
        let records = store.get_records("a", &keys).await.unwrap();
        let records: Vec<_> = records.iter().map(Option::as_deref).collect();
        assert_eq!(records, [Some("the exchange"), Some("the exchange"), None]);
        assert_eq!(store.get_records("b", &keys).await.unwrap(), [None, None, None]);
        let alike: Handle = keys[0].to_string().parse().unwrap();
        assert!(store.get("a", &alike).await.unwrap().is_none() && store.find(&alike).is_none());
        assert!(store.put_record("a", &keys, &"x".repeat(20_000)).await.unwrap_err().is_too_large());
    }

    #[tokio::test]
    async fn a_handle_keeps_its_first_content_and_the_second_is_reported() {
        let store = MemoryStore::new();
        let handle = Handle::from_content("first");
        store.put_many("a", vec![original("first")]).await.unwrap();
        let second = Original::with_handle(handle, "second".to_owned());
        assert!(store.put_many("a", vec![second.clone()]).await.unwrap_err().is_collision());
        assert_eq!(store.get("a", &handle).await.unwrap().as_deref(), Some("first"));
        store.put_many("b", vec![second]).await.expect("another tenant's handles are its own");
    }

    #[tokio::test]
    async fn putting_the_same_again_is_no_collision_and_takes_no_space() {
        let store = MemoryStore::new();
        store.put_many("a", vec![original("x")]).await.unwrap();
        let bytes = store.stored_bytes();
        store.put_many("a", vec![original("x"), original("x")]).await.unwrap();
        assert_eq!(store.stored_bytes(), bytes);
    }

    #[tokio::test]
    async fn a_full_store_drops_what_was_used_longest_ago_and_takes_the_new() {
        let store = MemoryStore::builder().capacity(10_000).build();
        for n in 0..100 {
            let content = format!("{n:0>1000}");
            store.put_many("a", vec![original(&content)]).await.unwrap();
            assert!(store.stored_bytes() <= 10_000);
            assert!(store.get("a", &Handle::from_content(&content)).await.unwrap().is_some(), "{n}");
        }
        assert!(store.get("a", &Handle::from_content(&format!("{:0>1000}", 0))).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn what_can_never_fit_is_refused() {
        let store = MemoryStore::builder().capacity(1000).build();
        let error = store.put_many("a", vec![original(&"x".repeat(2000))]).await.unwrap_err();
        assert!(error.is_too_large());
        let many = (0..4).map(|n| original(&n.to_string())).collect();
        assert!(store.put_many("a", many).await.unwrap_err().is_too_large(), "together they do not fit");
    }

    #[tokio::test]
    async fn seeing_an_original_again_keeps_it_and_not_seeing_it_drops_it() {
        let idle = Duration::from_millis(400);
        let store = MemoryStore::builder().time_to_idle(idle).build();
        store
            .put_many("a", vec![original("put again"), original("read"), original("left alone")])
            .await
            .unwrap();
        for _ in 0..4 {
            std::thread::sleep(idle / 2);
            store.put_many("a", vec![original("put again")]).await.unwrap();
            store.get("a", &Handle::from_content("read")).await.unwrap();
        }
        assert!(store.get("a", &Handle::from_content("put again")).await.unwrap().is_some());
        assert!(store.get("a", &Handle::from_content("read")).await.unwrap().is_some());
        assert!(store.get("a", &Handle::from_content("left alone")).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn absurd_times_do_not_panic() {
        let _ = MemoryStore::builder().time_to_idle(Duration::MAX).time_to_live(Duration::MAX).build();
    }

    #[test]
    fn the_trait_is_object_safe_and_shared_between_threads() {
        fn assert_store<T: OriginalStore + Send + Sync + Clone>() {}
        assert_store::<MemoryStore>();
        assert_store::<Arc<dyn OriginalStore>>();
        assert_store::<Arc<dyn Store>>();
        let both: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (_, _): (Arc<dyn OriginalStore>, Arc<dyn ExchangeStore>) = (both.clone(), both);
    }
}
