//! Exchanges that are lost, and such that are not: a provider that enforces its rules, in the process, and a store that
//! is deleted, a process that starts again, a second one, a token that is renewed.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    sync::{Arc, Mutex},
};

use headroom_core::{Api, Handle, Retrieval};
use headroom_store::MemoryStore;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use super::model::{Secrets, secret};
use crate::{
    HeadroomBody, HeadroomLayer,
    test_support::{Recorder, TestBody, block_on},
};

const PROJECT: usize = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Think,
    Text(&'static str),
    Ours,
    Call,
}

use Part::{Call, Ours, Text, Think};

/// What the model says, round by round: hidden rounds, calls of both at once, and answers.
const SCRIPT: [&[Part]; 8] = [
    &[Think, Text("Look. "), Ours],
    &[Think, Text("Now. "), Call],
    &[Think, Ours, Call],
    &[Think, Text("Done. ")],
    &[Think, Ours],
    &[Think, Text("Done. ")],
    &[Think, Text("Done. ")],
    &[Think, Text("Done. ")],
];

/// A provider that enforces its rules.
struct Provider {
    api: Api,
    script: VecDeque<&'static [Part]>,
    made: usize,
    /// The list of every request, and how it refused it.
    got: Vec<(Vec<Value>, Option<String>)>,
    /// Items that are refused without the reasoning that led to them.
    needs: HashMap<String, String>,
}

impl Provider {
    fn answer(&mut self, body: &Value) -> (u16, String) {
        let list = body[member(self.api)].as_array().unwrap().clone();
        let refusal = match self.api {
            Api::Anthropic => anthropic_refuses(body, &list),
            Api::OpenAiChat => chat_refuses(&list),
            Api::OpenAiResponses => self.responses_refuses(&list),
            _ => gemini_refuses(&list),
        };
        self.got.push((list, refusal.clone()));
        if let Some(message) = refusal {
            return (400, json!({"error":{"type":"invalid_request_error","message":message}}).to_string());
        }
        let parts = self.script.pop_front().unwrap();
        (200, self.say(body, parts).to_string())
    }

    fn say(&mut self, body: &Value, parts: &[Part]) -> Value {
        let mut said: Vec<Value> = Vec::new();
        let mut signature = None;
        for part in parts {
            self.made += 1;
            let n = self.made;
            let arguments =
                json!({"hash": Handle::from_content(&secret(PROJECT)).to_string(), "lines": "1", "n": n});
            let (name, arguments) = match part {
                Ours => ("headroom_retrieve", arguments),
                _ => ("Bash", json!({"command":"ls"})),
            };
            said.push(match (self.api, part) {
                (Api::Anthropic, Think) => {
                    json!({"type":"thinking","thinking":"hm","signature":sign(body, n)})
                }
                (Api::OpenAiResponses, Think) => {
                    json!({"type":"reasoning","id":format!("rs_{n}"),"summary":[],"encrypted_content":format!("enc{n}")})
                }
                (_, Think) => {
                    signature = Some(format!("signature {n}"));
                    continue;
                }
                (Api::Anthropic, Text(text)) => json!({"type":"text","text":text}),
                (Api::OpenAiResponses, Text(text)) => {
                    json!({"type":"message","id":format!("msg_{n}"),"role":"assistant","content":[{"type":"output_text","text":text}]})
                }
                (_, Text(text)) => json!({"text":text}),
                (Api::Anthropic, _) => {
                    json!({"type":"tool_use","id":format!("call:{n}"),"name":name,"input":arguments})
                }
                (Api::OpenAiResponses, _) => {
                    json!({"type":"function_call","id":format!("fc_{n}"),"call_id":format!("call:{n}"),"name":name,"arguments":arguments.to_string()})
                }
                (Api::OpenAiChat, _) => {
                    json!({"id":format!("call:{n}"),"type":"function","function":{"name":name,"arguments":arguments.to_string()}})
                }
                _ => match signature.take() {
                    Some(own) => json!({"functionCall":{"name":name,"args":arguments},"thoughtSignature":own}),
                    None => json!({"functionCall":{"name":name,"args":arguments}}),
                },
            });
        }
        let calls = parts.iter().any(|part| matches!(part, Ours | Call));
        for two in said.windows(2).filter(|two| two[0]["type"] == "reasoning") {
            let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
            self.needs.insert(id(&two[1]), id(&two[0]));
        }
        match self.api {
            Api::Anthropic => json!({"id":"msg","role":"assistant","content":said,
                "stop_reason":if calls { "tool_use" } else { "end_turn" }}),
            Api::OpenAiResponses => json!({"id":"resp","status":"completed","output":said}),
            Api::OpenAiChat => {
                let text = said.iter().find_map(|part| part.get("text")).cloned();
                let calls: Vec<_> = said.iter().filter(|part| part.get("function").is_some()).collect();
                let mut message = json!({"role":"assistant","content":text});
                if !calls.is_empty() {
                    message["tool_calls"] = json!(calls);
                }
                json!({"choices":[{"message":message,"finish_reason":if calls.is_empty() { "stop" } else { "tool_calls" }}]})
            }
            _ => json!({"candidates":[{"content":{"role":"model","parts":said},"finishReason":"STOP"}]}),
        }
    }

    fn responses_refuses(&self, items: &[Value]) -> Option<String> {
        let is_assistants = |item: &Value| item["type"] == "function_call" || item["role"] == "assistant";
        for (at, item) in items.iter().enumerate() {
            let id = item["id"].as_str().unwrap_or_default();
            if item["type"] == "reasoning" && !items.get(at + 1).is_some_and(is_assistants) {
                return Some(format!(
                    "Item '{id}' of type 'reasoning' was provided without its required following item."
                ));
            }
            let stands = |needed: &String| items[..at].iter().any(|before| before["id"] == **needed);
            if self.needs.get(id).is_some_and(|needed| !stands(needed)) {
                return Some(format!("Item '{id}' was provided without its required 'reasoning' item."));
            }
        }
        let ids = |kind: &str| -> Vec<_> {
            items.iter().filter(|item| item["type"] == kind).map(|item| item["call_id"].clone()).collect()
        };
        (ids("function_call") != ids("function_call_output"))
            .then(|| "No tool output found for function call".to_owned())
    }
}

fn member(api: Api) -> &'static str {
    match api {
        Api::OpenAiResponses => "input",
        Api::Gemini => "contents",
        _ => "messages",
    }
}

/// A message with its content as blocks, without cache markers.
fn blocks(message: &Value) -> Vec<Value> {
    match &message["content"] {
        Value::String(text) => vec![json!({"type":"text","text":text})],
        content => content.as_array().cloned().unwrap_or_default(),
    }
}

fn is_thinking(block: &Value) -> bool {
    block["type"] == "thinking"
}

fn hash(value: &Value) -> String {
    blake3::hash(value.to_string().as_bytes()).to_hex().as_str()[..32].to_owned()
}

/// All that stands before a block, as thinking is bound to it.
fn prefix(body: &Value, messages: &[Value], within: &[Value]) -> String {
    let bare =
        |blocks: Vec<Value>| blocks.into_iter().filter(|block| !is_thinking(block)).collect::<Vec<_>>();
    let mut before: Vec<_> =
        messages.iter().map(|message| json!([message["role"], bare(blocks(message))])).collect();
    if !within.iter().all(is_thinking) {
        before.push(json!(["assistant", bare(within.to_vec())]));
    }
    hash(&json!([body["system"], body["tools"], before]))
}

/// A signature as the provider makes it: bound to what came before, and to the thinking before.
fn sign(body: &Value, n: usize) -> String {
    let messages = body["messages"].as_array().unwrap();
    let before = messages.iter().flat_map(blocks).rfind(is_thinking);
    let before = before.map(|block| hash(&block["signature"])).unwrap_or_default();
    format!("{}:{before}:{n}", prefix(body, messages, &[]))
}

fn anthropic_refuses(body: &Value, messages: &[Value]) -> Option<String> {
    let mut last: Option<String> = None;
    for (i, message) in messages.iter().enumerate() {
        let blocks = blocks(message);
        let of = |blocks: &[Value], kind: &str, key: &str| -> Vec<String> {
            let own = blocks.iter().filter(|block| block["type"] == kind);
            own.map(|block| block[key].as_str().unwrap().to_owned()).collect()
        };
        let calls = of(&blocks, "tool_use", "id");
        let next = messages.get(i + 1).map(self::blocks).unwrap_or_default();
        let results = of(&next, "tool_result", "tool_use_id");
        if calls != results {
            return Some(format!(
                "messages.{i}: `tool_use` ids were found without `tool_result` blocks immediately after"
            ));
        }
        for (j, block) in blocks.iter().enumerate().filter(|(_, block)| is_thinking(block)) {
            let signature = block["signature"].as_str().unwrap();
            let bound: Vec<_> = signature.split(':').collect();
            let fits = bound[0] == prefix(body, &messages[..i], &blocks[..j])
                && last.as_ref().is_none_or(|last| bound[1] == *last);
            if !fits {
                return Some(format!(
                    "messages.{i}.content.{j}: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to \"drop_block\"."
                ));
            }
            last = Some(hash(&block["signature"]));
        }
    }
    None
}

fn chat_refuses(messages: &[Value]) -> Option<String> {
    let calls =
        messages.iter().flat_map(|message| message["tool_calls"].as_array().cloned().unwrap_or_default());
    let calls: Vec<_> = calls.map(|call| call["id"].clone()).collect();
    let results: Vec<_> = messages
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| message["tool_call_id"].clone())
        .collect();
    (calls != results)
        .then(|| "An assistant message with 'tool_calls' must be followed by tool messages".to_owned())
}

fn gemini_refuses(contents: &[Value]) -> Option<String> {
    let of = |content: &Value, key: &str| -> Vec<Value> {
        let parts = content["parts"].as_array().cloned().unwrap_or_default();
        parts.into_iter().filter(|part| part.get(key).is_some()).collect()
    };
    for (at, content) in contents.iter().enumerate() {
        let calls = of(content, "functionCall");
        let results = contents.get(at + 1).map(|next| of(next, "functionResponse").len()).unwrap_or_default();
        if calls.len() != results {
            return Some(
                "The number of function response parts must be equal to that of function call parts"
                    .to_owned(),
            );
        }
        if calls.first().is_some_and(|call| call.get("thoughtSignature").is_none()) {
            return Some("Function call is missing a thought_signature in functionCall parts.".to_owned());
        }
    }
    None
}

/// What happens between two turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Another process on the same store, or the same one again.
    Restart,
    /// The credential is renewed.
    Token,
    /// The store is deleted, or swept, and the process lives.
    Deleted,
    /// The store was memory, and the process is started again.
    Forgotten,
}

struct Client {
    api: Api,
    provider: Arc<Mutex<Provider>>,
    store: MemoryStore,
    layer: HeadroomLayer,
    recorder: Recorder,
    token: usize,
    list: Vec<Value>,
}

impl Client {
    fn new(api: Api) -> Self {
        let provider =
            Provider { api, script: SCRIPT.into(), made: 0, got: Vec::new(), needs: HashMap::new() };
        let (store, recorder) = (MemoryStore::new(), Recorder::default());
        let layer = layer(&store, &recorder);
        let list = vec![user(api, &format!("It is about project {PROJECT}."))];
        Self { api, provider: Arc::new(Mutex::new(provider)), store, layer, recorder, token: 0, list }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Restart => self.layer = layer(&self.store, &self.recorder),
            Event::Token => self.token += 1,
            Event::Deleted => {
                self.store = MemoryStore::new();
                let store = self.store.clone();
                self.layer.set(|config| config.store = Some(Arc::new(store)));
            }
            Event::Forgotten => {
                self.store = MemoryStore::new();
                self.layer = layer(&self.store, &self.recorder);
            }
        }
    }

    /// One turn: a request, its answer, and results of the calls in it, or another question.
    async fn turn(&mut self) {
        let provider = self.provider.clone();
        let service = service_fn(move |request: Request<HeadroomBody<TestBody>>| {
            let provider = provider.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let (status, answer) =
                    provider.lock().unwrap().answer(&serde_json::from_slice(&body).unwrap());
                let response = Response::builder().status(status).header("content-type", "application/json");
                Ok::<_, Infallible>(response.body(TestBody::chunk(answer)).unwrap())
            }
        });
        let (path, tools) = match self.api {
            Api::Anthropic => ("/v1/messages", json!([{"name":"Bash","input_schema":{}}])),
            Api::OpenAiChat => {
                ("/v1/chat/completions", json!([{"type":"function","function":{"name":"Bash"}}]))
            }
            Api::OpenAiResponses => ("/v1/responses", json!([{"type":"function","name":"Bash"}])),
            _ => ("/v1beta/models/g:generateContent", json!([{"functionDeclarations":[{"name":"Bash"}]}])),
        };
        let mut body = json!({"tools":tools});
        body[member(self.api)] = json!(self.list);
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer token-{}", self.token))
            .body(TestBody::chunk(body.to_string()))
            .unwrap();
        let answer = super::support::read(self.layer.layer(service).oneshot(request).await.unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!answer.body.contains("headroom_retrieve"));
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let said = match self.api {
            Api::Anthropic => vec![json!({"role":"assistant","content":answer["content"]})],
            Api::OpenAiChat => vec![answer["choices"][0]["message"].clone()],
            Api::OpenAiResponses => answer["output"].as_array().unwrap().clone(),
            _ => vec![answer["candidates"][0]["content"].clone()],
        };
        let ids = super::model::calls(self.api, &said);
        self.list.extend(said);
        match ids.is_empty() {
            true => self.list.push(user(self.api, "go on")),
            false => self.list.extend(super::model::results(self.api, &ids, "a.txt")),
        }
    }

    fn refusals(&self) -> usize {
        self.provider.lock().unwrap().got.iter().filter(|(_, refusal)| refusal.is_some()).count()
    }

    /// How many answers of ours were in the last request.
    fn hidden(&self) -> usize {
        let provider = self.provider.lock().unwrap();
        Value::from(provider.got.last().unwrap().0.clone()).to_string().matches(&secret(PROJECT)).count()
    }
}

fn user(api: Api, text: &str) -> Value {
    super::model::user(api, text)
}

fn layer(store: &MemoryStore, recorder: &Recorder) -> HeadroomLayer {
    let mut layer =
        HeadroomLayer::with_store(store.clone()).retrieval(Retrieval::ServerTool).observer(recorder.clone());
    layer.set(|config| config.engine = Arc::new(Secrets));
    layer
}

const APIS: [Api; 4] = [Api::Anthropic, Api::OpenAiChat, Api::OpenAiResponses, Api::Gemini];
/// Answers that the script holds.
const TURNS: usize = 6;

#[test]
fn exchanges_outlive_tokens_and_processes() {
    for api in APIS {
        for events in [&[][..], &[Event::Token], &[Event::Restart], &[Event::Token, Event::Restart]] {
            let mut client = Client::new(api);
            for _ in 0..TURNS {
                block_on(client.turn());
                events.iter().for_each(|event| client.happens(*event));
            }
            assert_eq!(client.refusals(), 0, "{api} {events:?}");
            assert_eq!(client.hidden(), 3, "{api} {events:?}: all that was hidden is there");
        }
    }
}

#[test]
fn where_exchanges_are_lost_the_conversation_goes_on_and_pays_once() {
    for api in APIS {
        for event in [Event::Deleted, Event::Forgotten] {
            for at in 1..TURNS {
                let mut client = Client::new(api);
                for turn in 0..TURNS {
                    if turn == at {
                        client.happens(event);
                    }
                    block_on(client.turn());
                    if turn == at {
                        let events = client.recorder.events();
                        let unbound = events.iter().filter(|event| event.ends_with(" 400 unbound")).count();
                        assert_eq!(client.refusals(), unbound * 2, "{api} {event:?} {at}: {events:?}");
                        assert!(unbound <= 1);
                        if api == Api::Anthropic {
                            assert_eq!(unbound, 1, "thinking was bound to what was lost");
                        }
                    }
                }
                assert!(client.refusals() <= 2, "{api} {event:?} {at}: {} refusals", client.refusals());
            }
        }
    }
}

#[test]
fn thinking_after_a_loss_goes_on() {
    let mut client = Client::new(Api::Anthropic);
    block_on(client.turn());
    client.happens(Event::Forgotten);
    for _ in 1..TURNS {
        block_on(client.turn());
    }
    let provider = client.provider.lock().unwrap();
    let thoughts = |list: &[Value]| Value::from(list).to_string().matches("\"thinking\":\"hm\"").count();
    let said: usize =
        SCRIPT[..7].iter().flat_map(|round| round.iter()).filter(|part| **part == Think).count();
    // That of the first turn is gone.
    assert_eq!(thoughts(&provider.got.last().unwrap().0), said - 2);
}

#[test]
fn a_refusal_that_stays_ends_after_three_requests() {
    let mut client = Client::new(Api::Anthropic);
    block_on(client.turn());
    client.happens(Event::Forgotten);
    // The client breaks a rule of its own.
    client.list[2] = user(Api::Anthropic, "no result; signature");
    let before = client.provider.lock().unwrap().got.len();
    let service = {
        let provider = client.provider.clone();
        service_fn(move |request: Request<HeadroomBody<TestBody>>| {
            let provider = provider.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let mut provider = provider.lock().unwrap();
                provider.got.push((vec![serde_json::from_slice(&body).unwrap()], None));
                let refusal = format!("{{\"error\":{{\"message\":\"signature {}\"}}}}", provider.got.len());
                let response = Response::builder().status(400).header("content-type", "application/json");
                Ok::<_, Infallible>(response.body(TestBody::chunk(refusal)).unwrap())
            }
        })
    };
    let body = json!({"tools":[{"name":"Bash","input_schema":{}}],"messages":client.list}).to_string();
    let request = Request::post("/v1/messages").header("content-type", "application/json");
    let request = request.body(TestBody::chunk(body.clone())).unwrap();
    let answer = block_on(async {
        super::support::read(client.layer.layer(service).oneshot(request).await.unwrap()).await
    });
    let got = &client.provider.lock().unwrap().got[before..];
    assert_eq!(got.len(), 3);
    assert_eq!(got[1].0[0], serde_json::from_str::<Value>(&body).unwrap(), "the second is what came");
    assert!(!got[2].0[0].to_string().contains("thinking"));
    let expected = format!("signature {}", before + 2);
    assert!(answer.status == 400 && answer.body.contains(&expected), "the client is told of its own request");
    assert!(client.recorder.events().contains(&"fell back anthropic 400 refused".to_owned()));
}
