use std::{fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{claude, compress::compress};
use crate::config::{self, Config, Settings};

fn config(folder: &Path) -> Config {
    let file = folder.join("config.toml");
    fs::write(&file, "retrieval = 'file'\n").unwrap();
    let originals_dir = folder.join("plaintext").to_str().unwrap().parse().ok();
    let store = folder.join("store").to_str().unwrap().parse().ok();
    config::load(Settings { originals_dir, store, ..Settings::default() }, Some(&file)).unwrap()
}

/// The answer to this input.
fn answered(input: &str, config: &Config) -> Option<String> {
    let tape = claude::parse(input)?;
    compress(input, &claude::Call::from_input(&tape)?, config).unwrap()
}

fn updated(answer: &str) -> Value {
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["suppressOutput"], true);
    assert_eq!(answer["hookSpecificOutput"]["hookEventName"], "PostToolUse");
    answer["hookSpecificOutput"]["updatedToolOutput"].clone()
}

fn log(lines: usize) -> String {
    let line = |n| {
        format!(
            "2026-11-20T10:{:02}:{:02}Z INFO served order {} in {} ms",
            n / 60,
            n % 60,
            n * 37,
            n * 7919 % 97
        )
    };
    (0..lines).map(line).collect::<Vec<_>>().join("\n")
}

fn records(rows: usize) -> String {
    let row = |n| json!({"id": n, "state": "open", "zone": "eu-west-1"});
    Value::from((0..rows).map(row).collect::<Vec<_>>()).to_string()
}

/// A call as Claude Code 2.1.330 passes it.
fn call(tool: &str, arguments: &Value, result: &Value) -> String {
    json!({
        "session_id": "ffff8d41", "transcript_path": "/nowhere/ffff8d41.jsonl", "cwd": "/w", "prompt_id": "b014",
        "permission_mode": "default", "effort": {"level": "medium"}, "hook_event_name": "PostToolUse",
        "tool_name": tool, "tool_input": arguments, "tool_response": result, "tool_use_id": "toolu_1",
        "duration_ms": 75
    })
    .to_string()
}

fn shell(stdout: &str) -> Value {
    json!({"stdout": stdout, "stderr": "", "interrupted": false, "isImage": false, "noOutputExpected": false})
}

fn bash(stdout: &str) -> String {
    call("Bash", &json!({"command": "./report.sh", "description": "x"}), &shell(stdout))
}

#[test]
fn the_text_of_a_shell_becomes_smaller_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let mut result = updated(&answered(&bash(&log(200)), &config).unwrap());
    let stdout = result["stdout"].take();
    let stdout = stdout.as_str().unwrap();
    assert!(stdout.len() * 2 < log(200).len(), "{stdout}");
    // The marker names a file with all of it.
    let (_, path) = stdout.split_once("[headroom:").unwrap().1.split_once("; ").unwrap();
    let path = path.split(']').next().unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), log(200));
    let mut expected = shell("");
    expected["stdout"] = Value::Null;
    assert_eq!(result, expected);
}

#[test]
fn searches_and_mcp_tools_become_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let hits: String =
        (0..200).map(|n| format!("src/app/handler.rs:{n}:    let order_{n} = load({n})?;\n")).collect();
    let grep = json!({"mode": "content", "numFiles": 0, "filenames": [], "content": hits, "numLines": 200});
    let input = call("Grep", &json!({"pattern": "order_7", "path": "/w"}), &grep);
    let content = updated(&answered(&input, &config).unwrap())["content"].as_str().unwrap().to_owned();
    assert!(content.len() < hits.len() && content.contains("order_7 "), "{content}");

    let parts = json!([{"type": "text", "text": records(90)}, {"type": "image", "data": "AAAA"}, {"type": "text", "text": "done"}]);
    let result = updated(&answered(&call("mcp__crm__list", &json!({"limit": 90}), &parts), &config).unwrap());
    assert!(result[0]["text"].as_str().unwrap().len() < records(90).len());
    assert_eq!((&result[1], &result[2]), (&parts[1], &parts[2]));
    let text = updated(&answered(&call("mcp__crm__list", &json!({}), &json!(records(90))), &config).unwrap());
    assert!(text.as_str().unwrap().len() < records(90).len());
}

#[test]
fn what_must_stay_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (lines, originals) = (log(200), folder.path().join("plaintext/abc"));
    let with = |name: &str, value: Value| {
        let mut result = shell(&lines);
        result[name] = value;
        call("Bash", &json!({"command": "./report.sh"}), &result)
    };
    let bash = |command: &str| call("Bash", &json!({"command": command}), &shell(&lines));
    let file = json!({"type": "text", "file": {"filePath": "/w/app.log", "content": lines, "numLines": 200, "startLine": 1}});
    for (why, input) in [
        ("short", call("Bash", &json!({"command": "ls"}), &shell("a\nb"))),
        (
            "lines that Claude Code numbers afterwards",
            call("Read", &json!({"file_path": "/w/app.log"}), &file),
        ),
        ("interrupted", with("interrupted", json!(true))),
        ("an image", with("isImage", json!(true))),
        ("a preview of a stored file is shown", with("persistedOutputPath", json!("/w/b.txt"))),
        ("not the text that the model sees", with("structuredContent", json!([1]))),
        ("a shape that is not known", with("stderr", json!({"text": ""}))),
        ("instructions", bash("cat CLAUDE.md")),
        ("an original", bash(&format!("sed -n 1,50p {}", originals.display()))),
        ("an original", bash("headroom retrieve abcdefgh")),
        (
            "an original",
            call(
                "mcp__headroom__headroom_retrieve",
                &json!({"hash": "x"}),
                &json!([{"type": "text", "text": lines}]),
            ),
        ),
        ("an unknown tool", call("Teleport", &json!({}), &json!({"stdout": lines, "stderr": ""}))),
        (
            "a list of names",
            call("Grep", &json!({}), &json!({"mode": "files_with_matches", "content": lines})),
        ),
        ("another event", bash("x").replace("PostToolUse", "PostToolUseFailure")),
        ("doubtful JSON", bash("x").replace("\"stderr\":\"\"", "\"stderr\":\"\",\"stderr\":\"\"")),
        ("no JSON", "{".to_owned()),
        ("nothing", String::new()),
    ] {
        assert_eq!(answered(&input, &config), None, "{why}");
    }
    assert!(answered(&bash("./report.sh"), &config).is_some());
}

#[test]
fn a_file_that_was_edited_keeps_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let transcript = folder.path().join("t.jsonl");
    let read = |prompt: &str| {
        let input = call("Bash", &json!({"command": "cat data.json"}), &shell(&records(200)));
        let input = input.replace("/nowhere/ffff8d41.jsonl", transcript.to_str().unwrap());
        fs::write(&transcript, prompt).unwrap();
        answered(&input, &config)
    };
    let edit = json!({"type": "assistant", "message": {"content": [{"type": "tool_use", "id": "toolu_0", "name": "Edit",
        "input": {"file_path": "/w/data.json", "old_string": "a", "new_string": "b"}}]}});
    assert!(read("").is_some());
    assert_eq!(read(&edit.to_string()), None);
}

#[test]
fn what_the_user_asked_about_stays() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let transcript = folder.path().join("t.jsonl");
    let input = bash(&log(400)).replace("/nowhere/ffff8d41.jsonl", transcript.to_str().unwrap());
    let line = log(400).lines().nth(171).unwrap().to_owned();
    let stdout = || updated(&answered(&input, &config).unwrap())["stdout"].as_str().unwrap().to_owned();
    assert!(!stdout().contains(&line));
    let prompt =
        json!({"type": "user", "message": {"role": "user", "content": "What happened to order 6327?"}});
    fs::write(&transcript, prompt.to_string()).unwrap();
    assert!(stdout().contains(&line), "{}", stdout());
}

#[test]
fn without_a_store_nothing_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    // A file in place of the folder.
    fs::write(folder.path().join("plaintext"), "").unwrap();
    let input = bash(&log(200));
    let tape = claude::parse(&input).unwrap();
    let reason = compress(&input, &claude::Call::from_input(&tape).unwrap(), &config).unwrap_err();
    assert!(reason.starts_with("the store refused the originals: "), "{reason}");
    // What can be read back from the text itself is done anyway.
    let table = answered(&bash(&records(200)), &config);
    assert!(table.is_none_or(|table| !table.contains("[headroom:")));
}

/// The places that may change in a result of this tool.
fn may_change(tool: &str, path: &[String]) -> bool {
    match (tool, path) {
        ("Bash", [name]) => name == "stdout" || name == "stderr",
        ("Grep", [name]) => name == "content",
        ("mcp__x__y", []) => true,
        ("mcp__x__y", [at, name]) => at.parse::<usize>().is_ok() && name == "text",
        _ => false,
    }
}

/// Asserts that two values differ in such texts only.
fn differ_in_texts(tool: &str, before: &Value, after: &Value, path: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
            for (key, value) in one {
                path.push(key.clone());
                differ_in_texts(tool, value, &other[key], path);
                path.pop();
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len());
            for (at, (value, other)) in one.iter().zip(other).enumerate() {
                path.push(at.to_string());
                differ_in_texts(tool, value, other, path);
                path.pop();
            }
        }
        (Value::String(one), Value::String(other)) if one != other => {
            assert!(may_change(tool, path), "{tool} {path:?}");
            assert!(other.len() < one.len(), "{other}");
        }
        (one, other) => assert_eq!(one, other, "{tool} {path:?}"),
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(log(150)),
        Just(records(120)),
        Just("connection refused, retrying in a moment\n".repeat(80)),
        "\\PC{0,40}",
        "[a-z \"\\\\\n]{0,400}",
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,6}|stdout|text|content|type", inner, 0..4)
                .prop_map(|members| Value::from(members.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

/// A result as this tool returns it, with more that nobody knows.
fn result() -> impl Strategy<Value = (&'static str, Value)> {
    let with = |mut value: Value, more: Value| {
        value["later"] = more;
        value
    };
    let shells = (text(), text(), anything()).prop_map(move |(stdout, stderr, more)| {
        ("Bash", with(json!({"stdout": stdout, "stderr": stderr, "interrupted": false}), more))
    });
    let hits = (text(), anything()).prop_map(move |(content, more)| {
        ("Grep", with(json!({"mode": "content", "content": content}), more))
    });
    let part =
        (text(), anything()).prop_map(|(text, more)| json!({"type": "text", "text": text, "meta": more}));
    let parts = prop::collection::vec(prop_oneof![part, anything()], 0..4);
    prop_oneof![
        shells,
        hits,
        parts.prop_map(|parts| ("mcp__x__y", Value::from(parts))),
        anything().prop_map(|value| ("mcp__x__y", value)),
        anything().prop_map(|value| ("Read", value)),
        anything().prop_map(|value| ("Bash", value)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn only_texts_change_and_everything_else_is_equal((tool, result) in result()) {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        if let Some(answer) = answered(&call(tool, &json!({"command": "./report.sh"}), &result), &config) {
            differ_in_texts(tool, &result, &updated(&answer), &mut Vec::new());
        }
    }
}

#[test]
fn numbers_and_escapes_outside_of_texts_stay_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let odd = r#","later": [1e400, 12345678901234567890123, -0.0, "\u00e9\/", "\ud800"] ,"#;
    let input = bash(&log(200)).replace("\"stderr\":\"\",", &format!("\"stderr\":\"\"{odd}"));
    assert!(input.contains(odd));
    let answer = answered(&input, &config(folder.path())).unwrap();
    assert!(answer.contains(odd), "{answer}");
}
