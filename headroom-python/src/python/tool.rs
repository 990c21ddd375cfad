//! The tool with which a model retrieves what was elided.

use headroom_core::Api;
use pyo3::prelude::*;

use super::options;

/// Returns the definition of `headroom_retrieve` for an API, as JSON.
#[pyfunction]
pub(super) fn retrieve_tool(py: Python<'_>, api: &str) -> PyResult<&'static str> {
    Ok(headroom_core::retrieve_tool(options::api(py, api)?))
}

/// Returns the API of requests to this path, or `None` if no known API has a conversation there.
#[pyfunction]
pub(super) fn api_of_path(path: &str) -> Option<&'static str> {
    Api::from_path(path).map(Api::as_str)
}
