//! Portkey's own gateway, whose webhook before a request is a proxy's `/v1/compress`.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Connection, PATIENCE, Proxy, Upstream, ok, post, skipped};

const PACKAGE: &str = "@portkey-ai/gateway@1.15.2";

/// Installs it once. Returns the program for Node.
fn install() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("portkey");
    let program = folder.join("node_modules/@portkey-ai/gateway/build/start-server.js");
    if !program.exists() {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
        let output = Command::new("npm").args(args).arg(&folder).arg(PACKAGE).output();
        let output = output.map_err(|error| format!("npm: {error}"))?;
        if !output.status.success() {
            return Err(format!("npm install: {}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    Ok(program)
}

struct Portkey {
    process: Child,
    address: SocketAddr,
    /// The header that says what the gateway does with a request.
    config: String,
    _folder: TempDir,
}

impl Portkey {
    fn start(program: &Path, provider: SocketAddr, headroom: SocketAddr, token: &str) -> Self {
        let webhook = json!({"webhookURL": format!("http://{headroom}/v1/compress"),
            "headers": {"x-headroom-token": token}, "timeout": 60_000});
        let checks = json!([{"id": "default.webhook", "parameters": webhook}]);
        let config = json!({"provider": "openai", "api_key": "sk-provider", "custom_host": format!("http://{provider}/v1"),
            "before_request_hooks": [{"type": "guardrail", "id": "headroom", "checks": checks}]});
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut process = Command::new("node")
            .arg(program)
            .args([format!("--port={}", address.port()), "--headless".to_owned()])
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "the gateway does not start: {ended:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { process, address, config: config.to_string(), _folder: folder }
    }

    fn ask(&self, body: &Value) -> String {
        let headers = format!("x-portkey-config: {}\r\nconnection: close\r\n", self.config);
        let mut connection = Connection::open(self.address).patiently(PATIENCE);
        connection.write(post("/v1/chat/completions", &headers, body.to_string().as_bytes())).unwrap();
        let answer = connection.read().unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.complete && answer.status() == 200, "{text}");
        text
    }
}

impl Drop for Portkey {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// So many turns of a conversation, with rows that a tool returned in each.
fn request(turns: usize) -> Value {
    let mut messages = vec![json!({"role": "user", "content": "which orders are late?"})];
    for turn in 0..turns {
        let row = |n: usize| json!({"order": n * 7919 + turn, "port": "Aarhus", "late": n.is_multiple_of(9)});
        let rows: Vec<Value> = (0..200).map(row).collect();
        let call = json!({"id": format!("c{turn}"), "type": "function", "function": {"name": "orders", "arguments": "{}"}});
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": [call]}));
        let text = serde_json::to_string_pretty(&rows).unwrap();
        messages.push(json!({"role": "tool", "tool_call_id": format!("c{turn}"), "content": text}));
    }
    json!({"model": "gpt-4o", "messages": messages})
}

#[test]
#[ignore = "installs Portkey's gateway from npm"]
fn portkeys_webhook_makes_requests_smaller_and_keeps_their_prefix() {
    let program = match install() {
        Ok(program) => program,
        Err(reason) => return skipped(&format!("Portkey's gateway cannot be installed: {reason}")),
    };
    let message = json!({"role": "assistant", "content": "Order 7919."});
    let answer = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}});
    let provider = Upstream::answering(ok(&answer.to_string()));
    let home = tempfile::tempdir().unwrap();
    let unused = Upstream::answering(ok("{}"));
    let headroom = Proxy::at_home(home.path(), unused.address, &[]);
    let token = fs::read_to_string(home.path().join("token")).unwrap();
    let portkey = Portkey::start(&program, provider.address, headroom.address, token.trim());
    let mut before: Vec<Value> = Vec::new();
    for turns in 1..4 {
        let asked = request(turns);
        let text = portkey.ask(&asked);
        assert!(text.contains("Order 7919."), "{text}");
        let sent = provider.request().json();
        let messages = sent["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1 + 2 * turns);
        assert!(messages.starts_with(&before), "the prefix stays");
        for (sent, asked) in messages.iter().zip(asked["messages"].as_array().unwrap()) {
            let [sent_length, length] = [sent, asked].map(|message| message.to_string().len());
            let is_result = asked["role"] == "tool";
            assert!(if is_result { sent_length * 2 < length } else { sent == asked }, "{sent:.300}");
        }
        before.clone_from(messages);
    }
    // Without Headroom, requests go on as they are.
    drop(headroom);
    let asked = request(1);
    portkey.ask(&asked);
    assert_eq!(provider.request().json()["messages"], asked["messages"]);
    assert!(unused.is_untouched(), "the proxy itself asks no provider");
}
