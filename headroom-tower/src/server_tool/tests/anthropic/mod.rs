//! Anthropic Messages.

mod failures;
mod restored;
mod rounds;

use std::fmt::Write;

use serde_json::{Value, json};

use super::support::{Answer, Say, Setup, data, handle};

const PATH: &str = "/v1/messages";

pub(in crate::server_tool::tests) const ASK: &str = r#"{"model":"claude-x","stream":true,"tools":[{"name":"Bash","input_schema":{}}],"messages":[{"role":"user","content":"what happened?"}]}"#;

fn setup() -> Setup {
    Setup::new(PATH)
}

pub(in crate::server_tool::tests) fn ours(n: usize) -> Value {
    json!({"type":"tool_use","id":format!("toolu_own{n}"),"name":"headroom_retrieve","input":{"hash":handle().to_string(),"lines":"2-2","n":n}})
}

pub(in crate::server_tool::tests) fn text(text: &str) -> Value {
    json!({"type":"text","text":text})
}

pub(in crate::server_tool::tests) fn thinking(n: usize) -> Value {
    json!({"type":"thinking","thinking":format!("hm \u{1f914} {n}"),"signature":format!("sig{n}A0b1C2d3E4f5G6h7I8j9K0")})
}

pub(in crate::server_tool::tests) fn bash(id: &str) -> Value {
    json!({"type":"tool_use","id":id,"name":"Bash","input":{"command":"ls \"x\"","z":1,"a":[2.50]}})
}

fn stop_of(blocks: &[Value]) -> &'static str {
    if blocks.iter().any(|block| block["type"] == "tool_use") { "tool_use" } else { "end_turn" }
}

/// A whole answer.
pub(in crate::server_tool::tests) fn whole(n: usize, blocks: &[Value]) -> String {
    json!({"id":format!("msg_{n}"),"type":"message","role":"assistant","model":"claude-x","content":blocks,
        "stop_reason":stop_of(blocks),"stop_sequence":null,
        "usage":{"input_tokens":100*n,"cache_read_input_tokens":7*n,"output_tokens":10}})
    .to_string()
}

/// The same as a stream.
pub(in crate::server_tool::tests) fn stream(n: usize, blocks: &[Value]) -> String {
    stream_until(n, blocks, stop_of(blocks))
}

pub(in crate::server_tool::tests) fn stream_until(n: usize, blocks: &[Value], stop: &str) -> String {
    let mut out = String::new();
    let mut event = |data: Value| {
        let _ = write!(out, "event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    };
    event(
        json!({"type":"message_start","message":{"id":format!("msg_{n}"),"type":"message","role":"assistant","content":[],
        "usage":{"input_tokens":100*n,"cache_read_input_tokens":7*n,"output_tokens":1}}}),
    );
    event(json!({"type":"ping"}));
    for (index, block) in blocks.iter().enumerate() {
        let (start, deltas) = match block["type"].as_str().unwrap() {
            "text" => {
                let text = block["text"].as_str().unwrap();
                let deltas = text.split_inclusive(' ').map(|text| json!({"type":"text_delta","text":text}));
                (json!({"type":"text","text":""}), deltas.collect::<Vec<_>>())
            }
            "thinking" => (
                json!({"type":"thinking","thinking":"","signature":""}),
                vec![
                    json!({"type":"thinking_delta","thinking":block["thinking"]}),
                    json!({"type":"signature_delta","signature":block["signature"]}),
                ],
            ),
            "tool_use" => {
                let mut start = block.clone();
                start["input"] = json!({});
                let input = block["input"].to_string();
                let pieces =
                    input.as_bytes().chunks(9).map(|piece| String::from_utf8(piece.to_vec()).unwrap());
                let deltas = pieces.map(|piece| json!({"type":"input_json_delta","partial_json":piece}));
                (start, deltas.collect())
            }
            _ => (block.clone(), Vec::new()),
        };
        event(json!({"type":"content_block_start","index":index,"content_block":start}));
        for delta in deltas {
            event(json!({"type":"content_block_delta","index":index,"delta":delta}));
        }
        event(json!({"type":"content_block_stop","index":index}));
    }
    event(
        json!({"type":"message_delta","delta":{"stop_reason":stop,"stop_sequence":null},"usage":{"output_tokens":10}}),
    );
    event(json!({"type":"message_stop"}));
    out
}

/// A strict client: what it makes of a stream, with the rules of the official SDKs.
pub(in crate::server_tool::tests) fn accumulate(stream: &str) -> Value {
    let mut message = Value::Null;
    let mut stopped = false;
    for event in stream.split("\n\n").filter(|event| !event.trim().is_empty()) {
        let name =
            event.lines().find_map(|line| line.strip_prefix("event: ")).expect("every event has a name");
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).expect("every event has data");
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(name, data["type"]);
        assert!(!stopped, "nothing comes behind the end");
        match name {
            "message_start" => {
                assert!(message.is_null(), "one message_start");
                message = data["message"].clone();
            }
            "content_block_start" => {
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(data["index"], content.len(), "indexes are dense");
                content.push(data["content_block"].clone());
            }
            "content_block_delta" => {
                let index = data["index"].as_u64().unwrap() as usize;
                let block = &mut message["content"][index];
                let delta = &data["delta"];
                for (key, member) in [("text", "text"), ("thinking", "thinking"), ("partial_json", "json")] {
                    if let Some(more) = delta[key].as_str() {
                        let so_far = block[member].as_str().unwrap_or_default().to_owned();
                        block[member] = json!(so_far + more);
                    }
                }
                if delta["type"] == "signature_delta" {
                    block["signature"] = delta["signature"].clone();
                }
            }
            "content_block_stop" => {
                let index = data["index"].as_u64().unwrap() as usize;
                let block = &mut message["content"][index];
                if let Some(input) = block.as_object_mut().unwrap().remove("json") {
                    block["input"] = serde_json::from_str(input.as_str().unwrap()).unwrap();
                }
            }
            "message_delta" => {
                message["stop_reason"] = data["delta"]["stop_reason"].clone();
                for (key, value) in data["usage"].as_object().unwrap() {
                    message["usage"][key] = value.clone();
                }
            }
            "message_stop" => stopped = true,
            "ping" => {}
            other => panic!("unknown event {other}"),
        }
    }
    assert!(stopped, "the stream has an end");
    message
}

async fn say(rounds: &[Vec<Value>], streaming: bool) -> (Setup, Answer) {
    let says = rounds.iter().zip(1..).map(|(blocks, n)| {
        if streaming { Say::events(&stream(n, blocks)) } else { Say::json(&whole(n, blocks)) }
    });
    let setup = setup().says(says.collect::<Vec<_>>());
    let ask = if streaming { ASK.to_owned() } else { ASK.replace("\"stream\":true,", "") };
    let answer = setup.send(&ask).await;
    (setup, answer)
}

pub(in crate::server_tool::tests) fn read(answer: &Answer, streaming: bool) -> Value {
    if streaming { accumulate(&answer.body) } else { serde_json::from_str(&answer.body).unwrap() }
}

/// Asks again with the client's copy of what it was told.
pub(in crate::server_tool::tests) fn follow_up(message: &Value, more: &str) -> Value {
    let mut next: Value = serde_json::from_str(ASK).unwrap();
    next["messages"].as_array_mut().unwrap().extend([
        json!({"role":"assistant","content":message["content"]}),
        json!({"role":"user","content":more}),
    ]);
    next
}
