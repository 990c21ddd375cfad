//! The headers describe the body that goes on.

use tower::{ServiceBuilder, ServiceExt};

use crate::{
    PromptCompressionLayer, RequestReport,
    test_support::{Recorder, TestBody, drain, echo, halve, post, unchanged},
};

#[tokio::test]
async fn a_rewritten_body_has_its_exact_length() {
    let recorder = Recorder::default();
    let layer = PromptCompressionLayer::new().fake(halve).observer(recorder.clone());
    let mut request = post(TestBody::chunk("0123456789"));
    request.headers_mut().insert("content-length", 10.into());
    request.headers_mut().insert("x-other", "kept".parse().unwrap());
    let request = ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap();
    assert_eq!(request.headers()["content-length"], "5");
    assert_eq!(request.headers().get_all("content-length").iter().count(), 1);
    assert_eq!(request.headers()["x-other"], "kept");
    assert_eq!(http_body::Body::size_hint(request.body()).exact(), Some(5));
    let report = request.extensions().get::<RequestReport>().unwrap().clone();
    assert!(report.is_rewritten());
    assert_eq!(report.report().unwrap().tokens_saved, 7);
    assert_eq!(drain(request.into_body()).await.data, b"01234");
    assert_eq!(recorder.events(), ["rewritten openai 10->5"]);
}

#[tokio::test]
async fn a_rewritten_body_is_not_chunked() {
    let mut request = post(TestBody::new().data("0123456789"));
    request.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
    let service = ServiceBuilder::new().layer(PromptCompressionLayer::new().fake(halve)).service_fn(echo);
    let request = service.oneshot(request).await.unwrap();
    assert!(!request.headers().contains_key("transfer-encoding"));
    assert_eq!(request.headers()["content-length"], "5");
}

#[tokio::test]
async fn the_head_of_a_request_that_is_not_rewritten_stays_as_it_was() {
    let mut request = post(TestBody::new().data("0123456789"));
    request.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
    let headers = request.headers().clone();
    let service = ServiceBuilder::new().layer(PromptCompressionLayer::new().fake(unchanged)).service_fn(echo);
    let request = service.oneshot(request).await.unwrap();
    assert_eq!(*request.headers(), headers);
    assert_eq!(
        request.extensions().get::<RequestReport>().unwrap().skip_reason().unwrap().as_str(),
        "no_saving"
    );
}
