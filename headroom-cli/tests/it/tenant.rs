//! Whose the stored originals are.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Proxy, Upstream, exchange, ok, post};

fn log() -> String {
    (0..1500).map(|n| format!("2026-11-20T10:00:00Z INFO order {n} took {} ms\n", n * 7 % 90)).collect()
}

fn request(messages: &Value) -> Vec<u8> {
    let tool = json!({"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}});
    json!({"model": "claude-opus-5-5", "max_tokens": 9, "tools": [tool], "messages": messages})
        .to_string()
        .into_bytes()
}

/// The result of `headroom_retrieve` that a model gets in a conversation of another credential.
fn retrieved_with_another_credential(args: &[&str]) -> String {
    let handle = Arc::new(Mutex::new(String::new()));
    let results = Arc::new(Mutex::new(Vec::new()));
    let (known, seen) = (Arc::clone(&handle), Arc::clone(&results));
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        let body = request.json();
        let last = body["messages"].as_array().unwrap().last().unwrap().clone();
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let mut content = json!([{"type": "text", "text": "done"}]);
        if text.contains("toolu_own") {
            seen.lock().unwrap().push(last["content"][0]["content"].to_string());
        } else if text.contains("what was it?") {
            let input = json!({"hash": *known.lock().unwrap(), "lines": "700-702"});
            content =
                json!([{"type": "tool_use", "id": "toolu_own", "name": "headroom_retrieve", "input": input}]);
        } else if let Some(at) = text.find("[headroom:").map(|at| at + "[headroom:".len()) {
            text.get(at..at + 16).unwrap_or_default().clone_into(&mut known.lock().unwrap());
        }
        let stop = if content[0]["type"] == "tool_use" { "tool_use" } else { "end_turn" };
        let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
            "content": content, "stop_reason": stop, "usage": {"input_tokens": 1, "output_tokens": 1}});
        connection.write(ok(&answer.to_string()))?;
        Ok(request)
    });
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, args);
    let first = request(&json!([
        {"role": "user", "content": "why?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": log()}]}]));
    exchange(proxy.address, post("/v1/messages", "x-api-key: one\r\n", &first));
    assert_eq!(handle.lock().unwrap().len(), 16, "something is elided");
    let second = request(&json!([{"role": "user", "content": "what was it?"}]));
    let answer = exchange(proxy.address, post("/v1/messages", "x-api-key: two\r\n", &second));
    assert_eq!(answer.json()["content"][0]["text"], "done", "{answer:?}");
    let results = results.lock().unwrap();
    assert_eq!(results.len(), 1, "{results:?}");
    results[0].clone()
}

#[test]
fn an_original_belongs_to_the_credential_that_sent_it_or_to_the_configured_tenant() {
    let own = retrieved_with_another_credential(&[]);
    assert!(!own.contains("order"), "{own}");
    let shared = retrieved_with_another_credential(&["--tenant", "team"]);
    assert!(shared.contains("order 700 took"), "{shared}");
}
