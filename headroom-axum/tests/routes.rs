//! The routes that a gateway merges into its own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what goes wrong in a test ends it")]

use axum::{Router, body::Body, routing::post};
use headroom_axum::{BearerToken, Routes, Stats, layer};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const SECRET: &str = "3f1c9a7be05d48e2a6b4c8d0f9e17a53";

fn app() -> (Router, Stats) {
    let stats = Stats::new();
    let headroom = layer().observer(stats.clone());
    let routes = Routes::new(&headroom).stats(stats.clone()).into_router(BearerToken::new(SECRET).unwrap());
    let app = Router::new().route("/v1/messages", post(echo)).route_layer(headroom).merge(routes);
    (app, stats)
}

/// A provider that gives back what it got.
async fn echo(body: String) -> String {
    body
}

async fn send(
    app: &Router,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: String,
) -> (StatusCode, String) {
    let request =
        headers.iter().fold(Request::builder().method(method).uri(target), |request, (name, value)| {
            request.header(*name, *value)
        });
    let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// A result of which parts are set aside where the client has the tool to fetch them back.
fn conversation() -> Value {
    let log: String = (0..3000)
        .map(|n| format!("2026-11-20 10:00:{:02} INFO worker-{} handled order {}\n", n % 60, n % 7, n * 7919))
        .collect();
    json!({
        "model": "claude-opus-5-5", "max_tokens": 9,
        "tools": [{"name": "mcp__headroom__headroom_retrieve", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": log}]}]
    })
}

fn handle(text: &str) -> &str {
    let (_, rest) = text.split_once("[headroom:").unwrap_or_else(|| panic!("no marker in {text:.300}"));
    rest.split([' ', ']']).next().unwrap()
}

#[tokio::test]
async fn nothing_is_answered_without_the_secret() {
    let (app, _) = app();
    let bearer = format!("Bearer {SECRET}");
    for (method, target) in
        [("GET", "/stats"), ("GET", "/v1/retrieve/abcdefghijklmnop"), ("POST", "/v1/compress")]
    {
        for headers in [
            &[][..],
            &[("authorization", "Bearer other")],
            &[("authorization", SECRET)],
            &[("x-headroom-token", &SECRET[1..])],
            &[("x-api-key", SECRET)],
        ] {
            let (status, body) = send(&app, method, target, headers, String::new()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{target} {headers:?}");
            assert!(body.contains("authentication_error") && !body.contains(SECRET), "{body}");
        }
        for headers in [[("authorization", bearer.as_str())], [("x-headroom-token", SECRET)]] {
            let (status, _) = send(&app, method, target, &headers, String::new()).await;
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{target} {headers:?}");
        }
    }
    let (status, _) = send(&app, "POST", "/v1/messages", &[], "{}".to_owned()).await;
    assert_eq!(status, StatusCode::OK, "the gateway's own routes are not guarded by it");
}

#[tokio::test]
async fn what_one_tenant_set_aside_no_other_gets() {
    let (app, _) = app();
    let with = |key: &'static str| [("x-headroom-token", SECRET), ("x-api-key", key)];
    let body = conversation().to_string();
    let (status, answer) = send(&app, "POST", "/v1/compress", &with("a"), body.clone()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let text = answer["messages"][2]["content"][0]["content"].as_str().unwrap();
    let (before, after) =
        (answer["tokens_before"].as_u64().unwrap(), answer["tokens_after"].as_u64().unwrap());
    assert!(after * 2 < before && answer["tokens_saved"] == before - after, "{before} {after}");
    assert_eq!(answer["model"], "claude-opus-5-5");
    let target = format!("/v1/retrieve/{}", handle(text));
    let (status, whole) = send(&app, "GET", &target, &with("a"), String::new()).await;
    assert_eq!(status, StatusCode::OK, "{whole}");
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let original = conversation();
    let original = original["messages"][2]["content"][0]["content"].as_str().unwrap();
    assert!(original.contains(whole["text"].as_str().unwrap()));
    let (_, part) = send(&app, "GET", &format!("{target}?lines=2-3"), &with("a"), String::new()).await;
    assert!(part.contains("handled order") && part.len() < 1000, "{part}");
    let (status, _) = send(&app, "GET", &target, &with("b"), String::new()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // What the layer set aside for a key is there for who shows it.
    let (_, sent) = send(&app, "POST", "/v1/messages", &[("x-api-key", "b")], body).await;
    let target = format!("/v1/retrieve/{}", handle(&sent));
    let bearer = format!("Bearer {SECRET}");
    for secret in [("x-headroom-token", SECRET), ("authorization", &bearer)] {
        let shown = [secret, ("x-api-key", "b")];
        assert_eq!(send(&app, "GET", &target, &shown, String::new()).await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn bad_input_is_told_without_quoting_it() {
    let (app, _) = app();
    let secret = [("x-headroom-token", SECRET)];
    for body in ["", "nonsense-secret", "[]", r#"{"model":"m"}"#, r#"{"messages":[],"messages":[1]}"#] {
        let (status, answer) = send(&app, "POST", "/v1/compress", &secret, body.to_owned()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {answer}");
        assert!(answer.contains("invalid_request_error") && !answer.contains("nonsense"), "{answer}");
    }
    let encoded = [("x-headroom-token", SECRET), ("content-encoding", "gzip")];
    let (status, _) = send(&app, "POST", "/v1/compress", &encoded, "{}".to_owned()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for target in [
        "/v1/retrieve/x",
        "/v1/retrieve/abcdefghijklmnop?page=2",
        "/v1/retrieve/abcdefghijklmnop?lines=1&rows=1",
        "/v1/retrieve/abcdefghijklmnop?max_bytes=x",
    ] {
        let (status, answer) = send(&app, "GET", target, &secret, String::new()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{target} {answer}");
    }
    let same = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#;
    let (_, answer) = send(&app, "POST", "/v1/compress", &secret, same.to_owned()).await;
    assert!(
        answer.contains(r#""messages":[{"role":"user","content":"hi"}]"#)
            && answer.contains("nothing_editable"),
        "{answer}"
    );
}

#[tokio::test]
async fn stats_tell_what_the_layer_did() {
    let (app, stats) = app();
    send(&app, "POST", "/v1/messages", &[], conversation().to_string()).await;
    send(&app, "POST", "/v1/messages", &[], r#"{"messages":[]}"#.to_owned()).await;
    let (status, shown) = send(&app, "GET", "/stats", &[("x-headroom-token", SECRET)], String::new()).await;
    assert_eq!(status, StatusCode::OK);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown, stats.to_json());
    assert_eq!(shown["requests"]["rewritten"], 1, "{shown}");
    assert_eq!(shown["requests"]["skipped"]["nothing_editable"], 1, "{shown}");
    assert!(
        shown["tokens_saved"].as_u64().unwrap() > 1000
            && shown["bytes"]["after"].as_u64() < shown["bytes"]["before"].as_u64()
    );
    let routes: Router = Routes::new(&layer()).into_router_unauthenticated();
    assert_eq!(send(&routes, "GET", "/stats", &[], String::new()).await.0, StatusCode::NOT_FOUND);
}

/// What LiteLLM's guardrail sends: no words of the model, and no tools.
fn withheld() -> Value {
    let conversation = conversation();
    let result = conversation.pointer("/messages/2/content/0/content").unwrap();
    json!({"model": "gpt-4o", "config": {"mode": "ccr"}, "messages": [
        {"role": "user", "content": "why?"}, {"role": "tool", "tool_call_id": "t1", "content": result}]})
}

#[tokio::test]
async fn a_gateway_gets_hexadecimal_hashes_and_resolves_them() {
    let (app, _) = app();
    let token = [("x-headroom-token", SECRET)];
    let asked = withheld();
    let (status, text) = send(&app, "POST", "/v1/compress", &token, asked.to_string()).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, StatusCode::OK, "{text}");
    let messages = answer["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2, "one row for each");
    assert_eq!(messages[0], asked["messages"][0]);
    let hashes: Vec<_> =
        answer["ccr_hashes"].as_array().unwrap().iter().map(|hash| hash.as_str().unwrap()).collect();
    let marked = messages[1]["content"].as_str().unwrap();
    assert!(!hashes.is_empty() && marked.len() < 20_000);
    for hash in &hashes {
        assert!(
            hash.len() == 20
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
        );
        assert!(marked.contains(&format!("[headroom:{hash} ")), "{marked}");
    }
    assert_eq!(handle(marked), hashes[0]);
    let count = |name: &str| answer[name].as_u64().unwrap();
    assert_eq!(count("tokens_saved"), count("tokens_before") - count("tokens_after"));
    let ratio = answer["compression_ratio"].as_f64().unwrap();
    assert!((0.5..1.0).contains(&ratio), "the part that is gone: {ratio}");
    let again = send(&app, "POST", "/v1/compress", &token, asked.to_string()).await;
    assert_eq!(again.1, text, "the same each time");

    let get = async |target: String| {
        let (status, text) = send(&app, "GET", &target, &token, String::new()).await;
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, whole) = get(format!("/v1/retrieve/{}", hashes[0])).await;
    let content = whole["original_content"].as_str().unwrap();
    assert_eq!(
        (status, &whole["text"], &whole["hash"]),
        (StatusCode::OK, &whole["original_content"], &json!(hashes[0]))
    );
    assert!(asked["messages"][1]["content"].as_str().unwrap().contains(content));
    let (_, part) = get(format!("/v1/retrieve/{}?query=order%207919", hashes[0])).await;
    let part = part["original_content"].as_str().unwrap();
    assert!(part.contains("handled order 7919") && part.len() < content.len());
    let (status, missing) = get("/v1/retrieve/0123456789abcdef0123".to_owned()).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{missing}");
    let (status, _) = get("/v1/retrieve/0123456789ABCDEF0123".to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_webhook_gets_its_request_made_smaller() {
    let (app, _) = app();
    let token = [("x-headroom-token", SECRET)];
    let hook = async |event: &str, json: &Value| {
        let body = json!({"eventType": event, "request": {"json": json, "text": "why?", "isStreamingRequest": true},
            "response": {"json": {}}, "provider": "anthropic", "requestType": "messages", "metadata": {}});
        let (status, text) = send(&app, "POST", "/v1/compress", &token, body.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let asked = conversation();
    let (_, plain) = send(&app, "POST", "/v1/compress", &token, asked.to_string()).await;
    let plain: Value = serde_json::from_str(&plain).unwrap();
    let answer = hook("beforeRequestHook", &asked).await;
    assert_eq!(answer["verdict"], json!(true));
    let mut expected = asked.clone();
    expected["messages"] = plain["messages"].clone();
    assert_eq!(answer["transformedData"], json!({"request": {"json": expected}}));
    assert_eq!(answer["data"]["tokens_after"], plain["tokens_after"]);
    assert!(answer["data"]["tokens_before"].as_u64() > answer["data"]["tokens_after"].as_u64());
    assert_eq!(hook("beforeRequestHook", &asked).await, answer, "the same each time");

    // What has nothing to say about it goes on as it is.
    let small = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]});
    for (event, json) in [
        ("afterRequestHook", &asked),
        ("beforeRequestHook", &small),
        ("beforeRequestHook", &json!(null)),
        ("beforeRequestHook", &json!("text")),
        ("beforeRequestHook", &json!([1])),
        ("somethingNew", &asked),
    ] {
        let answer = hook(event, json).await;
        assert_eq!(answer["verdict"], json!(true), "{event} {json}");
        assert!(answer.get("transformedData").is_none(), "{answer}");
    }
    for body in [r#"{"eventType":7}"#, r#"{"eventType":"beforeRequestHook","request":7}"#] {
        let (status, text) = send(&app, "POST", "/v1/compress", &token, body.to_owned()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
    }
}

#[tokio::test]
async fn callers_without_the_mode_get_what_they_got() {
    let (app, _) = app();
    let token = [("x-headroom-token", SECRET)];
    let (_, plain) = send(&app, "POST", "/v1/compress", &token, conversation().to_string()).await;
    for config in [json!({"mode": "agent"}), json!({}), json!("ccr"), json!(null)] {
        let mut asked = conversation();
        asked["config"] = config;
        let (status, text) = send(&app, "POST", "/v1/compress", &token, asked.to_string()).await;
        assert_eq!(status, StatusCode::OK);
        let (mut got, mut expected): (Value, Value) =
            (serde_json::from_str(&text).unwrap(), serde_json::from_str(&plain).unwrap());
        // The bodies differ in length by `config`.
        for answer in [&mut got, &mut expected] {
            for name in ["bytes_before", "bytes_after"] {
                answer["report"][name] = json!(0);
            }
        }
        assert_eq!(got, expected);
        assert!(got.get("ccr_hashes").is_none() && got.get("compression_ratio").is_none());
    }
    let answer: Value = serde_json::from_str(&plain).unwrap();
    let text = answer["messages"][2]["content"][0]["content"].as_str().unwrap();
    let (status, found) =
        send(&app, "GET", &format!("/v1/retrieve/{}", handle(text)), &token, String::new()).await;
    assert!(status == StatusCode::OK && !found.contains("original_content"));
}

#[tokio::test]
async fn a_gateway_whose_request_cannot_be_read_is_told_so() {
    let (app, _) = app();
    let token = [("x-headroom-token", SECRET)];
    for (body, expected) in [
        (json!({"config": {"mode": "ccr"}, "input": []}), StatusCode::BAD_REQUEST),
        (json!({"config": {"mode": "ccr"}, "messages": [], "tools": {}}), StatusCode::BAD_REQUEST),
        (json!({"config": {"mode": "ccr"}, "messages": [{"role": "user", "content": "hi"}]}), StatusCode::OK),
    ] {
        let (status, text) = send(&app, "POST", "/v1/compress", &token, body.to_string()).await;
        assert_eq!(status, expected, "{text}");
        if status == StatusCode::OK {
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert_eq!((&answer["ccr_hashes"], &answer["tokens_saved"]), (&json!([]), &json!(0)));
            assert_eq!(answer["messages"], body["messages"]);
        }
    }
}
