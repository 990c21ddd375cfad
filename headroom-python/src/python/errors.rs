//! The exceptions of the package, which are Python classes.

use std::fmt::Display;

use headroom_bindings::message_of;
use headroom_store::StoreError;
use pyo3::{prelude::*, sync::PyOnceLock, types::PyType};

static CONFIGURATION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static STORE: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Returns the error for a setting that no call accepts.
pub(super) fn configuration(py: Python<'_>, message: impl Display) -> PyErr {
    raise(py, &CONFIGURATION, "ConfigurationError", message.to_string())
}

/// Returns the error for a store that cannot answer. The message holds no content.
pub(super) fn store(py: Python<'_>, error: &StoreError) -> PyErr {
    raise(py, &STORE, "StoreError", message_of(error))
}

fn raise(py: Python<'_>, class: &PyOnceLock<Py<PyType>>, name: &str, message: String) -> PyErr {
    match class.import(py, "headroom._errors", name) {
        Ok(class) => PyErr::from_type(class.clone(), message),
        Err(error) => error,
    }
}
