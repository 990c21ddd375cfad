//! What the examples share: where the upstream is, and a conversation to send.
#![forbid(unsafe_code)]

pub mod gateway;

use serde_json::{Value, json};

/// What the documents show runs.
#[cfg(doctest)]
#[doc = include_str!("../../docs/integrations.md")]
#[doc = include_str!("../../docs/tuning.md")]
#[derive(Debug)]
pub struct Documents;

/// The upstream of `UPSTREAM_URL`, without a slash at its end.
#[must_use]
pub fn upstream() -> String {
    let url = std::env::var("UPSTREAM_URL").unwrap_or_else(|_| "https://api.anthropic.com".to_owned());
    url.trim_end_matches('/').to_owned()
}

/// The address of `LISTEN`.
#[must_use]
pub fn listen() -> String {
    std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8787".to_owned())
}

/// The key of `ANTHROPIC_API_KEY`, or an empty one.
#[must_use]
pub fn api_key() -> String {
    std::env::var("ANTHROPIC_API_KEY").unwrap_or_default()
}

/// Chooses the cryptography for TLS.
pub fn set_up_tls() {
    // Fails only if it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The requests of a conversation in which an agent reads one file again and again, one for each turn.
///
/// Each is the one before with more at its end.
#[must_use]
pub fn conversation() -> Vec<Vec<u8>> {
    let mut messages = vec![json!({"role": "user", "content": "Why does the scheduler skip jobs?"})];
    let mut requests = vec![request(&messages)];
    for turn in 1..=4 {
        let id = format!("toolu_{turn:02}");
        let call =
            json!({"type": "tool_use", "id": id, "name": "Read", "input": {"file_path": "src/scheduler.rs"}});
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": file()});
        messages.push(json!({"role": "assistant", "content": [call]}));
        messages.push(json!({"role": "user", "content": [result]}));
        requests.push(request(&messages));
    }
    requests
}

fn request(messages: &[Value]) -> Vec<u8> {
    let read = json!({"name": "Read", "description": "Reads a file.", "input_schema": {"type": "object"}});
    let body = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 1024,
        "stream": true,
        "tools": [read],
        "messages": messages,
    });
    body.to_string().into_bytes()
}

/// A file of a hundred lines, as a tool shows it.
fn file() -> String {
    (1..=100)
        .map(|n| {
            format!(
                "{n:>6}\tfn job_{n}(queue: &Queue) -> Option<Job> {{ queue.take({}) }}\n",
                n * 7919 % 1000
            )
        })
        .collect()
}

/// The code of the project's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
pub struct Readme;
