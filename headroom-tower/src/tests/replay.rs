//! Whatever goes wrong, the inner service gets what it would have got without the layer.

use bytes::Bytes;
use http_body::Body;
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    PromptCompressionLayer, RequestReport, SkipReason,
    test_support::{Recorder, TestBody, drain, echo, halve, post, unchanged},
};

fn layer() -> PromptCompressionLayer {
    PromptCompressionLayer::new().fake(halve)
}

#[tokio::test]
async fn a_body_that_is_not_rewritten_arrives_without_a_copy() {
    let data = Bytes::from("{\"messages\":[]}".repeat(1000));
    let address = data.as_ptr();
    let service = ServiceBuilder::new().layer(PromptCompressionLayer::new().fake(unchanged)).service_fn(echo);
    let request = service.oneshot(post(TestBody::chunk(data.clone()))).await.unwrap();
    assert_eq!(request.body().size_hint().exact(), Some(data.len() as u64));
    let mut body = std::pin::pin!(request.into_body());
    let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await.unwrap().unwrap();
    let sent = frame.into_data().unwrap();
    assert_eq!(sent, data);
    assert_eq!(sent.as_ptr(), address);
}

#[tokio::test]
async fn a_body_over_the_limit_arrives_byte_identical_and_the_rest_is_streamed() {
    for limit in [0, 1, 4, 5, 9] {
        let body = TestBody::new().data("01234").pending().data("56789").pending().data("abc");
        let recorder = Recorder::default();
        let layer = PromptCompressionLayer::new().fake(halve).max_body(limit).observer(recorder.clone());
        let request = ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(post(body)).await.unwrap();
        let report = request.extensions().get::<RequestReport>().unwrap();
        assert_eq!(report.skip_reason(), Some(SkipReason::BodyTooLarge));
        assert_eq!(drain(request.into_body()).await.data, b"0123456789abc", "limit {limit}");
        assert_eq!(recorder.events(), ["skipped body_too_large"]);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_rewritten() {
    let service = ServiceBuilder::new().layer(layer().max_body(10)).service_fn(echo);
    let request = service.oneshot(post(TestBody::new().data("01234").data("56789"))).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"01234");
}

#[tokio::test]
async fn a_body_that_says_it_is_over_the_limit_is_not_read() {
    let hinted = post(TestBody::chunk("0123456789"));
    let mut announced = post(TestBody::new().data("0123456789"));
    announced.headers_mut().insert("content-length", 10.into());
    for request in [hinted, announced] {
        let polls = request.body().polls.clone();
        let service = ServiceBuilder::new().layer(layer().max_body(9)).service_fn(echo);
        let request = service.oneshot(request).await.unwrap();
        assert_eq!(*polls.lock().unwrap(), 0);
        assert_eq!(drain(request.into_body()).await.data, b"0123456789");
    }
}

#[tokio::test]
async fn a_read_error_follows_what_was_read_as_the_bodys_own() {
    let body = TestBody::new().data("0123").pending().data("45").error("reset").hint(20);
    let request = ServiceBuilder::new().layer(layer()).service_fn(echo).oneshot(post(body)).await.unwrap();
    let report = request.extensions().get::<RequestReport>().unwrap();
    assert_eq!(report.skip_reason(), Some(SkipReason::ReadFailed));
    assert_eq!(request.body().size_hint().exact(), Some(20), "the hint stays what the client said");
    assert!(!request.body().is_end_stream());
    let drained = drain(request.into_body()).await;
    assert_eq!(drained.data, b"012345");
    assert_eq!(drained.error.unwrap().0, "reset");
}

#[tokio::test]
async fn an_error_before_any_data_is_still_an_error() {
    let request = ServiceBuilder::new()
        .layer(layer())
        .service_fn(echo)
        .oneshot(post(TestBody::new().error("reset")))
        .await;
    let body = request.unwrap().into_body();
    assert!(!body.is_end_stream());
    assert_eq!(drain(body).await.error.unwrap().0, "reset");
}

#[tokio::test]
async fn trailers_survive_and_keep_the_body_as_it_is() {
    let body = TestBody::new().data("0123").data("45").trailers("x-checksum", "1");
    let request = ServiceBuilder::new().layer(layer()).service_fn(echo).oneshot(post(body)).await.unwrap();
    assert_eq!(request.body().size_hint().exact(), None, "an exact length would lose the trailers in HTTP/1");
    let drained = drain(request.into_body()).await;
    assert_eq!(drained.data, b"012345");
    assert_eq!(drained.trailers.unwrap()["x-checksum"], "1");
}

#[tokio::test]
async fn trailers_after_the_limit_survive() {
    let body = TestBody::new().data("0123").data("45").data("67").trailers("x-checksum", "1");
    let service = ServiceBuilder::new().layer(layer().max_body(5)).service_fn(echo);
    let drained = drain(service.oneshot(post(body)).await.unwrap().into_body()).await;
    assert_eq!(drained.data, b"01234567");
    assert_eq!(drained.trailers.unwrap()["x-checksum"], "1");
}

#[tokio::test]
async fn an_empty_body_stays_empty() {
    let service = ServiceBuilder::new().layer(PromptCompressionLayer::new().fake(unchanged)).service_fn(echo);
    let request = service.oneshot(post(TestBody::new())).await.unwrap();
    assert!(request.body().is_end_stream());
    assert_eq!(request.body().size_hint().exact(), Some(0));
    assert!(drain(request.into_body()).await.data.is_empty());
}

#[tokio::test]
async fn many_chunks_with_pauses_are_one_body_for_the_engine() {
    let body = (0..200).fold(TestBody::new(), |body, n| body.data(format!("{n:05}")).pending().data(""));
    let request = ServiceBuilder::new().layer(layer()).service_fn(echo).oneshot(post(body)).await.unwrap();
    let whole = (0..200).map(|n| format!("{n:05}")).collect::<String>();
    assert_eq!(drain(request.into_body()).await.data, whole.as_bytes()[..500]);
}

#[tokio::test]
async fn hints_of_a_replay_count_down_as_it_is_read() {
    let body = TestBody::new().data("0123").data("4567").data("89");
    let service = ServiceBuilder::new().layer(layer().max_body(6)).service_fn(echo);
    let mut body = std::pin::pin!(service.oneshot(post(body)).await.unwrap().into_body());
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (8, None));
    let _ = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (0, None));
}

#[tokio::test]
async fn a_panic_in_the_engine_sends_the_original() {
    for blocking_threshold in [0, u64::MAX] {
        let recorder = Recorder::default();
        let layer =
            PromptCompressionLayer::new().blocking_threshold(blocking_threshold).observer(recorder.clone());
        let layer = layer.fake(|_, _, _| panic!("a bug in the engine"));
        let service = ServiceBuilder::new().layer(layer).service_fn(echo);
        let request = service.oneshot(post(TestBody::new().data("0123").data("4567"))).await.unwrap();
        assert_eq!(drain(request.into_body()).await.data, b"01234567");
        assert_eq!(recorder.events(), ["skipped internal"]);
    }
}
