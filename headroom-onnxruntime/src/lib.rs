//! Loads ONNX Runtime from a library and passes its function table to `ort`.
//!
//! `ort` can load a library itself, but if that fails, it needs the same library to create its error and waits forever.
//! This crate checks the library before passing it on. It is the only crate of the workspace with `unsafe` code.
//!
//! # Example
//!
//! ```
//! let error = headroom_onnxruntime::load("/nowhere/libonnxruntime.so".as_ref()).unwrap_err();
//! assert!(error.to_string().starts_with("it cannot be loaded: "));
//! ```

use std::{
    ffi::{CStr, c_char},
    mem,
    path::Path,
};

use libloading::{Library, Symbol};
use ort::sys::{ORT_API_VERSION, OrtApi, OrtApiBase};

/// Why a library cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The system's loader rejects it.
    #[error("it cannot be loaded: {0}")]
    Library(#[source] libloading::Error),
    /// It lacks the entry point of ONNX Runtime, or its entry point returns null.
    #[error("it is no ONNX Runtime")]
    Other,
    /// It lacks required functions.
    #[error("it is ONNX Runtime {version}, and 1.{ORT_API_VERSION} or newer is needed")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// `ort` already uses the functions of another library.
    #[error("another ONNX Runtime is in use already")]
    Another,
}

/// Loads this library for the life of the process, makes `ort` call it, and returns its version.
///
/// # Errors
///
/// If it cannot be loaded, is not ONNX Runtime or is too old, or if another library is already in use.
pub fn load(library: &Path) -> Result<String, LoadError> {
    // SAFETY: loading runs the library's initialisers; the user named this library to be run.
    let library = unsafe { Library::new(library) }.map_err(LoadError::Library)?;
    // SAFETY: the entry of this name has this signature in every version of ONNX Runtime.
    let entry: Result<Symbol<'_, unsafe extern "C" fn() -> *const OrtApiBase>, _> =
        unsafe { library.get(b"OrtGetApiBase\0") };
    let entry = entry.map_err(|_| LoadError::Other)?;
    // SAFETY: it takes no arguments and may be called at any time.
    let base = unsafe { entry() };
    // SAFETY: it is null or points to a table that lives as long as the library, which is still loaded.
    let base = unsafe { base.as_ref() }.ok_or(LoadError::Other)?;
    // SAFETY: every version has this function; it returns a text that the library owns, or null.
    let version: *const c_char = unsafe { (base.GetVersionString)() };
    let version = if version.is_null() {
        "of no known version".to_owned()
    } else {
        // SAFETY: not null, and terminated by a zero byte as the interface guarantees.
        unsafe { CStr::from_ptr(version) }.to_string_lossy().into_owned()
    };
    // SAFETY: every version has this function; it returns null if it does not support the requested version.
    let api: *const OrtApi = unsafe { (base.GetApi)(ORT_API_VERSION) };
    if api.is_null() {
        return Err(LoadError::TooOld { version });
    }
    // SAFETY: a table for this version has at least the functions of `OrtApi`, which is plain pointers to them.
    let api = unsafe { api.read() };
    // From here on `ort` calls into the library.
    mem::forget(library);
    if ort::set_api(api) { Ok(version) } else { Err(LoadError::Another) }
}
