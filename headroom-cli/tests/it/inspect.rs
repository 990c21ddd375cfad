use serde_json::{Value, json};

use crate::support::{headroom, pipe, request, stderr};

fn inspect(args: &[&str], input: &[u8]) -> String {
    let mut command = headroom(&["inspect"]);
    let output = pipe(command.args(args), input);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_block_has_a_line_that_says_what_and_why() {
    let mut body: Value = serde_json::from_slice(&request("anthropic")).unwrap();
    body["messages"][2]["content"].as_array_mut().unwrap().extend([
        json!({"type": "tool_result", "tool_use_id": "t2", "content": "short"}),
        json!({"type": "tool_result", "tool_use_id": "t3", "is_error": true, "content": "failed"}),
    ]);
    let text = inspect(&[], body.to_string().as_bytes());
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("anthropic request, ") && lines[0].contains(" -> "), "{text}");
    assert!(lines[1].contains(" tokens saved ("), "{text}");
    assert!(lines[3].starts_with("where ") && lines[3].ends_with("what"), "{text}");
    assert!(
        lines[4].starts_with("messages[2].content[0].content  Bash  json  ") && lines[4].ends_with("  json"),
        "{text}"
    );
    assert!(lines[5].ends_with("kept: too short for an edit to save tokens"), "{text}");
    assert!(lines[6].ends_with("kept: errors are never edited"), "{text}");
    // The columns of all lines begin at the same place.
    let what = lines[3].find("what").unwrap();
    assert!(
        lines[4..7].iter().all(|line| !line[what..].starts_with(' ') && line[..what].ends_with("  ")),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "colours without a terminal");
}

#[test]
fn what_cannot_be_done_is_said_in_words() {
    for (input, why) in [
        ("no json", "Sent as it is: "),
        ("{}", "Sent as it is: the API is unknown"),
        (
            r#"{"messages": [{"role": "user", "content": "hi"}], "model": "gpt-4o"}"#,
            "Sent as it is: it has no tool results",
        ),
    ] {
        let text = inspect(&[], input.as_bytes());
        assert!(text.contains(why), "{input}: {text}");
    }
}

#[test]
fn a_diff_shows_both_texts() {
    for api in ["anthropic", "openai", "responses", "gemini", "converse"] {
        let text = inspect(&["--diff", "--tier", "lossless"], &request(api));
        assert!(
            text.contains("\n-    \"state\": \"secret-state\",\n") && text.contains("\n+"),
            "{api}: {text}"
        );
    }
}

#[test]
fn json_holds_the_report_and_texts_if_asked() {
    let report: Value = serde_json::from_str(&inspect(&["--json"], &request("openai"))).unwrap();
    assert_eq!(report["blocks"][0]["action"]["edited"][0], "json", "{report}");
    assert!(report["blocks"][0].get("text_before").is_none());
    let report: Value = serde_json::from_str(&inspect(&["--json", "--diff"], &request("openai"))).unwrap();
    let block = &report["blocks"][0];
    assert!(block["text_before"].as_str().unwrap().len() > block["text_after"].as_str().unwrap().len());
    let report: Value = serde_json::from_str(&inspect(&["--json"], b"{}")).unwrap();
    assert_eq!(report["reason"], "unknown_api", "{report}");
}

#[test]
fn a_file_can_be_named_and_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.json");
    std::fs::write(&file, request("openai")).unwrap();
    assert_eq!(inspect(&[file.to_str().unwrap()], b""), inspect(&[], &request("openai")));
    let output = headroom(&["inspect", "missing.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot read missing.json"), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something was stored");
}
