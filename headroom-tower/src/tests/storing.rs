//! What is set aside is in the store before the request goes on.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use async_trait::async_trait;
use headroom_core::{Api, CompressOptions, Handle, Original, Outcome, Retrieval};
use headroom_store::{MemoryStore, OriginalStore, StoreError};
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    HeadroomOverride, PromptCompressionLayer, RequestReport, SkipReason,
    test_support::{BadStore, Recorder, TestBody, drain, echo, halve, leaves_it, post, set_aside},
};

#[tokio::test]
async fn originals_are_stored_before_the_inner_service_is_called() {
    let store = MemoryStore::new();
    let inner = store.clone();
    let layer = PromptCompressionLayer::new().fake(set_aside).store(store);
    let service = ServiceBuilder::new().layer(layer).service_fn(move |request| {
        let store = inner.clone();
        async move {
            let found = store.get("team-a", &Handle::from_content("4567")).await.unwrap();
            assert_eq!(found.as_deref(), Some("4567"));
            assert!(store.get("team-b", &Handle::from_content("4567")).await.unwrap().is_none());
            echo(request).await
        }
    });
    let mut request = post(TestBody::chunk("01234567"));
    request.extensions_mut().insert(HeadroomOverride::new().tenant("team-a"));
    let request = service.oneshot(request).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"0123");
}

#[tokio::test]
async fn if_the_store_fails_the_original_goes_on_and_the_observer_is_told() {
    for (store, kind) in [(BadStore::Fails, "unavailable"), (BadStore::Panics, "panic")] {
        let recorder = Recorder::default();
        let layer = PromptCompressionLayer::new().fake(set_aside).store(store).observer(recorder.clone());
        let mut request = post(TestBody::chunk("01234567"));
        request.headers_mut().insert("content-length", 8.into());
        let request = ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap();
        assert_eq!(request.headers()["content-length"], "8");
        let report = request.extensions().get::<RequestReport>().unwrap();
        assert_eq!(report.skip_reason(), Some(SkipReason::StoreFailure));
        assert_eq!(drain(request.into_body()).await.data, b"01234567");
        assert_eq!(recorder.events(), [format!("store {kind}"), "skipped store_failure".to_owned()]);
    }
}

/// Sets half of a body aside where there is a means to fetch it, and halves it where there is none.
fn as_means_allow(api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
    let is_none = *options == options.clone().retrieval(Retrieval::Disabled) || leaves_it(body, options);
    if is_none { halve(api, body, options) } else { set_aside(api, body, options) }
}

#[tokio::test]
async fn without_its_store_a_layer_does_what_needs_none() {
    for store in [BadStore::Fails, BadStore::Panics] {
        let recorder = Recorder::default();
        let layer =
            PromptCompressionLayer::new().fake(as_means_allow).store(store).retrieval(Retrieval::ClientTool);
        let layer = layer.observer(recorder.clone());
        let request = layer.rewrite(post(TestBody::chunk("01234567"))).await;
        assert_eq!(request.headers()["content-length"], "4");
        assert_eq!(drain(request.into_body()).await.data, b"0123");
        let events = recorder.events();
        assert!(events[0].starts_with("store ") && events[1] == "rewritten openai 8->4", "{events:?}");
    }
}

#[tokio::test]
async fn originals_without_a_store_are_not_set_aside() {
    let recorder = Recorder::default();
    let layer = PromptCompressionLayer::new().fake(set_aside).observer(recorder.clone());
    let service = ServiceBuilder::new().layer(layer).service_fn(echo);
    let request = service.oneshot(post(TestBody::chunk("01234567"))).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"01234567");
    assert_eq!(recorder.events(), ["skipped no_store"]);
}

#[tokio::test]
async fn requests_with_other_credentials_are_other_tenants() {
    let store = MemoryStore::new();
    let layer = PromptCompressionLayer::new().fake(set_aside).store(store.clone());
    let send = async |key: &str| {
        let mut request = post(TestBody::chunk("01234567"));
        request.headers_mut().insert("x-api-key", key.parse().unwrap());
        let tenant = layer.tenant_of(&layer.rewrite(request).await.into_parts().0);
        (store.get(&tenant, &Handle::from_content("4567")).await.unwrap(), tenant)
    };
    let (found, tenant_a) = send("secret-a").await;
    assert_eq!(found.as_deref(), Some("4567"));
    let stored = store.stored_bytes();
    let (found, tenant_b) = send("secret-b").await;
    assert_eq!(found.as_deref(), Some("4567"));
    assert_eq!(store.stored_bytes(), 2 * stored, "each has its own");
    assert!(tenant_a != tenant_b && !tenant_a.contains("secret"));
}

/// A store that fails when it is told to.
#[derive(Clone, Default)]
struct FlakyStore {
    inner: MemoryStore,
    state: Arc<AtomicU8>,
}

/// What a [`FlakyStore`] can do.
const WORKS: u8 = 0;
const READS_ONLY: u8 = 1;
const IS_DOWN: u8 = 2;

impl FlakyStore {
    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
    }

    fn can(&self, least: u8) -> Result<(), StoreError> {
        let state = self.state.load(Ordering::Relaxed);
        if state <= least { Ok(()) } else { Err(StoreError::unavailable("told to fail")) }
    }
}

#[async_trait]
impl OriginalStore for FlakyStore {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        self.can(WORKS)?;
        self.inner.put_many(tenant, originals).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        self.can(READS_ONLY)?;
        self.inner.get(tenant, handle).await
    }
}

/// A conversation of an agent with so many long logs.
fn logs(count: usize) -> String {
    let log = |n: usize| -> String {
        let line = |at: usize| {
            format!(
                "12:00:{:02} INFO unit {} of job {n} took {} ms\\n",
                at % 60,
                at * 7919 % 1000,
                at * 104_729 % 977
            )
        };
        (0..300).map(line).collect()
    };
    let turn = |n: usize| {
        let id = format!("toolu_{n}");
        format!(
            r#",{{"role":"assistant","content":[{{"type":"tool_use","id":"{id}","name":"Bash","input":{{"command":"job {n}"}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"{id}","content":"{}"}}]}}"#,
            log(n)
        )
    };
    let turns: String = (0..count).map(turn).collect();
    let tools = r#"{"name":"Bash","input_schema":{"type":"object"}},{"name":"mcp__hr__headroom_retrieve","input_schema":{"type":"object"}}"#;
    format!(
        r#"{{"model":"claude-opus-4-5","max_tokens":9,"tools":[{tools}],"messages":[{{"role":"user","content":"what happened?"}}{turns}]}}"#
    )
}

/// What the provider gets, without what ends the body.
async fn sent(layer: &PromptCompressionLayer, count: usize) -> String {
    let mut request = post(TestBody::chunk(logs(count)));
    *request.uri_mut() = "/v1/messages".parse().unwrap();
    let body = drain(layer.rewrite(request).await.into_body()).await.data;
    String::from_utf8(body).unwrap().strip_suffix("]}").unwrap().to_owned()
}

fn layer(store: &FlakyStore) -> PromptCompressionLayer {
    PromptCompressionLayer::new().store(store.clone()).retrieval(Retrieval::ClientTool)
}

fn markers(body: &str) -> usize {
    body.matches("headroom_retrieve]").count()
}

#[tokio::test]
async fn a_store_that_fails_leaves_only_the_new_block_and_it_stays_so() {
    for (failure, restarts) in [(READS_ONLY, false), (READS_ONLY, true), (IS_DOWN, false)] {
        let store = FlakyStore::default();
        let first = layer(&store);
        let before = sent(&first, 2).await;
        assert_eq!(markers(&before), 2);

        store.set(failure);
        let second = if restarts { layer(&store) } else { first };
        assert_eq!(sent(&second, 2).await, before, "what is stored stays set aside");
        let during = sent(&second, 3).await;
        assert!(during.starts_with(&before) && markers(&during) == 2, "the new block needs no store");
        assert_eq!(sent(&second, 3).await, during);

        store.set(WORKS);
        assert_eq!(sent(&second, 3).await, during, "it stays as it went out");
        let after = sent(&second, 4).await;
        assert!(after.starts_with(&during) && markers(&after) == 3, "the next one is set aside again");
    }
}

#[tokio::test]
async fn a_store_that_never_worked_leaves_every_block_and_the_tools() {
    let store = FlakyStore::default();
    store.set(IS_DOWN);
    let layer = PromptCompressionLayer::new().store(store.clone()).retrieval(Retrieval::ClientTool);
    let mut before = String::new();
    for count in 1..4 {
        let body = sent(&layer, count).await;
        assert!(body.starts_with(&before) && markers(&body) == 0);
        before = body;
    }
    store.set(WORKS);
    let after = sent(&layer, 4).await;
    assert!(after.starts_with(&before) && markers(&after) == 1);
}

#[tokio::test]
async fn of_another_tenants_failure_nothing_is_remembered() {
    let store = FlakyStore::default();
    let layer = layer(&store).tenant_from(|parts| {
        parts.headers.get("x-tenant").and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned()
    });
    store.set(IS_DOWN);
    assert_eq!(markers(&sent(&layer, 1).await), 0);
    store.set(WORKS);
    let mut request = post(TestBody::chunk(logs(1)));
    *request.uri_mut() = "/v1/messages".parse().unwrap();
    request.headers_mut().insert("x-tenant", "another".parse().unwrap());
    let body = drain(layer.rewrite(request).await.into_body()).await.data;
    assert_eq!(markers(std::str::from_utf8(&body).unwrap()), 1);
}
