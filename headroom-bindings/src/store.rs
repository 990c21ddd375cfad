//! Stores whose calls return when the store has answered.

use std::{
    error::Error,
    fmt,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use headroom_core::{Handle, Original};
use headroom_store::{
    self as store, DiskStore, ExchangeStore, MemoryStore, OriginalStore, RecordKey, RedisStore, Store,
    StoreError,
};
use tokio::runtime::Runtime;

/// A store, opened again in a process that was forked from the one that opened it: threads and connections do not survive
/// a fork.
struct Opened<T> {
    open: Box<dyn Fn() -> T + Send + Sync>,
    current: Mutex<Option<(u32, T)>>,
}

impl<T: Clone> Opened<T> {
    fn new(open: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { open: Box::new(open), current: Mutex::default() }
    }

    fn get(&self) -> T {
        let process = std::process::id();
        let mut current = lock(&self.current);
        if let Some((opener, opened)) = &*current
            && *opener == process
        {
            return opened.clone();
        }
        let opened = (self.open)();
        // Closing what belongs to the parent would wait for threads that are not here.
        std::mem::forget(current.replace((process, opened.clone())));
        opened
    }
}

/// A store of originals and exchanges. Clones share it, and so may threads.
#[derive(Clone)]
pub struct BlockingStore {
    opened: Arc<Opened<Arc<dyn Store>>>,
    disk: Option<Arc<Opened<DiskStore>>>,
    is_quick: bool,
}

impl fmt::Debug for BlockingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingStore").field("is_quick", &self.is_quick).finish_non_exhaustive()
    }
}

impl BlockingStore {
    /// Opens a store in this process's memory, of this capacity in bytes. An original that was unused for `time_to_idle` is
    /// dropped.
    #[must_use]
    pub fn memory(capacity: u64, time_to_idle: Duration) -> Self {
        let store: Arc<dyn Store> =
            Arc::new(MemoryStore::builder().capacity(capacity).time_to_idle(time_to_idle).build());
        Self { opened: Arc::new(Opened::new(move || Arc::clone(&store))), disk: None, is_quick: true }
    }

    /// Opens a store in a folder, which all Headroom programs of a user may share.
    #[must_use]
    pub fn folder(path: PathBuf, capacity: u64, time_to_idle: Duration) -> Self {
        let builder = DiskStore::builder(path).capacity(capacity).time_to_idle(time_to_idle);
        let disk = Arc::new(Opened::new(move || builder.clone().build()));
        let opened = Arc::clone(&disk);
        let opened = Opened::new(move || Arc::new(opened.get()) as Arc<dyn Store>);
        Self { opened: Arc::new(opened), disk: Some(disk), is_quick: false }
    }

    /// Opens a store on a Redis or Valkey server. It connects on first use.
    ///
    /// # Errors
    ///
    /// If that is not the URL of a server.
    pub fn redis(
        url: &str,
        prefix: &str,
        time_to_idle: Duration,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        let builder = RedisStore::builder(url).prefix(prefix).time_to_idle(time_to_idle).timeout(timeout);
        let first = builder.clone().build()?;
        let opened =
            Opened::new(move || Arc::new(builder.clone().build().unwrap_or_else(|_| first.clone())) as _);
        Ok(Self { opened: Arc::new(opened), disk: None, is_quick: false })
    }

    /// Returns the folder that the `headroom` program uses: `HEADROOM_HOME`, else its folder by the XDG specification, else
    /// `~/.headroom`; `None` if there is no home.
    #[must_use]
    pub fn default_folder() -> Option<PathBuf> {
        let given = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let absolute = |name| given(name).filter(|path| path.is_absolute());
        given("HEADROOM_HOME")
            .or_else(|| Some(absolute("XDG_DATA_HOME")?.join("headroom")))
            .or_else(|| Some(absolute("HOME").or_else(|| absolute("USERPROFILE"))?.join(".headroom")))
    }

    /// Whether a call returns without waiting for a disk or a network.
    #[must_use]
    pub const fn is_quick(&self) -> bool {
        self.is_quick
    }

    /// Stores a text, and returns its handle.
    ///
    /// # Errors
    ///
    /// If it may not resolve afterwards.
    pub fn put(&self, tenant: &str, text: String) -> Result<Handle, StoreError> {
        let original = Original::new(text);
        let handle = original.handle();
        self.put_many(tenant, vec![original])?;
        Ok(handle)
    }

    /// Returns the whole original, or `None` if this tenant has none with that handle.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
    pub fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let store = self.opened.get();
        wait(async move { store.get(tenant, handle).await })
    }

    /// Returns the whole original, whichever tenant stored it; `None` also where this is no folder.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
    pub fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let Some(disk) = self.disk.as_ref().map(|disk| disk.get()) else { return Ok(None) };
        wait(async move { disk.find(handle).await })
    }

    /// Answers a call of `headroom_retrieve`, given its arguments as a JSON object.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
    pub fn answer(&self, tenant: &str, arguments: &str) -> Result<String, StoreError> {
        let store = self.opened.get();
        wait(async move { store::retrieve(&*store, tenant, arguments).await })
    }

    pub(crate) fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        let store = self.opened.get();
        wait(async move { store.put_many(tenant, originals).await })
    }

    pub(crate) fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let store = self.opened.get();
        wait(async move { store.has_many(tenant, handles).await })
    }

    pub(crate) fn put_record(
        &self,
        tenant: &str,
        keys: &[RecordKey],
        record: &str,
    ) -> Result<(), StoreError> {
        let store = self.opened.get();
        wait(async move { store.put_record(tenant, keys, record).await })
    }

    pub(crate) fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let store = self.opened.get();
        wait(async move { store.get_records(tenant, keys).await })
    }
}

/// Returns an error of a store with its causes, as one line. It holds no content.
///
/// ```
/// use headroom_store::StoreError;
///
/// let error = StoreError::unavailable(std::io::Error::other("disk full"));
/// assert!(headroom_bindings::message_of(&error).ends_with(": disk full"));
/// ```
#[must_use]
pub fn message_of(error: &StoreError) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}

/// Runs the work of a store to its end, on a runtime that this thread drives.
fn wait<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    static RUNTIME: Mutex<Option<(u32, Arc<Runtime>)>> = Mutex::new(None);
    let process = std::process::id();
    let mut current = lock(&RUNTIME);
    let runtime = match &*current {
        Some((opener, runtime)) if *opener == process => Arc::clone(runtime),
        _ => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = Arc::new(runtime.map_err(StoreError::unavailable)?);
            std::mem::forget(current.replace((process, Arc::clone(&runtime))));
            runtime
        }
    };
    drop(current);
    runtime.block_on(work)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
