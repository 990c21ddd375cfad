//! Long conversations in which epochs begin, with hidden exchanges before and after, against a provider that binds
//! thinking to what precedes it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use headroom_core::{Api, CompressOptions, Engine, Retrieval};
use headroom_store::MemoryStore;
use http::{Request, Response};
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use super::{
    lost::rules::{anthropic_refuses, sign},
    model::dice::Dice,
};
use crate::{
    HeadroomBody, HeadroomLayer, HeadroomOverride, RequestReport,
    test_support::{Recorder, TestBody, block_on},
};

/// Reads its cache at the price of writing it, so that every prompt at which enough leaves is an epoch.
const EAGER: &str = "gpt-5-pro";

/// A view of a file, of which nothing is elided when it arrives.
fn view(n: usize) -> String {
    (1..160)
        .map(|line| format!("{line:6}\tlet setting_{n}_{line} = make(\"part {line}\", {});\n", line * n))
        .collect()
}

/// A log, of which a part is elided when it arrives.
fn log(n: usize) -> String {
    (0..200)
        .map(|line| {
            format!("2026-01-01T10:{:02}:{:02} INFO order_{n} took {} ms\n", line / 60, line % 60, line % 7)
        })
        .collect()
}

/// A request as the provider got it.
struct Got {
    body: Value,
    refusal: Option<String>,
    report: Option<RequestReport>,
}

/// A provider that refuses what breaks its rules, and otherwise says what the dice decide.
struct Provider {
    dice: Dice,
    made: usize,
    got: Vec<Got>,
}

impl Provider {
    fn answer(&mut self, mut body: Value, report: Option<RequestReport>) -> (u16, String) {
        // A text is the same to a provider as a list with this text.
        body["messages"] = read(&body).into();
        let messages = body["messages"].as_array().unwrap();
        let refusal = anthropic_refuses(&body, messages);
        let said = refusal.is_none().then(|| self.say(&body, messages));
        self.got.push(Got { refusal: refusal.clone(), report, body });
        match (said, refusal) {
            (Some(said), _) => (200, said.to_string()),
            (_, refusal) => {
                (400, json!({"error": {"type": "invalid_request_error", "message": refusal}}).to_string())
            }
        }
    }

    /// Thinks, and asks for something that was elided, goes on with a call of the client, or ends the turn.
    fn say(&mut self, body: &Value, messages: &[Value]) -> Value {
        self.made += 1;
        let n = self.made;
        let mut content = vec![
            json!({"type": "thinking", "thinking": format!("I think of {n}. ").repeat(40), "signature": sign(body, n)}),
            json!({"type": "text", "text": format!("Step {n}.")}),
        ];
        let text = Value::from(messages.to_vec()).to_string();
        let handles: Vec<&str> = text
            .match_indices("[headroom:")
            .filter_map(|(at, _)| text.get(at + 10..at + 26))
            .filter(|handle| handle.bytes().all(|b| b.is_ascii_alphanumeric()))
            .collect();
        let mut call = |name: &str, input: Value| {
            content.push(
                json!({"type": "tool_use", "id": format!("call:{n}:{name}"), "name": name, "input": input}),
            );
        };
        let offered = body["tools"].to_string().contains("headroom_retrieve");
        let asks = offered && !handles.is_empty() && self.dice.one_in(6);
        if asks {
            let handle = handles[self.dice.below(handles.len())];
            call(
                "headroom_retrieve",
                json!({"hash": handle, "lines": format!("{}", 1 + self.dice.below(40))}),
            );
        }
        let calls = !self.dice.one_in(8);
        if calls && (!asks || self.dice.one_in(2)) {
            call("Bash", json!({"command": format!("show part {n}")}));
        }
        let stop = if content.len() > 2 { "tool_use" } else { "end_turn" };
        json!({"id": "msg", "role": "assistant", "content": content, "stop_reason": stop})
    }
}

fn layer(store: &MemoryStore, recorder: &Recorder, epochs: bool) -> HeadroomLayer {
    let layer = HeadroomLayer::with_store(store.clone()).retrieval(Retrieval::ServerTool);
    layer.observer(recorder.clone()).epochs(epochs)
}

/// A client, the replicas that it reaches, and what they sent.
struct World {
    dice: Dice,
    store: MemoryStore,
    recorder: Recorder,
    replicas: Vec<HeadroomLayer>,
    provider: Arc<Mutex<Provider>>,
    messages: Vec<Value>,
    prompts: usize,
}

impl World {
    fn new(seed: u64, epochs: bool) -> Self {
        let (store, recorder) = (MemoryStore::new(), Recorder::default());
        let provider = Provider { dice: Dice::new(seed ^ 0x5555), made: 0, got: Vec::new() };
        let replicas = (0..2).map(|_| layer(&store, &recorder, epochs)).collect();
        let mut world = Self {
            dice: Dice::new(seed),
            replicas,
            store,
            recorder,
            provider: Arc::new(Mutex::new(provider)),
            messages: Vec::new(),
            prompts: 0,
        };
        world.ask();
        world
    }

    /// The user's next prompt.
    fn ask(&mut self) {
        self.prompts += 1;
        let text = format!("Prompt {}: what about setting_{}_9?", self.prompts, self.dice.below(40));
        self.messages.push(json!({"role": "user", "content": text}));
    }

    /// The same words as another request of a client may spell them.
    fn spelled(&mut self) -> Vec<Value> {
        let mut messages = self.messages.clone();
        for message in &mut messages {
            if message["content"].is_string() && self.dice.one_in(2) {
                message["content"] = json!([{"type": "text", "text": message["content"]}]);
            }
        }
        if let Some(last) = messages.last_mut().and_then(|last| last["content"].as_array_mut()) {
            last.last_mut().unwrap()["cache_control"] = json!({"type": "ephemeral"});
        }
        messages
    }

    /// One request of the client to one of the replicas, and what follows from its answer.
    fn turn(&mut self) {
        let messages = self.spelled();
        let at = self.dice.below(self.replicas.len());
        if self.dice.one_in(9) {
            self.replicas[at] = layer(&self.store, &self.recorder, true);
        }
        let replica = self.replicas[at].clone();
        let (status, answer) = self.send(&replica, &messages, None);
        assert_eq!(status, 200, "{answer}");
        assert!(!answer.contains("headroom_retrieve"), "{answer}");
        self.take(&serde_json::from_str(&answer).unwrap());
    }

    /// Takes an answer over: runs its calls, or asks the next question.
    fn take(&mut self, answer: &Value) {
        let content = answer["content"].as_array().unwrap();
        self.messages.push(json!({"role": "assistant", "content": content}));
        let calls: Vec<_> = content.iter().filter(|block| block["type"] == "tool_use").cloned().collect();
        if calls.is_empty() {
            self.ask();
            return;
        }
        let results = calls.iter().map(|call| {
            let n = self.messages.len();
            let output = if self.dice.one_in(5) { log(n) } else { view(n) };
            json!({"type": "tool_result", "tool_use_id": call["id"], "content": output})
        });
        let results: Vec<_> = results.collect();
        self.messages.push(json!({"role": "user", "content": results}));
    }

    fn send(
        &self,
        layer: &HeadroomLayer,
        messages: &[Value],
        own: Option<HeadroomOverride>,
    ) -> (u16, String) {
        let provider = self.provider.clone();
        let service = service_fn(move |request: Request<HeadroomBody<TestBody>>| {
            let provider = provider.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let report = parts.extensions.get::<RequestReport>().cloned();
                let (status, answer) =
                    provider.lock().unwrap().answer(serde_json::from_slice(&body).unwrap(), report);
                let response = Response::builder().status(status).header("content-type", "application/json");
                Ok::<_, Infallible>(response.body(TestBody::chunk(answer)).unwrap())
            }
        });
        let body = body(messages);
        let mut request = Request::post("/v1/messages")
            .header("content-type", "application/json")
            .header("x-api-key", "dummy")
            .body(TestBody::chunk(body.to_string()))
            .unwrap();
        own.map(|own| request.extensions_mut().insert(own));
        let answer = block_on(async {
            super::support::read(layer.layer(service).oneshot(request).await.unwrap()).await
        });
        (answer.status, answer.body)
    }

    /// The user goes back to an earlier prompt and asks something else.
    fn rewind(&mut self) {
        let is_prompt = |message: &Value| message["content"].is_string();
        let prompts: Vec<usize> =
            (0..self.messages.len()).filter(|at| is_prompt(&self.messages[*at])).collect();
        let at = prompts[prompts.len() - 1 - self.dice.below(prompts.len().min(3))];
        self.messages.truncate(at);
        self.ask();
    }
}

fn body(messages: &[Value]) -> Value {
    json!({"model": EAGER, "system": "You are an agent.",
        "tools": [{"name": "Bash", "input_schema": {"type": "object"}}], "messages": messages})
}

/// The messages that the provider read, in one spelling.
fn read(body: &Value) -> Vec<Value> {
    let mut messages = body["messages"].as_array().unwrap().clone();
    for message in &mut messages {
        if message["content"].is_string() {
            message["content"] = json!([{"type": "text", "text": message["content"]}]);
        }
        for block in message["content"].as_array_mut().unwrap() {
            block.as_object_mut().unwrap().remove("cache_control");
        }
    }
    messages
}

/// Checks the requests since the last rewind: they grow by appending, except where an epoch begins.
fn grow(got: &[Got]) -> Result<usize, TestCaseError> {
    let mut began = 0;
    for two in got.windows(2) {
        let (before, after) = (read(&two[0].body), read(&two[1].body));
        let (Some(old), Some(new)) = (&two[0].report, &two[1].report) else {
            return Err(TestCaseError::fail("the original was sent"));
        };
        let epochs = |report: &RequestReport| report.report().unwrap().epochs.clone();
        prop_assert!(epochs(new).starts_with(&epochs(old)), "{:?}, then {:?}", epochs(old), epochs(new));
        let begins = epochs(new).len() > epochs(old).len();
        prop_assert_eq!(new.report().unwrap().epoch_begins && begins, begins);
        prop_assert_eq!(after.starts_with(&before), !begins, "an epoch begins: {}", begins);
        began += usize::from(begins);
    }
    Ok(began)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2) })]

    #[test]
    fn replicas_that_start_again_send_what_grows_between_epochs(seed in any::<u64>()) {
        let mut world = World::new(seed, true);
        let (mut from, mut began) = (0, 0);
        for turn in 0..60 {
            if turn > 0 && world.dice.one_in(45) {
                began += grow(&world.provider.lock().unwrap().got[from..])?;
                from = world.provider.lock().unwrap().got.len();
                world.rewind();
            }
            world.turn();
        }
        let provider = world.provider.lock().unwrap();
        began += grow(&provider.got[from..])?;
        let refused: Vec<_> = provider.got.iter().filter_map(|got| got.refusal.as_ref()).collect();
        prop_assert!(refused.is_empty(), "{:?}", refused);
        prop_assert!(began > 0, "no epoch in {} requests", provider.got.len());
        let shows = |text: &str| provider.got.iter().any(|got| got.body.to_string().contains(text));
        prop_assert!(shows("stored: old") && shows("headroom_retrieve\",\"type\":\"tool_use"), "nothing was fetched");
    }
}

/// A conversation that was sent without epochs, up to a request that has one before its newest prompt if it is sent with
/// them: at a prompt, or in an open turn.
fn without_epochs(seed: u64, is_open: bool) -> World {
    let mut world = World::new(seed, false);
    let is_prompt = |world: &World| world.messages.last().unwrap()["content"].is_string();
    for _ in 0..400 {
        if world.prompts > 2 && is_prompt(&world) != is_open && has_past_epoch(&world) {
            return world;
        }
        let (messages, replica) = (world.messages.clone(), world.replicas[0].clone());
        let (status, answer) = world.send(&replica, &messages, None);
        assert_eq!(status, 200, "{answer}");
        world.take(&serde_json::from_str(&answer).unwrap());
    }
    panic!("the dice bring no such place");
}

/// Whether an engine finds epochs, the last of them before the newest prompt.
fn has_past_epoch(world: &World) -> bool {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool).epochs(true);
    let body = body(&world.messages).to_string();
    let outcome = Engine::new().compress(Api::Anthropic, body.as_bytes(), &options);
    let report = outcome.report();
    let prompts = world.messages.iter().filter(|message| message["content"].is_string()).count();
    report.epochs.last().is_some_and(|epoch| epoch.prompt < prompts)
}

fn refusals(world: &World) -> usize {
    world.provider.lock().unwrap().got.iter().filter(|got| got.refusal.is_some()).count()
}

#[test]
fn thinking_that_an_epoch_misbinds_is_refused_once_and_left_out_from_then_on() {
    for seed in 1..3 {
        let mut world = without_epochs(seed, false);
        let before = world.provider.lock().unwrap().got.len();
        world.replicas = vec![layer(&world.store, &world.recorder, true)];
        let replica = world.replicas[0].clone();
        let (status, answer) = world.send(&replica, &world.messages.clone(), None);
        assert_eq!((status, refusals(&world)), (200, 1), "{answer}");
        let events = world.recorder.events();
        assert!(events.contains(&"fell back anthropic 400 without old thinking".to_owned()), "{events:?}");
        world.take(&serde_json::from_str(&answer).unwrap());
        {
            let provider = world.provider.lock().unwrap();
            let [refused, taken, ..] = &provider.got[before..] else { panic!("sent again") };
            let report = |got: &Got| got.report.clone().unwrap().report().unwrap().epochs.clone();
            assert_eq!(report(refused), report(taken), "the same request but for thinking");
            assert!(!report(taken).is_empty() && !taken.body.to_string().contains("\"type\":\"thinking\""));
        }
        for _ in 0..12 {
            let (status, answer) = world.send(&replica, &world.messages.clone(), None);
            assert_eq!((status, refusals(&world)), (200, 1), "{answer}");
            world.take(&serde_json::from_str(&answer).unwrap());
        }
        let provider = world.provider.lock().unwrap();
        let last = provider.got.last().unwrap().body.to_string();
        assert!(last.contains("\"type\":\"thinking\""), "new thinking goes on");
    }
}

#[test]
fn in_an_open_turn_a_refusal_ends_with_the_conversation_going_on() {
    for seed in 1..3 {
        let mut world = without_epochs(seed, true);
        let layer = layer(&world.store, &world.recorder, true);
        for turn in 0..12 {
            let (status, answer) = world.send(&layer, &world.messages.clone(), None);
            assert_eq!(status, 200, "{answer}");
            assert!(refusals(&world) <= 3, "turn {turn}: {} refusals", refusals(&world));
            world.take(&serde_json::from_str(&answer).unwrap());
        }
        assert!(refusals(&world) > 0);
    }
}

#[test]
fn a_request_may_turn_epochs_off() {
    let world = without_epochs(2, false);
    let layer = layer(&world.store, &world.recorder, true);
    let own = HeadroomOverride::new().epochs(false);
    let (status, answer) = world.send(&layer, &world.messages.clone(), Some(own));
    assert_eq!((status, refusals(&world)), (200, 0), "{answer}");
    let provider = world.provider.lock().unwrap();
    let report = provider.got.last().unwrap().report.clone().unwrap();
    assert!(report.report().unwrap().epochs.is_empty());
    assert_eq!(Api::Anthropic, report.report().unwrap().api.unwrap());
}
