//! Tools whose definitions leave from the first request of a conversation on.

use std::sync::Arc;

use async_trait::async_trait;
use headroom_core::{Engine, KeptTool, Retrieval};
use headroom_store::{ExchangeStore, MemoryStore, OriginalStore, RecordKey, StoreError};
use serde_json::{Value, json};

use super::{
    anthropic::{stream, text},
    support::{Say, Serving, Setup},
};
use crate::{HeadroomLayer, RequestReport};

fn layer(store: MemoryStore, names: &[&'static str]) -> HeadroomLayer {
    let mut layer = HeadroomLayer::with_store(store).retrieval(Retrieval::ServerTool);
    layer.set(|config| config.engine = Arc::new(Serving(Engine::new())));
    layer.drop_tools(names.iter().copied())
}

/// The request of this conversation after so many answers.
fn body(prompt: &str, answers: usize) -> String {
    let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
    let mut messages = vec![json!({"role": "user", "content": prompt})];
    for n in 0..answers {
        messages.push(
            json!({"role": "assistant", "content": [{"type": "text", "text": format!("fly_kite? {n}")}]}),
        );
        messages.push(json!({"role": "user", "content": "go on"}));
    }
    let tools = json!([tool("Bash"), tool("fly_kite"), tool("mcp__sea__dive_in")]);
    json!({"model": "m", "max_tokens": 9, "stream": true, "system": "s", "tools": tools, "messages": messages})
        .to_string()
}

/// The tools that the provider gets, without Headroom's own.
async fn tools(layer: &HeadroomLayer, body: &str) -> Vec<String> {
    let mut setup = Setup::new("/v1/messages").says([Say::events(&stream(1, &[text("fine")]))]);
    setup.layer = layer.clone();
    setup.send(body).await;
    let got = setup.got().pop().unwrap();
    assert!(got.head.extensions.get::<RequestReport>().is_some());
    let sent: Value = serde_json::from_str(&got.body).unwrap();
    let names =
        sent["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
    names.filter(|name| name != "headroom_retrieve").collect()
}

const ALL: [&str; 3] = ["Bash", "fly_kite", "mcp__sea__dive_in"];

#[tokio::test]
async fn a_conversation_leaves_out_what_its_first_request_left_out() {
    let store = MemoryStore::new();
    let first = layer(store.clone(), &["fly_kite"]);
    assert_eq!(tools(&first, &body("one", 0)).await, ["Bash", "mcp__sea__dive_in"]);
    // Another process, after the setting was changed.
    let later = layer(store.clone(), &["mcp__sea__*"]);
    for answers in [1, 2, 0, 3] {
        assert_eq!(tools(&later, &body("one", answers)).await, ["Bash", "mcp__sea__dive_in"], "{answers}");
    }
    assert_eq!(tools(&later, &body("two", 0)).await, ["Bash", "fly_kite"]);
    assert_eq!(tools(&layer(store, &[]), &body("three", 0)).await, ALL);
}

#[tokio::test]
async fn a_conversation_that_began_before_keeps_its_tools() {
    let store = MemoryStore::new();
    assert_eq!(tools(&layer(store.clone(), &[]), &body("one", 0)).await, ALL);
    let with = layer(store, &["fly_kite"]);
    for answers in 1..4 {
        assert_eq!(tools(&with, &body("one", answers)).await, ALL, "{answers}");
    }
}

#[tokio::test]
async fn what_the_head_names_stays_and_is_reported() {
    let body = body("one", 0).replace(r#""system":"s""#, r#""system":"Use fly_kite.""#);
    let mut setup = Setup::new("/v1/messages").says([Say::events(&stream(1, &[text("fine")]))]);
    setup.layer = layer(MemoryStore::new(), &["fly_kite", "mcp__sea__dive_in"]);
    setup.send(&body).await;
    let got = setup.got().pop().unwrap();
    let report = got.head.extensions.get::<RequestReport>().unwrap().report().unwrap().clone();
    let listed: Vec<_> = report.listed_tools.iter().map(|tool| (&*tool.name, tool.kept)).collect();
    assert_eq!(listed, [("fly_kite", Some(KeptTool::Named)), ("mcp__sea__dive_in", None)]);
    assert!(report.tools_saved > 5 && report.tools_saved == report.listed_tools[1].tokens, "{report:?}");
}

/// A store that takes no records.
#[derive(Clone)]
struct Failing(MemoryStore);

#[async_trait]
impl OriginalStore for Failing {
    async fn put_many(
        &self,
        tenant: &str,
        originals: Vec<headroom_core::Original>,
    ) -> Result<(), StoreError> {
        self.0.put_many(tenant, originals).await
    }

    async fn get(
        &self,
        tenant: &str,
        handle: &headroom_core::Handle,
    ) -> Result<Option<Arc<str>>, StoreError> {
        self.0.get(tenant, handle).await
    }
}

#[async_trait]
impl ExchangeStore for Failing {
    async fn put_record(&self, _: &str, _: &[RecordKey], _: &str) -> Result<(), StoreError> {
        Err(StoreError::unavailable(std::io::Error::other("full")))
    }

    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        self.0.get_records(tenant, keys).await
    }
}

#[tokio::test]
async fn without_a_note_all_tools_stay() {
    let mut with = HeadroomLayer::with_store(Failing(MemoryStore::new())).retrieval(Retrieval::ServerTool);
    with.set(|config| config.engine = Arc::new(Serving(Engine::new())));
    let with = with.drop_tools(["fly_kite"]);
    for answers in 0..2 {
        assert_eq!(tools(&with, &body("one", answers)).await, ALL, "{answers}");
    }
}
