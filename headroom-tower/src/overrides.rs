use headroom_core::{Api, Retrieval, Tier};

/// Per-request settings, put into a request's extensions by a layer or handler outside.
///
/// What is not set keeps the layer's own setting. Keep it the same for all requests of a conversation: a block that
/// became one thing in the last request and another in this one is a miss in the provider's prompt cache.
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
    pub(crate) tenant: Option<String>,
}

impl HeadroomOverride {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes the request through untouched.
    pub fn disabled() -> Self {
        Self { disabled: true, ..Self::default() }
    }

    /// Sets the wire format, whatever path and body say.
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(api);
        self
    }

    /// Sets how far edits may go.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = Some(tier);
        self
    }

    /// Sets how the model can fetch back what is set aside.
    pub fn retrieval(mut self, retrieval: Retrieval) -> Self {
        self.retrieval = Some(retrieval);
        self
    }

    /// Sets whose request this is, in place of the credential.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }
}
