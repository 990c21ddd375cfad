//! One `ServiceBuilder` with the layer and those of tower-http, inside and outside of it.
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test ends it")]

use std::{io::Write, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{StatusCode, header},
    response::Response,
    routing::post,
};
use http_body_util::BodyExt;
use serde_json::json;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::{
    compression::CompressionLayer, cors::CorsLayer, decompression::RequestDecompressionLayer,
    limit::RequestBodyLimitLayer, timeout::TimeoutLayer, trace::TraceLayer,
};

const LIMIT: usize = 1 << 20;
/// Whether the layer decodes bodies itself.
const DECODES_GZIP: bool = cfg!(any(feature = "decompression-gzip", feature = "decompression-full"));

/// A request whose tool result is many like records.
fn conversation() -> Vec<u8> {
    let rows = (0..400).map(|n| json!({"id": n, "state": "ready", "zone": "eu-1"})).collect::<Vec<_>>();
    let body = json!({"model": "claude-opus-4-5", "max_tokens": 1024, "messages": [
        {"role": "user", "content": "which are not ready?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "list", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1",
            "content": serde_json::to_string_pretty(&rows).unwrap()}]},
    ]});
    serde_json::to_vec(&body).unwrap()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// The length of the body that reached the handler.
async fn length(body: Bytes) -> String {
    assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
    body.len().to_string()
}

fn router() -> Router {
    Router::new().route("/v1/messages", post(length))
}

/// Sends the conversation in plain and as gzip, with an origin, and then a body over the limit.
async fn check(app: Router, is_gzip_decoded_outside: bool) {
    let post = || {
        Request::post("/v1/messages")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ORIGIN, "https://example.com")
    };
    let plain = app.clone().oneshot(post().body(Body::from(conversation())).unwrap()).await.unwrap();
    assert_eq!(plain.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(text(plain).await.parse::<usize>().unwrap() < conversation().len() / 2);

    let encoded = post().header(header::CONTENT_ENCODING, "gzip").body(Body::from(gzip(&conversation())));
    let received: usize = text(app.clone().oneshot(encoded.unwrap()).await.unwrap()).await.parse().unwrap();
    let is_decoded = is_gzip_decoded_outside || DECODES_GZIP;
    assert_eq!(received < conversation().len() / 2, is_decoded, "{received}");

    let too_large = post().body(Body::from(vec![b' '; LIMIT + 1])).unwrap();
    assert_eq!(app.oneshot(too_large).await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
}

async fn text(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn inside_of_every_layer_of_tower_http() {
    let stack = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(30)))
        .layer(CompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(LIMIT))
        .layer(RequestDecompressionLayer::new())
        .layer(headroom_axum::layer());
    check(router().layer(stack), true).await;
}

#[tokio::test]
async fn outside_of_every_layer_of_tower_http() {
    let stack = ServiceBuilder::new()
        .layer(headroom_axum::layer())
        .layer(TraceLayer::new_for_http())
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(30)))
        .layer(CompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(LIMIT))
        .layer(RequestDecompressionLayer::new());
    check(router().layer(stack), false).await;
}

#[tokio::test]
async fn in_the_middle_of_layers_that_answer_by_themselves() {
    let stack = ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer(headroom_axum::layer())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(20)));
    let app = Router::new().route("/v1/messages", post(std::future::pending::<String>)).layer(stack);
    let late = app.clone().oneshot(Request::post("/v1/messages").body(Body::from(conversation())).unwrap());
    assert_eq!(late.await.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    let preflight = Request::options("/v1/messages")
        .header(header::ORIGIN, "https://example.com")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .body(Body::empty())
        .unwrap();
    let allowed = app.oneshot(preflight).await.unwrap();
    assert_eq!(allowed.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
}

#[tokio::test]
async fn the_layer_without_axums_body_in_the_same_stack() {
    let stack = ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(30)))
        .layer(RequestBodyLimitLayer::new(LIMIT))
        .layer(RequestDecompressionLayer::new())
        .layer(headroom_axum::HeadroomLayer::new());
    check(router().layer(stack), true).await;
}
