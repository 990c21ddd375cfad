//! A head that changes within a conversation, from the wire to what the user is shown; and tools that leave.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::support::{Proxy, Upstream, exchange, headroom, ok, pipe, post, stderr};

/// The provider's counts of the turns below: what is read, and what is written.
const USAGE: [[u64; 2]; 3] = [[0, 40_000], [40_000, 900], [2_000, 39_800]];

fn upstream() -> Upstream {
    let turn = AtomicUsize::new(0);
    Upstream::start(move |connection| {
        let request = connection.read()?;
        let [read, written] = USAGE[turn.fetch_add(1, Ordering::Relaxed) % USAGE.len()];
        let usage = json!({"input_tokens": 0, "cache_read_input_tokens": read, "cache_creation_input_tokens": written, "output_tokens": 9});
        connection.write(ok(&json!({"model": "claude-opus-4-6", "usage": usage}).to_string()))?;
        Ok(request)
    })
}

/// The request of a conversation after so many answers, on this day.
fn body(question: &str, answers: usize, day: usize) -> String {
    let tool = |name: &str| json!({"name": name, "description": "A tool that somebody installed long ago. ".repeat(12), "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}});
    let mut messages = vec![json!({"role": "user", "content": question})];
    for n in 0..answers {
        messages.push(json!({"role": "assistant", "content": [{"type": "tool_use", "id": format!("c{n}"), "name": "Bash", "input": {"command": "date"}}]}));
        messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": format!("c{n}"), "content": "done"}]}));
    }
    let system = format!("You are an agent of Ada Lovelace.\nToday is 2026-11-{day}.");
    let tools = json!([
        tool("Bash"),
        tool("Read"),
        tool("Edit"),
        tool("mcp__sea__dive_in"),
        tool("mcp__sea__come_up")
    ]);
    json!({"model": "claude-opus-4-6", "max_tokens": 9, "system": system, "tools": tools, "messages": messages}).to_string()
}

fn bill(home: &Path, args: &[&str]) -> String {
    let mut command = headroom(&["doctor", "--bill"]);
    let output = command.args(args).env("HEADROOM_HOME", home).env("HOME", home).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_date_in_the_system_prompt_is_named_with_what_it_costs() {
    let (home, upstream) = (tempfile::tempdir().unwrap(), upstream());
    let mut proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    for conversation in 0..3 {
        for (answers, day) in [(0, 29), (1, 29), (2, 30)] {
            let body = body(&format!("What is new in part {conversation}?"), answers, day);
            let answer = exchange(proxy.address, post("/v1/messages", "", body.as_bytes()));
            assert_eq!(answer.status(), 200);
            let _ = upstream.request();
        }
    }
    proxy.signal("TERM");
    proxy.wait();
    let days: Vec<_> = fs::read_dir(home.path().join("ledger")).unwrap().collect();
    let ledger: String =
        days.iter().map(|day| fs::read_to_string(day.as_ref().unwrap().path()).unwrap()).collect();
    for content in ["Lovelace", "Today", "2026-11", "installed", "What is new", "done"] {
        assert!(!ledger.contains(content), "{content}: {ledger}");
    }
    let found: Value = serde_json::from_str(&bill(home.path(), &["--json"])).unwrap();
    let change = &found["head_changes"][0];
    assert_eq!(
        (&change["place"], &change["line"], &change["what"]),
        (&json!("system"), &json!(2), &json!("date"))
    );
    assert_eq!((&change["turns"], &change["conversations"]), (&json!(3), &json!(3)), "{found}");
    // 38,900 tokens, which cost 5.75 more a million to write than to read.
    let dollars = change["dollars"].as_f64().unwrap();
    assert!((dollars - 3.0 * 38_900.0 * 5.75 / 1e6).abs() < 1e-6, "{change}");
    let tools = &found["records"]["turns"]["tools"];
    assert_eq!(
        (&tools["Bash"]["is_called"], &tools["mcp__sea__dive_in"]["is_called"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(tools["mcp__sea__dive_in"]["conversations"], 3, "{tools}");
    let text = bill(home.path(), &[]);
    assert!(text.lines().all(|line| line.chars().count() <= 80 || !line.contains(' ')), "{text}");
    for part in [
        "Text that changes in the head: $0.67 of ",
        "Nothing to do: cache lifetime: no session of Claude Code",
        "system, line 2: a date, 3 turns of 3 conversations, 116,700 tokens written again",
        "of the MCP server sea",
        "claude mcp remove sea",
        "drop_tools = [",
    ] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(part), "{part:?}: {text}");
    }
    let savings = headroom(&["savings"]).env("HEADROOM_HOME", home.path()).output().unwrap();
    let savings = String::from_utf8(savings.stdout).unwrap();
    assert!(savings.contains("  system, line 2: a date, 3 times, 116,700 tokens, $0.67"), "{savings}");
}

#[test]
fn listed_tools_leave_new_conversations_alone() {
    let (home, upstream) = (tempfile::tempdir().unwrap(), upstream());
    let tools = |settings: &[&str], body: &str| {
        let proxy = Proxy::at_home(home.path(), upstream.address, settings);
        exchange(proxy.address, post("/v1/messages", "", body.as_bytes()));
        let sent: Value = serde_json::from_slice(&upstream.request().body).unwrap();
        let names =
            sent["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
        names.filter(|name| name != "headroom_retrieve").collect::<Vec<_>>()
    };
    let all = ["Bash", "Read", "Edit", "mcp__sea__dive_in", "mcp__sea__come_up"];
    let with = ["--drop-tools", "mcp__sea__*,Edit"];
    assert_eq!(tools(&[], &body("an old one", 0, 29)), all);
    assert_eq!(tools(&with, &body("an old one", 1, 29)), all, "it began before");
    assert_eq!(tools(&with, &body("a new one", 0, 29)), ["Bash", "Read"]);
    assert_eq!(tools(&with, &body("a new one", 1, 29)), ["Bash", "Read"], "after a restart");
    assert_eq!(tools(&with, &body("a new one with Edit", 0, 29)), ["Bash", "Read", "Edit"], "it is named");
    let mut inspect = headroom(&["inspect"]);
    let shown =
        pipe(inspect.env("HEADROOM_DROP_TOOLS", "mcp__sea__*,Edit"), body("Edit it", 0, 29).as_bytes());
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("Tool mcp__sea__dive_in left out, "), "{shown}");
    assert!(shown.contains("Tool Edit stays: named elsewhere in the head\n"), "{shown}");
}
