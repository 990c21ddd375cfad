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
    assert_eq!(send(&app, "GET", &target, &with("b"), String::new()).await.0, StatusCode::OK);
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
