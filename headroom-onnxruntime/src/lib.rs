//! Loads ONNX Runtime from a library and hands its table of functions to `ort`.
//!
//! `ort` can load a library itself, but makes its errors with the very library that it failed to load, and waits for
//! ever. This looks before it hands anything over. It is the only crate of the workspace with `unsafe` in it.
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

/// Why a library is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The system's loader refuses it.
    #[error("it cannot be loaded: {0}")]
    Library(#[source] libloading::Error),
    /// It has not the entry that every ONNX Runtime has, or one that gives nothing.
    #[error("it is no ONNX Runtime")]
    Other,
    /// It lacks functions that are needed.
    #[error("it is ONNX Runtime {version}, and 1.{ORT_API_VERSION} or newer is needed")]
    TooOld {
        /// Its version.
        version: String,
    },
    /// `ort` has the functions of another library already.
    #[error("another ONNX Runtime is in use already")]
    Another,
}

/// Loads this library for as long as the process lives, makes it what `ort` calls, and gives its version.
///
/// # Errors
///
/// Where it cannot be loaded, is no ONNX Runtime or too old a one, and where there is another already.
pub fn load(library: &Path) -> Result<String, LoadError> {
    // SAFETY: what a library does when it is loaded is up to whoever named it; this one is named by the user to be run.
    let library = unsafe { Library::new(library) }.map_err(LoadError::Library)?;
    // SAFETY: the entry of this name has had this signature in every version of ONNX Runtime.
    let entry: Result<Symbol<'_, unsafe extern "C" fn() -> *const OrtApiBase>, _> =
        unsafe { library.get(b"OrtGetApiBase\0") };
    let entry = entry.map_err(|_| LoadError::Other)?;
    // SAFETY: it takes nothing and may be called at any time.
    let base = unsafe { entry() };
    // SAFETY: it is null or points to a table that lives as long as the library, which is still loaded.
    let base = unsafe { base.as_ref() }.ok_or(LoadError::Other)?;
    // SAFETY: every version has this function; it gives a text of the library's own, or null.
    let version: *const c_char = unsafe { (base.GetVersionString)() };
    let version = if version.is_null() {
        "of no known version".to_owned()
    } else {
        // SAFETY: not null, and ended by a zero byte as the interface has it.
        unsafe { CStr::from_ptr(version) }.to_string_lossy().into_owned()
    };
    // SAFETY: every version has this function; it gives null where it does not have the version that is asked for.
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
