//! Nothing that content says commands a terminal.
#![cfg(unix)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::support::{headroom, on_terminal, pipe, records, request, skipped};

/// A title, a bell, a colour, C1's control sequence, a cursor that goes up, text that is read backwards.
const HOSTILE: &str = "evil\x1b]0;title\x07\x1b[31mred\u{9b}2J\x1b[1A\r\x08\x7f\u{202e}txt";

/// What a bar of progress begins its line anew with.
const BAR: &str = "\r\x1b[2K";

/// Runs it on a terminal and gives what is shown there, if nothing in it is a command but colours of ours.
fn shown(command: &Command) -> Option<String> {
    let Some(output) = on_terminal(command) else {
        skipped("there is no python3 to make a terminal");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    let mut rest = text.clone();
    for ours in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m-", "\x1b[31mbroken", BAR]
    {
        rest = rest.replace(ours, "");
    }
    let command = rest.chars().find(|c| (c.is_control() && !"\n\t".contains(*c)) || *c == '\u{202e}');
    assert_eq!(command, None, "{rest:?}");
    Some(text)
}

/// What the same command writes where there is no terminal.
fn written(mut command: Command) -> Output {
    command.output().unwrap()
}

fn hostile_request(folder: &Path) -> String {
    let mut body: Value = serde_json::from_slice(&request("anthropic")).unwrap();
    body["messages"][1]["content"][0]["name"] = json!(HOSTILE);
    body["messages"][2]["content"][0]["content"] = json!(records().replace("secret-state", HOSTILE));
    let file = folder.join("request.json");
    fs::write(&file, body.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn inspect_shows_control_characters_of_names_and_texts() {
    let folder = tempfile::tempdir().unwrap();
    let file = hostile_request(folder.path());
    for args in
        [&["inspect", &file][..], &["inspect", "--diff", &file], &["inspect", "--json", "--diff", &file]]
    {
        let Some(text) = shown(&headroom(args)) else { return };
        assert!(text.contains(r"evil\u001b"), "{args:?}: {text}");
    }
}

#[test]
fn simulate_shows_those_of_files_and_tools() {
    let folder = tempfile::tempdir().unwrap();
    let file = hostile_request(folder.path());
    let named = folder.path().join(format!("{}.json", HOSTILE.replace('/', "")));
    fs::rename(&file, &named).unwrap();
    for args in [&["simulate"][..], &["simulate", "--json"]] {
        let mut command = headroom(args);
        let Some(text) = shown(command.arg(&named)) else { return };
        assert!(text.contains(r"\u202etxt"), "{args:?}: {text}");
    }
}

#[test]
fn retrieve_shows_them_on_a_terminal_and_is_exact_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let rows: String =
        (0..400).map(|n| format!("2026-11-29T10:00:00Z INFO worker {n} did {HOSTILE} in {n} ms\n")).collect();
    let input: Value = json!({"model": "claude-opus-5-5", "max_tokens": 9, "messages": [
        {"role": "user", "content": "why?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "./run.sh"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": rows}]}],
        "tools": [{"name": "headroom_retrieve", "input_schema": {"type": "object"}}]});
    let mut compress = headroom(&["compress", "--retrieval", "client-tool", "--store"]);
    let sent = pipe(compress.arg(&store), input.to_string().as_bytes());
    let sent = String::from_utf8(sent.stdout).unwrap();
    let handle = sent.split("[headroom:").nth(1).unwrap_or_else(|| panic!("nothing is set aside: {sent}"));
    let mut retrieve = headroom(&["retrieve", &handle[..16], "--store"]);
    retrieve.arg(&store);
    let Some(text) = shown(&retrieve) else { return };
    assert!(text.contains(r"evil\u001b]0;title\u0007"), "{text}");
    assert!(String::from_utf8(written(retrieve).stdout).unwrap().contains(HOSTILE), "elsewhere it is exact");
}

#[test]
fn savings_doctor_and_errors_show_them() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(HOSTILE.replace('/', ""));
    let ledger = folder.join("ledger");
    fs::create_dir_all(&ledger).unwrap();
    let with = |args: &[&str]| {
        let mut command = headroom(args);
        command.env("HEADROOM_HOME", &folder).env("HOME", &folder).env("HEADROOM_LISTEN", "127.0.0.1:1");
        command
    };
    for args in [&["savings"][..], &["doctor"], &["model", "list"], &["inspect", HOSTILE]] {
        let Some(text) = shown(&with(args)) else { return };
        assert!(text.contains(r"\u001b"), "{args:?}: {text}");
    }
}

#[test]
fn a_models_name_in_the_ledger_is_shown() {
    use crate::support::{Proxy, Upstream, exchange, ok, post};
    let home = tempfile::tempdir().unwrap();
    let answer = json!({"model": HOSTILE, "usage": {"input_tokens": 5, "output_tokens": 1}}).to_string();
    let upstream = Upstream::answering(ok(&answer));
    let mut proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    assert_eq!(exchange(proxy.address, post("/v1/messages", "", &request("anthropic"))).status(), 200);
    // A path with bytes of UTF-8, which requests may have.
    exchange(proxy.address, "GET /v1/\u{202e}\u{9b}2J HTTP/1.1\r\nhost: localhost\r\n\r\n");
    proxy.signal("TERM");
    proxy.wait();
    let log = proxy.stderr();
    assert!(!log.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{log:?}");
    let mut savings = headroom(&["savings"]);
    savings.env("HEADROOM_HOME", home.path());
    let Some(text) = shown(&savings) else { return };
    assert!(text.contains("total"), "{text}");
}

#[test]
fn wrap_shows_those_of_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrap = headroom(&["wrap", "claude", "--print"]);
    wrap.env("HEADROOM_HOME", folder.path()).env("HOME", folder.path());
    let Some(text) = shown(wrap.args(["--", HOSTILE])) else { return };
    assert!(text.contains(r"\u001b"), "{text}");
}
