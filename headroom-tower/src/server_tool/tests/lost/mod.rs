//! Exchanges that are lost, and such that are not: a provider that enforces its rules, in the process, and a store that
//! is deleted, a process that starts again, a second one, a token that is renewed.

mod provider;
pub(super) mod rules;

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use headroom_core::{Api, Retrieval};
use headroom_store::MemoryStore;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use self::provider::Provider;
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

fn member(api: Api) -> &'static str {
    match api {
        Api::OpenAiResponses => "input",
        Api::Gemini => "contents",
        _ => "messages",
    }
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
                self.layer.set(|config| {
                    config.exchanges = Some(Arc::new(store.clone()));
                    config.originals = Some(Arc::new(store));
                });
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
