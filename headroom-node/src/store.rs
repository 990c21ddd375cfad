//! Stores of originals.

use std::{path::PathBuf, time::Duration};

use headroom_bindings::BlockingStore;
use headroom_core::Handle;
use napi::{Result, bindgen_prelude::AsyncTask};
use napi_derive::napi;

use crate::{
    errors,
    task::{Later, later, now},
};

/// A store of originals.
#[napi]
#[derive(Debug)]
pub struct Store {
    pub(crate) inner: BlockingStore,
}

#[napi]
#[expect(clippy::needless_pass_by_value, reason = "how napi passes strings")]
impl Store {
    /// Opens a store in this process's memory.
    #[napi(factory)]
    pub fn memory(capacity: f64, seconds_to_idle: f64) -> Result<Self> {
        Ok(Self { inner: BlockingStore::memory(bytes(capacity)?, seconds(seconds_to_idle)?) })
    }

    /// Opens a store in this folder.
    #[napi(factory)]
    pub fn folder(path: String, capacity: f64, seconds_to_idle: f64) -> Result<Self> {
        let inner = BlockingStore::folder(PathBuf::from(path), bytes(capacity)?, seconds(seconds_to_idle)?);
        Ok(Self { inner })
    }

    /// Opens a store on this server. It connects on first use.
    #[napi(factory)]
    pub fn redis(url: String, prefix: String, seconds_to_idle: f64, timeout: f64) -> Result<Self> {
        let inner = BlockingStore::redis(&url, &prefix, seconds(seconds_to_idle)?, seconds(timeout)?)
            .map_err(|_| errors::configuration("not the URL of a server; expected redis://HOST:PORT"))?;
        Ok(Self { inner })
    }

    /// Whether a call returns without waiting for a disk or a network.
    #[napi(getter)]
    #[must_use]
    pub fn is_quick(&self) -> bool {
        self.inner.is_quick()
    }

    /// Stores a text and returns its handle.
    #[napi(ts_return_type = "Promise<string>")]
    #[must_use]
    pub fn put(&self, text: String, tenant: String) -> AsyncTask<Later<String>> {
        let store = self.inner.clone();
        later(move || {
            let handle = store.put(&tenant, text).map_err(errors::store)?;
            Ok(handle.to_string())
        })
    }

    /// Returns the whole original, or null if this tenant has none with that handle.
    #[napi(ts_return_type = "Promise<string | null>")]
    #[must_use]
    pub fn get(&self, handle: String, tenant: String) -> AsyncTask<Later<Option<String>>> {
        let store = self.inner.clone();
        later(move || {
            let Ok(handle) = handle.parse::<Handle>() else { return Ok(None) };
            let found = store.get(&tenant, &handle).map_err(errors::store)?;
            Ok(found.map(|content| content.to_string()))
        })
    }

    /// Returns the whole original in a folder, whichever tenant stored it.
    #[napi(ts_return_type = "Promise<string | null>")]
    #[must_use]
    pub fn find(&self, handle: String) -> AsyncTask<Later<Option<String>>> {
        let store = self.inner.clone();
        later(move || {
            let Ok(handle) = handle.parse::<Handle>() else { return Ok(None) };
            let found = store.find(&handle).map_err(errors::store)?;
            Ok(found.map(|content| content.to_string()))
        })
    }

    /// Answers a call of `headroom_retrieve`, given its arguments as a JSON object.
    #[napi(ts_return_type = "Promise<string>")]
    #[must_use]
    pub fn answer(&self, arguments: String, tenant: String) -> AsyncTask<Later<String>> {
        let store = self.inner.clone();
        later(move || now(|| store.answer(&tenant, &arguments).map_err(errors::store)))
    }
}

/// Returns the folder that the `headroom` program uses; null if there is no home.
#[napi]
#[must_use]
pub fn default_folder() -> Option<String> {
    BlockingStore::default_folder().map(|path| path.to_string_lossy().into_owned())
}

fn seconds(seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| errors::configuration("expected a number of seconds"))
}

/// Reads a size in bytes.
pub(crate) fn bytes(size: f64) -> Result<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
    if (0.0..=9_007_199_254_740_991.0).contains(&size) {
        Ok(size as u64)
    } else {
        Err(errors::configuration("expected a number of bytes"))
    }
}
