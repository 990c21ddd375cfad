//! Epochs: the output grows by appending except at prompts that pay for a rewriting, and every request of a conversation
//! finds the same ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    fmt::Write,
    hash::{Hash, Hasher},
    sync::Mutex,
};

use headroom_core::{Api, CompressOptions, Engine, EpochReport, Handle, Original, Outcome, Retrieval};
use proptest::prelude::*;
use serde_json::{Value, json};

/// This model reads its cache at the price of writing, so that every prompt at which enough leaves is an epoch.
const EAGER: &str = "gpt-5-pro";

/// What a tool returns.
#[derive(Clone, Debug)]
enum Step {
    Log(u64),
    Read { file: u64, edited: bool },
    Edit(u64),
    Answer,
    Failure(u64),
}

#[derive(Clone, Debug)]
struct Turn {
    prompt: u64,
    steps: Vec<Step>,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6_u64).prop_map(Step::Log),
        9 => (0..9_u64, any::<bool>()).prop_map(|(file, edited)| Step::Read { file, edited }),
        2 => (0..9_u64).prop_map(Step::Edit),
        1 => Just(Step::Answer),
        1 => (0..9_u64).prop_map(Step::Failure),
    ]
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = (0..99_u64, prop::collection::vec(step(), 4..8));
    prop::collection::vec(turn.prop_map(|(prompt, steps)| Turn { prompt, steps }), 5..8)
}

fn log(seed: u64) -> String {
    (0..90_u64).fold(String::new(), |mut text, n| {
        let order = (seed * 977 + n * 7919) % 100_003;
        writeln!(
            text,
            "2026-11-20T10:{:02}:{:02}Z INFO order_{order} was packed by worker_{} in {} ms",
            n / 60,
            n % 60,
            n % 7,
            order % 977
        )
        .unwrap();
        text
    })
}

fn file(seed: u64, edited: bool) -> String {
    (1..=150_u64).fold(String::new(), |mut text, n| {
        let value = if edited && n == 40 { 4_711 } else { seed * 31 + n * 3 };
        writeln!(text, "{n:6}\tlet setting_{seed}_{n} = compute_part({value}, \"name of {n}\");").unwrap();
        text
    })
}

/// The name, the arguments and the result of a call.
fn call(step: &Step, n: usize) -> (&'static str, Value, String) {
    match step {
        Step::Log(seed) => {
            ("Bash", json!({"command": format!("show log {seed} {n}")}), log(*seed + n as u64 % 3))
        }
        Step::Read { file: name, edited } => {
            ("Read", json!({"file_path": format!("/src/part_{name}.rs")}), file(*name, *edited))
        }
        Step::Edit(name) => (
            "Edit",
            json!({"file_path": format!("/src/part_{name}.rs"), "old_string": format!("let setting_{name}_40"), "new_string": "let x"}),
            "The file was updated.".to_owned(),
        ),
        Step::Answer => {
            ("AskUserQuestion", json!({"n": n}), format!("The user says: {}", log(99).replace("INFO", "yes")))
        }
        Step::Failure(seed) => (
            "Bash",
            json!({"command": format!("cargo test {seed}")}),
            format!("{}error: test part_{seed} failed\n", log(*seed)),
        ),
    }
}

/// A conversation in one format, message by message, and the numbers of messages that each request has.
struct Session {
    api: Api,
    model: &'static str,
    messages: Vec<Value>,
    requests: Vec<usize>,
}

impl Session {
    fn new(api: Api, model: &'static str, turns: &[Turn]) -> Self {
        let mut session = Self { api, model, messages: Vec::new(), requests: Vec::new() };
        let mut n = 0;
        for turn in turns {
            session.user(&format!(
                "Prompt {}: why was order_{} late?",
                turn.prompt,
                turn.prompt * 7919 % 100_003
            ));
            for step in &turn.steps {
                n += 1;
                session.requests.push(session.messages.len());
                session.step(step, n);
            }
            session.requests.push(session.messages.len());
            session.say(&format!("It is done. order_{} and setting_1_{n} matter.", n * 977));
        }
        session
    }

    fn user(&mut self, text: &str) {
        self.messages.push(match self.api {
            Api::Gemini => json!({"role": "user", "parts": [{"text": text}]}),
            Api::OpenAiResponses => {
                json!({"role": "user", "content": [{"type": "input_text", "text": text}]})
            }
            _ => json!({"role": "user", "content": text}),
        });
    }

    fn say(&mut self, text: &str) {
        self.messages.push(match self.api {
            Api::Gemini => json!({"role": "model", "parts": [{"text": text}]}),
            Api::OpenAiResponses => json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}),
            _ => json!({"role": "assistant", "content": [{"type": "text", "text": text}]}),
        });
    }

    fn step(&mut self, step: &Step, n: usize) {
        let (name, input, output) = call(step, n);
        let id = format!("call_{n}");
        let own = match self.api {
            Api::Gemini => [
                json!({"role": "model", "parts": [{"functionCall": {"name": name, "args": input}}]}),
                json!({"role": "user", "parts": [{"functionResponse": {"name": name, "response": {"output": output}}}]}),
            ],
            Api::OpenAiChat => [
                json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()}}]}),
                json!({"role": "tool", "tool_call_id": id, "content": output}),
            ],
            Api::OpenAiResponses => [
                json!({"type": "function_call", "call_id": id, "name": name, "arguments": input.to_string()}),
                json!({"type": "function_call_output", "call_id": id, "output": output}),
            ],
            _ => [
                json!({"role": "assistant", "content": [{"type": "text", "text": "Let me see."}, {"type": "tool_use", "id": id, "name": name, "input": input}]}),
                json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": output}]}),
            ],
        };
        self.messages.extend(own);
    }

    fn list(&self) -> &'static str {
        match self.api {
            Api::Gemini => "contents",
            Api::OpenAiResponses => "input",
            _ => "messages",
        }
    }

    fn body_of(&self, messages: &[Value]) -> Vec<u8> {
        let names = ["Bash", "Read", "Edit", "AskUserQuestion"];
        let tools: Vec<Value> = match self.api {
            Api::Gemini => vec![json!({"functionDeclarations": names.map(|name| json!({"name": name}))})],
            Api::OpenAiChat => {
                names.map(|name| json!({"type": "function", "function": {"name": name}})).to_vec()
            }
            Api::OpenAiResponses => names.map(|name| json!({"type": "function", "name": name})).to_vec(),
            _ => names.map(|name| json!({"name": name, "input_schema": {}})).to_vec(),
        };
        let mut body = json!({"model": self.model, "tools": tools});
        body[self.list()] = Value::from(messages);
        serde_json::to_vec(&body).unwrap()
    }

    fn body(&self, messages: usize) -> Vec<u8> {
        self.body_of(&self.messages[..messages])
    }

    fn messages_in(&self, body: &[u8]) -> Vec<Value> {
        let body: Value = serde_json::from_slice(body).unwrap();
        body[self.list()].as_array().unwrap().clone()
    }
}

fn options() -> CompressOptions {
    CompressOptions::new().retrieval(Retrieval::ServerTool).epochs(true)
}

struct Sent {
    body: Vec<u8>,
    epochs: Vec<EpochReport>,
    originals: Vec<Original>,
}

fn send_with(engine: &Engine, api: Api, body: &[u8], options: &CompressOptions) -> Sent {
    match engine.compress(api, body, options) {
        Outcome::Rewritten { body, originals, report } => Sent { body, epochs: report.epochs, originals },
        Outcome::Unchanged { report, .. } => {
            Sent { body: body.to_vec(), epochs: report.epochs, originals: Vec::new() }
        }
    }
}

fn send(engine: &Engine, api: Api, body: &[u8]) -> Sent {
    send_with(engine, api, body, &options())
}

/// Checks that the output grows by appending between epochs, and that a new epoch changes nothing about the old ones.
fn grows(session: &Session, before: &Sent, after: &Sent) -> Result<(), TestCaseError> {
    let (old, new) = (session.messages_in(&before.body), session.messages_in(&after.body));
    prop_assert!(after.epochs.starts_with(&before.epochs), "{:?} then {:?}", before.epochs, after.epochs);
    if before.epochs.len() == after.epochs.len() {
        prop_assert_eq!(&new[..old.len()], &old[..], "the prefix changed without an epoch");
    }
    Ok(())
}

/// Checks that no reference names a result of which an epoch left little, and that all that left is an original.
fn is_sound(sent: &Sent) -> Result<(), TestCaseError> {
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let mut results = Vec::new();
    outputs(&body, &mut results);
    for result in &results {
        for line in result.lines().filter(|line| line.starts_with("[headroom: ")) {
            let Some((_, name)) = line.split_once("result ") else { continue };
            let number: usize = name.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
            if !line.contains(" also lines ") {
                prop_assert!(
                    !results[number - 1].contains("stored: old"),
                    "{line}\nnames\n{}",
                    results[number - 1]
                );
            }
        }
        for (at, _) in result.match_indices("stored: old") {
            let line = result[..at].lines().next_back().unwrap();
            if line.contains(" also lines ") {
                continue; // The first marker of the result names the original.
            }
            let handle: Handle = line.strip_prefix("[headroom:").unwrap()[..16].parse().unwrap();
            prop_assert!(sent.originals.iter().any(|original| original.handle() == handle), "{line}");
        }
    }
    Ok(())
}

fn outputs(value: &Value, results: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| outputs(item, results)),
        Value::Object(members) => {
            let is_result = members
                .get("type")
                .is_some_and(|kind| kind == "tool_result" || kind == "function_call_output")
                || members.get("role").is_some_and(|role| role == "tool");
            let text = ["content", "output"].iter().find_map(|key| members.get(*key)?.as_str());
            match text.filter(|_| is_result) {
                Some(text) => results.push(text.to_owned()),
                None => members.values().for_each(|member| outputs(member, results)),
            }
            if let Some(text) = members.get("response").and_then(|response| response["output"].as_str()) {
                results.push(text.to_owned());
            }
        }
        _ => {}
    }
}

const APIS: [Api; 4] = [Api::Anthropic, Api::OpenAiChat, Api::OpenAiResponses, Api::Gemini];

/// A long session without chance, in which epochs are due.
fn long() -> Vec<Turn> {
    let step = |n: u64| match n % 7 {
        0 => Step::Log(n),
        3 => Step::Read { file: 1, edited: false },
        6 => Step::Edit(n),
        _ => Step::Read { file: 20 + n, edited: false },
    };
    (0..6).map(|turn| Turn { prompt: turn, steps: (0..7).map(|n| step(turn * 7 + n)).collect() }).collect()
}

/// Counts the epochs that a test has seen, so that a test without any is noticed.
fn seen(test: &'static str, epochs: &[EpochReport]) {
    static SEEN: Mutex<BTreeMap<&str, (usize, usize)>> = Mutex::new(BTreeMap::new());
    let (runs, with) = {
        let mut seen = SEEN.lock().unwrap();
        let (runs, with) = seen.entry(test).or_default();
        *runs += 1;
        *with += usize::from(!epochs.is_empty());
        (*runs, *with)
    };
    assert!(runs < CASES as usize || with * 4 >= runs, "{with} of {runs} sessions of {test} have an epoch");
}

const CASES: u32 = 12;

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(CASES))]

    #[test]
    fn between_epochs_the_output_grows_by_appending(turns in turns(), api in prop::sample::select(APIS.to_vec())) {
        let session = Session::new(api, EAGER, &turns);
        let warm = Engine::new();
        let small = Engine::builder().cache_capacity(64 << 10).build();
        let mut last: Option<Sent> = None;
        for messages in &session.requests {
            let body = session.body(*messages);
            let sent = send(&warm, api, &body);
            prop_assert_eq!(&send(&Engine::new(), api, &body).body, &sent.body, "a cold cache");
            prop_assert_eq!(&send(&small, api, &body).body, &sent.body, "a small cache");
            is_sound(&sent)?;
            if let Some(last) = &last {
                grows(&session, last, &sent)?;
            }
            last = Some(sent);
        }
        seen("between", &last.unwrap().epochs);
    }

    #[test]
    fn forks_and_rewinds_are_decided_from_their_own_bytes(
        turns in turns(),
        other in turns(),
        at in any::<prop::sample::Index>(),
        api in prop::sample::select(APIS.to_vec()),
    ) {
        let session = Session::new(api, EAGER, &turns);
        let warm = Engine::new();
        for messages in &session.requests {
            send(&warm, api, &session.body(*messages));
        }
        // The user goes back to the end of a turn and asks something else.
        let kept = 1 + at.index(turns.len() - 1);
        let forked: Vec<Turn> = turns[..kept].iter().chain(&other).cloned().collect();
        let fork = Session::new(api, EAGER, &forked);
        let mut last: Option<Sent> = None;
        for messages in &fork.requests {
            let body = fork.body(*messages);
            let sent = send(&warm, api, &body);
            prop_assert_eq!(&send(&Engine::new(), api, &body).body, &sent.body);
            if let Some(last) = &last {
                grows(&fork, last, &sent)?;
            }
            last = Some(sent);
        }
        let (own, forks) = (send(&warm, api, &session.body(session.messages.len())), last.unwrap());
        let common = |epochs: &[EpochReport]| -> Vec<EpochReport> {
            epochs.iter().filter(|epoch| epoch.prompt <= kept).copied().collect()
        };
        prop_assert_eq!(common(&own.epochs), common(&forks.epochs));
        seen("forks", &forks.epochs);
    }

    #[test]
    fn spelling_and_breakpoints_change_no_epoch(turns in turns(), marked in any::<prop::sample::Index>()) {
        let session = Session::new(Api::Anthropic, EAGER, &turns);
        let plain = send(&Engine::new(), Api::Anthropic, &session.body(session.messages.len()));
        let mut messages = session.messages.clone();
        let marked = marked.index(messages.len());
        for (at, message) in messages.iter_mut().enumerate() {
            if let Some(text) = message["content"].as_str() {
                message["content"] = json!([{"type": "text", "text": text}]);
            }
            for part in message["content"].as_array_mut().unwrap() {
                if let Some(text) = part["content"].as_str() {
                    part["content"] = json!([{"type": "text", "text": text}]);
                }
                if at == marked {
                    part["cache_control"] = json!({"type": "ephemeral", "ttl": "1h"});
                }
            }
        }
        let listed = send(&Engine::new(), Api::Anthropic, &session.body_of(&messages));
        prop_assert_eq!(&plain.epochs, &listed.epochs);
        let spelled = |body: &[u8]| {
            let mut messages = session.messages_in(body);
            for part in messages.iter_mut().filter_map(|message| message["content"].as_array_mut()).flatten() {
                part.as_object_mut().unwrap().remove("cache_control");
                if let Some(text) = part["content"][0]["text"].as_str() {
                    part["content"] = Value::from(text);
                }
            }
            for message in &mut messages {
                if let Some(text) = message["content"].as_str() {
                    message["content"] = json!([{"type": "text", "text": text}]);
                }
            }
            messages
        };
        prop_assert_eq!(spelled(&plain.body), spelled(&listed.body));
        seen("spelling", &plain.epochs);
    }

    #[test]
    fn no_thinking_is_sent_that_was_made_under_another_prefix(turns in turns(), strips in any::<bool>()) {
        let mut session = Session::new(Api::Anthropic, EAGER, &turns);
        let warm = Engine::new();
        let requests = session.requests.clone();
        let mut last: Option<Sent> = None;
        let mut removed = 0;
        for messages in requests {
            let mut client = session.messages[..messages].to_vec();
            if strips {
                // Some clients send the thinking of the open turn only.
                let prompt = client.iter().rposition(|message| message["content"].is_string()).unwrap();
                client[..prompt].iter_mut().for_each(without_thinking);
            }
            let body = session.body_of(&client);
            let sent = send(&warm, Api::Anthropic, &body);
            prop_assert_eq!(&send(&Engine::new(), Api::Anthropic, &body).body, &sent.body);
            let shown = session.messages_in(&sent.body);
            let wrong = misbound(&shown);
            prop_assert!(wrong.is_none(), "{wrong:?}");
            if let Some(last) = &last {
                prop_assert!(sent.epochs.starts_with(&last.epochs), "{:?} then {:?}", last.epochs, sent.epochs);
                if !strips {
                    grows(&session, last, &sent)?;
                }
            }
            let count = |messages: &[Value]| messages.iter().filter(|message| thinking(message).is_some()).count();
            removed += count(&client) - count(&shown);
            let newest = shown.iter().rev().find_map(thinking).map(|block| block["signature"].as_str().unwrap().to_owned());
            let signature = format!("{:016x}:{}", prefix(&shown, shown.len()), newest.map_or(0, |newest| hash(&newest)));
            let answer = session.messages[messages]["content"].as_array_mut().unwrap();
            answer.insert(0, json!({"type": "thinking", "thinking": "Hm. ".repeat(300), "signature": signature}));
            last = Some(sent);
        }
        let epochs = last.unwrap().epochs;
        prop_assert!(strips || epochs.is_empty() == (removed == 0), "{removed} removed at {epochs:?}");
        seen("thinking", &epochs);
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn thinking(message: &Value) -> Option<&Value> {
    message["content"].as_array()?.iter().find(|block| block["type"] == "thinking")
}

fn without_thinking(message: &mut Value) {
    if let Some(content) = message["content"].as_array_mut() {
        content.retain(|block| block["type"] != "thinking");
    }
}

/// What thinking is bound to: all that stands before it except thinking.
fn prefix(messages: &[Value], end: usize) -> u64 {
    let mut before = messages[..end].to_vec();
    before.iter_mut().for_each(without_thinking);
    hash(&Value::from(before).to_string())
}

/// Finds thinking that the provider would refuse.
fn misbound(messages: &[Value]) -> Option<usize> {
    let mut last: Option<String> = None;
    (0..messages.len()).find(|at| {
        let Some(block) = thinking(&messages[*at]) else { return false };
        let signature = block["signature"].as_str().unwrap();
        let (bound, previous) = signature.split_once(':').unwrap();
        let follows = last.as_ref().is_none_or(|last| previous == hash(last).to_string());
        last = Some(signature.to_owned());
        bound != format!("{:016x}", prefix(messages, *at)) || !follows
    })
}

#[test]
fn epochs_begin_in_every_format_and_are_reported() {
    for api in APIS {
        let session = Session::new(api, EAGER, &long());
        let body = session.body(*session.requests.last().unwrap());
        let sent = send(&Engine::new(), api, &body);
        let off = send_with(&Engine::new(), api, &body, &options().epochs(false));
        assert!(!sent.epochs.is_empty(), "{api}");
        assert!(
            off.epochs.is_empty() && sent.body.len() * 3 < off.body.len() * 2,
            "{api}: {} and {}",
            sent.body.len(),
            off.body.len()
        );
        for epoch in &sent.epochs {
            assert!(
                epoch.freed >= 8_000 && epoch.results > 0 && epoch.expected_gain > 0 && epoch.prompt > 1,
                "{epoch:?}"
            );
        }
        let shown = String::from_utf8(sent.body).unwrap();
        assert!(
            shown.contains("stored: old;") && shown.contains("stored: old, newer in result "),
            "{api}: {shown}"
        );
        is_sound(&send(&Engine::new(), api, &body)).unwrap();
    }
}

#[test]
fn a_rewriting_that_is_not_repaid_is_not_done() {
    // Opus writes at 25 times the price of a read: few turns do not repay that.
    let session = Session::new(Api::Anthropic, "claude-opus-5-5", &long()[..3]);
    let body = session.body(session.messages.len());
    let sent = send(&Engine::new(), Api::Anthropic, &body);
    assert!(sent.epochs.is_empty());
    assert_eq!(sent.body, send_with(&Engine::new(), Api::Anthropic, &body, &options().epochs(false)).body);
    let many: Vec<Turn> = (0..8).flat_map(|_| long()).collect();
    let session = Session::new(Api::Anthropic, "claude-opus-5-5", &many);
    let body = session.body(session.messages.len());
    let sent = send(&Engine::new(), Api::Anthropic, &body);
    assert!(!sent.epochs.is_empty());
}

#[test]
fn nothing_leaves_where_it_could_not_be_retrieved_or_the_provider_holds_a_part() {
    let session = Session::new(Api::OpenAiResponses, EAGER, &long());
    let whole = session.body(session.messages.len());
    let with = |member: (&str, Value)| {
        let mut body: Value = serde_json::from_slice(&whole).unwrap();
        body[member.0] = member.1;
        serde_json::to_vec(&body).unwrap()
    };
    for body in [
        with(("truncation", json!("auto"))),
        with(("previous_response_id", json!("resp_1"))),
        with(("conversation", json!("conv_1"))),
        with(("context_management", json!([{"type": "compaction"}]))),
    ] {
        assert!(send(&Engine::new(), Api::OpenAiResponses, &body).epochs.is_empty());
    }
    let sent =
        send_with(&Engine::new(), Api::OpenAiResponses, &whole, &options().retrieval(Retrieval::Disabled));
    assert!(sent.epochs.is_empty());
    let session = Session::new(Api::Anthropic, EAGER, &long());
    let mut body: Value = serde_json::from_slice(&session.body(session.messages.len())).unwrap();
    body["context_management"] = json!({"edits": [{"type": "clear_tool_uses_20250919"}]});
    assert!(send(&Engine::new(), Api::Anthropic, &serde_json::to_vec(&body).unwrap()).epochs.is_empty());
    // Thinking that cannot be removed keeps everything before it as it is.
    let session = Session::new(Api::OpenAiChat, EAGER, &long());
    let mut messages = session.messages.clone();
    messages[1]["reasoning_details"] = json!([{"type": "reasoning.encrypted"}]);
    assert!(send(&Engine::new(), Api::OpenAiChat, &session.body_of(&messages)).epochs.is_empty());
}

#[test]
fn answers_of_the_user_and_failures_stay() {
    let mut turns = long();
    turns[0].steps[1] = Step::Answer;
    turns[4].steps[6] = Step::Failure(3);
    let session = Session::new(Api::Anthropic, EAGER, &turns);
    let sent = send(&Engine::new(), Api::Anthropic, &session.body(session.messages.len()));
    assert!(!sent.epochs.is_empty());
    let shown = String::from_utf8(sent.body).unwrap();
    assert!(shown.contains("The user says: ") && shown.matches(" yes order_").count() > 3, "{shown}");
    assert!(shown.contains("error: test part_3 failed"), "{shown}");
}

#[test]
fn an_epoch_needs_originals_that_can_be_stored() {
    let session = Session::new(Api::Anthropic, EAGER, &long());
    let body = session.body(session.messages.len());
    let sent = send(&Engine::new(), Api::Anthropic, &body);
    let refused = sent.originals[0].handle();
    let less = options().without_originals([refused]);
    let without = send_with(&Engine::new(), Api::Anthropic, &body, &less);
    assert!(without.originals.iter().all(|original| original.handle() != refused));
    assert!(!String::from_utf8_lossy(&without.body).contains(&refused.to_string()));
    is_sound(&without).unwrap();
}
