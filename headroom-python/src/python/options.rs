//! The settings of one call.

use headroom_core::{Api, CompressOptions, Retrieval, Tier};
use pyo3::prelude::*;

use super::errors;

/// Settings as Python passes them: `(tier, retrieval, tenant)`.
pub(super) type Settings = (String, String, String);

/// Reads the settings of a call whose answer the caller reads itself.
pub(super) fn options(py: Python<'_>, settings: Settings) -> PyResult<(CompressOptions, String)> {
    if settings.1 == Retrieval::ServerTool.as_str() {
        return Err(errors::configuration(py, "unknown retrieval; expected client-tool or off"));
    }
    served_options(py, settings)
}

/// Reads the settings of an exchange, which answers the calls of its own tool.
pub(super) fn served_options(py: Python<'_>, settings: Settings) -> PyResult<(CompressOptions, String)> {
    let (tier, retrieval, tenant) = settings;
    let tier: Tier = tier.parse().map_err(|error| errors::configuration(py, error))?;
    let retrieval: Retrieval = retrieval.parse().map_err(|error| errors::configuration(py, error))?;
    if retrieval == Retrieval::File {
        return Err(errors::configuration(py, "unknown retrieval; expected server-tool, client-tool or off"));
    }
    Ok((CompressOptions::new().tier(tier).retrieval(retrieval).tenant(tenant.clone()), tenant))
}

/// Parses the name of an API.
pub(super) fn api(py: Python<'_>, name: &str) -> PyResult<Api> {
    name.parse().map_err(|error| errors::configuration(py, error))
}
