//! Whose request it is, and whether the tenant may send it.

use std::time::Instant;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use headroom_examples::gateway::{Accounts, Live, Provider, credential};
use headroom_tower::HeadroomOverride;
use http::StatusCode;
use http_body_util::BodyExt;

use crate::answer;

#[derive(Clone, Debug)]
pub(crate) struct Gate {
    live: Live,
    accounts: Accounts,
}

impl Gate {
    pub(crate) fn new(live: Live, accounts: Accounts) -> Self {
        Self { live, accounts }
    }
}

/// Lets a request of a known tenant through while the tenant is within its limits.
pub(crate) async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let uri = request.uri();
    let Some(provider) = Provider::from_path(uri.path()) else {
        return answer::error(Provider::OpenAi, StatusCode::NOT_FOUND, "the gateway forwards no such path");
    };
    let settings = gate.live.load();
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let key = credential(header, uri.query()).unwrap_or_default();
    let Some((name, tenant)) = settings.tenant_of(key) else {
        return answer::error(
            provider,
            StatusCode::UNAUTHORIZED,
            "the key belongs to no tenant of this gateway",
        );
    };
    tracing::Span::current().record("tenant", name);
    let account = gate.accounts.of(name);
    let place = match account.admit(tenant, Instant::now()) {
        Ok(place) => place,
        Err(refusal) => return answer::refused(provider, &refusal),
    };
    // What Headroom stores for one tenant, no other gets: neither the content nor the knowledge that it is there.
    let extensions = request.extensions_mut();
    extensions.insert(HeadroomOverride::new().tenant(name));
    extensions.insert(account);
    drop(settings);

    let response = next.run(request).await;
    response.map(|body| {
        // The place is taken until the last byte was sent, or the client left.
        Body::new(body.map_frame(move |frame| {
            let _ = &place;
            frame
        }))
    })
}
