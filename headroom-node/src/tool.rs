//! The tool with which a model retrieves what was elided.
#![expect(clippy::needless_pass_by_value, reason = "how napi passes strings")]

use headroom_core::Api;
use napi::Result;
use napi_derive::napi;

use crate::settings;

/// Returns the definition of `headroom_retrieve` for an API, as JSON.
#[napi]
pub fn retrieve_tool(api: String) -> Result<&'static str> {
    Ok(headroom_core::retrieve_tool(settings::api(&api)?))
}

/// Returns the API of requests to this path, or nothing if no known API has a conversation there.
#[napi]
#[must_use]
pub fn api_of_path(path: String) -> Option<&'static str> {
    Api::from_path(&path).map(Api::as_str)
}

/// Returns the version of the addon.
#[napi]
#[must_use]
pub const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
