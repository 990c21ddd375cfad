//! The heap while one body is compressed. Alone in its process, because the peak belongs to the process.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use headroom_core::{Api, Headroom, Options};
use headroom_tests::{
    data,
    generate::{Content, Shape},
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// What an engine may hold besides three times the body: its tables, and a memory of bounded size.
const SLACK: usize = 8 << 20;

#[test]
fn compressing_takes_at_most_three_times_the_body() {
    // The tables of the tokenizer are built once.
    for (_, api, body) in data::fixtures() {
        let _ = Headroom::new().compress(api, &body, &Options::new());
    }
    let size = if cfg!(debug_assertions) { 4 << 20 } else { 20 << 20 };
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
        let engine = Headroom::new();
        HEAP.reset_peak_usage();
        let before = HEAP.current_usage();
        let outcome = engine.compress(Api::OpenAiChat, body.as_bytes(), &Options::new());
        let peak = HEAP.peak_usage().saturating_sub(before);
        println!("{shape:?}: body {} KiB, peak {} KiB", body.len() >> 10, peak >> 10);
        assert!(peak <= 3 * body.len() + SLACK, "{shape:?}: {peak} bytes for a body of {}", body.len());
        drop(outcome);
    }
}
