//! Stores of originals.

use std::{
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use headroom_core::{Handle, Original};
use headroom_store::{
    self as store, DiskStore, ExchangeStore, OriginalStore, RecordKey, Store as AnyStore, StoreError,
};
use pyo3::prelude::*;
use tokio::runtime::Runtime;

use super::errors;

/// A store, opened again in a process that was forked from the one that opened it: threads and connections do not survive
/// a fork.
pub(super) struct Opened<T> {
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

type Shared = Arc<dyn AnyStore>;

/// A store of originals. Cheap to share between engines and threads.
#[pyclass(subclass, frozen, module = "headroom")]
pub(super) struct Store {
    opened: Arc<Opened<Shared>>,
    /// Whether a call returns without waiting for a disk or a network.
    is_quick: bool,
}

/// Holds a store on a thread that is detached from Python.
#[derive(Clone)]
pub(super) struct StoreHandle(Arc<Opened<Shared>>);

impl StoreHandle {
    pub(super) fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        let store = self.0.get();
        wait(async move { store.put_many(tenant, originals).await })
    }

    pub(super) fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let store = self.0.get();
        wait(async move { store.has_many(tenant, handles).await })
    }

    pub(super) fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let store = self.0.get();
        wait(async move { store.get(tenant, handle).await })
    }

    pub(super) fn put_record(
        &self,
        tenant: &str,
        keys: &[RecordKey],
        record: &str,
    ) -> Result<(), StoreError> {
        let store = self.0.get();
        wait(async move { store.put_record(tenant, keys, record).await })
    }

    pub(super) fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let store = self.0.get();
        wait(async move { store.get_records(tenant, keys).await })
    }
}

impl Store {
    fn new(is_quick: bool, open: impl Fn() -> Shared + Send + Sync + 'static) -> Self {
        Self { opened: Arc::new(Opened::new(open)), is_quick }
    }

    pub(super) fn handle(&self) -> StoreHandle {
        StoreHandle(Arc::clone(&self.opened))
    }
}

#[pymethods]
impl Store {
    /// Whether a call returns without waiting for a disk or a network.
    #[getter]
    pub(super) fn is_quick(&self) -> bool {
        self.is_quick
    }

    /// Stores a text and returns its handle.
    #[pyo3(signature = (text, *, tenant = "local"))]
    fn put(&self, py: Python<'_>, text: String, tenant: &str) -> PyResult<String> {
        let (handle, store) = (Handle::from_content(&text), self.handle());
        let originals = vec![Original { handle, content: text }];
        py.detach(|| store.put_many(tenant, originals)).map_err(|error| errors::store(py, &error))?;
        Ok(handle.to_string())
    }

    /// Returns the whole original, or `None` if this tenant has none with that handle.
    #[pyo3(signature = (handle, *, tenant = "local"))]
    fn get(&self, py: Python<'_>, handle: &str, tenant: &str) -> PyResult<Option<String>> {
        let Ok(handle) = handle.parse::<Handle>() else { return Ok(None) };
        let store = self.handle();
        let found = py.detach(|| store.get(tenant, &handle));
        let found = found.map_err(|error| errors::store(py, &error))?;
        Ok(found.map(|content| content.to_string()))
    }

    /// Answers a call of `headroom_retrieve`, given its arguments as a JSON object.
    fn answer(&self, py: Python<'_>, arguments: &str, tenant: &str) -> PyResult<String> {
        let store = self.handle();
        let answer = py.detach(|| {
            let opened = store.0.get();
            wait(async move { store::retrieve(&*opened, tenant, arguments).await })
        });
        answer.map_err(|error| errors::store(py, &error))
    }
}

/// Stores originals in this process's memory.
#[pyclass(extends = Store, frozen, module = "headroom")]
pub(super) struct MemoryStore;

#[pymethods]
impl MemoryStore {
    /// Creates a store for so many bytes, which drops an original that was unused for so many seconds.
    #[new]
    #[pyo3(signature = (*, capacity = 268435456, time_to_idle = 86400.0))]
    fn new(py: Python<'_>, capacity: u64, time_to_idle: f64) -> PyResult<PyClassInitializer<Self>> {
        let time_to_idle = seconds(py, time_to_idle)?;
        let store = store::MemoryStore::builder().capacity(capacity).time_to_idle(time_to_idle).build();
        let store: Shared = Arc::new(store);
        Ok(PyClassInitializer::from(Store::new(true, move || Arc::clone(&store))).add_subclass(Self))
    }
}

/// Stores originals in a folder that all Headroom programs of a user share.
#[pyclass(extends = Store, frozen, module = "headroom")]
pub(super) struct FolderStore {
    path: PathBuf,
    disk: Arc<Opened<DiskStore>>,
}

#[pymethods]
impl FolderStore {
    /// Creates a store in this folder; by default the one of the `headroom` program.
    #[new]
    #[pyo3(signature = (path = None, *, capacity = 2147483648, time_to_idle = 2592000.0))]
    fn new(
        py: Python<'_>,
        path: Option<PathBuf>,
        capacity: u64,
        time_to_idle: f64,
    ) -> PyResult<PyClassInitializer<Self>> {
        let path = match path {
            Some(path) => path,
            None => own_folder(py)?,
        };
        let time_to_idle = seconds(py, time_to_idle)?;
        let builder = DiskStore::builder(&path).capacity(capacity).time_to_idle(time_to_idle);
        let disk = Arc::new(Opened::new(move || builder.clone().build()));
        let opened = Arc::clone(&disk);
        let store = Store::new(false, move || Arc::new(opened.get()));
        Ok(PyClassInitializer::from(store).add_subclass(Self { path, disk }))
    }

    /// The folder.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Returns the whole original, whichever tenant stored it: also what the proxy elided.
    fn find(&self, py: Python<'_>, handle: &str) -> PyResult<Option<String>> {
        let Ok(handle) = handle.parse::<Handle>() else { return Ok(None) };
        let disk = Arc::clone(&self.disk);
        let found = py.detach(|| {
            let disk = disk.get();
            wait(async move { disk.find(&handle).await })
        });
        let found = found.map_err(|error| errors::store(py, &error))?;
        Ok(found.map(|content| content.to_string()))
    }

    fn __repr__(&self) -> String {
        format!("FolderStore({:?})", self.path)
    }
}

/// Stores originals on a Redis or Valkey server.
#[pyclass(extends = Store, frozen, module = "headroom")]
pub(super) struct RedisStore;

#[pymethods]
impl RedisStore {
    /// Creates a store on this server. It connects on first use.
    #[new]
    #[pyo3(signature = (url, *, prefix = "headroom", time_to_idle = 604800.0, timeout = 1.0))]
    fn new(
        py: Python<'_>,
        url: &str,
        prefix: &str,
        time_to_idle: f64,
        timeout: f64,
    ) -> PyResult<PyClassInitializer<Self>> {
        let builder = store::RedisStore::builder(url)
            .prefix(prefix)
            .time_to_idle(seconds(py, time_to_idle)?)
            .timeout(seconds(py, timeout)?);
        let first = builder
            .clone()
            .build()
            .map_err(|_| errors::configuration(py, "not the URL of a server; expected redis://HOST:PORT"))?;
        let store =
            Store::new(false, move || Arc::new(builder.clone().build().unwrap_or_else(|_| first.clone())));
        Ok(PyClassInitializer::from(store).add_subclass(Self))
    }
}

/// Runs the work of a store to its end.
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

/// Returns the folder that the `headroom` program uses: `HEADROOM_HOME`, else its folder by the XDG specification, else
/// `~/.headroom`.
fn own_folder(py: Python<'_>) -> PyResult<PathBuf> {
    let given = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let absolute = |name| given(name).filter(|path| path.is_absolute());
    given("HEADROOM_HOME")
        .or_else(|| Some(absolute("XDG_DATA_HOME")?.join("headroom")))
        .or_else(|| Some(absolute("HOME")?.join(".headroom")))
        .ok_or_else(|| errors::configuration(py, "there is no HOME; give FolderStore a path"))
}

fn seconds(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| errors::configuration(py, "expected a number of seconds"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
