//! What agents send, made up.

use std::{fmt::Write, fs};

/// A request of an agent with this output of a command.
pub(crate) fn request(output: &str) -> String {
    conversation(&serde_json::to_string(output).unwrap())
}

pub(crate) fn conversation(content: &str) -> String {
    format!(
        r#"{{"model":"claude-opus-5-5","max_tokens":9,"tools":[{{"name":"Bash","input_schema":{{"type":"object"}}}}],"system":"{}","messages":[{{"role":"user","content":"why do orders fail?"}},{{"role":"assistant","content":[{{"type":"tool_use","id":"t1","name":"Bash","input":{{"command":"./report"}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t1","content":{content}}}]}}]}}"#,
        "You are an agent. ".repeat(300)
    )
}

/// Output of this size that nobody has seen before.
pub(crate) fn log(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut text = String::new();
    for line in 0.. {
        if text.len() >= bytes {
            break;
        }
        let (level, what) = if next() % 61 == 0 { ("ERROR", "refused") } else { ("INFO", "served") };
        let (order, took, span) = (next() % 100_000, next() % 900, next());
        writeln!(
            text,
            "2026-11-20T10:{:02}:{:02}Z {level} request of order {order} {what} in {took} ms, span {span:08x}",
            line / 60 % 60,
            line % 60
        )
        .unwrap();
    }
    text
}

/// In MB of 2^20 bytes.
pub(crate) fn resident(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
