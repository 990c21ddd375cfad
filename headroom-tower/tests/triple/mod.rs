//! Request, answer and next request of two conversations at once, of every API, with answers made of any bytes. Shared
//! by a property test and a fuzz target.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use headroom_core::{Handle, Original};
use headroom_tower::{
    HeadroomBody, HeadroomLayer,
    headroom_store::{MemoryStore, OriginalStore},
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

/// What only one conversation may fetch.
const SECRETS: [&str; 2] = ["the secret of alpha", "the secret of beta"];

/// Bytes that decide; zeros behind their end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *byte
    }

    fn text(&mut self) -> String {
        let length = usize::from(self.byte() % 16).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    Anthropic,
    Chat,
    Responses,
    Gemini,
}

impl Api {
    const ALL: [Self; 4] = [Self::Anthropic, Self::Chat, Self::Responses, Self::Gemini];

    fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Gemini => "/v1beta/models/m:generateContent",
        }
    }

    fn request(self, list: &[Value]) -> Value {
        let schema = json!({"type":"object","properties":{"command":{"type":"string"}}});
        let function = json!({"name":"Bash","description":"Runs","parameters":schema});
        match self {
            Self::Anthropic => {
                json!({"tools":[{"name":"Bash","description":"Runs","input_schema":schema}],"messages":list})
            }
            Self::Chat => json!({"tools":[{"type":"function","function":function}],"messages":list}),
            Self::Responses => {
                json!({"tools":[{"type":"function","name":"Bash","description":"Runs","parameters":schema}],"input":list})
            }
            Self::Gemini => json!({"tools":[{"functionDeclarations":[function]}],"contents":list}),
        }
    }

    fn user(self, text: &str) -> Value {
        match self {
            Self::Gemini => json!({"role":"user","parts":[{"text":text}]}),
            _ => json!({"role":"user","content":text}),
        }
    }

    /// An answer with this text, this signature, and these calls: id, name and arguments.
    fn answer(self, text: &str, signature: Option<&str>, calls: &[(String, &str, Value)]) -> Value {
        let list =
            |part: &dyn Fn(&(String, &str, Value)) -> Value| calls.iter().map(part).collect::<Vec<_>>();
        match self {
            Self::Anthropic => {
                let thinking =
                    signature.map(|own| json!({"type":"thinking","thinking":"hm","signature":own}));
                let mut content: Vec<_> =
                    thinking.into_iter().chain([json!({"type":"text","text":text})]).collect();
                content.extend(list(
                    &|(id, name, input)| json!({"type":"tool_use","id":id,"name":name,"input":input}),
                ));
                let stop = if calls.is_empty() { "end_turn" } else { "tool_use" };
                json!({"id":"msg_1","type":"message","role":"assistant","content":content,"stop_reason":stop})
            }
            Self::Chat => {
                let calls = list(
                    &|(id, name, input)| json!({"id":id,"type":"function","function":{"name":name,"arguments":input.to_string()}}),
                );
                let stop = if calls.is_empty() { "stop" } else { "tool_calls" };
                let mut message = json!({"role":"assistant","content":text});
                if !calls.is_empty() {
                    message["tool_calls"] = json!(calls);
                }
                json!({"choices":[{"message":message,"finish_reason":stop}]})
            }
            Self::Responses => {
                let reasoning =
                    signature.map(|own| json!({"type":"reasoning","id":"rs_1","encrypted_content":own}));
                let message = json!({"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":text}]});
                let mut output: Vec<_> = reasoning.into_iter().chain([message]).collect();
                output.extend(list(&|(id, name, input)| {
                    json!({"type":"function_call","id":"fc_1","call_id":id,"name":name,"arguments":input.to_string()})
                }));
                json!({"id":"resp_1","status":"completed","output":output})
            }
            Self::Gemini => {
                let mut parts = vec![json!({"text":text})];
                parts.extend(list(&|(_, name, input)| json!({"functionCall":{"name":name,"args":input}})));
                if let (Some(own), true) = (signature, parts.len() > 1) {
                    parts[1]["thoughtSignature"] = json!(own);
                }
                json!({"candidates":[{"content":{"role":"model","parts":parts},"finishReason":"STOP"}]})
            }
        }
    }

    /// What a client keeps of an answer.
    fn copy(self, answer: &Value) -> Vec<Value> {
        match self {
            Self::Anthropic => vec![json!({"role":"assistant","content":answer["content"]})],
            Self::Chat => vec![answer["choices"][0]["message"].clone()],
            Self::Responses => answer["output"].as_array().cloned().unwrap_or_default(),
            Self::Gemini => vec![answer["candidates"][0]["content"].clone()],
        }
    }

    /// The results of the calls in a client's copy.
    fn results(self, copy: &[Value]) -> Vec<Value> {
        let list = |item: &Value, key: &str| item[key].as_array().cloned().unwrap_or_default();
        let mut results = Vec::new();
        for item in copy {
            match self {
                Self::Anthropic => results.extend(
                    list(item, "content")
                        .iter()
                        .filter(|block| block["type"] == "tool_use")
                        .map(|block| json!({"type":"tool_result","tool_use_id":block["id"],"content":"ok"})),
                ),
                Self::Chat => results.extend(
                    list(item, "tool_calls")
                        .iter()
                        .map(|call| json!({"role":"tool","tool_call_id":call["id"],"content":"ok"})),
                ),
                Self::Responses => {
                    results.extend((item["type"] == "function_call").then(
                        || json!({"type":"function_call_output","call_id":item["call_id"],"output":"ok"}),
                    ));
                }
                Self::Gemini => results.extend(
                    list(item, "parts")
                        .iter()
                        .filter(|part| part.get("functionCall").is_some())
                        .map(|_| json!({"functionResponse":{"name":"Bash","response":{"output":"ok"}}})),
                ),
            }
        }
        match self {
            _ if results.is_empty() => results,
            Self::Anthropic => vec![json!({"role":"user","content":results})],
            Self::Gemini => vec![json!({"role":"user","parts":results})],
            Self::Chat | Self::Responses => results,
        }
    }
}

/// Two conversations as these bytes want them. Panics if what one of them hid gets into the other. How often what was
/// hidden was put back.
pub(crate) fn converse(data: &[u8]) -> usize {
    if String::from_utf8_lossy(data).contains("the secret of") {
        return 0;
    }
    let mut input = Input(data);
    let api = Api::ALL[usize::from(input.byte() % 4)];
    let store = MemoryStore::new();
    let originals = SECRETS.map(|text| Original::new(text.to_owned()));
    block_on(store.put_many("team", originals.to_vec())).expect("there is room");
    let layer = HeadroomLayer::with_store(store).tenant_from(|_| "team".to_owned());
    let mut lists = ["alpha", "beta"].map(|project| vec![api.user(&format!("Look at project {project}."))]);
    let mut put_back = 0;
    for _ in 0..8 {
        if input.0.is_empty() {
            break;
        }
        let which = usize::from(input.byte() % 2);
        let rounds: VecDeque<_> = (0..=input.byte() % 3).map(|_| round(api, which, &mut input)).collect();
        let (got, answer) = send(&layer, api, &lists[which], rounds);
        assert!(got.len() <= 6, "{} calls of the provider", got.len());
        put_back += usize::from(got[0].contains(SECRETS[which]));
        for body in got {
            assert!(!body.contains(SECRETS[1 - which]), "a turn of another conversation: {body}");
            let _: Value = serde_json::from_str(&body).expect("what is sent is JSON");
        }
        let mut copy = api.copy(&answer);
        change(&mut copy, input.byte());
        let results = api.results(&copy);
        lists[which].extend(copy);
        match results.is_empty() {
            true => lists[which].push(api.user("go on")),
            false => lists[which].extend(results),
        }
        if input.byte() % 8 == 0 {
            // A rewind.
            lists[which].truncate(1);
        }
    }
    put_back
}

/// What the model says in one round.
fn round(api: Api, which: usize, input: &mut Input<'_>) -> Value {
    let shape = input.byte();
    let mut calls = Vec::new();
    if shape & 1 != 0 {
        let arguments = json!({"hash":Handle::from_content(SECRETS[which]).to_string(),"n":input.byte()});
        calls.push(("functions.headroom_retrieve:0".to_owned(), "headroom_retrieve", arguments));
    }
    if shape & 2 != 0 {
        let id = if shape & 4 != 0 { "functions.Bash:1".to_owned() } else { input.text() };
        calls.push((id, "Bash", json!({"command":input.text()})));
    }
    let signature = (shape & 8 != 0).then(|| input.text());
    let text = if shape & 16 != 0 { "Done.".to_owned() } else { input.text() };
    api.answer(&text, signature.as_deref(), &calls)
}

/// What a client may do to its copy.
fn change(copy: &mut Vec<Value>, how: u8) {
    match how % 16 {
        0 => copy.truncate(1),
        1 => copy.iter_mut().filter_map(|item| item.get_mut("content")?.as_array_mut()).for_each(|list| {
            list.pop();
        }),
        2 => copy.iter_mut().filter_map(Value::as_object_mut).for_each(|item| {
            item.insert("arguments".to_owned(), json!("{}"));
        }),
        _ => {}
    }
}

/// The bodies that the provider got, and the answer that the client got.
fn send(layer: &HeadroomLayer, api: Api, list: &[Value], rounds: VecDeque<Value>) -> (Vec<String>, Value) {
    let state = Arc::new(Mutex::new((Vec::new(), rounds)));
    let shared = Arc::clone(&state);
    let service = service_fn(move |request: Request<HeadroomBody<Full<Bytes>>>| {
        let shared = Arc::clone(&shared);
        async move {
            let body = request.into_body().collect().await.expect("it is whole").to_bytes();
            let mut state = shared.lock().expect("nobody panicked");
            state.0.push(String::from_utf8_lossy(&body).into_owned());
            let answer = state.1.pop_front().unwrap_or_else(|| api.answer("Done.", None, &[]));
            let response = Response::builder().header("content-type", "application/json");
            Ok::<_, Infallible>(response.body(Full::<Bytes>::from(answer.to_string())).expect("it is valid"))
        }
    });
    let request = Request::post(api.path()).header("content-type", "application/json");
    let request = request.body(Full::from(api.request(list).to_string())).expect("it is valid");
    let answer = block_on(async {
        let response = layer.layer(service).oneshot(request).await.expect("it cannot fail");
        response.into_body().collect().await.expect("it is whole").to_bytes()
    });
    let got = std::mem::take(&mut state.lock().expect("nobody panicked").0);
    (got, serde_json::from_slice(&answer).unwrap_or_default())
}

/// Nothing in a run waits for anything outside of it.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}
