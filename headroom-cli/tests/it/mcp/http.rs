//! `headroom mcp --http`.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{Connection, Message, exchange, headroom, skipped, stderr};

/// A running server on a free port.
struct Server {
    child: Child,
    _stderr: BufReader<ChildStderr>,
    address: SocketAddr,
    token: String,
}

impl Server {
    fn start(home: &Path) -> Self {
        let mut command = headroom(&["mcp", "--http", "127.0.0.1:0"]);
        let mut child = command.env("HEADROOM_HOME", home).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut line).unwrap();
        let (_, url) = line.split_once("http://").unwrap_or_else(|| panic!("{line}"));
        let address = url.trim().strip_suffix("/mcp").unwrap().parse().unwrap();
        let token = fs::read_to_string(home.join("token")).unwrap().trim().to_owned();
        Self { child, _stderr: stderr, address, token }
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Message {
        let accept = "content-type: application/json\r\naccept: application/json, text/event-stream\r\n";
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\n{accept}content-length: {length}\r\n{headers}\r\n{body}");
        exchange(self.address, request)
    }

    fn headers(&self) -> String {
        format!(
            "host: localhost\r\nauthorization: Bearer {}\r\nmcp-protocol-version: 2025-06-18\r\n",
            self.token
        )
    }

    fn ask(&self, method: &str, params: &Value) -> Value {
        let call = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let answer = self.send("POST", "/mcp", &self.headers(), &call.to_string());
        assert_eq!(answer.status(), 200, "{answer:?}");
        assert_eq!(answer.header("mcp-session-id"), None, "there is nothing to keep");
        answer.json()["result"].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

#[test]
fn only_who_shows_the_token_is_let_in() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let token = format!("authorization: Bearer {}\r\n", server.token);
    for (headers, status) in [
        ("host: localhost\r\n".to_owned(), 401),
        ("host: localhost\r\nauthorization: Bearer other\r\n".to_owned(), 401),
        (format!("host: evil.example\r\n{token}"), 421),
        (format!("host: localhost\r\norigin: http://evil.example\r\n{token}"), 403),
        (format!("host: localhost\r\nsec-fetch-site: cross-site\r\n{token}"), 403),
        (format!("host: localhost\r\n{token}"), 200),
        (format!("host: 127.0.0.1:1\r\nx-headroom-token: {}\r\n", server.token), 200),
    ] {
        let answer = server.send("POST", "/mcp", &headers, HELLO);
        assert_eq!(answer.status(), status, "{headers} {answer:?}");
    }
    let own = server.headers();
    assert_eq!(server.send("POST", "/", &own, HELLO).status(), 404);
    assert_eq!(server.send("GET", "/mcp", &own, "").status(), 405, "no stream without a call");
    assert_eq!(server.send("POST", "/mcp", &own, "nonsense").status(), 415);
    let _ = Connection::open(server.address).write("nonsense\r\n\r\n");
    assert_eq!(server.send("POST", "/mcp", &own, HELLO).status(), 200, "it goes on");
}

#[test]
fn its_tools_answer_and_the_ledger_is_what_stats_show() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let hello: Value = serde_json::from_str(HELLO).unwrap();
    assert_eq!(server.ask("initialize", &hello["params"])["serverInfo"]["name"], "headroom");
    assert_eq!(server.ask("tools/list", &json!({}))["tools"].as_array().map(Vec::len), Some(3));
    let call = |name: &str, arguments: Value| {
        let result = server.ask("tools/call", &json!({"name": name, "arguments": arguments}));
        (
            result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned(),
            result["isError"] == true,
        )
    };
    let (stats, _) = call("headroom_stats", json!({}));
    assert!(stats.starts_with("Today (UTC): no turns.\nLast 7 days: no turns.\n"), "{stats}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    super::server::turn_in_ledger(home.path(), now);
    let (stats, _) = call("headroom_stats", json!({}));
    // A million new at 5 dollars, of 5 + 20 that were paid besides.
    assert!(
        stats.contains("Last 30 days: $5.00 saved of $30.00 (16.7 %), 1,000,000 tokens saved in 1 turns"),
        "{stats}"
    );
    let (stats, failed) = call("headroom_stats", json!({"days": 2}));
    assert!(!failed && stats.starts_with("Last 2 days: $5.00 saved"), "{stats}");
    for days in [json!(0), json!("week"), json!(1.5), json!(9999)] {
        assert!(call("headroom_stats", json!({"days": days})).1);
    }
    let log: String =
        (0..3000).map(|n| format!("INFO worker-{} handled order {}\n", n % 7, n * 7919)).collect();
    let (small, _) = call("headroom_compress", json!({"text": log, "tool": "Bash"}));
    let hash = small.split("[headroom:").nth(1).unwrap().split(' ').next().unwrap();
    let (part, _) = call("headroom_retrieve", json!({"hash": hash, "lines": "2-3"}));
    assert!(part.contains("handled order"), "{part}");
    let (stats, _) = call("headroom_stats", json!({}));
    assert!(
        stats.contains("1 texts compressed") && stats.contains("1 retrieved"),
        "it counts over calls: {stats}"
    );
}

/// The official SDK, of either major version.
const SDK: &str = r#"
import asyncio, sys
from mcp import ClientSession
import mcp.client.streamable_http as http

url, token = sys.argv[1:3]
headers = {"Authorization": "Bearer " + token}

async def use(streams):
    async with ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        assert [t.name for t in tools] == ["headroom_retrieve", "headroom_compress", "headroom_stats"], tools
        text = open(sys.argv[3]).read()
        result = await session.call_tool("headroom_compress", {"text": text, "tool": "Bash"})
        small = result.content[0].text
        assert len(small) * 2 < len(text), small
        hash = small.split("[headroom:")[1].split(" ")[0]
        part = (await session.call_tool("headroom_retrieve", {"hash": hash, "lines": "2-3"})).content[0].text
        assert all(line in text for line in part.splitlines()[1:]), part
        stats = (await session.call_tool("headroom_stats", {})).content[0].text
        assert stats.startswith("Today (UTC):"), stats
        print("fine")

async def main():
    if hasattr(http, "streamablehttp_client"):
        async with http.streamablehttp_client(url, headers=headers) as streams:
            await use(streams)
    else:
        async with http.create_mcp_http_client(headers=headers) as client:
            async with http.streamable_http_client(url, http_client=client) as streams:
                await use(streams)

asyncio.run(main())
"#;

#[test]
fn the_official_python_client_can_use_it() {
    let folder = env::var_os("HEADROOM_CLIENTS").map(PathBuf::from);
    let own = folder.map(|folder| folder.join("venv/bin/python")).filter(|python| python.exists());
    let python = own.unwrap_or_else(|| "python3".into());
    let imports = Command::new(&python)
        .args(["-c", "import mcp.client.streamable_http"])
        .stderr(Stdio::null())
        .status();
    if !imports.is_ok_and(|status| status.success()) {
        return skipped("the Python package mcp is not there (pip install mcp)");
    }
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path());
    let text = home.path().join("log");
    let log: String =
        (0..3000).map(|n| format!("INFO worker-{} handled order {}\n", n % 7, n * 7919)).collect();
    fs::write(&text, log).unwrap();
    let mut client = Command::new(python);
    client.args(["-c", SDK, &format!("http://{}/mcp", server.address), &server.token]).arg(text);
    let output = client.stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "fine\n", "{}", stderr(&output));
}
