use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{headroom, records, stderr};

fn simulate(args: &[&str]) -> Value {
    let output = headroom(&["simulate", "--json"]).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A session with two calls.
fn session() -> String {
    let call = |n: usize| {
        json!({"type": "assistant", "message": {"role": "assistant", "id": format!("m{n}"), "content": [
            {"type": "tool_use", "id": format!("t{n}"), "name": "Bash", "input": {"command": format!("orders --page {n}")}}]}})
    };
    let result = |n: usize| {
        json!({"type": "user", "message": {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": format!("t{n}"), "content": records().replace("secret", &format!("page-{n}"))}]}})
    };
    let end = json!({"type": "assistant", "message": {"role": "assistant", "id": "m9", "content": [{"type": "text", "text": "done"}]}});
    let begin = json!({"type": "user", "message": {"role": "user", "content": "why?"}});
    [begin, call(1), result(1), call(2), result(2), end].map(|line| format!("{line}\n")).concat()
}

#[test]
fn a_session_is_replayed_with_its_cache() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), session()).unwrap();
    fs::write(folder.path().join("b.json"), "{\"other\": 1}").unwrap();
    let outcome = simulate(&[folder.path().to_str().unwrap()]);
    let row = &outcome["conversations"][0];
    assert_eq!((&row["turns"], &outcome["skipped"]), (&json!(3), &json!(1)), "{outcome}");
    let number = |key: &str| row[key].as_f64().unwrap();
    assert!(number("tokens_after") < number("tokens_before") / 2.0, "{outcome}");
    assert!(number("bill_after") < number("bill_before") / 2.0, "{outcome}");
    // The bill is that of what is new in each turn, and a tenth of the rest.
    assert!(number("bill_before") < number("tokens_before") * 1.5, "{outcome}");
    assert_eq!(outcome["tools"]["Bash"]["results"], 2, "{outcome}");
    let first = simulate(&["--max-turns", "1", folder.path().to_str().unwrap()]);
    assert_eq!(first["conversations"][0]["turns"], 1);
    assert_eq!(
        first["total"]["bill_before"].as_f64().unwrap(),
        1.25 * first["total"]["tokens_before"].as_f64().unwrap()
    );
}

#[test]
fn people_get_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    fs::write(&file, session()).unwrap();
    let output = headroom(&["simulate", file.to_str().unwrap()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\na.jsonl ") && text.contains(" -> ") && text.contains("\nBash "), "{text}");
    assert!(text.contains("The bill of input tokens would be ") && output.stderr.is_empty(), "{text}");
}

#[test]
fn without_a_conversation_it_says_what_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), "[]").unwrap();
    fs::write(folder.path().join("b.jsonl"), b"\xff\xfe").unwrap();
    for path in [folder.path().to_str().unwrap(), "missing"] {
        let output = headroom(&["simulate", path]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{path}");
        let error = stderr(&output);
        assert!(
            error.contains("no conversation in 2 files") || error.contains("cannot read missing"),
            "{error}"
        );
    }
    assert_eq!(headroom(&["simulate"]).output().unwrap().status.code(), Some(2));
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn no_recorded_conversation_gets_dearer() {
    let shared = env::var_os("HEADROOM_SHARED").map_or_else(|| PathBuf::from("../../shared"), PathBuf::from);
    let traces = shared.join("corpora/agent-traces");
    let traces = fs::read_dir(traces).expect("HEADROOM_SHARED names the folder of recorded data");
    let mut paths: Vec<_> = traces.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.metadata().unwrap().len() < 200_000);
    let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let outcome = simulate(&paths);
    let rows = outcome["conversations"].as_array().unwrap();
    assert_eq!(rows.len(), paths.len());
    for row in rows {
        assert!(row["bill_after"].as_f64() <= row["bill_before"].as_f64(), "{row}");
    }
    assert!(outcome["total"]["bill_after"].as_f64() < outcome["total"]["bill_before"].as_f64());
}
