use std::{
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::{Value, json};

use crate::support::{headroom, pipe, records, request, skipped, stderr};

const APIS: [&str; 5] = ["anthropic", "openai", "responses", "gemini", "converse"];

#[test]
fn every_api_is_recognised_by_its_shape() {
    for api in APIS {
        let input = request(api);
        let told = pipe(&mut headroom(&["compress", "--api", api]), &input);
        let detected = pipe(&mut headroom(&["compress"]), &input);
        assert!(told.status.success() && detected.status.success(), "{api}: {}", stderr(&told));
        assert!(told.stdout.len() < input.len() / 4, "{api}: {} of {}", told.stdout.len(), input.len());
        assert_eq!(told.stdout, detected.stdout, "{api}");
        assert!(serde_json::from_slice::<Value>(&told.stdout).is_ok(), "{api}");
        assert_eq!(stderr(&told), "", "{api}");
    }
}

#[test]
fn the_report_says_what_was_done_and_goes_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let input = request("anthropic");
    let to_file = pipe(&mut headroom(&["compress", "--report", file.to_str().unwrap()]), &input);
    let to_stderr = pipe(&mut headroom(&["compress", "--report", "-"]), &input);
    let report = std::fs::read(&file).unwrap();
    assert_eq!(report, to_stderr.stderr);
    assert_eq!(to_file.stdout, to_stderr.stdout);

    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["bytes_before"], input.len());
    assert_eq!(report["bytes_after"], to_file.stdout.len());
    assert!(report["tokens_saved"].as_u64().unwrap() > 100, "{report}");
    assert_eq!(report["blocks"][0]["tool"], "Bash", "{report}");
    assert!(!report.to_string().contains("secret-state"), "the report holds content");
}

#[test]
fn what_cannot_be_improved_is_passed_on_byte_for_byte() {
    let deep = format!("{{\"messages\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let wide = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{}\"}}]}}", "x".repeat(20 << 20));
    let inputs: [&[u8]; 20] = [
        b"",
        b" \n",
        b"null",
        b"not json",
        b"{\"messages\":\"hi\"}",
        b"{\"messages\":[]}",
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]} ",
        b"{ \"messages\" : [ {\"content\":\"hi\" , \"role\":\"user\"} ],\n \"model\":\"m\"}",
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}",
        b"{\"messages\":[{\"role\":\"tool\",\"content\":\"\\udc00\\ud800\"}]}",
        b"{\"n\":9223372036854775809,\"messages\":[]}",
        b"{\"n\":1e400,\"m\":-0,\"k\":1.00000000000000000001,\"messages\":[]}",
        b"{\"messages\":[],\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}",
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"\xe2\x82",
        b"{\"messages\":[{\"role\":\"user\"",
        b"{\"messages\":[{}]}{\"messages\":[{}]}",
        b"\xef\xbb\xbf{\"messages\":[]}",
        deep.as_bytes(),
        wide.as_bytes(),
    ];
    for input in inputs {
        let name = String::from_utf8_lossy(&input[..input.len().min(60)]);
        for api in [&[][..], &["--api", "anthropic"], &["--api", "openai"], &["--api", "gemini"]] {
            let output = pipe(headroom(&["compress", "--report", "-"]).args(api), input);
            assert!(output.status.success(), "{name} {api:?}: {}", stderr(&output));
            assert!(output.stdout == input, "{name} {api:?}: changed");
            let report: Value = serde_json::from_slice(&output.stderr).unwrap();
            assert!(report["reason"].is_string(), "{name} {api:?}: {report}");
        }
    }
}

#[test]
fn text_is_compressed_by_itself() {
    let records = records();
    let args = ["compress", "--text", "--tool", "Bash", "--args", r#"{"command":"ls"}"#, "--report", "-"];
    let output = pipe(&mut headroom(&args), records.as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.len() < records.len() / 4 && text.contains("199"), "{text}");
    let report: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&report["tool"], &report["bytes_after"]), (&json!("Bash"), &json!(text.len())));

    let short = pipe(&mut headroom(&["compress", "--text"]), b"nothing to do\r\n");
    assert_eq!((short.stdout.as_slice(), short.status.code()), (&b"nothing to do\r\n"[..], Some(0)));
}

#[test]
fn what_the_query_names_stays_in_sight() {
    let line = |n| {
        format!(
            "2026-11-20T10:{:02}:{:02}Z INFO worker-{} order {n} took {} ms\n",
            n / 60 % 60,
            n % 60,
            n % 7,
            n * 7 % 90
        )
    };
    let log: String = (1000..2500).map(line).collect();
    let ask = |more: &[&str]| {
        let output = pipe(
            headroom(&["compress", "--text", "--tool", "Bash", "--retrieval", "server-tool"]).args(more),
            log.as_bytes(),
        );
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let (without, with) = (ask(&[]), ask(&["--query", "Why did order 1789 fail?"]));
    assert!(without.len() < log.len() / 2 && !without.contains("order 1789"), "{without}");
    assert!(with.len() < log.len() / 2 && with.contains("order 1789"), "{with}");
}

#[test]
fn text_that_is_no_utf8_is_passed_on_and_reported() {
    let output = pipe(&mut headroom(&["compress", "--text"]), b"caf\xe9\n");
    assert_eq!(output.stdout, b"caf\xe9\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("not UTF-8"), "{}", stderr(&output));
}

#[test]
fn wrong_calls_end_with_2_and_say_what_is_expected() {
    for (args, expected) in [
        (&["compress", "--api", "cohere"][..], "expected anthropic, openai, responses, gemini or converse"),
        (&["compress", "--tier", "most"], "expected lossless, dedup or recoverable"),
        (&["compress", "--retrieval", "magic"], "expected off, server-tool, client-tool or file"),
        (&["compress", "--tool", "Bash"], "--text"),
        (&["compress", "--text", "--args", "ls -la"], "expected value at line 1"),
        (&["compress", "--text", "--api", "openai"], "--api"),
        (&["compress", "--frobnicate"], "--frobnicate"),
        (&["squash"], "squash"),
        (&[], "compress"),
    ] {
        let output = pipe(&mut headroom(args), b"{}");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_but_the_body_is_there() {
    let input = request("anthropic");
    let output = pipe(&mut headroom(&["compress", "--report", "/nowhere/report.json"]), &input);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        !output.stdout.is_empty() && stderr(&output).contains("/nowhere/report.json"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let input = format!("{{\"messages\":[],\"x\":\"{}\"}}", "x".repeat(1 << 20));
    let mut child = headroom(&["compress"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_terminal_is_not_waited_for() {
    let command = format!("{} compress", env!("CARGO_BIN_EXE_headroom"));
    let start = Instant::now();
    let Ok(output) =
        Command::new("script").args(["-qec", &command, "/dev/null"]).stdin(Stdio::null()).output()
    else {
        skipped("there is no `script` to make a terminal with");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("standard input is a terminal"), "{text}");
    assert_eq!(output.status.code(), Some(2));
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn help_shows_examples() {
    for (args, text) in [
        (&["--help"][..], "headroom proxy"),
        (&["compress", "--help"], "headroom compress --report - < request.json"),
        (&["proxy", "--help"], "ANTHROPIC_BASE_URL=http://127.0.0.1:8787"),
    ] {
        let output = headroom(args).output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(text), "{args:?}");
    }
}
