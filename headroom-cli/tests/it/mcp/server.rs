use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{PATIENCE, headroom, pipe, request, skipped, stderr};

/// A client that writes lines and reads lines.
struct Client {
    child: Child,
    lines: BufReader<ChildStdout>,
    id: u64,
}

impl Client {
    fn start(store: &Path) -> Self {
        let mut command = headroom(&["mcp"]);
        command.env("HEADROOM_HOME", store).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut client = Self { child, lines, id: 0 };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let answer = client.ask("initialize", &hello);
        assert_eq!(answer["result"]["serverInfo"]["name"], "headroom", "{answer}");
        assert!(answer["result"]["capabilities"]["tools"].is_object(), "{answer}");
        client.write(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn write(&mut self, message: &Value) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{message}").unwrap();
        stdin.flush().unwrap();
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.id += 1;
        self.write(&json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}));
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_eq!(answer["id"], self.id, "{answer}");
        answer
    }

    /// Calls a tool; gives its text and whether that is an error.
    fn call(&mut self, tool: &str, arguments: &Value) -> (String, bool) {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        assert_eq!(result["content"].as_array().map(Vec::len), Some(1), "{answer}");
        (result["content"][0]["text"].as_str().unwrap().to_owned(), result["isError"] == true)
    }

    /// Leaves, as clients do: by closing its end.
    fn leave(mut self) {
        drop(self.child.stdin.take());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "the server stays");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{status}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rows that differ, so that some of them are set aside.
fn log() -> String {
    (0..3000)
        .map(|n| {
            format!(
                "2026-11-20 10:00:{:02} INFO worker-{} handled order {} in {} ms\n",
                n % 60,
                n % 7,
                n * 7919,
                n % 97
            )
        })
        .collect()
}

/// A turn in which a million new tokens were saved and 25 dollars were paid.
pub(super) fn turn_in_ledger(home: &Path, at: u64) {
    let entry = json!({"at": at, "provider": "anthropic", "model": "claude-opus-5-5", "status": 200,
        "outcome": "rewritten", "calls": 1, "tokens_before": 3, "tokens_after": 1, "saved_new": 1_000_000,
        "saved_cached": 0, "usage": {"input": 0, "cache_read": 0, "cache_write": 1_000_000, "output": 1_000_000}});
    let folder = home.join("ledger");
    fs::create_dir_all(&folder).unwrap();
    let days = Command::new("date").args(["-u", "-d", &format!("@{at}"), "+%F"]).output().unwrap();
    let day = String::from_utf8(days.stdout).unwrap();
    fs::write(folder.join(day.trim()).with_extension("jsonl"), format!("{entry}\n")).unwrap();
}

fn handle(text: &str) -> &str {
    let start = text.find("[headroom:").unwrap_or_else(|| panic!("no marker in {text}")) + "[headroom:".len();
    text[start..].split([' ', ']']).next().unwrap()
}

#[test]
fn its_tools_are_listed_with_their_arguments() {
    let store = tempfile::tempdir().unwrap();
    let mut client = Client::start(store.path());
    let answer = client.ask("tools/list", &json!({}));
    let tools = answer["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["headroom_retrieve", "headroom_compress", "headroom_stats"]);
    let properties = tools[0]["inputSchema"]["properties"].as_object().unwrap();
    let mut keys: Vec<_> = properties.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["hash", "lines", "path", "query", "rows"]);
    assert_eq!(tools[0]["annotations"]["readOnlyHint"], true);
    client.leave();
}

#[test]
fn a_text_becomes_smaller_and_comes_back_whole_or_in_parts() {
    let store = tempfile::tempdir().unwrap();
    let mut client = Client::start(store.path());
    let log = log();
    let (small, failed) = client.call("headroom_compress", &json!({"text": log, "tool": "Bash"}));
    assert!(!failed && small.len() < log.len() / 2, "{} of {}", small.len(), log.len());
    let hash = handle(&small);
    let (whole, _) = client.call("headroom_retrieve", &json!({"hash": hash, "lines": "3"}));
    assert!(log.contains(whole.lines().nth(1).unwrap()), "{whole}");
    let (part, _) = client.call(
        "headroom_retrieve",
        &json!({"hash": format!("[headroom:{hash} rows]"), "query": "order 7919 "}),
    );
    assert!(part.contains("handled order 7919 in 1 ms") || part.contains("nothing"), "{part}");
    let (stats, _) = client.call("headroom_stats", &json!({}));
    assert!(stats.contains("1 texts compressed") && stats.contains("2 retrieved"), "{stats}");
    client.leave();
    // Another server finds it in the same folder.
    let mut client = Client::start(store.path());
    let (again, failed) = client.call("headroom_retrieve", &json!({"hash": hash, "lines": "3"}));
    assert_eq!((again, failed), (whole, false));
}

#[test]
fn what_the_command_line_set_aside_is_found() {
    let store = tempfile::tempdir().unwrap();
    let mut compress = headroom(&["compress", "--text", "--retrieval", "client-tool", "--tool", "Bash"]);
    let output = pipe(compress.env("HEADROOM_HOME", store.path()), log().as_bytes());
    let small = String::from_utf8(output.stdout.clone()).unwrap();
    let mut client = Client::start(store.path());
    let (part, failed) = client.call("headroom_retrieve", &json!({"hash": handle(&small), "lines": "1-2"}));
    assert!(!failed && part.contains("handled order"), "{part}");

    // And what it wrote to a file for the agent to read.
    let other = log().replace("order", "parcel");
    let mut compress = headroom(&["compress", "--text", "--retrieval", "file", "--tool", "Bash"]);
    let output = pipe(compress.env("HEADROOM_HOME", store.path()), other.as_bytes());
    let small = String::from_utf8(output.stdout.clone()).unwrap();
    let (part, failed) = client.call("headroom_retrieve", &json!({"hash": handle(&small), "lines": "1-2"}));
    assert!(!failed && part.contains("handled parcel"), "{part}");
}

#[test]
fn calls_that_make_no_sense_are_answered_in_words() {
    let store = tempfile::tempdir().unwrap();
    let mut client = Client::start(store.path());
    let (answer, _) = client.call("headroom_retrieve", &json!({"hash": "k3v4q2x7m5tzabcd"}));
    assert!(answer.starts_with("Nothing is kept under"), "{answer}");
    let (answer, _) = client.call("headroom_retrieve", &json!({}));
    assert!(answer.contains("needs a \"hash\""), "{answer}");
    let (answer, failed) = client.call("headroom_compress", &json!({"text": 7}));
    assert!(failed && answer.contains("needs a \"text\""), "{answer}");
    assert_eq!(client.call("headroom_compress", &json!({"text": "short"})), ("short".to_owned(), false));
    let answer = client.ask("tools/call", &json!({"name": "other", "arguments": {}}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert_eq!(client.ask("nonsense", &json!({}))["error"]["code"], -32601);
    client.leave();
}

#[test]
fn a_memory_store_is_refused() {
    let output = headroom(&["mcp", "--store", "memory"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--store"), "{}", stderr(&output));
}

/// The official SDK, as agents in Python use it.
const SDK: &str = r#"
import asyncio, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    server = StdioServerParameters(command=sys.argv[1], args=["mcp"], env={"HEADROOM_HOME": sys.argv[2]})
    async with stdio_client(server) as (read, write):
        async with ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            assert [t.name for t in tools] == ["headroom_retrieve", "headroom_compress", "headroom_stats"], tools
            text = open(sys.argv[3]).read()
            result = await session.call_tool("headroom_compress", {"text": text, "tool": "Bash"})
            small = result.content[0].text
            assert not getattr(result, "isError", getattr(result, "is_error", None)) and len(small) * 2 < len(text), small
            hash = small.split("[headroom:")[1].split(" ")[0]
            part = (await session.call_tool("headroom_retrieve", {"hash": hash, "lines": "2-3"})).content[0].text
            assert all(line in text for line in part.splitlines()[1:]), part
            print("fine")

asyncio.run(main())
"#;

#[test]
fn the_official_python_client_can_use_it() {
    let folder = env::var_os("HEADROOM_CLIENTS").map(std::path::PathBuf::from);
    let own = folder.map(|folder| folder.join("venv/bin/python")).filter(|python| python.exists());
    let python = own.unwrap_or_else(|| "python3".into());
    let imports = Command::new(&python).args(["-c", "import mcp"]).stderr(Stdio::null()).status();
    if !imports.is_ok_and(|status| status.success()) {
        return skipped("the Python package mcp is not there (pip install mcp)");
    }
    let store = tempfile::tempdir().unwrap();
    let text = store.path().join("log");
    fs::write(&text, log()).unwrap();
    let mut client = Command::new(python);
    client.args(["-c", SDK, env!("CARGO_BIN_EXE_headroom")]).arg(store.path().join("store")).arg(text);
    let output = client.stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "fine\n", "{}", stderr(&output));
}

#[test]
fn a_request_that_has_the_tool_is_answered_by_it() {
    let store = tempfile::tempdir().unwrap();
    let mut body: Value = serde_json::from_slice(&request("anthropic")).unwrap();
    body["tools"] = json!([{"name": "mcp__headroom__headroom_retrieve", "input_schema": {"type": "object"}}]);
    body["messages"][2]["content"][0]["content"] = Value::from(log());
    let output =
        pipe(headroom(&["compress"]).env("HEADROOM_HOME", store.path()), body.to_string().as_bytes());
    let small = String::from_utf8(output.stdout.clone()).unwrap();
    let mut client = Client::start(store.path());
    let (part, _) = client.call("headroom_retrieve", &json!({"hash": handle(&small), "lines": "1"}));
    assert!(part.contains("handled order"), "{part}");
}
