mod answer;
mod compress;
mod hexadecimal;
mod retrieve;
mod stats;
mod token;
mod webhook;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::{Path, RawQuery, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use headroom_tower::{
    DefaultPredicate, HeadroomLayer, PromptCompressionLayer, headroom_store::OriginalStore,
};
use http::{HeaderValue, StatusCode, header, request::Parts};

pub use self::{
    stats::Stats,
    token::{BearerToken, InvalidBearerToken},
};

/// Routes that a gateway can merge into its own router, using a layer's engine, store and tenants.
///
/// | route | |
/// |---|---|
/// | `POST /v1/compress` | takes a request's body (`messages`, `input` or `contents`) and returns that part made smaller, with token counts and the report. For services that call their provider themselves |
/// | `GET /v1/retrieve/HASH` | returns the original of a marker as `hash`, `bytes`, `lines` and `text`, or a part of it: `?lines=120-180`, `rows=`, `path=`, `query=`, `max_bytes=` |
/// | `GET /stats` | returns what the layer did since the start, if [`stats`](Self::stats) was given |
///
/// With `"config": {"mode": "ccr"}`, `/v1/compress` keeps the contract of LiteLLM's guardrail `headroom`: markers name
/// handles in hexadecimal digits, `ccr_hashes` lists them, and the caller adds `headroom_retrieve` and answers its calls.
/// `/v1/retrieve` takes such a hash too, and then has the text as `original_content` as well.
///
/// `/v1/compress` is also a webhook of Portkey's gateway (`default.webhook` before a request): a body with `eventType` and
/// `request.json` is answered with `verdict` and, if the request became smaller, `transformedData.request.json`.
///
/// Errors are `{"error":{"message","type","param","code"}}`. Bodies over 32 MiB are answered with 413.
///
/// Elided content belongs to a tenant, which the layer derives from the request's credentials. So a client can retrieve
/// content elided for the provider's key that it sends. [`tenant_from`](Self::tenant_from) changes this.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::post};
/// use headroom_axum::{Routes, BearerToken, Stats};
///
/// let stats = Stats::new();
/// let headroom = headroom_axum::layer().observer(stats.clone());
/// let secret = BearerToken::new("3f1c9a7be05d48e2a6b4c8d0f9e17a53")?; // from the gateway's configuration
///
/// let app: Router = Router::new()
///     .route("/v1/messages", post(async || "proxied"))
///     .route_layer(headroom.clone())
///     .merge(Routes::new(&headroom).stats(stats).into_router(secret));
/// # let _ = app;
/// # Ok::<(), headroom_axum::InvalidBearerToken>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Routes {
    shared: Shared,
}

type TenantOf = Arc<dyn Fn(&Parts) -> String + Send + Sync>;

#[derive(Clone)]
struct Shared {
    layer: PromptCompressionLayer,
    store: Option<Arc<dyn OriginalStore>>,
    tenant: TenantOf,
    stats: Option<Stats>,
}

impl Routes {
    /// Creates routes for this layer's engine, store and tenants.
    pub fn new<M, P>(layer: &HeadroomLayer<M, P>) -> Self
    where
        M: Clone + Send + Sync + 'static,
        P: Clone + Send + Sync + 'static,
    {
        let requests = layer.request_only().when(DefaultPredicate::new());
        let (store, layer) = (layer.originals(), layer.clone());
        let tenant: TenantOf = Arc::new(move |parts| layer.tenant_of(parts));
        Self { shared: Shared { layer: requests, store, tenant, stats: None } }
    }

    /// Retrieves elided content from this store, in place of the layer's.
    pub fn store(mut self, store: impl OriginalStore) -> Self {
        self.shared.store = Some(Arc::new(store));
        self
    }

    /// Takes the tenant from a request's head, in place of the layer's rule.
    pub fn tenant_from<F>(mut self, tenant: F) -> Self
    where
        F: Fn(&Parts) -> String + Send + Sync + 'static,
    {
        self.shared.tenant = Arc::new(tenant);
        self
    }

    /// Adds `GET /stats`.
    pub fn stats(mut self, stats: Stats) -> Self {
        self.shared.stats = Some(stats);
        self
    }

    /// Returns the routes, for clients that send this secret.
    pub fn into_router<S: Clone + Send + Sync + 'static>(self, secret: BearerToken) -> Router<S> {
        self.into_router_unauthenticated().route_layer(from_fn_with_state(Arc::new(secret), guard))
    }

    /// Returns the routes without authentication: put your own outside them.
    pub fn into_router_unauthenticated<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let mut router = Router::new();
        for path in ["/v1/compress", "/v1/compress/"] {
            router = router.route(path, post(compress));
        }
        // Without a hash the answer explains what a hash is.
        for path in ["/v1/retrieve", "/v1/retrieve/", "/v1/retrieve/{hash}", "/v1/retrieve/{hash}/"] {
            router = router.route(path, get(retrieve));
        }
        if self.shared.stats.is_some() {
            router = router.route("/stats", get(stats));
        }
        router.with_state(self.shared)
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").field("stats", &self.shared.stats.is_some()).finish_non_exhaustive()
    }
}

async fn compress(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let tenant = (shared.tenant)(&parts);
    compress::answer(&shared.layer, tenant, &parts.headers, body).await
}

async fn retrieve(
    State(shared): State<Shared>,
    hash: Option<Path<String>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let Some(store) = &shared.store else {
        return answer::failure(StatusCode::NOT_FOUND, "nothing is stored here");
    };
    let tenant = (shared.tenant)(&request.into_parts().0);
    let hash = hash.map_or_else(String::new, |Path(hash)| hash);
    retrieve::answer(&**store, &tenant, &hash, query.as_deref().unwrap_or_default()).await
}

async fn stats(State(shared): State<Shared>) -> Response {
    let stats = shared.stats.unwrap_or_default();
    answer::json(StatusCode::OK, format!("{}\n", stats.to_json()))
}

async fn guard(State(secret): State<Arc<BearerToken>>, mut request: Request, next: Next) -> Response {
    if secret.take(request.headers_mut()) {
        return next.run(request).await;
    }
    let message =
        "this needs the gateway's secret, as `authorization: Bearer SECRET` or `x-headroom-token: SECRET`";
    let mut response = answer::failure(StatusCode::UNAUTHORIZED, message);
    let bearer = HeaderValue::from_static("Bearer realm=\"headroom\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
    response
}
