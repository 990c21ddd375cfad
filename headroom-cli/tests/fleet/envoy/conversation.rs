//! Conversations that grow, and requests with them.

use std::io::Write;

use serde_json::{Value, json};

/// The provider's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Messages,
    Chat,
    Responses,
}

pub(super) const APIS: [Api; 3] = [Api::Messages, Api::Chat, Api::Responses];

/// How a body is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Transfer {
    Length,
    Chunked,
    Gzip,
}

const TRANSFERS: [Transfer; 3] = [Transfer::Length, Transfer::Chunked, Transfer::Gzip];

impl Transfer {
    pub(super) fn from_turn(turn: usize) -> Self {
        TRANSFERS[turn % TRANSFERS.len()]
    }
}

/// Records, which make a smaller table, or a log, of which lines can be elided; no two turns share a line.
fn output(turn: usize) -> String {
    let took = |n: usize| (n * 7919 + turn) % 97;
    let record = |n| {
        format!(
            "  {{\n    \"order\": \"order {turn}-{n}\",\n    \"took\": {},\n    \"zone\": \"eu-west-1\"\n  }}",
            took(n)
        )
    };
    let line =
        |n| format!("2026-11-20T10:{:02}:{:02}Z INFO order {turn}-{n} took {} ms\n", n / 60, n % 60, took(n));
    match turn % 2 {
        0 => format!("[\n{}\n]", (0..300).map(record).collect::<Vec<_>>().join(",\n")),
        _ => (0..300).map(line).collect(),
    }
}

impl Api {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Messages => "/v1/messages",
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
        }
    }

    /// The request after this many calls of a tool. Later ones begin with all of it but its last two bytes.
    pub(super) fn conversation(self, turns: usize) -> Vec<u8> {
        let mut items = vec![self.prompt("which orders were slow?")];
        for turn in 0..turns {
            items.extend(self.call(turn));
            if turn % 2 == 1 {
                items.push(self.prompt(&format!("and what of order {turn}-7?")));
            }
        }
        let items: Vec<_> = items.iter().map(Value::to_string).collect();
        let (head, name) = self.head();
        let head = head.to_string();
        format!("{},\"{name}\":[{}]}}", head.trim_end_matches('}'), items.join(",")).into_bytes()
    }

    fn head(self) -> (Value, &'static str) {
        let schema = json!({"type": "object", "properties": {"hash": {"type": "string"}}});
        let names = ["mcp__headroom__headroom_retrieve", "Bash"];
        match self {
            Self::Messages => {
                let tools = names.map(|name| json!({"name": name, "input_schema": schema}));
                (json!({"model": "claude-opus-5-5", "max_tokens": 9, "tools": tools, "x": 0}), "messages")
            }
            Self::Chat => {
                let tools = names.map(
                    |name| json!({"type": "function", "function": {"name": name, "parameters": schema}}),
                );
                (json!({"model": "gpt-4o", "tools": tools, "x": 0}), "messages")
            }
            Self::Responses => {
                let tools = names.map(|name| json!({"type": "function", "name": name, "parameters": schema}));
                (json!({"model": "gpt-5.5", "store": false, "tools": tools, "x": 0}), "input")
            }
        }
    }

    fn prompt(self, text: &str) -> Value {
        json!({"role": "user", "content": text})
    }

    fn call(self, turn: usize) -> Vec<Value> {
        let (id, output) = (format!("t{turn}"), output(turn));
        match self {
            Self::Messages => vec![
                json!({"role": "assistant", "content": [
                    {"type": "tool_use", "id": id, "name": "Bash", "input": {"command": "./run"}}]}),
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": output}]}),
            ],
            Self::Chat => vec![
                json!({"role": "assistant", "content": null, "tool_calls": [
                    {"id": id, "type": "function", "function": {"name": "Bash", "arguments": "{\"command\":\"./run\"}"}}]}),
                json!({"role": "tool", "tool_call_id": id, "content": output}),
            ],
            Self::Responses => vec![
                json!({"type": "function_call", "call_id": id, "name": "Bash", "arguments": "{\"command\":\"./run\"}"}),
                json!({"type": "function_call_output", "call_id": id, "output": output}),
            ],
        }
    }
}

/// A request with this body.
pub(super) fn request(path: &str, body: &[u8], transfer: Transfer) -> Vec<u8> {
    let gzip = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let (headers, body) = match transfer {
        Transfer::Length => (format!("content-length: {}", body.len()), body.to_vec()),
        Transfer::Chunked => ("transfer-encoding: chunked".to_owned(), chunked(body)),
        Transfer::Gzip => {
            let encoded = gzip(body);
            (format!("content-encoding: gzip\r\ncontent-length: {}", encoded.len()), encoded)
        }
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: k\r\ncontent-type: application/json\r\n{headers}\r\n\
         connection: close\r\n\r\n"
    );
    [head.into_bytes(), body].concat()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut chunks = Vec::new();
    for data in body.chunks(10_000) {
        chunks.extend(format!("{:x}\r\n", data.len()).into_bytes());
        chunks.extend_from_slice(data);
        chunks.extend(b"\r\n");
    }
    chunks.extend(b"0\r\n\r\n");
    chunks
}
