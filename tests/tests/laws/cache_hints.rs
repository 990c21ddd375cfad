//! Settings for the provider's cache that are added.

use headroom_core::{Api, CacheHint, CompressOptions, Engine, Report, Retrieval};
use headroom_tests::generate;
use proptest::prelude::*;
use serde_json::Value;

use crate::{cases, every_body};

/// What is sent of a body, parsed, and the report.
fn sent(api: Api, body: &[u8], options: &CompressOptions) -> (Value, Report) {
    let outcome = Engine::new().compress(api, body, options);
    let parsed = serde_json::from_slice(outcome.body().unwrap_or(body)).unwrap();
    (parsed, outcome.report().clone())
}

/// Takes what was added from a request, after it is found to be what the report says.
fn take_back(sent: &mut Value, hints: &[CacheHint]) {
    let members = sent.as_object_mut().unwrap();
    for hint in hints {
        match hint {
            CacheHint::Breakpoint => {
                assert_eq!(members.remove("cache_control"), Some(serde_json::json!({"type": "ephemeral"})));
            }
            CacheHint::PromptCacheKey => {
                let key = members.remove("prompt_cache_key").unwrap();
                assert!(
                    key.as_str().is_some_and(|key| key.starts_with("headroom-") && key.len() <= 64),
                    "{key}"
                );
            }
            CacheHint::SystemSplit => {
                let blocks = members["system"].as_array().unwrap();
                let text: String = blocks.iter().map(|block| block["text"].as_str().unwrap()).collect();
                assert!(blocks.len() == 2 && blocks[0]["cache_control"]["type"] == "ephemeral");
                members["system"] = Value::String(text);
            }
            _ => panic!("{hint} is new"),
        }
    }
}

/// The system prompt as one text.
fn with_one_system_text(mut body: Value) -> Value {
    if let Some([block]) = body["system"].as_array().map(Vec::as_slice) {
        body["system"] = block["text"].clone();
    }
    body
}

fn check(api: Api, body: &[u8]) -> Vec<CacheHint> {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let (mut with, report) = sent(api, body, &options.clone().cache_hints(CacheHint::ALL.iter().copied()));
    let (without, _) = sent(api, body, &options);
    take_back(&mut with, &report.cache_hints);
    assert_eq!(
        with_one_system_text(with),
        with_one_system_text(without),
        "{api}: only the cache's settings differ"
    );
    report.cache_hints
}

#[test]
fn recorded_requests_read_the_same_with_them() {
    let mut added = Vec::new();
    for (name, api, body) in every_body("cache_hints") {
        let Ok(parsed) = serde_json::from_slice::<Value>(&body) else { continue };
        let hints = check(api, &body);
        let manages = |name: &str| String::from_utf8_lossy(&body).contains(&format!("\"{name}\":"));
        assert!(!manages("cache_control") || api != Api::Anthropic || hints.is_empty(), "{name}");
        assert!(parsed.get("prompt_cache_key").is_none() || hints.is_empty(), "{name}");
        added.extend(hints);
    }
    assert!(
        added.contains(&CacheHint::PromptCacheKey) && added.contains(&CacheHint::Breakpoint),
        "{added:?}"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn they_are_the_same_in_every_request_of_a_conversation(conversation in generate::conversations()) {
        let options = CompressOptions::new().cache_hints(CacheHint::ALL.iter().copied());
        let mut key: Option<Value> = None;
        for body in generate::bodies(&conversation) {
            if !serde_json::from_slice::<Value>(&body).is_ok_and(|body| body.is_object()) {
                continue;
            }
            check(conversation.api, &body);
            let (with, report) = sent(conversation.api, &body, &options);
            if report.cache_hints.contains(&CacheHint::PromptCacheKey) {
                let new = &with["prompt_cache_key"];
                prop_assert!(key.as_ref().is_none_or(|key| key == new), "{key:?}, then {new}");
                key = Some(new.clone());
            }
        }
    }
}
