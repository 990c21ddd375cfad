//! Markers that name files, for agents that read them with their own tools.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Proxy, Upstream, exchange, headroom, ok, pipe, post, stderr};

/// What a command printed.
fn log() -> String {
    let line = |n| format!("2026-11-20T10:00:00Z INFO order {n} took {} ms\n", n * 7 % 90);
    (0..1500).map(line).collect()
}

/// A request of an agent with this tool, in which it was run.
fn asked(tool: &str) -> Value {
    let padding = "Runs what it is told. ".repeat(120);
    json!({"model": "claude-opus-5-5", "max_tokens": 9, "system": padding, "tools": [
        {"name": tool, "input_schema": {"type": "object"}}], "messages": [
        {"role": "user", "content": "why?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": tool, "input": {"command": "./run"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": log()}]}]})
}

/// The path that the first marker of a text names.
fn named(text: &str) -> Option<&str> {
    let (_, marker) = text.split_once("[headroom:")?;
    Some(marker.split_once("; ")?.1.split_once(']')?.0).filter(|path| path.starts_with('/'))
}

fn result(body: &Value) -> &str {
    body["messages"][2]["content"][0]["content"].as_str().unwrap()
}

#[test]
fn compress_writes_the_file_before_it_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let originals_dir = folder.path().join("plaintext");
    let path = originals_dir.to_str().unwrap();
    let compress = |more: &[&str]| {
        let mut command = headroom(&["compress", "--retrieval", "file", "--originals-dir", path]);
        command.args(more).env("HEADROOM_HOME", folder.path());
        command
    };
    let output = pipe(&mut compress(&[]), asked("Bash").to_string().as_bytes());
    assert!(output.status.success() && stderr(&output).is_empty(), "{}", stderr(&output));
    let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = named(result(&sent)).expect("a marker names a file");
    assert!(file.starts_with(path) && fs::read_to_string(file).unwrap() == log(), "{file}");
    assert_eq!(sent["tools"].as_array().unwrap().len(), 1, "no tool is added");

    // What stands in the file is found by its handle too.
    let handle = file.rsplit_once('/').unwrap().1;
    let mut retrieve = headroom(&["retrieve", handle]);
    let found =
        retrieve.env("HEADROOM_HOME", folder.path()).env("HEADROOM_ORIGINALS_DIR", path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), log(), "{}", stderr(&found));

    let text = pipe(&mut compress(&["--text", "--tool", "Bash"]), log().as_bytes());
    let text = String::from_utf8(text.stdout).unwrap();
    assert_eq!(fs::read_to_string(named(&text).expect(&text)).unwrap(), log());

    // Where nothing of the agent's can read it, nothing is set aside.
    let output = pipe(&mut compress(&[]), asked("WebFetch").to_string().as_bytes());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("[headroom:"), "{}", stderr(&output));
}

#[test]
fn where_no_file_can_be_written_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("blocked");
    fs::write(&blocked, "").unwrap();
    let path = blocked.to_str().unwrap();
    for (more, input) in [(&[][..], asked("Bash").to_string()), (&["--text", "--tool", "Bash"], log())] {
        let mut command = headroom(&["compress", "--retrieval", "file", "--originals-dir", path]);
        let output = pipe(command.args(more), input.as_bytes());
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(!String::from_utf8_lossy(&output.stdout).contains("[headroom:"));
        assert!(stderr(&output).contains("nothing was elided") && stderr(&output).contains("blocked"));
    }
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--retrieval", "file", "--originals-dir", path]);
    proxy.wait_for("nothing can be elided until this is fixed");
    exchange(proxy.address, post("/v1/messages", "x-api-key: k\r\n", asked("Bash").to_string().as_bytes()));
    assert!(!result(&upstream.request().json()).contains("[headroom:"));
    proxy.wait_for("cannot store originals, so nothing is elided");
}

#[test]
fn means_that_cannot_work_are_refused_at_the_start() {
    for (args, expected) in [
        (&["proxy", "--retrieval", "file"][..], "retrieval file needs a folder"),
        (&["compress", "--retrieval", "file"], "retrieval file needs a folder"),
        (&["proxy", "--retrieval", "file", "--originals-dir", "/tmp/a]b"], "without brackets"),
        (&["proxy", "--retrieval", "magic"], "expected off, server-tool, client-tool or file"),
    ] {
        let output = pipe(&mut headroom(args), b"{}");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn the_proxy_names_files_to_agents_on_this_machine_only() {
    let (upstream, home) = (Upstream::answering(ok("{}")), tempfile::tempdir().unwrap());
    let proxy = Proxy::at_home(home.path(), upstream.address, &["--retrieval", "file"]);
    proxy.wait_for("retrieval file in ");
    let send = |headers: &str| {
        let headers = format!("x-api-key: k\r\n{headers}");
        exchange(proxy.address, post("/v1/messages", &headers, asked("Bash").to_string().as_bytes()));
        upstream.request().json()
    };
    let sent = send("");
    let file = Path::new(named(result(&sent)).expect("a marker names a file"));
    assert_eq!(fs::read_to_string(file).unwrap(), log());
    assert_eq!(file.parent(), Some(&*home.path().join("plaintext")));
    assert_eq!(sent["tools"].as_array().unwrap().len(), 1, "no tool is added");
    assert_eq!(send(""), sent, "the same every time");

    // Somebody else's proxy may bring it from anywhere.
    let forwarded = send("x-forwarded-for: 10.0.0.7\r\n");
    assert!(named(result(&forwarded)).is_none() && result(&forwarded).contains("headroom_retrieve]"));
    assert_eq!(forwarded["tools"][1]["name"], "headroom_retrieve");

    // The user finds both by their handles.
    let token = fs::read_to_string(home.path().join("token")).unwrap();
    let handle = file.file_name().unwrap().to_str().unwrap();
    let ask = format!(
        "GET /v1/retrieve/{handle} HTTP/1.1\r\nhost: localhost\r\nx-headroom-token: {}\r\n\r\n",
        token.trim()
    );
    // In one step, because the proxy may still be writing there.
    fs::rename(home.path().join("originals"), home.path().join("gone")).unwrap();
    assert_eq!(exchange(proxy.address, ask).json()["text"], log());
}

#[test]
fn inspect_shows_the_path_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let originals_dir = folder.path().join("plaintext");
    let args = ["inspect", "--json", "--diff", "--retrieval", "file"];
    let output = pipe(
        headroom(&args).env("HEADROOM_ORIGINALS_DIR", &originals_dir),
        asked("Bash").to_string().as_bytes(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["retrieval"], "file");
    let text = report["blocks"][0]["text_after"].as_str().unwrap();
    assert!(named(text).unwrap().starts_with(originals_dir.to_str().unwrap()) && !originals_dir.exists());
}
