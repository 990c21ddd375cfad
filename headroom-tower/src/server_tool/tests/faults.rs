//! What goes wrong in a round that the client does not know of, for every API.

use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt;
use serde_json::Value;

use super::{
    anthropic::{self, ASK, accumulate, ours, text},
    chat, gemini, responses,
    support::{Answer, Say, Setup, data, read},
};
use crate::test_support::BadStore;

/// A wire format: how to ask, what the model says first, and what last.
pub(super) struct Wire {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) ask: &'static str,
    /// A round that calls our tool for the nth time.
    pub(super) calls: fn(usize) -> String,
    /// The round that ends the turn.
    pub(super) ends: fn() -> String,
    /// The same round cut off by the token limit in the middle of our call.
    cut: fn() -> String,
}

pub(super) const WIRES: [Wire; 4] = [
    Wire {
        name: "anthropic",
        path: "/v1/messages",
        ask: ASK,
        calls: |n| anthropic::stream(n, &[text("Look. "), ours(n)]),
        ends: || anthropic::stream(7, &[text("done")]),
        cut: || anthropic::stream_until(1, &[text("Look. "), ours(1)], "max_tokens"),
    },
    Wire {
        name: "openai",
        path: "/v1/chat/completions",
        ask: chat::ASK,
        calls: |n| chat::stream(n, &("Look. ", vec![chat::ours(n)])),
        ends: || chat::stream(7, &("done", vec![])),
        cut: || {
            let stream = chat::stream(1, &("Look. ", vec![chat::ours(1)]));
            stream.replace("\"finish_reason\":\"tool_calls\"", "\"finish_reason\":\"length\"")
        },
    },
    Wire {
        name: "responses",
        path: "/v1/responses",
        ask: responses::ASK,
        calls: |n| responses::stream(n, &[responses::message("Look. "), responses::ours(n)]),
        ends: || responses::stream(7, &[responses::message("done")]),
        cut: || {
            let stream = responses::stream(1, &[responses::message("Look. "), responses::ours(1)]);
            stream.replace("response.completed", "response.incomplete")
        },
    },
    Wire {
        name: "gemini",
        path: gemini::STREAM,
        ask: gemini::ASK,
        calls: |n| gemini::stream(n, &[gemini::text("Look. "), gemini::ours(n)]),
        ends: || gemini::stream(7, &[gemini::text("done")]),
        cut: || {
            let stream = gemini::stream(1, &[gemini::text("Look. "), gemini::ours(1)]);
            stream.replace("\"STOP\"", "\"MAX_TOKENS\"")
        },
    },
];

impl Wire {
    fn setup(&self, says: impl IntoIterator<Item = Say>) -> Setup {
        Setup::new(self.path).says([Say::events(&(self.calls)(1))]).says(says)
    }

    async fn send(&self, says: impl IntoIterator<Item = Say>) -> (Setup, Answer) {
        let setup = self.setup(says);
        let answer = setup.send(self.ask).await;
        assert!(!answer.body.contains("headroom_retrieve"), "{}: {}", self.name, answer.body);
        assert!(answer.body.contains("Look. "), "{}: what was said stays", self.name);
        (setup, answer)
    }

    pub(super) fn done(&self) -> Say {
        Say::events(&(self.ends)())
    }
}

/// Whether the last event says that the answer failed, in the words of this API.
pub(super) fn failed(wire: &Wire, answer: &Answer) -> bool {
    let last = data(&answer.body).pop().unwrap_or_default();
    match wire.name {
        "anthropic" | "responses" => last["type"] == "error",
        _ => last["error"].is_object(),
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_read_breaks_no_answer_and_is_told_of() {
    for wire in &WIRES {
        for (store, kind) in [(BadStore::Fails, "unavailable"), (BadStore::Panics, "panic")] {
            let mut setup = wire.setup([wire.done()]);
            setup.layer.set(|config| config.originals = Some(Arc::new(store)));
            let answer = setup.send(wire.ask).await;
            assert!(answer.body.contains("done"), "{} {kind}: {}", wire.name, answer.body);
            assert!(setup.got()[1].body.contains("cannot be fetched at the moment"), "{} {kind}", wire.name);
            let events = setup.recorder.events();
            assert!(events.contains(&format!("store {kind}")), "{} {kind}: {events:?}", wire.name);
        }
    }
}

#[tokio::test]
async fn an_answer_of_several_rounds_has_no_digest_of_one() {
    for wire in &WIRES {
        let first =
            Say::events(&(wire.calls)(1)).header("etag", "\"1\"").header("content-digest", "sha-256=:x:");
        let setup = Setup::new(wire.path).says([first.header("x-own", "stays"), wire.done()]);
        let answer = setup.send(wire.ask).await;
        assert!(answer.body.contains("done"), "{}", wire.name);
        for (name, is_there) in [("etag", false), ("content-digest", false), ("x-own", true)] {
            assert_eq!(answer.headers.contains_key(name), is_there, "{} {name}", wire.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_busy_is_asked_again_after_the_time_that_it_names() {
    for wire in &WIRES {
        let start = tokio::time::Instant::now();
        let limited = Say::json("{}").status(429).header("retry-after", "7");
        let broken = Say::json("{}").status(500);
        let (setup, answer) = wire.send([limited, broken, wire.done()]).await;
        assert!(answer.body.contains("done"), "{}", wire.name);
        assert_eq!(setup.got().len(), 4, "{}", wire.name);
        assert!(start.elapsed() >= Duration::from_secs(8), "{}: {:?}", wire.name, start.elapsed());
        assert_eq!(setup.got()[1].body, setup.got()[3].body, "{}: the same request", wire.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_stays_busy_is_told_of_as_it_says() {
    for wire in &WIRES {
        for (status, asked) in [(529, 4), (500, 4), (403, 2), (404, 2)] {
            let body = r#"{"error":{"type":"own","code":"own","message":"in the provider's words"}}"#;
            let says = (0..3).map(|_| Say::json(body).status(status));
            let (setup, answer) = wire.send(says.collect::<Vec<_>>()).await;
            assert!(
                failed(wire, &answer) && answer.body.contains("in the provider's words"),
                "{}",
                wire.name
            );
            assert_eq!(setup.got().len(), asked, "{} {status}", wire.name);
        }
        // Longer than a client waits.
        let says = [Say::json("{}").status(429).header("retry-after", "300")];
        let (setup, answer) = wire.send(says).await;
        assert!(failed(wire, &answer), "{}", wire.name);
        assert_eq!(setup.got().len(), 2, "{}", wire.name);
    }
}

#[tokio::test]
async fn a_stream_that_ends_too_early_is_told_of_once() {
    for wire in &WIRES {
        let whole = (wire.ends)();
        for size in [0, whole.len() / 3, whole.len() / 2] {
            let cut = &whole[..(size..).find(|at| whole.is_char_boundary(*at)).unwrap()];
            // Unless the part holds the end, as it does where one chunk is all.
            if cut.contains("STOP") {
                continue;
            }
            let (_, answer) = wire.send([Say::events(cut)]).await;
            assert!(failed(wire, &answer), "{} {size}: {}", wire.name, answer.body);
            let (_, answer) = wire.send([Say::events(cut).breaks()]).await;
            assert_eq!(answer.error.as_deref(), Some("reset"), "{}", wire.name);
        }
    }
}

#[tokio::test]
async fn a_failure_that_the_provider_tells_in_a_later_stream_is_the_only_one() {
    for wire in &WIRES {
        let error = match wire.name {
            "anthropic" => {
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n"
            }
            "responses" => {
                "event: error\ndata: {\"type\":\"error\",\"message\":\"x\",\"sequence_number\":3}\n\n"
            }
            _ => "data: {\"error\":{\"code\":500,\"message\":\"x\"}}\n\n",
        };
        let (_, answer) = wire.send([Say::events(error)]).await;
        assert!(failed(wire, &answer));
        assert_eq!(
            answer.body.matches("\"error\":{").count() + answer.body.matches("event: error").count(),
            match wire.name {
                "anthropic" => 2,
                _ => 1,
            },
            "{}: {}",
            wire.name,
            answer.body
        );
    }
}

#[tokio::test]
async fn events_that_are_none_pass_and_what_follows_is_read() {
    for wire in &WIRES {
        for noise in
            ["data: {\"type\":\n\n", "data: [1,2\n\n", "data: \"text\"\n\n", ": comment\n\n", "data: {}\n\n"]
        {
            let (setup, answer) = wire.send([Say::events(&format!("{noise}{}", (wire.ends)()))]).await;
            assert!(answer.body.contains("done") && !failed(wire, &answer), "{} {noise}", wire.name);
            assert_eq!(setup.got().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_call_cut_off_by_the_token_limit_is_no_call() {
    for wire in &WIRES {
        let setup = Setup::new(wire.path).says([Say::events(&(wire.cut)())]);
        let answer = setup.send(wire.ask).await;
        assert!(!answer.body.contains("headroom_retrieve"), "{}", wire.name);
        let reason = ["max_tokens", "\"length\"", "response.incomplete", "MAX_TOKENS"];
        assert!(reason.iter().any(|reason| answer.body.contains(reason)), "{}: {}", wire.name, answer.body);
        assert_eq!(setup.got().len(), 1, "{}", wire.name);
    }
}

#[tokio::test]
async fn a_model_that_does_not_stop_calling_is_stopped() {
    for wire in &WIRES {
        let (setup, answer) = wire.send((2..=8).map(|n| Say::events(&(wire.calls)(n)))).await;
        assert!(!failed(wire, &answer), "{}", wire.name);
        assert_eq!((setup.got().len(), setup.left()), (8, 0), "{}", wire.name);
        for (n, got) in setup.got().iter().enumerate() {
            assert_eq!(
                got.body.matches("The limit of headroom_retrieve").count(),
                n.saturating_sub(4),
                "{n}"
            );
        }
        assert!(
            setup.recorder.events().last().unwrap().ends_with("7 rounds 7 calls gave up"),
            "{}",
            wire.name
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_what_goes_on_for_it() {
    for wire in &WIRES {
        // While the provider does not answer, and while it streams.
        for says in [Say::silent(), Say::events("").hangs()] {
            let setup = wire.setup([says]);
            let mut body = Box::pin(setup.open(wire.ask).await.into_body());
            let mut seen = String::new();
            while setup.got().len() < 2 {
                let next = tokio::time::timeout(Duration::from_millis(50), body.frame()).await;
                if let Ok(Some(Ok(frame))) = next {
                    seen.push_str(&String::from_utf8_lossy(&frame.into_data().unwrap()));
                }
            }
            assert!(seen.contains("Look. ") && !setup.is_idle(), "{}", wire.name);
            drop(body);
            assert!(setup.is_idle(), "{}: the provider goes on for nobody", wire.name);
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_a_whole_answer_ends_what_goes_on_for_it() {
    let first = anthropic::whole(1, &[text("Look. "), ours(1)]);
    let setup = Setup::new("/v1/messages").says([Say::json(&first), Say::silent()]);
    let ask = ASK.replace("\"stream\":true,", "");
    let mut answer = Box::pin(setup.open(&ask));
    while setup.got().len() < 2 {
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut answer).await.is_err());
    }
    drop(answer);
    assert!(setup.is_idle());
}

#[tokio::test(start_paused = true)]
async fn the_client_hears_something_while_it_waits() {
    let setup = WIRES[0].setup([Say::silent()]);
    let mut body = Box::pin(setup.open(ASK).await.into_body());
    let start = tokio::time::Instant::now();
    let mut pings = Vec::new();
    while pings.len() < 4 {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        if setup.got().len() == 2 && frame.starts_with(b"event: ping") {
            pings.push(start.elapsed());
        }
    }
    assert!(pings.windows(2).all(|two| two[1] - two[0] <= Duration::from_secs(15)), "{pings:?}");
}

#[tokio::test]
async fn what_was_read_of_an_event_goes_before_the_error_that_cuts_it() {
    let stream = anthropic::stream(1, &[text("Look. ")]);
    for at in [0, 10, stream.len() / 2, stream.len() - 1] {
        let answer = Setup::new("/v1/messages").says([Say::events(&stream[..at]).breaks()]).send(ASK).await;
        assert_eq!((answer.body.as_str(), answer.error.as_deref()), (&stream[..at], Some("reset")));
    }
}

#[tokio::test]
async fn an_event_of_any_length_is_held_to_a_limit() {
    // In the first round it passes, and what follows is read; behind a hidden one the client could make nothing of it.
    for megabytes in [9, 50] {
        let long =
            format!("event: x\ndata: {{\"type\":\"x\",\"text\":\"{}\"}}\n\n", "x".repeat(megabytes << 20));
        let end = anthropic::stream(1, &[text("Look. "), ours(1)]);
        let (begin, rest) = end.split_at(end.find("event: content_block_start").unwrap());
        let sent = format!("{begin}{long}{rest}");
        let says = [Say::events(&sent).cut(1 << 20), WIRES[0].done()];
        let setup = Setup::new("/v1/messages").says(says);
        let answer = setup.send(ASK).await;
        assert_eq!(setup.got().len(), 2, "the call behind it is answered");
        assert!(answer.body.starts_with(&format!("{begin}{long}")));
        assert!(answer.body.contains("done") && !answer.body.contains("headroom_retrieve"));
        let (_, answer) = WIRES[0].send([Say::events(&format!("{long}{rest}")).cut(1 << 20)]).await;
        assert!(failed(&WIRES[0], &answer));
    }
}

#[tokio::test]
async fn a_hundred_thousand_pings_pass_and_the_call_behind_them_is_answered() {
    let end = anthropic::stream(1, &[text("Look. "), ours(1)]);
    let (begin, rest) = end.split_at(end.find("event: content_block_start").unwrap());
    let pings = "event: ping\ndata: {\"type\": \"ping\"}\n\n".repeat(100_000);
    let says = [Say::events(&format!("{begin}{pings}{rest}")).cut(1 << 16), WIRES[0].done()];
    let answer = Setup::new("/v1/messages").says(says).send(ASK).await;
    assert_eq!(answer.body.matches("event: ping").count(), 100_000 + 3);
    assert_eq!(accumulate(&answer.body)["content"], serde_json::json!([text("Look. "), text("done")]));
}

#[tokio::test]
async fn a_reset_within_any_event_shows_nothing_of_our_call() {
    for wire in &WIRES {
        let whole = (wire.calls)(1);
        for at in 0..whole.len() {
            let cut = &whole.as_bytes()[..at];
            let mut say = Say::events("").breaks();
            say.chunks = vec![bytes::Bytes::copy_from_slice(cut)];
            let setup = Setup::new(wire.path).says([say]);
            let answer = setup.send(wire.ask).await;
            assert!(!answer.body.contains("headroom_retrieve"), "{} {at}: {}", wire.name, answer.body);
            assert!(answer.error.is_some(), "{} {at}", wire.name);
        }
    }
}

#[tokio::test]
async fn a_structured_answer_is_held_to_a_limit() {
    let word = "x".repeat(1 << 16);
    let words = std::iter::repeat_n(word.as_str(), 300).collect::<Vec<_>>().join(" ");
    let stream = anthropic::stream(1, &[text(&words)]);
    assert!(stream.len() > headroom_retrieval::limits::MAX_HELD);
    let ask = ASK.replace("\"model\"", "\"output_config\":{\"format\":{\"type\":\"json_schema\"}},\"model\"");
    let setup = Setup::new("/v1/messages").says([Say::events(&stream).cut(1 << 20).hangs()]);
    let mut body = Box::pin(setup.open(&ask).await.into_body());
    let mut read = 0;
    while read < stream.len() {
        read += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
    }
    assert_eq!(read, stream.len(), "it passes although it has no end");
}

#[tokio::test]
async fn a_refusal_of_a_whole_answer_comes_as_it_is() {
    let first = anthropic::whole(1, &[text("Look. "), ours(1)]);
    let refusal = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#;
    let says = [Say::json(&first), Say::json(refusal).status(429).header("retry-after", "60")];
    let setup = Setup::new("/v1/messages").says(says);
    let answer = read(setup.open(&ASK.replace("\"stream\":true,", "")).await).await;
    assert_eq!((answer.status, answer.body.as_str()), (429, refusal));
    assert_eq!(answer.headers["retry-after"], "60");
}

#[tokio::test]
async fn thinking_and_text_of_every_round_are_whole_after_faults() {
    let rounds =
        [vec![anthropic::thinking(1), text("Look. "), ours(1)], vec![anthropic::thinking(2), text("done")]];
    let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&anthropic::stream(n, blocks)));
    let mut says: Vec<_> = says.collect();
    says.insert(1, Say::json("{}").status(500).header("retry-after", "0"));
    let answer = Setup::new("/v1/messages").says(says).send(ASK).await;
    let content = accumulate(&answer.body)["content"].clone();
    let expected: Vec<Value> =
        vec![anthropic::thinking(1), text("Look. "), anthropic::thinking(2), text("done")];
    assert_eq!(content, Value::from(expected));
}
