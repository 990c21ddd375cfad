//! An epoch, from the wire to what the user is shown.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::support::{Message, Proxy, Upstream, exchange, headroom, ok, pipe, post, stderr};

/// A conversation of so many prompts, with the results of eight calls after each but the last. The engine takes the
/// model for one that reads its cache at the price of writing it, so that every prompt at which enough leaves is an epoch.
fn body(prompts: usize, is_open: bool) -> Vec<u8> {
    let view = |n: usize| -> String {
        (1..150)
            .map(|line| format!("{line:6}\tlet part_{n}_{line} = make(\"line\", {});\n", n * line))
            .collect()
    };
    let mut messages = Vec::new();
    for prompt in 0..prompts {
        messages.push(json!({"role": "user", "content": format!("Why is part_{prompt} late?")}));
        let calls = if prompt + 1 < prompts { 8 } else { usize::from(is_open) };
        for call in 0..calls {
            let (n, id) = (prompt * 8 + call, format!("call_{prompt}_{call}"));
            messages.push(json!({"role": "assistant", "content": [
                {"type": "tool_use", "id": id, "name": "Bash", "input": {"command": format!("show {n}")}}]}));
            messages.push(json!({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": id, "content": view(n)}]}));
        }
        if prompt + 1 < prompts {
            messages.push(json!({"role": "assistant", "content": [{"type": "text", "text": "It is done."}]}));
        }
    }
    let tools = json!([{"name": "Bash", "input_schema": {"type": "object"}}]);
    json!({"model": "gpt-5-pro", "max_tokens": 9, "tools": tools, "messages": messages})
        .to_string()
        .into_bytes()
}

/// The provider's counts of the turns below: what is read, and what is written.
const USAGE: [[u64; 2]; 3] = [[0, 180_000], [20_000, 60_000], [80_000, 3_000]];

fn upstream() -> Upstream {
    let turn = AtomicUsize::new(0);
    Upstream::start(move |connection| {
        let request = connection.read()?;
        let [read, written] = USAGE[turn.fetch_add(1, Ordering::Relaxed).min(2)];
        let usage = json!({"input_tokens": 0, "cache_read_input_tokens": read, "cache_creation_input_tokens": written, "output_tokens": 1});
        connection.write(ok(&json!({"model": "claude-opus-4-6", "usage": usage}).to_string()))?;
        Ok(request)
    })
}

fn send(proxy: &Proxy, body: &[u8]) -> Message {
    exchange(proxy.address, post("/v1/messages", "x-api-key: k\r\n", body))
}

fn savings(home: &Path, args: &[&str]) -> String {
    let output = headroom(&["savings"]).args(args).env("HEADROOM_HOME", home).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_epoch_is_recorded_and_shown_with_its_cost_and_its_gain() {
    let (home, upstream) = (tempfile::tempdir().unwrap(), upstream());
    let proxy = Proxy::at_home(home.path(), upstream.address, &["--log", "info"]);
    let epochs = |answer: &Message| answer.header("x-headroom-epochs").map(str::to_owned);
    assert_eq!(epochs(&send(&proxy, &body(2, true))), None);
    assert_eq!(epochs(&send(&proxy, &body(3, false))).as_deref(), Some("1"));
    assert_eq!(epochs(&send(&proxy, &body(3, true))).as_deref(), Some("1"));
    assert!(proxy.wait_for(", an epoch: about ").matches(", an epoch: about ").count() == 1);

    let token = fs::read_to_string(home.path().join("token")).unwrap();
    let get = |path: &str| {
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-headroom-token: {}\r\n\r\n", token.trim());
        String::from_utf8(exchange(proxy.address, head).body).unwrap()
    };
    let stats: Value = serde_json::from_str(&get("/stats")).unwrap();
    let sums = &stats["since_start"];
    assert_eq!(sums["epochs"]["began"], 1, "{stats}");
    let freed = sums["epochs"]["freed"].as_u64().unwrap();
    let again = 180_000 - freed - 20_000;
    assert!(freed > 8_000 && again > 60_000, "the provider wrote at most what it did not read: {freed}");
    assert_eq!(
        sums["cache_writes"],
        json!({"start": 180_000, "epoch": 60_000, "new": 3_000, "pause": 0, "head": 0, "other": 0})
    );
    let metrics = get("/metrics");
    for line in [
        "headroom_epochs_total{api=\"anthropic\"} 1",
        "headroom_epoch_tokens_total{kind=\"freed\"}",
        "headroom_uncached_tokens_total{provider=\"anthropic\",cause=\"epoch\"} 60000",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }

    let mut proxy = proxy;
    proxy.signal("TERM");
    proxy.wait();
    let shown: Value = serde_json::from_str(&savings(home.path(), &["--json"])).unwrap();
    let epochs = &shown["epochs"];
    assert_eq!(
        (&epochs["count"], &epochs["open"], &epochs["lost"]),
        (&json!(1), &json!(1), &json!(0)),
        "{shown}"
    );
    let epoch = &epochs["each"][0];
    assert_eq!(
        (&epoch["turns"], &epoch["written"], &epoch["prompt"]),
        (&json!(2), &json!(60_000), &json!(3))
    );
    // 0.5 dollars for a million tokens that are read, 6.25 for those that are written.
    let gain = 2.0 * freed as f64 * 0.5 / 1e6 - 60_000.0 * (6.25 - 0.5) / 1e6;
    assert!((epoch["gain"].as_f64().unwrap() - gain).abs() < 1e-9 && gain < 0.0, "{epoch} {gain}");
    let (total, saved) = (&shown["total"], &shown["total"]["saved"]);
    assert!((total["epochs"]["gain"].as_f64().unwrap() - gain).abs() < 1e-9, "{total}");
    assert!(saved.as_f64().unwrap() < 0.0, "what is written again is taken off: {total}");
    let text = savings(home.path(), &[]);
    assert!(text.contains("Epochs: 1.") && text.contains("0 repaid, 1 open, 0 not repaid"), "{text}");
    assert!(!shown.to_string().contains("part_"), "counts, never content");
}

#[test]
fn a_request_or_a_setting_turns_epochs_off() {
    let (home, upstream) = (tempfile::tempdir().unwrap(), upstream());
    let body = body(3, false);
    for (settings, header, begins) in [
        (&[][..], "", true),
        (&[], "x-headroom-epochs: off\r\n", false),
        (&["--epochs", "on"], "", true),
        (&["--epochs", "off"], "", false),
        (&["--epochs", "off"], "x-headroom-epochs: on\r\n", true),
        // Nothing that leaves could be retrieved.
        (&["--retrieval", "off"], "", false),
        (&["--retrieval", "client-tool"], "", false),
        (&["--tier", "lossless"], "", false),
        (&["--tier", "dedup"], "", false),
        (&["--holdout", "100"], "", false),
        (&["--store", "memory"], "", true),
    ] {
        let proxy = Proxy::at_home(home.path(), upstream.address, settings);
        let answer = exchange(proxy.address, post("/v1/messages", header, &body));
        assert_eq!(answer.header("x-headroom-epochs").is_some(), begins, "{settings:?} {header}");
        let sent = String::from_utf8(upstream.request().body).unwrap();
        assert_eq!(sent.contains("stored: old"), begins, "{settings:?} {header}");
    }
}

#[test]
fn a_model_whose_cache_nobody_knows_has_no_epochs() {
    let (home, upstream) = (tempfile::tempdir().unwrap(), upstream());
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    let known = String::from_utf8(body(3, false)).unwrap();
    for (model, begins) in [("gpt-5-pro", true), ("qwen3-coder:30b", false), ("gpt-oss:120b", false)] {
        let body = known.replace("gpt-5-pro", model);
        assert!(body.contains(model), "{model}");
        let answer = exchange(proxy.address, post("/v1/messages", "", body.as_bytes()));
        assert_eq!(answer.header("x-headroom-epochs").is_some(), begins, "{model}");
        let _ = upstream.request();
    }
}

#[test]
fn a_proxy_without_a_disk_goes_on_after_a_restart_as_before() {
    let (home, upstream) = (tempfile::tempdir().unwrap(), upstream());
    let sent = |body: &[u8]| {
        let proxy = Proxy::at_home(home.path(), upstream.address, &["--store", "memory"]);
        exchange(proxy.address, post("/v1/messages", "", body));
        String::from_utf8(upstream.request().body).unwrap()
    };
    let (begun, later) = (sent(&body(3, false)), sent(&body(3, true)));
    let (start, _) = begun.rsplit_once("]}").unwrap();
    let messages = start.find("\"messages\"").unwrap();
    assert!(begun.contains("stored: old"), "{begun}");
    let end = start.find("],\"model\"").unwrap_or(start.len());
    assert!(later.contains(&start[messages..end]), "the later request begins like the one before");
}

#[test]
fn who_sends_the_request_itself_has_no_epochs_unless_asked() {
    for (args, begins) in [(&[][..], false), (&["--epochs", "on"], true)] {
        let mut command = headroom(&["compress", "--store", "memory"]);
        let output = pipe(command.args(args), &body(3, false));
        let sent = String::from_utf8(output.stdout).unwrap();
        assert_eq!(sent.contains("stored: old"), begins, "{args:?}");
    }
}

#[test]
fn inspect_names_the_epochs_of_a_request() {
    let inspect = |args: &[&str], body: &[u8]| {
        let mut command = headroom(&["inspect"]);
        let output = pipe(command.args(args), body);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let begun: Value = serde_json::from_str(&inspect(&["--json"], &body(3, false))).unwrap();
    assert_eq!((&begun["epochs"][0]["prompt"], &begun["epoch_begins"]), (&json!(3), &json!(true)), "{begun}");
    let later: Value = serde_json::from_str(&inspect(&["--json"], &body(3, true))).unwrap();
    assert_eq!((&later["epochs"], &later["epoch_begins"]), (&begun["epochs"], &json!(false)));
    assert!(inspect(&[], &body(3, false)).contains("Epoch at prompt 3: "));
}
