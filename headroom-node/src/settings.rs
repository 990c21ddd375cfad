//! The settings of one call.

use headroom_bindings::CallOptions;
use headroom_core::Api;
use napi::Result;
use napi_derive::napi;

use crate::errors;

/// The settings of one call, as words.
#[napi(object, object_to_js = false)]
#[derive(Debug)]
pub struct Settings {
    /// How far edits may go.
    pub tier: String,
    /// How the model retrieves content that a marker replaces.
    pub retrieval: String,
    /// Whose originals these are.
    pub tenant: String,
}

impl Settings {
    /// Reads the settings of a call whose answer the caller reads itself.
    pub(crate) fn options(&self) -> Result<CallOptions> {
        CallOptions::parse(&self.tier, &self.retrieval, &self.tenant).map_err(errors::configuration)
    }

    /// Reads the settings of an exchange, which answers the calls of its own tool.
    pub(crate) fn exchange_options(&self) -> Result<CallOptions> {
        CallOptions::parse_exchange(&self.tier, &self.retrieval, &self.tenant).map_err(errors::configuration)
    }
}

/// Parses the name of an API.
pub(crate) fn api(name: &str) -> Result<Api> {
    name.parse().map_err(errors::configuration)
}
