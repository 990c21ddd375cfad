//! The layers in the stacks that people have.

use std::convert::Infallible;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
    routing::post,
};
use headroom_store::MemoryStore;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::{CompressLayer, HeadroomLayer, RequestReport, test_support::halve};

async fn handler(request: Request) -> String {
    let rewritten = request.extensions().get::<RequestReport>().is_some_and(RequestReport::is_rewritten);
    let length = request.headers()["content-length"].to_str().unwrap().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    format!("{rewritten} {length} {}", String::from_utf8_lossy(&body))
}

async fn inside(request: Request, next: Next) -> Response {
    next.run(request).await
}

fn request() -> Request {
    let request = Request::post("/v1/messages").header("content-type", "application/json");
    request.header("content-length", 8).body(Body::from("01234567")).unwrap()
}

fn router() -> Router {
    Router::new().route("/v1/messages", post(handler))
}

async fn text(
    response: http::Response<impl http_body::Body<Data = Bytes, Error: std::fmt::Debug>>,
) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn on_an_axum_router() {
    let app = router().layer(CompressLayer::new().fake(halve));
    assert_eq!(text(app.oneshot(request()).await.unwrap()).await, "true 4 0123");
}

#[tokio::test]
async fn around_an_axum_router() {
    let app = CompressLayer::new().fake(halve).layer(router());
    assert_eq!(text(app.oneshot(request()).await.unwrap()).await, "true 4 0123");
    let app = CompressLayer::new().fake(halve).map_body(Body::new).layer(router());
    assert_eq!(text(app.oneshot(request()).await.unwrap()).await, "true 4 0123");
}

#[tokio::test]
async fn outside_of_a_middleware_that_names_its_body() {
    let layers = ServiceBuilder::new()
        .layer(CompressLayer::new().fake(halve).map_body(Body::new))
        .layer(from_fn(inside));
    let app = router().layer(layers);
    assert_eq!(text(app.oneshot(request()).await.unwrap()).await, "true 4 0123");
}

#[tokio::test]
async fn the_whole_layer_on_and_around_a_router() {
    let on = router()
        .layer(HeadroomLayer::with_store(MemoryStore::new()))
        .layer(HeadroomLayer::with_store(MemoryStore::new()).map_body(Body::new));
    assert_eq!(text(on.oneshot(request()).await.unwrap()).await, "false 8 01234567");
    let around = HeadroomLayer::with_store(MemoryStore::new()).layer(router());
    assert_eq!(text(around.oneshot(request()).await.unwrap()).await, "false 8 01234567");
}

#[tokio::test]
async fn around_a_boxed_service_with_named_types() {
    type Boxed = tower::util::BoxCloneService<Request, Response, Infallible>;
    let inner: Boxed = Boxed::new(router());
    let outer: Boxed = Boxed::new(CompressLayer::new().fake(halve).map_body(Body::new).layer(inner));
    assert_eq!(text(outer.oneshot(request()).await.unwrap()).await, "true 4 0123");
}

#[tokio::test]
async fn around_a_client_that_answers_with_anything() {
    struct NotHttp;
    let client = ServiceBuilder::new()
        .layer(CompressLayer::new().fake(halve))
        .service_fn(async |_: http::Request<_>| Ok::<_, Infallible>(NotHttp));
    let request = http::Request::post("/v1/messages").body(Full::new(Bytes::from("01234567"))).unwrap();
    let NotHttp = client.oneshot(request).await.unwrap();
}
