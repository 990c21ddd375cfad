//! The layers in the stacks that people have.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex},
};

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
use tower::{Layer, ServiceBuilder, ServiceExt, retry::Policy};

use crate::{HeadroomBody, HeadroomLayer, PromptCompressionLayer, RequestReport, test_support::halve};

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
    let app = router().layer(PromptCompressionLayer::new().fake(halve));
    assert_eq!(text(app.oneshot(request()).await.unwrap()).await, "true 4 0123");
}

#[tokio::test]
async fn around_an_axum_router() {
    let app = PromptCompressionLayer::new().fake(halve).layer(router());
    assert_eq!(text(app.oneshot(request()).await.unwrap()).await, "true 4 0123");
    let app = PromptCompressionLayer::new().fake(halve).map_body(Body::new).layer(router());
    assert_eq!(text(app.oneshot(request()).await.unwrap()).await, "true 4 0123");
}

#[tokio::test]
async fn outside_of_a_middleware_that_names_its_body() {
    let layers = ServiceBuilder::new()
        .layer(PromptCompressionLayer::new().fake(halve).map_body(Body::new))
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
    let outer: Boxed = Boxed::new(PromptCompressionLayer::new().fake(halve).map_body(Body::new).layer(inner));
    assert_eq!(text(outer.oneshot(request()).await.unwrap()).await, "true 4 0123");
}

#[tokio::test]
async fn around_a_client_that_answers_with_anything() {
    struct NotHttp;
    let client = ServiceBuilder::new()
        .layer(PromptCompressionLayer::new().fake(halve))
        .service_fn(async |_: http::Request<_>| Ok::<_, Infallible>(NotHttp));
    let request = http::Request::post("/v1/messages").body(Full::new(Bytes::from("01234567"))).unwrap();
    let NotHttp = client.oneshot(request).await.unwrap();
}

/// Sends a request again while the answer is 503, up to so many times.
#[derive(Clone)]
struct Attempts(usize);

impl<B: Clone, R, E> Policy<http::Request<B>, http::Response<R>, E> for Attempts {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut http::Request<B>,
        result: &mut Result<http::Response<R>, E>,
    ) -> Option<Ready<()>> {
        let is_busy = result.as_ref().is_ok_and(|response| response.status() == 503);
        self.0 = self.0.checked_sub(usize::from(is_busy))?;
        is_busy.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &http::Request<B>) -> Option<http::Request<B>> {
        Some(request.clone())
    }
}

/// A transport that is busy twice, and the bodies that it was sent.
type Bodies = Arc<Mutex<Vec<Bytes>>>;

async fn busy_twice(
    bodies: Bodies,
    request: http::Request<HeadroomBody<Full<Bytes>>>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut bodies = bodies.lock().unwrap();
    bodies.push(body);
    let status = if bodies.len() < 3 { 503 } else { 200 };
    Ok(http::Response::builder().status(status).body(Full::default()).unwrap())
}

#[tokio::test]
async fn outside_of_towers_own_retry_a_request_is_rewritten_once() {
    let rewrites = Arc::new(Mutex::new(0));
    let count = Arc::clone(&rewrites);
    let bodies = Bodies::default();
    let sent = Arc::clone(&bodies);
    let client = ServiceBuilder::new()
        .layer(PromptCompressionLayer::new().fake(move |api, body, options| {
            *count.lock().unwrap() += 1;
            halve(api, body, options)
        }))
        .retry(Attempts(3))
        .service_fn(move |request| busy_twice(Arc::clone(&sent), request));
    let request = http::Request::post("/v1/messages").header("content-type", "application/json");
    let request = request.body(Full::new(Bytes::from("01234567"))).unwrap();
    assert_eq!(client.oneshot(request).await.unwrap().status(), 200);
    let bodies = bodies.lock().unwrap();
    assert_eq!(*bodies, ["0123"; 3]);
    assert!(bodies.iter().all(|body| body.as_ptr() == bodies[0].as_ptr()), "a clone copies no byte");
    assert_eq!(*rewrites.lock().unwrap(), 1);
}

#[tokio::test]
async fn the_whole_layer_outside_of_towers_own_retry() {
    let bodies = Bodies::default();
    let sent = Arc::clone(&bodies);
    let client = ServiceBuilder::new()
        .layer(HeadroomLayer::with_store(MemoryStore::new()))
        .retry(Attempts(3))
        .service_fn(move |request| busy_twice(Arc::clone(&sent), request));
    let request = http::Request::post("/else").body(Full::new(Bytes::from("as it came"))).unwrap();
    assert_eq!(client.oneshot(request).await.unwrap().status(), 200);
    assert_eq!(*bodies.lock().unwrap(), ["as it came"; 3]);
}
