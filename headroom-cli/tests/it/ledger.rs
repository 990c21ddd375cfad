//! What turns cost and what was saved in them, from the wire to `headroom savings`.

use std::{fs, io::Write, path::Path, time::Instant};

use serde_json::{Value, json};

use crate::support::{PATIENCE, Proxy, Upstream, exchange, headroom, ok, post, request, stderr};

/// The entries that a proxy has written by its end.
fn entries(home: &Path, mut proxy: Proxy) -> Vec<Value> {
    proxy.signal("TERM");
    assert_eq!(proxy.wait().code(), Some(0));
    let Ok(days) = fs::read_dir(home.join("ledger")) else { return Vec::new() };
    let texts = days.map(|day| fs::read_to_string(day.unwrap().path()).unwrap());
    texts
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
        .collect()
}

fn savings(home: &Path, args: &[&str]) -> Value {
    let output = headroom(&["savings", "--json"]).args(args).env("HEADROOM_HOME", home).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn events(lines: &[Value]) -> String {
    let body: String = lines.iter().map(|line| format!("data: {line}\n\n")).collect();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Paths, and answers of theirs with the same usage.
fn answers() -> [(&'static str, String); 8] {
    let anthropic = json!({"input_tokens": 10, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 5, "output_tokens": 1});
    let chat = json!({"prompt_tokens": 45, "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 5}, "completion_tokens": 8});
    let responses = json!({"input_tokens": 45, "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 5}, "output_tokens": 8});
    let gemini = json!({"promptTokenCount": 45, "cachedContentTokenCount": 30, "candidatesTokenCount": 5, "thoughtsTokenCount": 3});
    let with_output = |usage: &Value| {
        let mut usage = usage.clone();
        usage["output_tokens"] = json!(8);
        usage
    };
    [
        ("/v1/messages", ok(&json!({"model": "m", "usage": with_output(&anthropic)}).to_string())),
        (
            "/v1/messages",
            events(&[
                json!({"type": "message_start", "message": {"model": "m", "usage": anthropic}}),
                json!({"type": "message_delta", "usage": {"output_tokens": 8}}),
            ]),
        ),
        ("/v1/chat/completions", ok(&json!({"model": "m", "choices": [], "usage": chat}).to_string())),
        (
            "/v1/chat/completions",
            events(&[
                json!({"model": "m", "usage": null, "choices": [{}]}),
                json!({"model": "m", "choices": [], "usage": chat}),
            ]),
        ),
        ("/v1/responses", ok(&json!({"model": "m", "output": [], "usage": responses}).to_string())),
        (
            "/v1/responses",
            events(&[
                json!({"type": "response.created", "response": {"model": "m", "usage": null}}),
                json!({"type": "response.completed", "response": {"model": "m", "usage": responses}}),
            ]),
        ),
        (
            "/v1beta/models/m:generateContent",
            ok(&json!({"usageMetadata": gemini, "modelVersion": "m"}).to_string()),
        ),
        (
            "/v1beta/models/m:streamGenerateContent",
            events(&[
                json!({"usageMetadata": {"promptTokenCount": 45, "cachedContentTokenCount": 30}}),
                json!({"usageMetadata": gemini, "modelVersion": "m"}),
            ]),
        ),
    ]
}

#[test]
fn usage_of_every_api_is_read_from_bodies_and_streams() {
    for (path, response) in answers() {
        let home = tempfile::tempdir().unwrap();
        let upstream = Upstream::answering(response.clone());
        let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
        let answer = exchange(proxy.address, post(path, "", br#"{"messages":[],"input":[],"contents":[]}"#));
        assert!(response.ends_with(&*String::from_utf8_lossy(&answer.body)), "{path}");
        let entries = entries(home.path(), proxy);
        assert_eq!(entries.len(), 1, "{path}");
        let usage = &entries[0]["usage"];
        let (prompt, writes) = if path.contains("beta") { (15, 0) } else { (10, 5) };
        assert_eq!(
            (&usage["input"], &usage["cache_read"]),
            (&json!(prompt), &json!(30)),
            "{path} {response}"
        );
        assert_eq!(
            (&usage["cache_write"], &usage["output"]),
            (&json!(writes), &json!(8)),
            "{path} {response}"
        );
        assert_eq!(entries[0]["model"], "m", "{path}");
    }
}

#[test]
fn an_encoded_answer_passes_as_it_is_and_is_read_all_the_same() {
    let usage = br#"{"model":"gpt-5.5","usage":{"prompt_tokens":7,"completion_tokens":1}}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(usage).unwrap();
    let gzip = encoder.finish().unwrap();
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length";
    let mut response = format!("{head}: {}\r\n\r\n", gzip.len()).into_bytes();
    response.extend(&gzip);
    let home = tempfile::tempdir().unwrap();
    let upstream = Upstream::answering(response);
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    let answer = exchange(
        proxy.address,
        post("/v1/chat/completions", "accept-encoding: gzip\r\n", br#"{"messages":[]}"#),
    );
    assert_eq!(answer.body, gzip);
    assert_eq!(entries(home.path(), proxy)[0]["usage"]["input"], 7);
}

#[test]
fn a_turn_costs_what_its_tokens_cost_and_the_client_hears_of_it() {
    let usage = json!({"input_tokens": 100, "cache_creation_input_tokens": 100000, "cache_read_input_tokens": 0, "output_tokens": 1000});
    let upstream = Upstream::answering(ok(&json!({"model": "claude-opus-5-5", "usage": usage}).to_string()));
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    let answer = exchange(proxy.address, post("/v1/messages", "", &request("anthropic")));
    let tokens = |name: &str| answer.header(name).unwrap().parse::<i64>().unwrap();
    let saved = tokens("x-headroom-tokens-before") - tokens("x-headroom-tokens-after");
    assert!(saved > 500, "{answer:?}");
    assert_eq!(answer.header("x-headroom-outcome"), Some("rewritten"));

    let entries = entries(home.path(), proxy);
    assert_eq!(
        (&entries[0]["saved_new"], &entries[0]["saved_cached"]),
        (&json!(saved), &json!(0)),
        "{entries:?}"
    );
    let text = entries[0].to_string();
    for content in ["secret", "zone", "why", "messages", "127.0.0.1"] {
        assert!(!text.contains(content), "{text}");
    }
    let statement = savings(home.path(), &[]);
    let total = &statement["total"];
    let paid = (100.0 * 4.0 + 100_000.0 * 5.0 + 1000.0 * 20.0) / 1e6;
    assert!((total["paid"].as_f64().unwrap() - paid).abs() < 1e-9, "{statement}");
    let price = (100.0 * 4.0 + 100_000.0 * 5.0) / 100_100.0;
    assert!((total["saved"].as_f64().unwrap() - saved as f64 * price / 1e6).abs() < 1e-9, "{statement}");
    assert_eq!(statement["days"][0]["model"], "claude-opus-5-5");
}

#[test]
fn what_the_provider_had_cached_is_worth_a_read_only() {
    // All but 50 tokens came from the cache: the result was there before.
    let usage = json!({"input_tokens": 50, "cache_read_input_tokens": 100000, "output_tokens": 1});
    let upstream = Upstream::answering(ok(&json!({"model": "claude-opus-5-5", "usage": usage}).to_string()));
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    exchange(proxy.address, post("/v1/messages", "", &request("anthropic")));
    let entries = entries(home.path(), proxy);
    assert_eq!(entries[0]["saved_new"], 0);
    let saved = entries[0]["saved_cached"].as_f64().unwrap();
    assert!(saved > 500.0);
    let dollars = savings(home.path(), &[])["total"]["saved"].as_f64().unwrap();
    assert!((dollars - saved * 0.2 / 1e6).abs() < 1e-12, "{dollars}");
}

#[test]
fn refused_requests_save_nothing() {
    for status in [400, 401, 429, 500, 529] {
        let body = r#"{"type":"error","error":{"type":"e","message":"m"}}"#;
        let head = format!("HTTP/1.1 {status} No\r\ncontent-type: application/json\r\nretry-after: 9");
        let upstream = Upstream::answering(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
        let home = tempfile::tempdir().unwrap();
        let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
        let answer = exchange(proxy.address, post("/v1/messages", "", &request("anthropic")));
        assert_eq!((answer.status(), answer.header("retry-after")), (status, Some("9")));
        let outcome = if status == 400 { "rejected" } else { "rewritten" };
        assert_eq!(answer.header("x-headroom-outcome"), Some(outcome), "{status}");
        let entries = entries(home.path(), proxy);
        assert_eq!((&entries[0]["status"], &entries[0]["saved_new"]), (&json!(status), &json!(0)));
        let total = &savings(home.path(), &[])["total"];
        assert_eq!(
            (&total["turns"], &total["refused"], &total["saved"]),
            (&json!(0), &json!(1), &json!(0.0))
        );
    }
}

#[test]
fn a_request_that_was_taken_only_as_it_came_saves_nothing() {
    let original = request("anthropic");
    let accepted = original.clone();
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        connection.write(if request.body == accepted {
            ok(r#"{"model":"claude-opus-5-5","usage":{"input_tokens":5000,"output_tokens":1}}"#)
        } else {
            "HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n".to_owned()
        })?;
        Ok(request)
    });
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    let answer = exchange(proxy.address, post("/v1/messages", "", &original));
    assert_eq!((answer.status(), answer.header("x-headroom-outcome")), (200, Some("rejected")));
    assert_eq!(answer.header("x-headroom-tokens-before"), answer.header("x-headroom-tokens-after"));
    let entries = entries(home.path(), proxy);
    let expected =
        json!({"outcome": "rejected", "status": 200, "calls": 2, "saved_new": 0, "saved_cached": 0});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&entries[0][key], value, "{key}");
    }
    assert_eq!(entries[0]["usage"]["input"], 5000);
}

#[test]
fn calls_that_the_client_does_not_know_of_are_told_apart() {
    let log: String =
        (0..1500).map(|n| format!("2026-11-20T10:00:00Z INFO order {n} took {} ms\n", n * 7 % 90)).collect();
    let upstream = Upstream::start(|connection| {
        let request = connection.read()?;
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let (content, stop, usage) = if text.contains("toolu_own") {
            (
                json!([{"type": "text", "text": "done"}]),
                "end_turn",
                json!({"input_tokens": 300, "output_tokens": 7}),
            )
        } else {
            let at = text.find("[headroom:").map_or(0, |at| at + "[headroom:".len());
            let input = json!({"hash": text.get(at..at + 16), "lines": "1-3"});
            let call =
                json!({"type": "tool_use", "id": "toolu_own", "name": "headroom_retrieve", "input": input});
            (json!([call]), "tool_use", json!({"input_tokens": 200, "output_tokens": 9}))
        };
        let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5",
            "content": content, "stop_reason": stop, "usage": usage});
        connection.write(ok(&answer.to_string()))?;
        Ok(request)
    });
    let body = json!({"model": "claude-opus-5-5", "max_tokens": 9,
        "tools": [{"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}],
        "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": log}]}]});
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    let answer = exchange(proxy.address, post("/v1/messages", "", body.to_string().as_bytes()));
    assert_eq!(answer.json()["content"][0]["text"], "done", "{answer:?}");
    let entries = entries(home.path(), proxy);
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!((&entry["calls"], &entry["outcome"]), (&json!(2), &json!("rewritten")), "{entry}");
    assert_eq!((&entry["usage"]["input"], &entry["usage"]["output"]), (&json!(200), &json!(7)), "{entry}");
    assert_eq!((&entry["extra"]["input"], &entry["extra"]["output"]), (&json!(300), &json!(9)), "{entry}");
    // The tool's definition is taken off.
    let saved = entry["tokens_before"].as_i64().unwrap() - entry["tokens_after"].as_i64().unwrap();
    assert_eq!(entry["saved_new"].as_i64().unwrap(), saved - 110, "{entry}");
}

#[test]
fn turns_stay_when_the_proxy_is_killed_and_other_requests_are_none() {
    let upstream =
        Upstream::answering(ok(r#"{"model":"gpt-5.5","usage":{"prompt_tokens":7,"completion_tokens":1}}"#));
    let home = tempfile::tempdir().unwrap();
    for turn in 1..=3 {
        let mut proxy = Proxy::at_home(home.path(), upstream.address, &[]);
        exchange(proxy.address, "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n");
        exchange(proxy.address, post("/v1/chat/completions", "", br#"{"messages":[]}"#));
        let start = Instant::now();
        while savings(home.path(), &[])["total"]["turns"] != turn {
            assert!(start.elapsed() < PATIENCE, "{}", savings(home.path(), &[]));
        }
        proxy.signal("KILL");
        proxy.wait();
    }
}

#[test]
fn a_control_group_is_sent_untouched_and_compared() {
    let usage = json!({"input_tokens": 100, "cache_creation_input_tokens": 100000, "cache_read_input_tokens": 0, "output_tokens": 1000});
    let upstream = Upstream::answering(ok(&json!({"model": "claude-opus-5-5", "usage": usage}).to_string()));
    for (percent, outcome) in [("100", "holdout"), ("0", "rewritten")] {
        let home = tempfile::tempdir().unwrap();
        let proxy = Proxy::at_home(home.path(), upstream.address, &["--holdout", percent, "--epochs", "off"]);
        let answer = exchange(proxy.address, post("/v1/messages", "", &request("anthropic")));
        assert_eq!(answer.header("x-headroom-outcome"), Some(outcome));
        let is_untouched = upstream.request().body == request("anthropic");
        assert_eq!(is_untouched, percent == "100");
        let entries = entries(home.path(), proxy);
        assert_eq!(entries[0]["conversation"].is_string(), percent == "100", "{entries:?}");
        let found = savings(home.path(), &[]);
        let group = &found["control_group"];
        if percent == "0" {
            assert!(group.is_null(), "{found}");
            continue;
        }
        assert_eq!((&group["untouched"]["conversations"], &group["per_turn"]), (&json!(1), &Value::Null));
        let output = headroom(&["savings"]).env("HEADROOM_HOME", home.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("1 of 1 conversations were sent untouched"), "{text}");
        assert!(text.contains("too little to compare"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn the_table_names_its_base() {
    let home = tempfile::tempdir().unwrap();
    let text = |args: &[&str]| {
        let output = headroom(args).env("HEADROOM_HOME", home.path()).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(text(&["savings"]).contains("has no turn of the last 30 days"));
    let upstream = Upstream::answering(ok(
        r#"{"model":"model-of-tomorrow","usage":{"prompt_tokens":7,"completion_tokens":1}}"#,
    ));
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    exchange(proxy.address, post("/v1/chat/completions", "", &request("openai")));
    entries(home.path(), proxy);
    for args in [&["savings"][..], &["stats", "--days", "1"]] {
        let text = text(args);
        for part in
            ["model-of-tomorrow", "total", "prices of 2026-", "No dollars for 1 turns", "reading its cache"]
        {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }
    let output = headroom(&["savings"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}
