//! The binary, a scripted upstream and a client that shows every byte.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod http;
mod proxy;
#[cfg(unix)]
mod terminal;
#[cfg(target_os = "linux")]
pub(crate) mod traffic;

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::json;

#[cfg(unix)]
pub(crate) use self::terminal::on_terminal;
pub(crate) use self::{
    http::{Connection, Message, Upstream, exchange, ok, post},
    proxy::Proxy,
};

/// Nothing in these tests takes that long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The binary, with nothing of this process's configuration.
pub(crate) fn headroom(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// Runs it on this input.
pub(crate) fn pipe(command: &mut Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may end before it has read everything.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    })
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Says that a test was skipped, past the harness, which shows nothing of tests that pass.
pub(crate) fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// What a tool might answer: records that make a far smaller table.
pub(crate) fn records() -> String {
    let record = |n| {
        format!("  {{\n    \"id\": {n},\n    \"state\": \"secret-state\",\n    \"zone\": \"eu-west-1\"\n  }}")
    };
    format!("[\n{}\n]", (0..200).map(record).collect::<Vec<_>>().join(",\n"))
}

/// A request of this API in which a tool has answered that.
pub(crate) fn request(api: &str) -> Vec<u8> {
    let output = records();
    let body = match api {
        "anthropic" => json!({"model": "claude-opus-5-5", "max_tokens": 9, "system": "s", "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": output}]}]}),
        "openai" => json!({"model": "gpt-4o", "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "sh", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "t1", "content": output}]}),
        "responses" => json!({"model": "gpt-5.5", "input": [
            {"type": "function_call", "call_id": "t1", "name": "sh", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "t1", "output": output}]}),
        "gemini" => json!({"contents": [
            {"role": "model", "parts": [{"functionCall": {"name": "sh", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "sh", "response": {"output": output}}}]}]}),
        _ => json!({"messages": [
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "sh", "input": {}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "content": [{"text": output}]}}]}]}),
    };
    body.to_string().into_bytes()
}
