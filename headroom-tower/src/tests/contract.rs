//! What tower asks of a middleware.

use std::{
    convert::Infallible,
    rc::Rc,
    task::{Context, Poll},
};

use headroom_store::MemoryStore;
use http::{Request, Response};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_test::mock;

use crate::{
    Headroom, HeadroomBody, HeadroomLayer, PromptCompression, PromptCompressionLayer,
    test_support::{TestBody, answer, drain, halve, post},
};

fn layer() -> PromptCompressionLayer {
    PromptCompressionLayer::new().fake(halve)
}

#[tokio::test]
async fn the_service_that_was_polled_ready_is_the_one_that_is_called() {
    // The mock panics when a service is called that was not polled ready.
    let (mut service, mut handle) =
        mock::spawn_layer::<Request<HeadroomBody<TestBody>>, Response<()>, _>(layer());
    for _ in 0..3 {
        handle.allow(1);
        std::future::poll_fn(|_| service.poll_ready()).await.unwrap();
        let response = tokio::spawn(service.call(post(TestBody::new().data("01").pending().data("23"))));
        let (request, send) = handle.next_request().await.unwrap();
        assert_eq!(drain(request.into_body()).await.data, b"01");
        send.send_response(Response::new(()));
        response.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn readiness_and_errors_are_the_inner_services() {
    let (mut service, mut handle) =
        mock::spawn_layer::<Request<HeadroomBody<TestBody>>, Response<()>, _>(layer());
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
    let response = tokio::spawn(service.call(post(TestBody::chunk("0123"))));
    let (_, send) = handle.next_request().await.unwrap();
    send.send_error("upstream");
    assert_eq!(response.await.unwrap().unwrap_err().to_string(), "upstream");
}

#[tokio::test]
async fn a_buffer_and_a_concurrency_limit_inside_keep_working() {
    let mut service = ServiceBuilder::new().layer(layer()).buffer(4).concurrency_limit(2).service_fn(answer);
    for _ in 0..8 {
        service
            .ready()
            .await
            .unwrap()
            .call(post(TestBody::new().data("01").pending().data("23")))
            .await
            .unwrap();
    }
    let many = (0..8).map(|_| service.clone().oneshot(post(TestBody::chunk("0123"))));
    for response in many.map(tokio::spawn).collect::<Vec<_>>() {
        response.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_inner_service_need_not_be_send_or_sync_and_may_borrow() {
    #[derive(Clone)]
    struct Local<'a>(Rc<str>, &'a str);

    impl<B> Service<Request<B>> for Local<'_> {
        type Response = String;
        type Error = Infallible;
        type Future = std::future::Ready<Result<String, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<B>) -> Self::Future {
            std::future::ready(Ok(format!("{} {}", self.0, self.1)))
        }
    }

    let text = String::from("borrowed");
    let service = ServiceBuilder::new().layer(layer()).service(Local(Rc::from("text"), &text));
    assert_eq!(service.oneshot(post(TestBody::chunk("0123"))).await.unwrap(), "text borrowed");
}

#[test]
fn layers_services_and_futures_are_as_shareable_as_what_they_hold() {
    fn assert_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn assert_send<T: Send + 'static>(_: &T) {}
    fn assert_send_sync<T: Send + Sync>() {}

    assert_shared(&layer());
    assert_shared(&HeadroomLayer::with_store(MemoryStore::new()));
    assert_shared(&layer().map_body(axum::body::Body::new::<HeadroomBody<TestBody>>));
    let service = ServiceBuilder::new()
        .layer(HeadroomLayer::with_store(MemoryStore::new()))
        .service_fn(answer::<HeadroomBody<TestBody>>);
    assert_shared(&service);
    assert_send(&service.clone().oneshot(post(TestBody::new())));
    assert_send(&layer().rewrite(post(TestBody::new())));
    assert_send_sync::<HeadroomBody<TestBody>>();
    assert_send_sync::<PromptCompression<()>>();
    assert_send_sync::<Headroom<()>>();
}

#[tokio::test]
async fn a_service_can_be_boxed_and_cloned() {
    let service = ServiceBuilder::new().layer(layer()).service_fn(answer);
    let service: tower::util::BoxCloneService<Request<TestBody>, Response<String>, Infallible> =
        tower::util::BoxCloneService::new(service);
    assert_eq!(service.clone().oneshot(post(TestBody::chunk("0123"))).await.unwrap().body(), "answer");
}

#[tokio::test]
async fn the_seam_without_tower_gives_the_same_request() {
    let request = layer().rewrite(post(TestBody::chunk("0123456789"))).await;
    assert_eq!(request.headers()["content-length"], "5");
    assert_eq!(drain(request.into_body()).await.data, b"01234");
    let passed = layer().rewrite(Request::get("/").body(TestBody::chunk("0123")).unwrap()).await;
    assert_eq!(drain(passed.into_body()).await.data, b"0123");
}

#[test]
fn inner_services_can_be_reached() {
    let mut service = PromptCompression::new(7);
    *service.get_mut() += 1;
    assert_eq!(*service.get_ref(), 8);
    assert_eq!(service.into_inner(), 8);
}
