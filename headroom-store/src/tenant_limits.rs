//! A store in which each tenant may keep only so much.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use headroom_core::{Handle, Original};

use crate::{ExchangeStore, OriginalStore, RecordKey, StoreError};

/// The default of `window`: a week.
const WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Refuses to store more than so much for one tenant, so that one cannot displace what others stored.
///
/// What is over a limit is refused with [`StoreError::is_tenant_limit`], and then not elided: the request is sent with it in
/// full. What the tenant stored before stays, and so does what is sent for it. A limit is counted over a
/// [window](Self::window), because stores forget what is not used; with a window as long as the store keeps things, a tenant
/// has at most twice the limit in it. Records of hidden exchanges are small and not counted.
///
/// The counts are those of this process. They take some 50 bytes for each original that a tenant stored in the window.
///
/// # Example
///
/// ```
/// use headroom_core::Original;
/// use headroom_store::{MemoryStore, OriginalStore, TenantLimits};
///
/// # async fn example() -> Result<(), headroom_store::StoreError> {
/// let store = TenantLimits::new(MemoryStore::new()).bytes(12);
/// let original = |text: &str| vec![Original::new(text)];
///
/// store.put_many("team-a", original("ten bytes.")).await?;
/// store.put_many("team-a", original("ten bytes.")).await?; // the same takes nothing more
/// assert!(store.put_many("team-a", original("ten others")).await.unwrap_err().is_tenant_limit());
/// store.put_many("team-b", original("ten others")).await?;
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
pub struct TenantLimits<S> {
    inner: S,
    bytes: u64,
    originals: usize,
    window: Duration,
    tallies: Mutex<HashMap<Arc<str>, Tally>>,
}

/// What a tenant stored since the window began.
struct Tally {
    since: Instant,
    handles: HashSet<Handle>,
    bytes: u64,
}

impl<S> TenantLimits<S> {
    /// Wraps a store, without limits.
    pub fn new(inner: S) -> Self {
        Self { inner, bytes: u64::MAX, originals: usize::MAX, window: WINDOW, tallies: Mutex::default() }
    }

    /// Limits the bytes of content that a tenant may store in a window. Default: none.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Limits the originals that a tenant may store in a window. Default: none.
    #[must_use]
    pub fn originals(mut self, originals: usize) -> Self {
        self.originals = originals;
        self
    }

    /// Sets after how long a count begins anew. Default: a week.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Returns the wrapped store.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Counts originals, and returns those that are within the limits.
    fn admit(&self, tenant: &str, originals: Vec<Original>, now: Instant) -> Admitted {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        if !tallies.contains_key(tenant) {
            // Also the place where tenants that are gone are forgotten.
            tallies.retain(|_, tally| now.saturating_duration_since(tally.since) < self.window);
            tallies.insert(Arc::from(tenant), Tally::new(now));
        }
        let mut new = Vec::new();
        let Some(tally) = tallies.get_mut(tenant) else {
            return Admitted { within: originals, new, is_all: true };
        };
        if now.saturating_duration_since(tally.since) >= self.window {
            *tally = Tally::new(now);
        }
        let before = originals.len();
        let within: Vec<_> = originals
            .into_iter()
            .filter(|original| {
                let known = tally.handles.len();
                let is_within = tally.admit(original, self.bytes, self.originals);
                if tally.handles.len() > known {
                    new.push((original.handle(), original.content().len() as u64));
                }
                is_within
            })
            .collect();
        let is_all = within.len() == before;
        Admitted { within, new, is_all }
    }

    /// Takes back what was counted and not stored.
    fn give_back(&self, tenant: &str, new: &[(Handle, u64)]) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tally) = tallies.get_mut(tenant) else { return };
        for (handle, bytes) in new {
            if tally.handles.remove(handle) {
                tally.bytes = tally.bytes.saturating_sub(*bytes);
            }
        }
    }
}

/// What a tenant may store of some originals.
struct Admitted {
    within: Vec<Original>,
    /// Those that were not counted before, and their bytes.
    new: Vec<(Handle, u64)>,
    /// Whether all are within the limits.
    is_all: bool,
}

impl Tally {
    fn new(since: Instant) -> Self {
        Self { since, handles: HashSet::new(), bytes: 0 }
    }

    fn admit(&mut self, original: &Original, most_bytes: u64, most: usize) -> bool {
        if self.handles.contains(&original.handle()) {
            return true;
        }
        let bytes = self.bytes.saturating_add(original.content().len() as u64);
        if bytes > most_bytes || self.handles.len() >= most {
            return false;
        }
        self.bytes = bytes;
        self.handles.insert(original.handle())
    }
}

#[async_trait]
impl<S: OriginalStore> OriginalStore for TenantLimits<S> {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        let Admitted { within, new, is_all } = self.admit(tenant, originals, Instant::now());
        // The others are stored, so that they stay as they were sent.
        if let Err(error) = self.inner.put_many(tenant, within).await {
            // A store that is down takes nothing of what a tenant may store.
            self.give_back(tenant, &new);
            return Err(error);
        }
        if is_all { Ok(()) } else { Err(StoreError::tenant_limit()) }
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        self.inner.get(tenant, handle).await
    }

    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        self.inner.has_many(tenant, handles).await
    }
}

#[async_trait]
impl<S: ExchangeStore> ExchangeStore for TenantLimits<S> {
    async fn put_record(&self, tenant: &str, keys: &[RecordKey], record: &str) -> Result<(), StoreError> {
        self.inner.put_record(tenant, keys, record).await
    }

    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        self.inner.get_records(tenant, keys).await
    }
}

impl<S: fmt::Debug> fmt::Debug for TenantLimits<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantLimits")
            .field("inner", &self.inner)
            .field("bytes", &self.bytes)
            .field("originals", &self.originals)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "memory"))]
mod tests {
    use super::*;
    use crate::MemoryStore;

    fn original(text: &str) -> Original {
        Original::new(text)
    }

    fn admitted(store: &TenantLimits<MemoryStore>, tenant: &str, texts: &[&str], at: Instant) -> Vec<String> {
        let originals = texts.iter().map(|text| original(text)).collect();
        store
            .admit(tenant, originals, at)
            .within
            .into_iter()
            .map(|original| original.into_content())
            .collect()
    }

    #[test]
    fn each_tenant_has_its_own_limits_which_begin_anew() {
        let store = TenantLimits::new(MemoryStore::new()).originals(2).window(Duration::from_secs(60));
        let start = Instant::now();
        assert_eq!(admitted(&store, "a", &["1", "2", "3"], start), ["1", "2"]);
        assert_eq!(admitted(&store, "a", &["3", "2"], start), ["2"], "what it has stays");
        assert_eq!(admitted(&store, "b", &["3"], start), ["3"]);
        assert_eq!(admitted(&store, "a", &["3"], start + Duration::from_secs(60)), ["3"]);
        // Tenants that are gone take no memory.
        admitted(&store, "c", &["1"], start + Duration::from_secs(600));
        assert_eq!(store.tallies.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_a_store_that_is_down_does_not_take_counts_for_nobody() {
        struct Down(MemoryStore, std::sync::atomic::AtomicBool);

        #[async_trait]
        impl OriginalStore for Down {
            async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
                if self.1.load(std::sync::atomic::Ordering::Relaxed) {
                    return Err(StoreError::unavailable("down"));
                }
                self.0.put_many(tenant, originals).await
            }

            async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
                self.0.get(tenant, handle).await
            }
        }

        let store = TenantLimits::new(Down(MemoryStore::new(), true.into())).bytes(10);
        for text in ["12345", "67890", "abcde"] {
            assert!(store.put_many("a", vec![original(text)]).await.unwrap_err().is_unavailable());
        }
        store.get_ref().1.store(false, std::sync::atomic::Ordering::Relaxed);
        store.put_many("a", vec![original("12345"), original("67890")]).await.unwrap();
        assert!(store.put_many("a", vec![original("abcde")]).await.unwrap_err().is_tenant_limit());
    }

    #[tokio::test]
    async fn what_is_over_a_limit_is_refused_and_the_rest_is_stored() {
        let store = TenantLimits::new(MemoryStore::new()).bytes(10);
        let error = store.put_many("a", vec![original("12345"), original("1234567")]).await.unwrap_err();
        assert!(error.is_tenant_limit() && error.as_str() == "tenant_limit");
        let handles = ["12345", "1234567"].map(Handle::from_content);
        assert_eq!(store.has_many("a", &handles).await.unwrap(), [true, false]);
        assert_eq!(store.get("a", &handles[0]).await.unwrap().as_deref(), Some("12345"));
        store.put_many("a", vec![original("67890")]).await.unwrap();
    }
}
