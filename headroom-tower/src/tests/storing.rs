//! What is set aside is in the store before the request goes on.

use headroom_core::{Api, Handle, Means, Options, Outcome};
use headroom_store::{MemoryStore, OriginalStore};
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    CompressLayer, HeadroomOverride, RequestReport, SkipReason,
    test_support::{BadStore, Recorder, TestBody, drain, echo, halve, post, set_aside},
};

#[tokio::test]
async fn originals_are_stored_before_the_inner_service_is_called() {
    let store = MemoryStore::new();
    let inner = store.clone();
    let layer = CompressLayer::new().fake(set_aside).store(store);
    let service = ServiceBuilder::new().layer(layer).service_fn(move |request| {
        let store = inner.clone();
        async move {
            let found = store.get("team-a", &Handle::of("4567")).await.unwrap();
            assert_eq!(found.as_deref(), Some("4567"));
            assert!(store.get("team-b", &Handle::of("4567")).await.unwrap().is_none());
            echo(request).await
        }
    });
    let mut request = post(TestBody::of("01234567"));
    request.extensions_mut().insert(HeadroomOverride::new().tenant("team-a"));
    let request = service.oneshot(request).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"0123");
}

#[tokio::test]
async fn if_the_store_fails_the_original_goes_on_and_the_observer_is_told() {
    for (store, kind) in [(BadStore::Fails, "unavailable"), (BadStore::Panics, "panic")] {
        let recorder = Recorder::default();
        let layer = CompressLayer::new().fake(set_aside).store(store).observer(recorder.clone());
        let mut request = post(TestBody::of("01234567"));
        request.headers_mut().insert("content-length", 8.into());
        let request = ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap();
        assert_eq!(request.headers()["content-length"], "8");
        let report = request.extensions().get::<RequestReport>().unwrap();
        assert_eq!(report.skip_reason(), Some(SkipReason::StoreFailed));
        assert_eq!(drain(request.into_body()).await.data, b"01234567");
        assert_eq!(recorder.events(), [format!("store {kind}"), "skipped store_failed".to_owned()]);
    }
}

/// Sets half of a body aside where there is a means to fetch it, and halves it where there is none.
fn as_means_allow(api: Api, body: &[u8], options: &Options) -> Outcome {
    let none = *options == options.clone().means(Means::None);
    if none { halve(api, body, options) } else { set_aside(api, body, options) }
}

#[tokio::test]
async fn without_its_store_a_layer_does_what_needs_none() {
    for store in [BadStore::Fails, BadStore::Panics] {
        let recorder = Recorder::default();
        let layer = CompressLayer::new().fake(as_means_allow).store(store).means(Means::Client);
        let layer = layer.observer(recorder.clone());
        let request = layer.rewrite(post(TestBody::of("01234567"))).await;
        assert_eq!(request.headers()["content-length"], "4");
        assert_eq!(drain(request.into_body()).await.data, b"0123");
        let events = recorder.events();
        assert!(events[0].starts_with("store ") && events[1] == "rewritten openai 8->4", "{events:?}");
    }
}

#[tokio::test]
async fn originals_without_a_store_are_not_set_aside() {
    let recorder = Recorder::default();
    let layer = CompressLayer::new().fake(set_aside).observer(recorder.clone());
    let service = ServiceBuilder::new().layer(layer).service_fn(echo);
    let request = service.oneshot(post(TestBody::of("01234567"))).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"01234567");
    assert_eq!(recorder.events(), ["skipped no_store"]);
}

#[tokio::test]
async fn requests_with_other_credentials_are_other_tenants() {
    let store = MemoryStore::new();
    let layer = CompressLayer::new().fake(set_aside).store(store.clone());
    let send = async |key: &str| {
        let mut request = post(TestBody::of("01234567"));
        request.headers_mut().insert("x-api-key", key.parse().unwrap());
        let tenant = layer.tenant_of(&layer.rewrite(request).await.into_parts().0);
        (store.get(&tenant, &Handle::of("4567")).await.unwrap(), tenant)
    };
    let (found, tenant_a) = send("secret-a").await;
    assert_eq!(found.as_deref(), Some("4567"));
    let stored = store.stored_bytes();
    let (found, tenant_b) = send("secret-b").await;
    assert_eq!(found.as_deref(), Some("4567"));
    assert_eq!(store.stored_bytes(), 2 * stored, "each has its own");
    assert!(tenant_a != tenant_b && !tenant_a.contains("secret"));
}
