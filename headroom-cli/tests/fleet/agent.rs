//! Conversations of an agent, and the provider that answers them.

use std::{
    io,
    sync::{Arc, Mutex, mpsc},
};

use serde_json::{Value, json};

use crate::support::{Connection, Message, Upstream, ok};

/// A log as a tool prints it; no two turns share a line.
fn output(conversation: usize, turn: usize) -> String {
    let line = |n: usize| {
        let took = (n * 7919 + turn * 31) % 97;
        format!(
            "2026-11-20T10:{:02}:{:02}Z INFO order {conversation}-{turn}-{n} took {took} ms\n",
            n / 60,
            n % 60
        )
    };
    (0..300).map(line).collect()
}

/// What an agent knows of its conversation.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) number: usize,
    turn: usize,
    messages: Vec<Value>,
}

impl Agent {
    pub(crate) fn new(number: usize) -> Self {
        let prompt = format!("conversation {number}: which orders were slow?");
        let mut agent = Self { number, turn: 0, messages: vec![json!({"role": "user", "content": prompt})] };
        agent.take(&[json!({"type": "tool_use", "id": format!("toolu_first_{number:012}"), "name": "Bash",
            "input": {"command": "./run"}})]);
        agent
    }

    /// The next request; every other conversation is streamed.
    pub(crate) fn request(&self) -> Vec<u8> {
        let tool = json!({"name": "Bash", "description": "Runs a command.",
            "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}});
        let body = json!({"model": "claude-opus-5-5", "max_tokens": 999, "stream": self.number.is_multiple_of(2),
            "tools": [tool], "messages": self.messages});
        crate::support::post(
            "/v1/messages",
            "x-api-key: k\r\nconnection: close\r\n",
            body.to_string().as_bytes(),
        )
    }

    /// Takes the provider's answer, and runs the command that it asks for.
    pub(crate) fn answered(&mut self, answer: &Message) {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!((answer.status(), answer.complete), (200, true), "{text}");
        assert!(!text.contains("headroom_retrieve"), "the hidden call reached the client: {text}");
        let content = match answer.header("content-type") {
            Some("text/event-stream") => blocks(&text),
            _ => answer.json()["content"].as_array().unwrap().clone(),
        };
        self.take(&content);
    }

    fn take(&mut self, content: &[Value]) {
        let call = content.iter().find(|block| block["type"] == "tool_use").expect("a call")["id"].clone();
        self.messages.push(json!({"role": "assistant", "content": content}));
        let output = output(self.number, self.turn);
        let result = json!({"type": "tool_result", "tool_use_id": call, "content": output});
        self.messages.push(json!({"role": "user", "content": [result]}));
        self.turn += 1;
    }
}

/// The blocks of a stream whose blocks come whole.
fn blocks(text: &str) -> Vec<Value> {
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.map(|data| serde_json::from_str::<Value>(data).unwrap());
    let starts = events.filter(|event| event["type"] == "content_block_start");
    starts.map(|event| event["content_block"].clone()).collect()
}

/// The handles of all markers in a body.
pub(crate) fn handles(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body).into_owned();
    let candidates = text.split("[headroom:").skip(1).filter_map(|rest| rest.get(..16));
    let is_handle = |text: &&str| text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    candidates.filter(is_handle).map(str::to_owned).collect()
}

/// A request that reached the provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) conversation: usize,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// To be shown.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A provider that asks for what was omitted at every other turn, and otherwise has the agent run a command.
pub(crate) struct Provider {
    pub(crate) upstream: Upstream,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Told of hidden rounds, which then do not end.
    hang: Arc<Mutex<Option<mpsc::Sender<()>>>>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let (seen, hang) = (Arc::default(), Arc::<Mutex<Option<mpsc::Sender<()>>>>::default());
        let (see, hangs) = (Arc::clone(&seen), Arc::clone(&hang));
        let upstream = Upstream::start(move |connection| serve(connection, &see, &hangs));
        Self { upstream, seen, hang }
    }

    /// Holds hidden rounds, and tells of each.
    pub(crate) fn hang(&self) -> mpsc::Receiver<()> {
        let (entered, hidden) = mpsc::channel();
        *self.hang.lock().unwrap() = Some(entered);
        hidden
    }

    pub(crate) fn go_on(&self) {
        *self.hang.lock().unwrap() = None;
    }

    /// What came since the last time, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn serve(
    connection: &mut Connection,
    seen: &Mutex<Vec<Seen>>,
    hang: &Mutex<Option<mpsc::Sender<()>>>,
) -> io::Result<Message> {
    let request = connection.read()?;
    let body = request.json();
    let prompt = body["messages"][0]["content"].as_str().unwrap();
    let conversation = prompt.split([' ', ':']).nth(1).unwrap().parse().unwrap();
    seen.lock().unwrap().push(Seen { conversation, body: request.body.clone() });
    let last = &body["messages"].as_array().unwrap().last().unwrap()["content"][0];
    let is_hidden = last["tool_use_id"].as_str().is_some_and(|id| id.starts_with("toolu_own"));
    let entered = hang.lock().unwrap().clone().filter(|_| is_hidden);
    if let Some(entered) = entered {
        entered.send(()).unwrap();
        connection.is_ended();
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let content = answer(conversation, &body, last, is_hidden);
    connection.write(write(&content, body["stream"] == true))?;
    Ok(request)
}

/// What the model says.
fn answer(conversation: usize, body: &Value, last: &Value, is_hidden: bool) -> Vec<Value> {
    // Without the hidden exchanges, which some requests have and others have lost.
    let turns = body["messages"].as_array().unwrap().iter().filter(|message| {
        message["role"] == "assistant" && !message.to_string().contains("headroom_retrieve")
    });
    let turn = turns.count();
    let handle = handles(last["content"].to_string().as_bytes()).pop();
    if let Some(handle) = handle.filter(|_| !is_hidden && turn.is_multiple_of(2)) {
        let id = format!("toolu_own_{conversation:06}{turn:06}");
        let input = json!({"hash": handle, "lines": "40-42"});
        return vec![
            json!({"type": "text", "text": "Let me look."}),
            json!({"type": "tool_use", "id": id, "name": "headroom_retrieve", "input": input}),
        ];
    }
    if is_hidden {
        let text = last.to_string();
        assert!(text.contains("took"), "nothing was retrieved: {text}");
    }
    let id = format!("toolu_bash_{conversation:06}{turn:06}");
    let command = json!({"command": format!("./run {turn}")});
    vec![
        json!({"type": "text", "text": format!("Turn {turn}: once more.")}),
        json!({"type": "tool_use", "id": id, "name": "Bash", "input": command}),
    ]
}

fn write(content: &[Value], is_stream: bool) -> String {
    let message = |content: &[Value]| {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "content": content,
            "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}})
    };
    if !is_stream {
        return ok(&message(content).to_string());
    }
    let mut events = vec![json!({"type": "message_start", "message": message(&[])})];
    for (index, block) in content.iter().enumerate() {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}),
    );
    events.push(json!({"type": "message_stop"}));
    let event = |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    let body: String = events.into_iter().map(event).collect();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length";
    format!("{head}: {}\r\n\r\n{body}", body.len())
}
