//! The official SDKs, which are strict about streams in ways of their own.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    PATIENCE, check, clean, lines,
    setup::{Clients, Mock, finish, workspace},
    stored,
    support::{Message, Upstream},
};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn agents_by_the_python_sdk_break_no_rule_of_the_provider() {
    let Some(clients) = Clients::get() else { return };
    let parallel = ["plain", "stream", "threads"].map(|mode| (mode, &["--parallel"][..]));
    for (mode, args) in parallel.into_iter().chain(parallel.map(|(mode, _)| (mode, &[][..]))) {
        let (folder, data) = (workspace(), tempfile::tempdir().unwrap());
        let log = data.path().join("upstream.jsonl");
        let Some(upstream) = Mock::strict(clients, &log, folder.path(), args) else { return };
        let proxy = stored(upstream.address, &data.path().join("store"), None);
        let mut agent = Command::new(&clients.python);
        clean(&mut agent, data.path(), folder.path());
        agent.arg(script("agent.py")).args([&format!("http://{}", proxy.address), mode]).arg(folder.path());
        let output = finish(agent, PATIENCE);
        assert!(
            output.success && output.text.ends_with("done\n"),
            "{mode}: {}\n{}",
            output.text,
            proxy.stderr()
        );
        assert!(!output.text.contains("headroom_retrieve"), "{mode}: {}", output.text);
        let mut requests = lines(&log);
        if mode == "threads" {
            // No markers of the cache may go with a thread.
            requests.iter_mut().for_each(|request| request["usage"]["cache_read_input_tokens"] = json!(1));
        }
        check(&requests);
        assert!(!proxy.stderr().contains(" 400 "), "{mode}: {}", proxy.stderr());
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn the_sdks_read_what_is_stitched_and_all_read_the_same() {
    let Some(clients) = Clients::get() else { return };
    let data = tempfile::tempdir().unwrap();
    let upstream = Upstream::start(|connection| {
        let request = connection.read()?;
        connection.write(answer(&request))?;
        Ok(request)
    });
    let proxy = stored(upstream.address, &data.path().join("store"), None);
    let folder = workspace();
    let report = Command::new(folder.path().join("report.sh")).output().unwrap().stdout;
    let output = data.path().join("report.txt");
    fs::write(&output, report).unwrap();

    let expected = |apis: &[&str]| {
        let mut lines: Vec<_> = apis.iter().flat_map(|api| expected(api)).collect();
        lines.sort();
        lines
    };
    for (program, name, apis) in [
        (clients.python.as_path(), "read.py", &["anthropic", "bedrock", "chat", "responses"][..]),
        (Path::new("node"), "read.mjs", &["anthropic", "chat", "responses"]),
    ] {
        let mut reader = Command::new(program);
        clean(&mut reader, data.path(), clients.modules.parent().unwrap());
        reader.arg(script(name)).arg(format!("http://{}", proxy.address)).arg(&output);
        let read = finish(reader, PATIENCE);
        assert!(read.success, "{name}: {}\n{}", read.text, proxy.stderr());
        let mut lines: Vec<_> = read.text.lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(lines, expected(apis), "{name}");
    }
}

const MODELS: [&str; 3] = ["ends", "mixed", "goes-on"];

/// What a client of this API gets to see: `ends` after a hidden round, `mixed` with a hidden call beside one of the
/// client, `goes-on` with a call of the client after a hidden round.
fn expected(api: &str) -> Vec<String> {
    let thinks = match api {
        "responses" => ["reasoning enc1", "reasoning enc2"],
        _ => ["thinking hm1 sig1", "thinking hm2 sig2"],
    };
    let name = if matches!(api, "chat" | "responses") { "shell" } else { "Bash" };
    let call = format!("call {name} {{\"command\":\"ls\"}}");
    let mut lines = Vec::new();
    for (model, mode) in MODELS.iter().flat_map(|model| ["plain", "stream"].map(|mode| (*model, mode))) {
        let mut said = vec![format!("{api} {model} {mode}")];
        let hidden = model != "mixed";
        if api == "chat" {
            said.push(format!("assistant Let me look. {}", if hidden { "It broke." } else { "" }));
        } else {
            said.extend([thinks[0].to_owned(), "text Let me look. ".to_owned()]);
            said.extend([thinks[1].to_owned(), "text It broke.".to_owned()].into_iter().filter(|_| hidden));
        }
        said.extend((model != "ends").then(|| call.clone()));
        lines.push(said.join(" | "));
    }
    lines
}

/// What the model says in one round.
struct Said {
    /// One for the first round, two for the one after it.
    round: usize,
    text: &'static str,
    /// Names and arguments.
    calls: Vec<(&'static str, Value)>,
}

/// Asks for what was set aside first, and says what it found then.
fn say(request: &Message) -> (Said, String, bool) {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let body: Value = serde_json::from_str(&text).unwrap();
    let path = request.target();
    let model = body["model"].as_str().or_else(|| path.split('/').nth(2)).unwrap().to_owned();
    let stream = body["stream"] == true || path.ends_with("-stream");
    let name = if path.contains("/chat/") || path.ends_with("/responses") { "shell" } else { "Bash" };
    let client = (name, json!({"command": "ls"}));
    if text.contains("own_call_1") {
        let calls = (model == "goes-on").then_some(client).into_iter().collect();
        return (Said { round: 2, text: "It broke.", calls }, model, stream);
    }
    let marker = text.find("[headroom:").expect("something was set aside");
    let hash = &text[marker + 10..marker + 26];
    let mut calls = vec![("headroom_retrieve", json!({"hash": hash}))];
    calls.extend((model == "mixed").then_some(client));
    (Said { round: 1, text: "Let me look. ", calls }, model, stream)
}

fn answer(request: &Message) -> Vec<u8> {
    let path = request.target().split('?').next().unwrap();
    let (said, model, stream) = say(request);
    match path {
        "/v1/messages" if stream => http("text/event-stream", messages_stream(&said, &model).into_bytes()),
        _ if path.ends_with("/invoke-with-response-stream") => {
            let stream = messages_stream(&said, &model);
            let events = stream.lines().filter_map(|line| line.strip_prefix("data: "));
            http("application/vnd.amazon.eventstream", events.flat_map(frame).collect())
        }
        "/v1/chat/completions" if stream => http("text/event-stream", chat_stream(&said).into_bytes()),
        "/v1/chat/completions" => http("application/json", chat(&said).to_string().into_bytes()),
        "/v1/responses" if stream => http("text/event-stream", responses_stream(&said).into_bytes()),
        "/v1/responses" => {
            http("application/json", response(&said, "completed", &items(&said)).to_string().into_bytes())
        }
        _ => http("application/json", message(&said, &model).to_string().into_bytes()),
    }
}

fn http(kind: &str, body: Vec<u8>) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

fn id(said: &Said, n: usize) -> String {
    format!(
        "{}_call_{}_0123456789abcdef",
        if said.calls[n].0 == "headroom_retrieve" { "own" } else { "their" },
        said.round
    )
}

fn blocks(said: &Said) -> Vec<Value> {
    let round = said.round;
    let mut blocks = vec![
        json!({"type":"thinking","thinking":format!("hm{round}"),"signature":format!("sig{round}")}),
        json!({"type":"text","text":said.text}),
    ];
    for (n, (name, input)) in said.calls.iter().enumerate() {
        blocks.push(json!({"type":"tool_use","id":id(said, n),"name":name,"input":input}));
    }
    blocks
}

fn stop(said: &Said) -> &'static str {
    if said.calls.is_empty() { "end_turn" } else { "tool_use" }
}

fn message(said: &Said, model: &str) -> Value {
    json!({"id":format!("msg_{}", said.round),"type":"message","role":"assistant","model":model,
        "content":blocks(said),"stop_reason":stop(said),"stop_sequence":null,
        "usage":{"input_tokens":10,"output_tokens":5}})
}

fn messages_stream(said: &Said, model: &str) -> String {
    let mut out = String::new();
    let mut event = |data: Value| {
        let _ = write!(out, "event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    };
    let mut begun = message(said, model);
    begun["content"] = json!([]);
    begun["stop_reason"] = Value::Null;
    event(json!({"type":"message_start","message":begun}));
    for (index, block) in blocks(said).into_iter().enumerate() {
        let (start, deltas) = match block["type"].as_str().unwrap() {
            "thinking" => (
                json!({"type":"thinking","thinking":"","signature":""}),
                vec![
                    json!({"type":"thinking_delta","thinking":block["thinking"]}),
                    json!({"type":"signature_delta","signature":block["signature"]}),
                ],
            ),
            "text" => {
                (json!({"type":"text","text":""}), vec![json!({"type":"text_delta","text":block["text"]})])
            }
            _ => {
                let mut start = block.clone();
                start["input"] = json!({});
                let input = block["input"].to_string();
                let (first, second) = input.split_at(5);
                let delta = |part| json!({"type":"input_json_delta","partial_json":part});
                (start, vec![delta(first), delta(second)])
            }
        };
        event(json!({"type":"content_block_start","index":index,"content_block":start}));
        for delta in deltas {
            event(json!({"type":"content_block_delta","index":index,"delta":delta}));
        }
        event(json!({"type":"content_block_stop","index":index}));
    }
    event(
        json!({"type":"message_delta","delta":{"stop_reason":stop(said),"stop_sequence":null},"usage":{"output_tokens":5}}),
    );
    event(json!({"type":"message_stop"}));
    out
}

/// A frame of AWS.
fn frame(event: &str) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in
        [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")]
    {
        head.push(name.len() as u8);
        head.extend(name.bytes());
        head.push(7);
        head.extend((value.len() as u16).to_be_bytes());
        head.extend(value.bytes());
    }
    let payload = format!(r#"{{"bytes":"{}"}}"#, STANDARD.encode(event));
    let mut frame = ((16 + head.len() + payload.len()) as u32).to_be_bytes().to_vec();
    frame.extend((head.len() as u32).to_be_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(head);
    frame.extend(payload.bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

fn tool_calls(said: &Said) -> Vec<Value> {
    let call = |(n, (name, arguments)): (usize, &(&str, Value))| json!({"index":n,"id":id(said, n),"type":"function","function":{"name":name,"arguments":arguments.to_string()}});
    said.calls.iter().enumerate().map(call).collect()
}

fn finish_reason(said: &Said) -> &'static str {
    if said.calls.is_empty() { "stop" } else { "tool_calls" }
}

fn chat(said: &Said) -> Value {
    let mut message = json!({"role":"assistant","content":said.text});
    if !said.calls.is_empty() {
        message["tool_calls"] = tool_calls(said).into();
    }
    json!({"id":format!("chatcmpl-{}", said.round),"object":"chat.completion","created":1,"model":"m",
        "choices":[{"index":0,"message":message,"finish_reason":finish_reason(said),"logprobs":null}],
        "usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}})
}

fn chat_stream(said: &Said) -> String {
    let mut out = String::new();
    let mut chunk = |delta: Value, finish: Value| {
        let choices = json!([{"index":0,"delta":delta,"finish_reason":finish,"logprobs":null}]);
        let chunk = json!({"id":format!("chatcmpl-{}", said.round),"object":"chat.completion.chunk",
            "created":said.round,"model":"m","choices":choices});
        let _ = write!(out, "data: {chunk}\n\n");
    };
    chunk(json!({"role":"assistant","content":""}), Value::Null);
    chunk(json!({"content":said.text}), Value::Null);
    for (n, mut call) in tool_calls(said).into_iter().enumerate() {
        let arguments = call["function"]["arguments"].take();
        call["function"]["arguments"] = json!("");
        chunk(json!({"tool_calls":[call]}), Value::Null);
        let (first, second) = arguments.as_str().unwrap().split_at(4);
        for part in [first, second] {
            chunk(json!({"tool_calls":[{"index":n,"function":{"arguments":part}}]}), Value::Null);
        }
    }
    chunk(json!({}), json!(finish_reason(said)));
    out.push_str("data: [DONE]\n\n");
    out
}

fn items(said: &Said) -> Vec<Value> {
    let round = said.round;
    let mut items = vec![
        json!({"type":"reasoning","id":format!("rs_{round}"),"summary":[],"encrypted_content":format!("enc{round}")}),
        json!({"type":"message","id":format!("msg_{round}"),"role":"assistant","status":"completed",
            "content":[{"type":"output_text","text":said.text,"annotations":[]}]}),
    ];
    for (n, (name, arguments)) in said.calls.iter().enumerate() {
        items.push(json!({"type":"function_call","id":format!("fc_{round}_{n}"),"call_id":id(said, n),
            "name":name,"arguments":arguments.to_string(),"status":"completed"}));
    }
    items
}

fn response(said: &Said, status: &str, output: &[Value]) -> Value {
    json!({"id":format!("resp_{}", said.round),"object":"response","created_at":1,"status":status,"model":"m",
        "output":output,"parallel_tool_calls":true,"tool_choice":"auto","tools":[],
        "usage":{"input_tokens":9,"output_tokens":5,"total_tokens":14,
            "input_tokens_details":{"cached_tokens":0},"output_tokens_details":{"reasoning_tokens":0}}})
}

fn responses_stream(said: &Said) -> String {
    let (mut out, mut number) = (String::new(), 0);
    let mut event = |mut data: Value| {
        data["sequence_number"] = json!(number);
        number += 1;
        let _ = write!(out, "event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    };
    for kind in ["response.created", "response.in_progress"] {
        event(json!({"type":kind,"response":response(said, "in_progress", &[])}));
    }
    for (index, item) in items(said).into_iter().enumerate() {
        let place = json!({"output_index":index,"item_id":item["id"]});
        let mut at = |kind: &str, more: Value| {
            let mut data = place.clone();
            data["type"] = json!(kind);
            data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event(data);
        };
        let mut begun = item.clone();
        match item["type"].as_str().unwrap() {
            "message" => {
                begun["content"] = json!([]);
                at("response.output_item.added", json!({"item":begun}));
                let part = |text: &str| json!({"type":"output_text","text":text,"annotations":[]});
                at("response.content_part.added", json!({"content_index":0,"part":part("")}));
                at("response.output_text.delta", json!({"content_index":0,"delta":said.text,"logprobs":[]}));
                at("response.output_text.done", json!({"content_index":0,"text":said.text,"logprobs":[]}));
                at("response.content_part.done", json!({"content_index":0,"part":part(said.text)}));
            }
            "function_call" => {
                begun["arguments"] = json!("");
                at("response.output_item.added", json!({"item":begun}));
                at("response.function_call_arguments.delta", json!({"delta":item["arguments"]}));
                at(
                    "response.function_call_arguments.done",
                    json!({"arguments":item["arguments"],"name":item["name"]}),
                );
            }
            _ => at("response.output_item.added", json!({"item":begun})),
        }
        at("response.output_item.done", json!({"item":item}));
    }
    event(json!({"type":"response.completed","response":response(said, "completed", &items(said))}));
    out
}
