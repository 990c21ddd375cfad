//! The bodies whose growth is measured.

use std::{collections::HashMap, hash::Hasher};

pub(crate) fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A request of an agent that knows no structured calls.
pub(crate) fn without_tools(messages: &[String]) -> String {
    format!(r#"{{"model":"claude-x","messages":[{}]}}"#, messages.join(","))
}

/// Lines of which each is another.
pub(crate) fn log(lines: usize, seed: usize) -> String {
    let line = |line: usize| {
        let number = (seed * 1_000_003 + line) * 7919;
        format!("2026-11-20T10:00:{:02}Z INFO served order {number:08} in {} ms\n", line % 60, number % 97)
    };
    (0..lines).map(line).collect()
}

pub(crate) fn text(text: &str) -> String {
    format!(r#"{{"type":"text","text":{}}}"#, json(text))
}

pub(crate) fn tool_use(id: &str, input: &str) -> String {
    format!(r#"{{"type":"tool_use","id":"{id}","name":"Bash","input":{input}}}"#)
}

pub(crate) fn tool_result(id: &str, content: &str) -> String {
    format!(r#"{{"type":"tool_result","tool_use_id":"{id}","content":{}}}"#, json(content))
}

pub(crate) fn turn(role: &str, blocks: &[String]) -> String {
    format!(r#"{{"role":"{role}","content":[{}]}}"#, blocks.join(","))
}

pub(crate) fn call(id: &str, input: &str) -> String {
    turn("assistant", &[tool_use(id, input)])
}

/// A result of several texts.
pub(crate) fn parts(id: &str, texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<_> = texts.into_iter().map(|part| text(&part)).collect();
    let result = format!(r#"{{"type":"tool_result","tool_use_id":"{id}","content":[{}]}}"#, texts.join(","));
    turn("user", &[result])
}

/// A request of an agent, whose results may be shortened.
pub(crate) fn request(messages: &[String]) -> String {
    format!(
        r#"{{"model":"claude-opus-5-5","system":"{}","tools":[{{"name":"Bash","input_schema":{{"type":"object"}}}}],"messages":[{}]}}"#,
        "You are an agent. ".repeat(150),
        messages.join(",")
    )
}

pub(crate) fn one(output: &str) -> String {
    request(&[call("c", r#"{"command":"run"}"#), turn("user", &[tool_result("c", output)])])
}

pub(crate) fn gemini_request(calls: &[String], results: &[String]) -> String {
    format!(
        r#"{{"contents":[{{"role":"model","parts":[{}]}},{{"role":"user","parts":[{}]}}]}}"#,
        calls.join(","),
        results.join(",")
    )
}

/// Two lines that the engine's hash of lines does not tell from each other.
pub(crate) fn equal_hashes() -> [String; 2] {
    let mut seen = HashMap::new();
    for n in 0_u64.. {
        let line = format!("a line of its own, {:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut hasher = rustc_hash::FxHasher::default();
        std::hash::Hash::hash(line.as_str(), &mut hasher);
        if let Some(other) = seen.insert((hasher.finish() >> 32) as u32, line.clone()) {
            return [other, line];
        }
    }
    unreachable!("there are more lines than hashes")
}
