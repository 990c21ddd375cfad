//! Sends requests to their provider.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use headroom_examples::gateway::{Account, KEPT_BACK, Live, Meter, Provider, Upstream};
use headroom_tower::HeadroomBody;
use http::{HeaderName, HeaderValue, Request, Response, Version, header, request::Parts};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::Service;

/// The innermost service.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamClient {
    client: Client<HttpsConnector<HttpConnector>, HeadroomBody<Body>>,
    live: Live,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the gateway has no upstream for this path")]
    Unknown,
    #[error("the upstream's URL and this path do not fit together")]
    Path(#[from] http::Error),
    #[error("the provider cannot be reached")]
    Unreached(#[source] hyper_util::client::legacy::Error),
    #[error("the provider gave no answer")]
    NoAnswer(#[source] hyper_util::client::legacy::Error),
}

impl UpstreamError {
    /// Whether nothing was sent.
    pub(crate) const fn is_unreached(&self) -> bool {
        matches!(self, Self::Unreached(_))
    }
}

impl UpstreamClient {
    pub(crate) fn new(live: Live) -> Self {
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_all_versions().build();
        Self { client: Client::builder(TokioExecutor::new()).build(connector), live }
    }
}

impl Service<Request<HeadroomBody<Body>>> for UpstreamClient {
    type Response = Response<Body>;
    type Error = UpstreamError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, UpstreamError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), UpstreamError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<HeadroomBody<Body>>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let (client, settings) = (self.client.clone(), self.live.load_full());
        Box::pin(async move {
            let provider = Provider::from_path(parts.uri.path()).ok_or(UpstreamError::Unknown)?;
            let upstream = settings.providers.get(&provider).ok_or(UpstreamError::Unknown)?;
            address(&mut parts, provider, upstream)?;
            // Here and not at the gate: a hidden round is a call that the provider bills, too.
            let account = parts.extensions.remove::<Arc<Account>>();
            let response = client.request(Request::from_parts(parts, body)).await;
            let response = response.map_err(|error| match error.is_connect() {
                true => UpstreamError::Unreached(error),
                false => UpstreamError::NoAnswer(error),
            })?;
            Ok(metered(response, account))
        })
    }
}

/// Writes the provider's URL and key into the head of a request, in place of the tenant's.
fn address(parts: &mut Parts, provider: Provider, upstream: &Upstream) -> Result<(), http::Error> {
    parts.uri = upstream.url_of(parts.uri.path(), parts.uri.query()).parse()?;
    parts.version = Version::HTTP_11;
    for name in KEPT_BACK {
        parts.headers.remove(name);
    }
    if let Some((name, key)) = provider.credential(upstream) {
        let mut key = HeaderValue::try_from(key)?;
        key.set_sensitive(true);
        parts.headers.insert(HeaderName::from_static(name), key);
    }
    Ok(())
}

/// Charges an answer to an account while it passes.
fn metered(response: Response<Incoming>, account: Option<Arc<Account>>) -> Response<Body> {
    let Some(account) = account else { return response.map(Body::new) };
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut meter = Meter::new(account, kind.unwrap_or_default());
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if let Some(data) = frame.data_ref() {
                meter.read(data);
            }
            frame
        }))
    })
}
