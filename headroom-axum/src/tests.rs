//! Tests of the layer in all places for axum layers.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use futures_util::stream;
use headroom_tower::{HeadroomOverride, SkipReason, headroom_core::Tier};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_http::limit::RequestBodyLimitLayer;

use crate::{HeadroomReport, layer};

/// A request whose tool result has many similar records.
fn conversation() -> Vec<u8> {
    let rows =
        (0..400).map(|n| json!({"id": n, "state": "ready", "zone": "eu-central-1"})).collect::<Vec<_>>();
    let body = json!({"model": "claude-opus-4-5", "max_tokens": 1024, "messages": [
        {"role": "user", "content": "which are not ready?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "list", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1",
            "content": serde_json::to_string_pretty(&rows).unwrap()}]},
    ]});
    serde_json::to_vec(&body).unwrap()
}

fn request() -> Request {
    request_of(Body::from(conversation()))
}

fn request_of(body: Body) -> Request {
    Request::post("/v1/messages").header("content-type", "application/json").body(body).unwrap()
}

/// A body in pieces, of unknown length.
fn chunked() -> Body {
    let pieces: Vec<_> =
        conversation().chunks(1000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::from_stream(stream::iter(pieces))
}

/// Returns whether the body was rewritten, and its length.
async fn handler(report: HeadroomReport, body: Bytes) -> Json<Value> {
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
    let skipped = report.skip_reason().map(SkipReason::as_str);
    let saved = report.tokens_saved();
    Json(json!({"rewritten": report.is_rewritten(), "skipped": skipped, "saved": saved, "bytes": body.len()}))
}

fn router() -> Router {
    Router::new().route("/v1/messages", post(handler))
}

async fn answer(response: http::Response<impl http_body::Body<Error: std::fmt::Debug>>) -> Value {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into())
}

async fn ask(app: Router, request: Request) -> Value {
    answer(app.oneshot(request).await.unwrap()).await
}

fn is_smaller(answer: &Value) -> bool {
    let bytes = usize::try_from(answer["bytes"].as_u64().unwrap()).unwrap();
    answer["rewritten"] == true && answer["saved"].as_u64().unwrap() > 0 && bytes < conversation().len() / 2
}

async fn inside(request: Request, next: Next) -> Response {
    next.run(request).await
}

#[tokio::test]
async fn on_a_router() {
    assert!(is_smaller(&ask(router().layer(layer()), request()).await));
}

#[tokio::test]
async fn on_routes() {
    let app = router().route_layer(layer());
    assert!(is_smaller(&ask(app, request()).await));
    let app = Router::new().route("/v1/messages", post(handler).layer(layer()));
    assert!(is_smaller(&ask(app, request()).await));
}

#[tokio::test]
async fn routes_added_behind_a_route_layer_get_the_request_as_it_came() {
    let app = Router::new().route("/else", get(async || "")).route_layer(layer());
    let app = app.route("/v1/messages", post(handler));
    let answer = ask(app, request()).await;
    assert_eq!(answer["bytes"], conversation().len());
    assert_eq!(answer["skipped"], Value::Null);
}

#[tokio::test]
async fn around_a_router() {
    let response = layer().layer(router()).oneshot(request()).await.unwrap();
    assert!(is_smaller(&answer(response).await));
}

#[tokio::test]
async fn on_a_nested_router() {
    let app = Router::new().nest("/anthropic", router().layer(layer()));
    let mut request = request();
    *request.uri_mut() = "/anthropic/v1/messages".parse().unwrap();
    assert!(is_smaller(&ask(app, request).await));
}

#[tokio::test]
async fn outside_and_inside_of_a_middleware_that_takes_axums_body_only() {
    let app = router().layer(ServiceBuilder::new().layer(layer()).layer(from_fn(inside)));
    assert!(is_smaller(&ask(app, request()).await));
    let app = router().layer(ServiceBuilder::new().layer(from_fn(inside)).layer(layer()));
    assert!(is_smaller(&ask(app, request()).await));
}

#[tokio::test]
async fn an_override_from_a_middleware_outside_counts() {
    async fn off(mut request: Request, next: Next) -> Response {
        request.extensions_mut().insert(HeadroomOverride::disabled());
        next.run(request).await
    }
    let app = router().layer(layer()).layer(from_fn(off));
    assert_eq!(ask(app, request()).await["bytes"], conversation().len());
}

#[tokio::test]
async fn what_was_skipped_says_why() {
    let app = router().layer(layer().tier(Tier::Lossless).max_body(100));
    let answer = ask(app, request_of(chunked())).await;
    assert_eq!(answer["skipped"], "body_too_large");
    assert_eq!(answer["bytes"], conversation().len());
}

#[tokio::test]
async fn a_report_is_empty_without_the_layer() {
    let answer = ask(router(), request()).await;
    assert_eq!(answer["rewritten"], false);
    assert_eq!(answer["skipped"], Value::Null);
    assert_eq!(answer["saved"], 0);
}

#[tokio::test]
async fn the_limit_of_extractors_counts_the_body_that_goes_on() {
    let limit = conversation().len() / 2;
    let bare = router().layer(DefaultBodyLimit::max(limit));
    assert_eq!(bare.oneshot(request()).await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    for app in [
        router().layer(DefaultBodyLimit::max(limit)).layer(layer()),
        router().layer(layer()).layer(DefaultBodyLimit::max(limit)),
    ] {
        assert!(is_smaller(&ask(app, request()).await));
    }
}

#[tokio::test]
async fn a_body_limit_outside_answers_as_it_would_without_the_layer() {
    let limit = RequestBodyLimitLayer::new(conversation().len() / 2);
    for body in [Body::from(conversation()), chunked()] {
        let app = router().layer(layer()).layer(limit);
        let response = app.oneshot(request_of(body)).await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    let roomy = RequestBodyLimitLayer::new(conversation().len());
    assert!(is_smaller(&ask(router().layer(layer()).layer(roomy), request_of(chunked())).await));
}

#[tokio::test]
async fn the_headers_that_the_handler_sees_describe_the_body() {
    async fn lengths(request: Request) -> String {
        let said = request.headers()["content-length"].to_str().unwrap().to_owned();
        format!("{said} {}", request.into_body().collect().await.unwrap().to_bytes().len())
    }
    for body in [Body::from(conversation()), chunked()] {
        let app = Router::new().route("/v1/messages", post(lengths)).layer(layer());
        let answer = ask(app, request_of(body)).await;
        let (said, is) = answer.as_str().unwrap().split_once(' ').unwrap();
        assert_eq!(said, is);
    }
}

#[tokio::test]
async fn a_streamed_answer_stays_a_stream() {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<String>();
    let stream = stream::unfold(receiver, async |mut receiver| {
        Some((Ok::<_, std::io::Error>(receiver.recv().await?), receiver))
    });
    let body = Arc::new(Mutex::new(Some(Body::from_stream(stream))));
    let handler = move || std::future::ready(body.lock().unwrap().take().unwrap());
    let app = Router::new().route("/v1/messages", post(handler)).layer(layer());
    let mut body = app.oneshot(request()).await.unwrap().into_body();
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        sender.send(event.to_owned()).unwrap();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), event);
    }
    drop(sender);
    assert!(body.frame().await.is_none());
}

#[test]
fn the_layer_fits_what_axum_asks_of_layers() {
    fn check<T: Clone + Send + Sync + 'static>(_: &T) {}
    check(&layer());
    check(&layer().layer(router()));
}
