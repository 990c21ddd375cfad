//! The heap while one body is compressed. Alone in its process, because the peak belongs to the process.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::fmt::Write;

use headroom_core::{Api, CompressOptions, Engine, Outcome, Retrieval};
use headroom_tests::{
    data,
    generate::{Content, Shape},
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What an engine may hold besides three times the body: its tables, and a memory of bounded size.
const SLACK: usize = 8 << 20;

/// A description so long that the head of the request is that of an agent.
const TOOL: &str =
    "Runs a command in the shell and gives back what it wrote. Works in the folder of the project. ";

/// Checks the peak while this body is compressed; where it is large and `selects`, without slack.
fn measure(name: &str, body: &str, options: &CompressOptions, selects: bool) {
    let engine = Engine::new();
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage();
    let outcome = engine.compress(Api::OpenAiChat, body.as_bytes(), options);
    let peak = HEAP.peak_usage().saturating_sub(before);
    let share = peak as f64 / body.len() as f64;
    println!("{name}: body {} KiB, peak {} KiB, {share:.2}x", body.len() >> 10, peak >> 10);
    let slack = if selects { 0 } else { SLACK };
    assert!(peak <= 3 * body.len() + slack, "{name}: {peak} bytes for a body of {}", body.len());
    let originals = match &outcome {
        Outcome::Rewritten { originals, .. } => originals.len(),
        Outcome::Unchanged { .. } => 0,
    };
    assert!(!selects || originals > 0, "{name}: nothing was set aside");
}

/// A request with one tool result, from which parts may be set aside.
fn agent_request(text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    let tool = TOOL.repeat(120);
    format!(
        r#"{{"tools":[{{"type":"function","function":{{"name":"shell","description":"{tool}"}}}}],"messages":[{{"role":"user","content":"Why do payments fail with status 503?"}},{{"role":"assistant","tool_calls":[{{"id":"c1","type":"function","function":{{"name":"shell","arguments":"{{\"command\":\"fetch payments\"}}"}}}}]}},{{"role":"tool","tool_call_id":"c1","content":{text}}}]}}"#
    )
}

/// Rows of about this many bytes, with a space behind each comma and colon.
fn rows(count: usize, bytes: usize) -> String {
    let mut text = String::from("[");
    for n in 0..count {
        let (status, took) = (if n % 997 == 5 { 503 } else { 200 }, n * 7919 % 1000);
        let start = text.len();
        let comma = if n > 0 { ", " } else { "" };
        let service = ["api", "auth", "payments"][n % 3];
        write!(
            text,
            r#"{comma}{{"id": {n}, "service": "{service}", "status": {status}, "took": {took}.5, "note": "part {}""#,
            n * 31 % 5003
        )
        .unwrap();
        let mut field = 0;
        while text.len() - start + 24 < bytes {
            write!(text, r#", "extra{field}": "v{}""#, n * (field + 3) % 1_000_003).unwrap();
            field += 1;
        }
        text.push('}');
    }
    text.push(']');
    text
}

#[test]
fn compressing_takes_at_most_three_times_the_body() {
    // The tables of the tokenizer are built once.
    for (_, api, body) in data::fixtures() {
        let _ = Engine::new().compress(api, &body, &CompressOptions::new());
    }
    let size: usize = if cfg!(debug_assertions) { 4 << 20 } else { 20 << 20 };
    for shape in [Shape::Log, Shape::PrettyRecords, Shape::NumberedRead, Shape::Terminal, Shape::Repeated] {
        let mut messages = Vec::new();
        let mut seed = 0;
        while messages.iter().map(String::len).sum::<usize>() < size {
            let text = Content { shape, seed: seed % 40, lines: 2_000, changed: usize::MAX }.text();
            let text = serde_json::to_string(&text).unwrap();
            messages.push(format!(r#"{{"role":"tool","tool_call_id":"c{seed}","content":{text}}}"#));
            seed += 1;
        }
        let body = format!(r#"{{"messages":[{}]}}"#, messages.join(","));
        drop(messages);
        measure(&format!("{shape:?}"), &body, &CompressOptions::new(), false);
    }
    let served = CompressOptions::new().retrieval(Retrieval::ServerTool);
    for bytes in [130, 210] {
        let body = agent_request(&rows(100_000, bytes));
        measure(&format!("rows of {bytes} bytes"), &body, &served, true);
    }
    // About 20 MB.
    let lines = 270_000;
    let log = Content { shape: Shape::Log, seed: 3, lines, changed: usize::MAX }.text();
    measure("one log", &agent_request(&log), &served, true);
}
