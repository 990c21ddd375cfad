//! Which requests are looked at, and as what.

use std::sync::{Arc, Mutex};

use headroom_core::{Api, CompressOptions, Retrieval, Tier};
use headroom_store::MemoryStore;
use http::Request;
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    HeadroomLayer, HeadroomOverride, PromptCompressionLayer, RequestReport,
    test_support::{Recorder, TestBody, drain, echo, halve, post, unchanged},
};

/// What the engine was asked for.
async fn asked(layer: PromptCompressionLayer, request: Request<TestBody>) -> Option<(Api, CompressOptions)> {
    let asked = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&asked);
    let layer = layer.fake(move |api, body, options| {
        *seen.lock().unwrap() = Some((api, options.clone()));
        unchanged(api, body, options)
    });
    ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap();
    asked.lock().unwrap().take()
}

#[tokio::test]
async fn requests_that_are_not_ours_pass_unread() {
    let upgrade =
        Request::post("/v1/responses").header("upgrade", "websocket").header("connection", "upgrade");
    for (request, reason) in [
        (Request::get("/v1/messages"), "method"),
        (Request::post("/upload").header("content-type", "image/png"), "content_type"),
        (Request::post("/v1/messages/batches").header("content-type", "application/json"), "path"),
        (upgrade, "upgrade"),
        (Request::post("/v1/messages").header("authorization", "AWS4-HMAC-SHA256 x"), "signed"),
        (Request::post("/v1/messages").extension(HeadroomOverride::disabled()), "disabled"),
    ] {
        let request = request.body(TestBody::new().data("0123").trailers("x-a", "b")).unwrap();
        let polls = request.body().polls.clone();
        let recorder = Recorder::default();
        let layer = PromptCompressionLayer::new().fake(halve).observer(recorder.clone());
        let request = ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap();
        assert_eq!(*polls.lock().unwrap(), 0, "{reason}");
        assert!(request.extensions().get::<RequestReport>().is_none());
        let drained = drain(request.into_body()).await;
        assert_eq!((&drained.data[..], drained.trailers.is_some()), (&b"0123"[..], true));
        assert_eq!(recorder.events(), [format!("skipped {reason}")]);
    }
}

#[tokio::test]
async fn an_offer_of_http2_in_the_clear_is_no_upgrade() {
    for (offer, is_read) in [("h2c", true), ("H2C", true), ("h2c, websocket", false), ("websocket", false)] {
        let request = Request::post("/v1/messages").header("upgrade", offer);
        let request = request.body(TestBody::chunk("0123")).unwrap();
        let request = PromptCompressionLayer::new().fake(halve).rewrite(request).await;
        let sent = drain(request.into_body()).await.data;
        assert_eq!(sent == b"01", is_read, "{offer}");
    }
}

#[tokio::test]
async fn the_api_comes_from_the_path_then_from_the_body() {
    let gemini = || TestBody::chunk(r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#);
    let at = |path: &str| {
        let request = Request::post(path).header("content-type", "application/json");
        request.body(gemini()).unwrap()
    };
    let api = |asked: Option<(Api, CompressOptions)>| asked.map(|(api, _)| api);
    assert_eq!(api(asked(PromptCompressionLayer::new(), at("/v1/messages")).await), Some(Api::Anthropic));
    assert_eq!(api(asked(PromptCompressionLayer::new(), at("/custom")).await), Some(Api::Gemini));
    let forced = PromptCompressionLayer::new().api(Api::Converse);
    assert_eq!(api(asked(forced.clone(), at("/v1/messages")).await), Some(Api::Converse));
    let mut own = at("/v1/messages");
    own.extensions_mut().insert(HeadroomOverride::new().api(Api::OpenAiResponses));
    assert_eq!(api(asked(forced, own).await), Some(Api::OpenAiResponses));
}

#[tokio::test]
async fn a_body_of_no_known_api_goes_on_as_it_came() {
    let recorder = Recorder::default();
    let layer = PromptCompressionLayer::new().fake(halve).observer(recorder.clone());
    let request = Request::post("/custom").header("content-type", "application/json");
    let request = request.body(TestBody::chunk("[1,2,3]")).unwrap();
    let request = ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"[1,2,3]");
    assert_eq!(recorder.events(), ["skipped unknown_api"]);
}

#[tokio::test]
async fn settings_reach_the_engine_and_a_requests_own_come_first() {
    let layer = PromptCompressionLayer::new()
        .tier(Tier::Dedup)
        .store(MemoryStore::new())
        .retrieval(Retrieval::ClientTool);
    let layer = layer.tenant_from(|parts| parts.uri.path().to_owned());
    let (_, options) = asked(layer.clone(), post(TestBody::chunk("{}"))).await.unwrap();
    let expected = CompressOptions::new()
        .tier(Tier::Dedup)
        .retrieval(Retrieval::ClientTool)
        .tenant(crate::test_support::PATH);
    assert_eq!(options, expected);

    let mut request = post(TestBody::chunk("{}"));
    let own = HeadroomOverride::new().tier(Tier::Lossless).tenant("team-a").retrieval(Retrieval::Disabled);
    request.extensions_mut().insert(own);
    let (_, options) = asked(layer, request).await.unwrap();
    assert_eq!(
        options,
        CompressOptions::new().tier(Tier::Lossless).retrieval(Retrieval::Disabled).tenant("team-a")
    );
}

#[tokio::test]
async fn a_layer_that_sees_no_answers_offers_no_tool_of_its_own() {
    let own = HeadroomOverride::new().retrieval(Retrieval::ServerTool);
    for layer in [
        HeadroomLayer::new().request_only(),
        PromptCompressionLayer::new().store(MemoryStore::new()).retrieval(Retrieval::ServerTool),
    ] {
        let mut request = post(TestBody::chunk("{}"));
        let (_, options) = asked(layer.clone(), post(TestBody::chunk("{}"))).await.unwrap();
        assert_eq!(options, options.clone().retrieval(Retrieval::Disabled));
        request.extensions_mut().insert(own.clone());
        let (_, options) = asked(layer, request).await.unwrap();
        assert_eq!(options, options.clone().retrieval(Retrieval::Disabled));
    }
}

#[tokio::test]
async fn without_a_store_there_is_no_means() {
    let layer = PromptCompressionLayer::new().retrieval(Retrieval::ClientTool).tenant_from(|_| String::new());
    let (_, options) = asked(layer, post(TestBody::chunk("{}"))).await.unwrap();
    assert_eq!(options, CompressOptions::new());
}

#[tokio::test]
async fn a_request_is_rewritten_once() {
    let layer = PromptCompressionLayer::new().fake(halve);
    let inner = ServiceBuilder::new()
        .layer(layer.clone())
        .service_fn(async |request: Request<_>| Ok::<_, std::convert::Infallible>(request));
    let request = layer.rewrite(post(TestBody::chunk("01234567"))).await;
    let request = inner.oneshot(request).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"0123");
}

#[tokio::test]
async fn a_predicate_replaces_the_default_but_not_the_guards() {
    let layer = PromptCompressionLayer::new().fake(halve).when(|_: &http::request::Parts| true);
    let put = Request::put("/v1/messages").body(TestBody::chunk("0123")).unwrap();
    assert_eq!(drain(layer.rewrite(put).await.into_body()).await.data, b"01");
    let signed =
        Request::put("/v1/messages").header("content-digest", "x").body(TestBody::chunk("0123")).unwrap();
    assert_eq!(drain(layer.rewrite(signed).await.into_body()).await.data, b"0123");
}
