//! A gateway with axum: a Headroom layer in front of a provider and, where `GATEWAY_SECRET` is set, routes of its own
//! for who shows that: `/v1/compress`, `/v1/retrieve/HASH` and `/stats`.
//!
//! Run with `cargo run -p headroom-examples --bin axum-gateway`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use headroom_axum::{BearerToken, Routes, Stats};
use headroom_examples::{listen, set_up_tls, upstream};
use http::{StatusCode, Version, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

#[derive(Clone)]
struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    url: String,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    set_up_tls();
    let connector =
        HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_all_versions().build();
    let upstream =
        Upstream { client: Client::builder(TokioExecutor::new()).build(connector), url: upstream() };

    let stats = Stats::new();
    let headroom = headroom_axum::layer().observer(stats.clone());
    let mut app = Router::new().fallback(forward).with_state(upstream).layer(headroom.clone());
    if let Ok(secret) = std::env::var("GATEWAY_SECRET") {
        let secret = BearerToken::new(secret).map_err(std::io::Error::other)?;
        // Merged after the layer, which is for what goes to the provider.
        app = app.merge(Routes::new(&headroom).stats(stats).into_router(secret));
    }

    let listener = tokio::net::TcpListener::bind(listen()).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await
}

/// Sends a request on and streams the answer back.
async fn forward(State(upstream): State<Upstream>, mut request: Request) -> Result<Response, StatusCode> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("{}{path}", upstream.url).parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    for hop in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING] {
        request.headers_mut().remove(hop);
    }
    match upstream.client.request(request).await {
        Ok(response) => Ok(response.map(Body::new)),
        Err(_) => Err(StatusCode::BAD_GATEWAY),
    }
}
