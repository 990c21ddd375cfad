//! What providers say, in every format.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use headroom_core::{Api, Handle};
use http::Request;
use serde_json::{Value, json};

use crate::{
    Refusals, RequestLookup, RewrittenRequest, Tenant,
    framing::{Framing, Splitter},
    testing::{AnswerEnd, Script, ScriptedAnswer, Transcript, framed},
};

pub(super) const TOOL: &str = "headroom_retrieve";
pub(super) const KEPT: &str = "first\nsecond\nthird\n";

pub(super) fn handle() -> Handle {
    Handle::from_content(KEPT)
}

/// The arguments of a call that no other call has.
pub(super) fn lines(n: usize) -> Value {
    json!({"hash": handle().to_string(), "lines": format!("{}-{}", n % 3 + 1, n + 3)})
}

/// A part of what the model says in one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Ours(Value),
    Client,
}

pub(super) fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

/// A wire format with one form of its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Anthropic,
    Bedrock,
    Chat,
    Responses,
    Gemini,
}

pub(super) const WIRES: [Wire; 5] =
    [Wire::Anthropic, Wire::Bedrock, Wire::Chat, Wire::Responses, Wire::Gemini];

impl Wire {
    pub(super) fn api(self) -> Api {
        match self {
            Self::Anthropic | Self::Bedrock => Api::Anthropic,
            Self::Chat => Api::OpenAiChat,
            Self::Responses => Api::OpenAiResponses,
            Self::Gemini => Api::Gemini,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::Bedrock => "/model/m/invoke-with-response-stream",
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Gemini => "/v1beta/models/g:streamGenerateContent?alt=sse",
        }
    }

    /// The member of a request that holds the conversation.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Responses => "input",
            Self::Gemini => "contents",
            _ => "messages",
        }
    }

    pub(super) fn ask(self) -> Value {
        match self {
            Self::Gemini => json!({"tools":[],"contents":[{"role":"user","parts":[{"text":"why?"}]}]}),
            Self::Responses => json!({"tools":[],"store":false,"input":[{"role":"user","content":"why?"}]}),
            _ => json!({"tools":[],"messages":[{"role":"user","content":"why?"}]}),
        }
    }

    pub(super) fn lookup(self, body: &str) -> RequestLookup {
        let (parts, ()) = Request::post(self.path()).body(()).unwrap().into_parts();
        RequestLookup::new(&parts, Some(self.api()), body.as_bytes()).unwrap()
    }

    /// A request of a tenant whose name lasts.
    pub(super) fn request(self, body: &str) -> RewrittenRequest {
        let lookup = self.lookup(body);
        assert!(lookup.serves());
        let restore = lookup.restore(Tenant::new("team"), &Refusals::new());
        RewrittenRequest {
            api: self.api(),
            tenant: "team".to_owned(),
            handles: vec![handle()],
            original: Bytes::from(body.to_owned()),
            rewritten: Bytes::from(body.to_owned()),
            serves: true,
            has_epochs: false,
            context: restore.context(),
        }
    }

    pub(super) fn script(self, answers: Vec<ScriptedAnswer>) -> Script {
        Script {
            request: self.request(&self.ask().to_string()),
            answers,
            cuts: Vec::new(),
            originals: BTreeMap::from([(handle(), Some(Arc::from(KEPT)))]),
            has_timer: true,
        }
    }

    /// The nth answer of the provider.
    pub(super) fn answer(self, n: usize, parts: &[Part], is_stream: bool) -> ScriptedAnswer {
        let (content_type, body) = match (self, is_stream) {
            (_, false) => ("application/json", self.document(n, parts).to_string().into_bytes()),
            (Self::Bedrock, true) => ("application/vnd.amazon.eventstream", framed(&self.stream(n, parts))),
            (_, true) => ("text/event-stream", self.stream(n, parts).into_bytes()),
        };
        ScriptedAnswer { status: 200, content_type, body, end: AnswerEnd::Whole }
    }

    /// The parts as items of an answer.
    fn items(self, n: usize, parts: &[Part]) -> Vec<Value> {
        let item = |(at, part): (usize, &Part)| {
            let (name, arguments, id) = match part {
                Part::Text(text) => {
                    return match self {
                        Self::Anthropic | Self::Bedrock => json!({"type":"text","text":text}),
                        Self::Chat => json!(text),
                        Self::Responses => {
                            let content = json!([{"type":"output_text","text":text}]);
                            json!({"type":"message","id":format!("m{n}{at}"),"role":"assistant","content":content})
                        }
                        Self::Gemini => json!({"text":text}),
                    };
                }
                Part::Ours(arguments) => (TOOL, arguments.clone(), format!("ours_{n}_{at}")),
                Part::Client => ("Bash", json!({"command":"ls"}), format!("bash_{n}_{at}")),
            };
            match self {
                Self::Anthropic | Self::Bedrock => {
                    json!({"type":"tool_use","id":id,"name":name,"input":arguments})
                }
                Self::Chat => {
                    let function = json!({"name":name,"arguments":arguments.to_string()});
                    json!({"id":id,"type":"function","function":function})
                }
                Self::Responses => {
                    let arguments = arguments.to_string();
                    json!({"type":"function_call","id":format!("f{id}"),"call_id":id,"name":name,"arguments":arguments})
                }
                Self::Gemini => json!({"functionCall":{"id":id,"name":name,"args":arguments}}),
            }
        };
        parts.iter().enumerate().map(item).collect()
    }

    fn stop(self, parts: &[Part]) -> &'static str {
        let calls = parts.iter().any(|part| !matches!(part, Part::Text(_)));
        match (self, calls) {
            (Self::Anthropic | Self::Bedrock, true) => "tool_use",
            (Self::Anthropic | Self::Bedrock, false) => "end_turn",
            (Self::Chat, true) => "tool_calls",
            (Self::Chat, false) => "stop",
            _ => "STOP",
        }
    }

    fn document(self, n: usize, parts: &[Part]) -> Value {
        let (items, stop) = (self.items(n, parts), self.stop(parts));
        match self {
            Self::Anthropic | Self::Bedrock => {
                let usage = json!({"input_tokens":n,"output_tokens":1});
                json!({"id":format!("msg_{n}"),"type":"message","role":"assistant","content":items,"stop_reason":stop,"usage":usage})
            }
            Self::Chat => {
                let (texts, calls): (Vec<_>, Vec<_>) = items.into_iter().partition(Value::is_string);
                let words: String = texts.iter().filter_map(Value::as_str).collect();
                let mut message = json!({"role":"assistant","content":words});
                if !calls.is_empty() {
                    message["tool_calls"] = Value::Array(calls);
                }
                json!({"id":format!("c{n}"),"choices":[{"index":0,"message":message,"finish_reason":stop}]})
            }
            Self::Responses => json!({"id":format!("resp_{n}"),"status":"completed","output":items}),
            Self::Gemini => {
                let content = json!({"role":"model","parts":items});
                json!({"candidates":[{"index":0,"content":content,"finishReason":stop}]})
            }
        }
    }

    fn stream(self, n: usize, parts: &[Part]) -> String {
        let (items, stop) = (self.items(n, parts), self.stop(parts));
        let mut events = Vec::new();
        match self {
            Self::Anthropic | Self::Bedrock => {
                events = anthropic_events(n, &items, stop);
            }
            Self::Chat => {
                let chunk = |delta: Value, stop: Value| json!({"id":format!("c{n}"),"choices":[{"index":0,"delta":delta,"finish_reason":stop}]});
                events.push(chunk(json!({"role":"assistant","content":""}), Value::Null));
                let mut calls = 0;
                for item in &items {
                    let mut delta = json!({"content":item});
                    if item.is_object() {
                        let mut call = item.clone();
                        call["index"] = json!(calls);
                        calls += 1;
                        delta = json!({"tool_calls":[call]});
                    }
                    events.push(chunk(delta, Value::Null));
                }
                events.push(chunk(json!({}), json!(stop)));
            }
            Self::Responses => {
                let id = format!("resp_{n}");
                events.push(json!({"type":"response.created","response":{"id":id}}));
                for (at, item) in items.iter().enumerate() {
                    events.push(json!({"type":"response.output_item.added","output_index":at,"item":item}));
                    events.push(json!({"type":"response.output_item.done","output_index":at,"item":item}));
                }
                events.push(json!({"type":"response.completed","response":self.document(n, parts)}));
            }
            Self::Gemini => {
                for item in items {
                    events
                        .push(json!({"candidates":[{"index":0,"content":{"role":"model","parts":[item]}}]}));
                }
                let content = json!({"role":"model","parts":[{"text":""}]});
                events.push(json!({"candidates":[{"index":0,"content":content,"finishReason":stop}]}));
            }
        }
        let mut stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        if self == Self::Chat {
            stream.push_str("data: [DONE]\n\n");
        }
        stream
    }

    /// What the client can read of its answer.
    pub(super) fn readable(self, transcript: &Transcript) -> String {
        if self != Self::Bedrock || transcript.reply != "stream" {
            return String::from_utf8_lossy(&transcript.client).into_owned();
        }
        let mut splitter = Splitter::new(Framing::Aws);
        splitter.push(Bytes::copy_from_slice(&transcript.client));
        let mut out = String::new();
        while let Some(event) = splitter.next_event() {
            out.push_str(event.data().unwrap_or_default());
            out.push_str(&String::from_utf8_lossy(&event.raw));
        }
        out + &String::from_utf8_lossy(&splitter.take())
    }
}

fn anthropic_events(n: usize, items: &[Value], stop: &str) -> Vec<Value> {
    let mut events = Vec::new();
    events.push(json!({"type":"message_start","message":{"id":format!("msg_{n}"),"content":[]}}));
    for (at, item) in items.iter().enumerate() {
        let (mut start, mut delta) = (item.clone(), json!({"type":"text_delta","text":item["text"]}));
        if item["type"] == "tool_use" {
            start["input"] = json!({});
            let input = item["input"].to_string();
            delta = json!({"type":"input_json_delta","partial_json":input});
        } else {
            start["text"] = json!("");
        }
        events.push(json!({"type":"content_block_start","index":at,"content_block":start}));
        events.push(json!({"type":"content_block_delta","index":at,"delta":delta}));
        events.push(json!({"type":"content_block_stop","index":at}));
    }
    let usage = json!({"output_tokens":1});
    events.push(json!({"type":"message_delta","delta":{"stop_reason":stop},"usage":usage}));
    events.push(json!({"type":"message_stop"}));
    events
}

/// The texts that answer our calls in a request.
pub(super) fn answers(body: &[u8]) -> Vec<String> {
    let body: Value = serde_json::from_slice(body).unwrap();
    let list = ["messages", "input", "contents"].iter().find_map(|key| body[*key].as_array()).unwrap();
    let mut out = Vec::new();
    let mut add = |value: &Value| out.extend(value.as_str().map(str::to_owned));
    for item in list {
        if item["role"] == "tool" {
            add(&item["content"]);
        }
        if item["type"] == "function_call_output" {
            add(&item["output"]);
        }
        for block in item["content"].as_array().into_iter().flatten().filter(|b| b["type"] == "tool_result") {
            add(&block["content"]);
        }
        for part in item["parts"].as_array().into_iter().flatten() {
            add(&part["functionResponse"]["response"]["output"]);
        }
    }
    out
}
