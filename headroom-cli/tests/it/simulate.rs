mod epochs;

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

/// A session with the provider's counts: 10,000 tokens are written, a result comes, all is read and then, after ten
/// minutes, written again.
fn counted(session: &str) -> Vec<Value> {
    let line = |kind: &str, n: u32, minute: u32, message: Value| {
        let parent = if n == 1 { Value::Null } else { json!(format!("{session}{}", n - 1)) };
        json!({"type": kind, "uuid": format!("{session}{n}"), "parentUuid": parent, "message": message,
            "timestamp": format!("2026-06-01T10:{minute:02}:00.000Z")})
    };
    let answer = |n: u32, minute: u32, content: Value, [read, write, output]: [u32; 3]| {
        let usage = json!({"input_tokens": 0, "cache_read_input_tokens": read, "cache_creation_input_tokens": write, "output_tokens": output});
        line(
            "assistant",
            n,
            minute,
            json!({"role": "assistant", "id": format!("{session}m{n}"), "model": "claude-opus-4-6", "content": content, "usage": usage}),
        )
    };
    let result = records();
    vec![
        line("user", 1, 0, json!({"role": "user", "content": "which orders are open?"})),
        answer(
            2,
            0,
            json!([{"type": "tool_use", "id": format!("{session}t"), "name": "Bash", "input": {"command": "orders"}}]),
            [0, 10_000, 100],
        ),
        line(
            "user",
            3,
            1,
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": format!("{session}t"), "content": result}]}),
        ),
        answer(4, 1, json!([{"type": "text", "text": "none"}]), [10_000, 20_000, 50]),
        line("user", 5, 11, json!({"role": "user", "content": "thanks"})),
        answer(6, 11, json!([{"type": "text", "text": "bye"}]), [0, 30_100, 20]),
    ]
}

fn log(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What `counted` costs at 5 dollars a million in, 25 out, a tenth to read and 1.25 to write.
fn paid() -> f64 {
    ((10_000.0 + 20_000.0 + 30_100.0) * 1.25 * 5.0 + 10_000.0 * 0.1 * 5.0 + 170.0 * 25.0) / 1e6
}

fn sum(costs: &Value) -> f64 {
    costs.as_object().unwrap().values().map(|cost| cost.as_f64().unwrap()).sum()
}

fn is(dollars: f64, expected: f64) {
    assert!((dollars - expected).abs() < 1e-9, "{dollars} instead of {expected}");
}

#[test]
fn a_session_with_counts_has_its_whole_bill() {
    let folder = tempfile::tempdir().unwrap();
    let lines = counted("a");
    fs::write(folder.path().join("a.jsonl"), log(&lines)).unwrap();
    let path = folder.path().to_str().unwrap();
    let outcome = simulate(&[path]);
    let all = &outcome["bill"]["all"];
    is(sum(&all["paid"]), paid());
    is(all["prompt"].as_object().unwrap().values().map(sum).sum::<f64>() + sum(&all["output"]), paid());
    assert_eq!(all["writes"]["pause beyond the lifetime"]["times"], 1, "{outcome}");
    let effect =
        |outcome: &Value, lever: &str| outcome["bill"]["all"]["levers"][lever]["total"].as_f64().unwrap();
    assert!(effect(&outcome, "headroom") < -0.2, "{outcome}");
    assert!(
        effect(&outcome, "1h") < 0.0 && effect(&outcome, "1h_headroom") < effect(&outcome, "1h"),
        "{outcome}"
    );
    is(effect(&outcome, "5m"), 0.0);
    let less = simulate(&["--retrieval", "off", path]);
    assert!(effect(&less, "headroom") > effect(&outcome, "headroom"), "nothing is elided: {less}");
    assert_eq!(less["bill"]["retrieval"], "off");
    let file = simulate(&["--retrieval", "file", path]);
    assert!(effect(&file, "headroom") < effect(&less, "headroom"), "{file}");
    let tier = simulate(&["--tier", "lossless", path]);
    assert!(effect(&tier, "headroom") > effect(&outcome, "headroom"), "{tier}");
}

#[test]
fn a_resumed_session_and_a_sub_agent_are_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = counted("a");
    fs::write(folder.path().join("a.jsonl"), log(&lines)).unwrap();
    let more = counted("b");
    lines.extend(more.iter().cloned());
    lines.push(
        json!({"type": "progress", "data": {"message": {"message": {"id": "am2", "model": "claude-opus-4-6",
        "usage": {"input_tokens": 1000, "output_tokens": 0}}}}}),
    );
    lines.push(
        json!({"type": "progress", "data": {"message": {"message": {"id": "s1", "model": "claude-opus-4-6",
        "usage": {"input_tokens": 1000, "output_tokens": 0}}}}}),
    );
    fs::write(folder.path().join("b.jsonl"), log(&lines)).unwrap();
    fs::write(folder.path().join("c.jsonl"), log(&counted("a"))).unwrap();
    let outcome = simulate(&[folder.path().to_str().unwrap()]);
    let bill = &outcome["bill"];
    assert_eq!((&bill["resumed_sessions"], &bill["repeated_requests"]), (&json!(2), &json!(6)), "{outcome}");
    is(sum(&bill["all"]["paid"]), 2.0 * paid());
    assert_eq!(bill["all"]["tools"]["Bash"]["results"], 2);
    is(bill["subagents_in_logs_of_others"].as_f64().unwrap(), 0.005);
}

#[test]
fn a_bill_is_shown_as_a_table_and_as_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), log(&counted("a"))).unwrap();
    fs::write(folder.path().join("z.jsonl"), session()).unwrap();
    let svg = folder.path().join("bill.svg");
    let path = folder.path().to_str().unwrap();
    let output = headroom(&["simulate", path, "--svg", svg.to_str().unwrap()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "1 session, 3 requests, $0.38 by the providers' own counts",
        "\nresults ",
        "\npause beyond the lifetime      1 ",
        "\nBash ",
        "\nHeadroom ",
        "\n  Claude Code, 1 session ",
        "\na cache of 1 hour ",
        "\na.jsonl ",
        "it is not the bill",
    ] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 100, "{widest}");
    let picture = fs::read_to_string(svg).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
    for part in ["prefers-color-scheme:dark", ">results<", ">cache of 1 hour<", "where it went"] {
        assert!(picture.contains(part), "{part}: {picture}");
    }
    assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    let elsewhere = headroom(&["simulate", path, "--svg", "/nowhere/x.svg"]).output().unwrap();
    assert_eq!(elsewhere.status.code(), Some(1));
    assert!(stderr(&elsewhere).contains("cannot write /nowhere/x.svg"));
}

#[test]
fn a_table_of_the_users_own_prices_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jsonl");
    fs::write(&file, log(&counted("a")).replace("claude-opus-4-6", "house-model")).unwrap();
    let prices = folder.path().join("prices.toml");
    let table = "as_of = '2027-01-01'\n[models]\nhouse-model = { input = 10, output = 50, read = 0.1, write = 1.25, write_long = 2 }\n";
    fs::write(&prices, table).unwrap();
    let run = |prices: Option<&str>| {
        let mut command = headroom(&["simulate", "--json", file.to_str().unwrap()]);
        prices.map(|prices| command.env("HEADROOM_PRICES", prices));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), stderr(&output).to_owned())
    };
    let (own, _) = run(prices.to_str());
    is(sum(&own["bill"]["all"]["paid"]), 2.0 * paid());
    let (none, _) = run(None);
    assert_eq!(none["bill"]["models_without_a_price"], json!(["house-model"]));
    let (_, error) = run(Some("/nowhere/prices.toml"));
    assert!(error.contains("HEADROOM_PRICES: cannot read /nowhere/prices.toml"), "{error}");
}

/// What the recorded sessions cost.
fn recorded(flags: &[&str]) -> Value {
    let shared = env::var_os("HEADROOM_SHARED").map_or_else(|| PathBuf::from("../../shared"), PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let archive = shared.join("sessions/sessions.tar.xz");
    let unpacked =
        std::process::Command::new("tar").arg("xJf").arg(archive).arg("-C").arg(folder.path()).status();
    assert!(unpacked.unwrap().success());
    simulate(&[flags, &[folder.path().to_str().unwrap()]].concat())
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_sessions_cost_what_their_providers_counted() {
    let outcome = recorded(&["--epochs", "off"]);
    let all = &outcome["bill"]["all"];
    assert_eq!((&all["sessions"], &all["requests"]), (&json!(55), &json!(6_821)));
    assert!((sum(&all["paid"]) - 769.9).abs() < 0.5, "{all}");
    let headroom = &all["levers"]["headroom"];
    assert!(
        headroom["total"].as_f64().unwrap() < -0.07 && headroom["worst"].as_f64().unwrap() < 0.005,
        "{headroom}"
    );
}
