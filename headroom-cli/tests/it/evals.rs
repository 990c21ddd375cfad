mod agents;
mod live;

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::support::{Proxy, Upstream, headroom, ok, stderr};

fn suite(out: &Path, args: &[&str]) -> Command {
    let mut command = headroom(&["evals", "suite", "--out", out.to_str().unwrap()]);
    // `sh` and what it runs are found there.
    command.args(args).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn run(out: &Path, args: &[&str]) -> Output {
    let output = suite(out, args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    output
}

fn report(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap()
}

/// The rows of all tables of a section in which this column has this value.
fn rows<'r>(report: &'r Value, section: &str, column: &str, value: &str) -> Vec<&'r Value> {
    let sections = report["sections"].as_array().unwrap().iter().filter(|found| found["id"] == section);
    let tables = sections.flat_map(|section| section["tables"].as_array().unwrap());
    let rows = tables.flat_map(|table| table["rows"].as_array().unwrap());
    rows.filter(|row| row[column] == value).collect()
}

#[test]
fn two_runs_say_the_same_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--quick", "--no-timings", "--only", "bill", "--only", "needles", "--only", "planted"];
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let output = run(&a, &args);
    run(&b, &args);
    for file in ["report.json", "report.md", "report.html"] {
        assert_eq!(fs::read(a.join(file)).unwrap(), fs::read(b.join(file)).unwrap(), "{file}");
    }
    let report = report(&a);
    assert!(report.get("timings").is_none());
    let kept = report["goals"]
        .as_array()
        .unwrap()
        .iter()
        .find(|goal| goal["section"] == "bill" && goal["target"] == "all");
    assert_eq!(kept.unwrap()["ok"], true, "{report:#}");
    assert!(
        rows(&report, "bill", "compressor", "headroom")
            .iter()
            .any(|row| row["bill"]["change"].as_f64() < Some(-0.2))
    );
    let page = fs::read_to_string(a.join("report.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("http"), "the page needs nothing else");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("ok  ") && said.ends_with("report.json, report.html\n"), "{said}");
}

#[test]
fn the_time_that_it_takes_is_the_end_of_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["--quick", "--only", "speed", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let (before, after) = text.split_once("\"timings\"").unwrap();
    assert!(!before.contains("milliseconds") && after.contains("megabytes_per_second"), "{text}");
}

#[test]
fn other_tools_take_part_as_commands_and_as_proxies() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let provider = free.local_addr().unwrap();
    drop(free);
    let proxy = Proxy::at_home(folder.path(), provider, &[]);
    let peer = format!("proxy=url:http://{}", proxy.address);
    let args = [
        "--quick",
        "--no-timings",
        "--only",
        "bill",
        "--only",
        "needles",
        "--compressor",
        "copy=cmd:cat",
        "--compressor",
        "broken=cmd:exit 3",
        "--compressor",
        &peer,
        "--capture",
        &provider.to_string(),
    ];
    run(folder.path(), &args);
    let report = report(folder.path());
    let of = |name: &str| {
        let rows = rows(&report, "bill", "compressor", name);
        let row = rows.iter().find(|row| row["prices"] == "Anthropic, 5 minutes").unwrap();
        (row["bill"]["change"].as_f64().unwrap(), row["failed"].as_u64().unwrap(), row["prefix"].clone())
    };
    let (own, copy, broken, proxy) = (of("headroom"), of("copy"), of("broken"), of("proxy"));
    assert_eq!((copy.0, copy.1), (0.0, 0));
    assert!(broken.0 == 0.0 && broken.1 > 0, "{broken:?}");
    assert_eq!(proxy.1, 0, "{report:#}");
    assert_eq!(proxy.2, own.2, "the proxy keeps the prefix, as the engine does");
    // The proxy's requests name a model and the most tokens of an answer, which the engine's do not.
    assert!((proxy.0 - own.0).abs() < 0.002, "{proxy:?} {own:?}");
}

#[test]
fn wrong_calls_are_told_from_failures() {
    let folder = tempfile::tempdir().unwrap();
    for (args, said) in [
        (&["--only", "nothing"][..], "invalid value 'nothing'"),
        (&["--compressor", "x"], "NAME=cmd:COMMAND"),
        (&["--data", "/no/such/folder"], "is no folder"),
        (&["--live"], "--model NAME"),
        (&["--live", "--model", "m", "--api", "converse"], "expected anthropic, openai, responses or gemini"),
        (&["--live", "--model", "gemini-3-pro"], "GEMINI_API_KEY"),
        (
            &["--live", "--model", "m", "--upstream", "http://127.0.0.1:9", "--max-item-tokens", "1"],
            "no questions are left",
        ),
        (&["--live", "--model", "gpt-4o"], "OPENAI_API_KEY"),
        (
            &["--live", "--model", "own", "--upstream", "http://127.0.0.1:9", "--budget", "1"],
            "no known price for own",
        ),
    ] {
        let output = suite(folder.path(), args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

/// A model that finds the row of a customer, and fetches back what was set aside for every other one.
fn model() -> (Upstream, Arc<AtomicUsize>) {
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        let body = request.json();
        let messages = body["messages"].as_array().unwrap();
        let question = messages[0]["content"].as_str().unwrap();
        let word = question
            .split_whitespace()
            .find(|word| word.starts_with("kestrel"))
            .unwrap()
            .trim_end_matches('?');
        let results: Vec<&str> = messages
            .iter()
            .filter(|message| message["role"] == "tool")
            .filter_map(|message| message["content"].as_str())
            .collect();
        let handle = results
            .first()
            .and_then(|text| text.split_once("[headroom:"))
            .and_then(|(_, rest)| rest.split_once(' '));
        let message = match handle {
            Some((handle, _)) if results.len() == 1 && word.ends_with(['0', '2', '4', '6', '8']) => {
                count.fetch_add(1, Ordering::SeqCst);
                let arguments = json!({"hash": handle, "query": word}).to_string();
                json!({"role": "assistant", "content": null, "tool_calls": [
                    {"id": "r1", "type": "function", "function": {"name": "headroom_retrieve", "arguments": arguments}}]})
            }
            _ => {
                json!({"role": "assistant", "content": format!("The id is {}.", id(results.last().unwrap(), word))})
            }
        };
        let tokens = request.body.len() / 4;
        let answer = json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 10, "total_tokens": tokens + 10},
        });
        connection.write(ok(&answer.to_string()))?;
        Ok(request)
    });
    (upstream, fetched)
}

/// The number from 1,000 to 1,499 in the last line with a word; the first may say what was looked for.
fn id(text: &str, word: &str) -> String {
    let line = text.lines().rfind(|line| line.contains(word)).unwrap_or_default().replace(word, "");
    let numbers = line.split(|c: char| !c.is_ascii_digit());
    let found = numbers
        .into_iter()
        .find(|number| number.parse().is_ok_and(|number| (1_000..1_500).contains(&number)));
    found.unwrap_or("unknown").to_owned()
}

#[test]
fn answers_with_and_without_are_compared_kept_and_paid_once() {
    let folder = tempfile::tempdir().unwrap();
    let (upstream, fetched) = model();
    let url = format!("http://{}", upstream.address);
    let args = ["--live", "--model", "gpt-4o", "--upstream", &url, "--items", "6"];
    run(folder.path(), &args);
    let first = report(folder.path());
    let row = rows(&first, "answers", "set", "all")[0].clone();
    assert_eq!(row["without"], json!({"some": 6, "all": 6}), "{first:#}");
    assert_eq!(row["with"], json!({"some": 6, "all": 6}), "{first:#}");
    assert_eq!(row["verdict"], "too few questions to tell", "six pairs exclude no small loss");
    assert!(row["difference"]["low"].as_f64().unwrap() < -0.3, "{row:#}");
    let usage = rows(&first, "answers", "set", "all")[1].clone();
    assert!(usage["prompt"].as_f64().unwrap() < -0.3, "{usage:#}");
    let times = fetched.load(Ordering::SeqCst) as u64;
    assert!(times > 0 && usage["fetched"] == times, "{usage:#} {times}");
    assert!(usage["dollars"].as_str().unwrap().starts_with("0."), "{usage:#}");
    // Six questions twice, and what was fetched.
    for _ in 0..12 + times {
        upstream.request();
    }
    run(folder.path(), &args);
    assert!(upstream.is_untouched(), "what was answered is not asked again");
    assert_eq!(report(folder.path()), first);
}

#[test]
fn a_budget_ends_the_run_and_the_report_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (upstream, _) = model();
    let url = format!("http://{}", upstream.address);
    run(
        folder.path(),
        &["--live", "--model", "gpt-4o", "--upstream", &url, "--items", "6", "--budget", "0.05"],
    );
    let text = fs::read_to_string(folder.path().join("report.md")).unwrap();
    assert!(text.contains("The budget ended before "), "{text}");
    let all = rows(&report(folder.path()), "answers", "set", "all")[0]["with"]["all"].as_u64().unwrap();
    assert!(all > 0 && all < 6, "{all}");
}

#[test]
fn a_server_that_refuses_ends_the_run_with_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::answering("HTTP/1.1 401 Unauthorized\r\ncontent-length: 6\r\n\r\nno key");
    let url = format!("http://{}", upstream.address);
    let output = suite(folder.path(), &["--live", "--model", "own", "--upstream", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("401: no key"), "{}", stderr(&output));
}
