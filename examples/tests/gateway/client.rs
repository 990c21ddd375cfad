//! A gateway as a program, and what clients send.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Far more than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway that runs until the test ends.
pub(crate) struct Gateway {
    child: Child,
    folder: TempDir,
    upstream: String,
    pub(crate) url: String,
    /// Where its metrics are; empty if it has none.
    pub(crate) admin: String,
}

impl Gateway {
    /// Starts a program with these tenants, and all providers at this upstream.
    pub(crate) fn start(program: &str, upstream: &str, tenants: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for provider in ["anthropic", "openai", "gemini"] {
            fs::write(folder.path().join(provider), format!("provider-{provider}\n")).unwrap();
        }
        let file = folder.path().join("gateway.toml");
        fs::write(&file, settings(&folder, upstream, tenants)).unwrap();
        let mut command = Command::new(program);
        let mut child = command.arg(&file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = |start: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(start).expect("the program says where it listens").to_owned()
        };
        let url = line("listening on ");
        let admin = if program.contains("actix") { String::new() } else { line("metrics at ") };
        Self { child, folder, upstream: upstream.to_owned(), url, admin }
    }

    /// Changes the tenants in its file, and asks it to read that again.
    pub(crate) fn reload(&self, tenants: &str) {
        let text = settings(&self.folder, &self.upstream, tenants);
        fs::write(self.folder.path().join("gateway.toml"), text).unwrap();
        let kill = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn settings(folder: &TempDir, upstream: &str, tenants: &str) -> String {
    let provider = |name: &str| {
        let key = folder.path().join(name);
        format!("[providers.{name}]\nurl = '{upstream}'\nkey_file = '{}'\n", key.display())
    };
    format!(
        "listen = '127.0.0.1:0'\nadmin = '127.0.0.1:0'\nallow_origins = ['https://chat.example']\n\
         [limits]\nmax_body_mb = 1\nanswer_seconds = 5\n{}{}{}{tenants}",
        provider("anthropic"),
        provider("openai"),
        provider("gemini")
    )
}

/// The entry of a tenant whose key is `key-of-NAME`.
pub(crate) fn tenant(name: &str, limits: &str) -> String {
    let hash = data_encoding::HEXLOWER.encode(digest(&SHA256, format!("key-of-{name}").as_bytes()).as_ref());
    format!("[tenants.{name}]\nkey_sha256 = '{hash}'\n{limits}\n")
}

/// How clients of a provider send requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Api {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    /// The header with the key, and the text before the key in it.
    pub(crate) key: (&'static str, &'static str),
}

pub(crate) const APIS: [Api; 3] = [
    Api { name: "anthropic", path: "/v1/messages", key: ("x-api-key", "") },
    Api { name: "openai", path: "/v1/chat/completions", key: ("authorization", "Bearer ") },
    Api { name: "gemini", path: "/v1beta/models/gemini-3-pro:generateContent", key: ("x-goog-api-key", "") },
];

impl Api {
    /// A request of the tenant to the gateway.
    pub(crate) fn request(self, gateway: &Gateway, tenant: &str, body: &[u8]) -> Request<Full<Bytes>> {
        let (name, before) = self.key;
        Request::post(format!("{}{}", gateway.url, self.path))
            .header("content-type", "application/json")
            .header(name, format!("{before}key-of-{tenant}"))
            .body(Full::new(Bytes::copy_from_slice(body)))
            .unwrap()
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(self, gateway: &Gateway, tenant: &str, body: &[u8]) -> (u16, Value) {
        let answer = send(self.request(gateway, tenant, body)).await;
        let status = answer.status().as_u16();
        let body = tokio::time::timeout(PATIENCE, answer.into_body().collect()).await.unwrap();
        (status, serde_json::from_slice(&body.unwrap().to_bytes()).unwrap())
    }

    /// The message of an error in the shape of this API, with what clients read beside it.
    pub(crate) fn message(self, answer: &Value) -> (String, String) {
        let kind = if self.name == "gemini" { "status" } else { "type" };
        let error = &answer["error"];
        (error["message"].as_str().unwrap().to_owned(), error[kind].as_str().unwrap().to_owned())
    }

    /// The requests of a conversation in which an agent reads one file again and again, one for each turn.
    pub(crate) fn conversation(self) -> Vec<Vec<u8>> {
        (0..4).map(|turn| self.turn(turn).to_string().into_bytes()).collect()
    }

    fn turn(self, turns: usize) -> Value {
        let mut said = Vec::new();
        for turn in 0..turns {
            let id = format!("call_{turn}");
            said.extend(match self.name {
                "anthropic" => [
                    json!({"role": "assistant", "content": [
                        {"type": "tool_use", "id": id, "name": "Read", "input": {"file_path": "a.rs"}}]}),
                    json!({"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": id, "content": file()}]}),
                ],
                "openai" => [
                    json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function",
                        "function": {"name": "Read", "arguments": "{\"file_path\":\"a.rs\"}"}}]}),
                    json!({"role": "tool", "tool_call_id": id, "content": file()}),
                ],
                _ => [
                    json!({"role": "model", "parts": [{"functionCall": {"name": "Read", "args": {"file_path": "a.rs"}}}]}),
                    json!({"role": "user", "parts": [
                        {"functionResponse": {"name": "Read", "response": {"output": file()}}}]}),
                ],
            });
        }
        let question = "Why does the scheduler skip jobs?";
        match self.name {
            "gemini" => {
                said.insert(0, json!({"role": "user", "parts": [{"text": question}]}));
                json!({ "contents": said })
            }
            _ => {
                said.insert(0, json!({"role": "user", "content": question}));
                json!({"max_tokens": 9, "messages": said, "model": "m"})
            }
        }
    }
}

/// A file of a hundred lines, as a tool shows it.
fn file() -> String {
    (1..=100)
        .map(|n| format!("{n:>6}\tfn job_{n}(queue: &Queue) -> Job {{ queue.take({}) }}\n", n * 7919 % 1000))
        .collect()
}

pub(crate) async fn send(request: Request<Full<Bytes>>) -> Response {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::time::timeout(PATIENCE, client.request(request)).await.unwrap().unwrap();
    answer.map(Body::new)
}

/// The next piece of an answer.
pub(crate) async fn next(body: &mut Body) -> Option<Bytes> {
    let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("the event passes at once")?;
    Some(frame.unwrap().into_data().unwrap())
}

/// The length of what two texts begin with alike.
pub(crate) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
