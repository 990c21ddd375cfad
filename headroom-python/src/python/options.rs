//! The settings of one call.

use headroom_bindings::CallOptions;
use headroom_core::Api;
use pyo3::prelude::*;

use super::errors;

/// Settings as Python passes them: `(tier, retrieval, tenant)`.
pub(super) type Settings = (String, String, String);

/// Reads the settings of a call whose answer the caller reads itself.
pub(super) fn options(py: Python<'_>, settings: Settings) -> PyResult<CallOptions> {
    let (tier, retrieval, tenant) = settings;
    CallOptions::parse(&tier, &retrieval, &tenant).map_err(|error| errors::configuration(py, error))
}

/// Reads the settings of an exchange, which answers the calls of its own tool.
pub(super) fn served_options(py: Python<'_>, settings: Settings) -> PyResult<CallOptions> {
    let (tier, retrieval, tenant) = settings;
    CallOptions::parse_exchange(&tier, &retrieval, &tenant).map_err(|error| errors::configuration(py, error))
}

/// Parses the name of an API.
pub(super) fn api(py: Python<'_>, name: &str) -> PyResult<Api> {
    name.parse().map_err(|error| errors::configuration(py, error))
}
