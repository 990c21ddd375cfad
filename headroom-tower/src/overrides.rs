use headroom_core::{Api, Retrieval, Tier};

/// Settings for one request, put into its extensions by an outer layer or handler.
///
/// Anything unset keeps the layer's setting. Use the same override for all requests of a conversation: a block that
/// changes its form between two requests misses the provider's prompt cache.
///
/// # Example
///
/// ```
/// use headroom_core::Tier;
/// use headroom_tower::HeadroomOverride;
///
/// let mut request = http::Request::post("/v1/messages").body(()).unwrap();
/// request.extensions_mut().insert(HeadroomOverride::new().tier(Tier::Lossless).tenant("team-a"));
///
/// let mut untouched = http::Request::post("/v1/messages").body(()).unwrap();
/// untouched.extensions_mut().insert(HeadroomOverride::disabled());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct HeadroomOverride {
    pub(crate) disabled: bool,
    pub(crate) api: Option<Api>,
    pub(crate) tier: Option<Tier>,
    pub(crate) retrieval: Option<Retrieval>,
    pub(crate) epochs: Option<bool>,
    pub(crate) tenant: Option<String>,
}

impl HeadroomOverride {
    /// Creates an override that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes the request through unchanged.
    pub fn disabled() -> Self {
        Self { disabled: true, ..Self::default() }
    }

    /// Sets the wire format, regardless of path and body.
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    /// Sets how far edits may go.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = Some(tier);
        self
    }

    /// Sets how the model can retrieve elided content.
    pub fn retrieval(mut self, retrieval: Retrieval) -> Self {
        self.retrieval = Some(retrieval);
        self
    }

    /// Sets whether old content may leave at new prompts of the user.
    pub fn epochs(mut self, may_begin: bool) -> Self {
        self.epochs = Some(may_begin);
        self
    }

    /// Sets the tenant of the request, in place of its credential.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }
}
