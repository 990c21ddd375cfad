//! Stores of originals.

use std::{path::PathBuf, time::Duration};

use headroom_bindings::BlockingStore;
use headroom_core::Handle;
use pyo3::prelude::*;

use super::errors;

/// A store of originals. Cheap to share between engines and threads.
#[pyclass(subclass, frozen, module = "headroom")]
pub(super) struct Store {
    pub(super) inner: BlockingStore,
}

#[pymethods]
impl Store {
    /// Whether a call returns without waiting for a disk or a network.
    #[getter]
    pub(super) const fn is_quick(&self) -> bool {
        self.inner.is_quick()
    }

    /// Stores a text and returns its handle.
    #[pyo3(signature = (text, *, tenant = "local"))]
    fn put(&self, py: Python<'_>, text: String, tenant: &str) -> PyResult<String> {
        let put = py.detach(|| self.inner.put(tenant, text));
        put.map(|handle| handle.to_string()).map_err(|error| errors::store(py, &error))
    }

    /// Returns the whole original, or `None` if this tenant has none with that handle.
    #[pyo3(signature = (handle, *, tenant = "local"))]
    fn get(&self, py: Python<'_>, handle: &str, tenant: &str) -> PyResult<Option<String>> {
        let Ok(handle) = handle.parse::<Handle>() else { return Ok(None) };
        let found = py.detach(|| self.inner.get(tenant, &handle));
        let found = found.map_err(|error| errors::store(py, &error))?;
        Ok(found.map(|content| content.to_string()))
    }

    /// Answers a call of `headroom_retrieve`, given its arguments as a JSON object.
    fn answer(&self, py: Python<'_>, arguments: &str, tenant: &str) -> PyResult<String> {
        let answer = py.detach(|| self.inner.answer(tenant, arguments));
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
        let inner = BlockingStore::memory(capacity, seconds(py, time_to_idle)?);
        Ok(PyClassInitializer::from(Store { inner }).add_subclass(Self))
    }
}

/// Stores originals in a folder that all Headroom programs of a user share.
#[pyclass(extends = Store, frozen, module = "headroom")]
pub(super) struct FolderStore {
    path: PathBuf,
    inner: BlockingStore,
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
        let missing = || errors::configuration(py, "there is no HOME; give FolderStore a path");
        let path = path.or_else(BlockingStore::default_folder).ok_or_else(missing)?;
        let inner = BlockingStore::folder(path.clone(), capacity, seconds(py, time_to_idle)?);
        Ok(PyClassInitializer::from(Store { inner: inner.clone() }).add_subclass(Self { path, inner }))
    }

    /// The folder.
    #[getter]
    fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Returns the whole original, whichever tenant stored it: also what the proxy elided.
    fn find(&self, py: Python<'_>, handle: &str) -> PyResult<Option<String>> {
        let Ok(handle) = handle.parse::<Handle>() else { return Ok(None) };
        let found = py.detach(|| self.inner.find(&handle));
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
        let (time_to_idle, timeout) = (seconds(py, time_to_idle)?, seconds(py, timeout)?);
        let inner = BlockingStore::redis(url, prefix, time_to_idle, timeout)
            .map_err(|_| errors::configuration(py, "not the URL of a server; expected redis://HOST:PORT"))?;
        Ok(PyClassInitializer::from(Store { inner }).add_subclass(Self))
    }
}

fn seconds(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| errors::configuration(py, "expected a number of seconds"))
}
