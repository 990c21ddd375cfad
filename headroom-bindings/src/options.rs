//! The settings of one call.

use headroom_core::{CompressOptions, Retrieval, Tier};

/// Settings of one call.
#[derive(Clone, Debug)]
pub struct CallOptions {
    pub(crate) options: CompressOptions,
    pub(crate) tenant: String,
}

/// A setting that has no such value. The message says which values there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOption(String);

impl CallOptions {
    /// Reads the settings of a call whose answer the caller reads itself: `retrieval` is `client-tool` or `off`.
    ///
    /// # Errors
    ///
    /// If a word is unknown.
    ///
    /// ```
    /// use headroom_bindings::CallOptions;
    ///
    /// assert!(CallOptions::parse("lossless", "off", "team-a").is_ok());
    /// let error = CallOptions::parse("lossless", "server-tool", "team-a").unwrap_err();
    /// assert_eq!(error.to_string(), "unknown retrieval; expected client-tool or off");
    /// ```
    pub fn parse(tier: &str, retrieval: &str, tenant: &str) -> Result<Self, InvalidOption> {
        if retrieval == Retrieval::ServerTool.as_str() {
            return Err(InvalidOption("unknown retrieval; expected client-tool or off".to_owned()));
        }
        Self::parse_exchange(tier, retrieval, tenant)
    }

    /// Reads the settings of an exchange, which answers the calls of its own tool: `retrieval` may be `server-tool` too.
    ///
    /// # Errors
    ///
    /// If a word is unknown.
    pub fn parse_exchange(tier: &str, retrieval: &str, tenant: &str) -> Result<Self, InvalidOption> {
        let tier: Tier = tier.parse().map_err(|error| InvalidOption(format!("{error}")))?;
        let retrieval: Retrieval = retrieval.parse().map_err(|error| InvalidOption(format!("{error}")))?;
        if retrieval == Retrieval::File {
            let message = "unknown retrieval; expected server-tool, client-tool or off";
            return Err(InvalidOption(message.to_owned()));
        }
        let options = CompressOptions::new().tier(tier).retrieval(retrieval).tenant(tenant);
        Ok(Self { options, tenant: tenant.to_owned() })
    }
}
