//! Calls of ours in every shape that servers give them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    chat, responses,
    support::{Say, Setup, handle},
};
use crate::test_support::block_on;

const CHAT: &str = "/v1/chat/completions";

fn arguments() -> String {
    json!({"hash":handle().to_string(),"lines":"2","n":1}).to_string()
}

/// A stream of Chat Completions with these pieces of calls.
fn chat_stream(pieces: &[Value]) -> String {
    let chunk = |delta: Value, finish: Option<&str>| {
        let chunk = json!({"id":"chatcmpl-1","created":1,"choices":[{"index":0,"delta":delta,"finish_reason":finish}]});
        format!("data: {chunk}\n\n")
    };
    let mut out = chunk(json!({"role":"assistant","content":"Look. "}), None);
    for piece in pieces {
        out.push_str(&chunk(json!({"tool_calls":[piece]}), None));
    }
    out.push_str(&chunk(json!({}), Some("tool_calls")));
    out.push_str("data: [DONE]\n\n");
    out
}

/// A call in pieces: how its name comes, and where.
fn pieces(index: u64, id: &str, name: &str, arguments: &str, shape: usize) -> Vec<Value> {
    let id = |mut piece: Value| {
        piece["id"] = json!(id);
        piece["index"] = json!(index);
        piece["type"] = json!("function");
        piece
    };
    let more = |function: Value| json!({"index":index,"function":function});
    let (a, b) = name.split_at(name.len() / 2);
    let (x, y) = arguments.split_at(arguments.len() / 2);
    match shape {
        0 => vec![
            id(json!({"function":{"name":a,"arguments":""}})),
            more(json!({"name":b})),
            more(json!({"arguments":x})),
            more(json!({"arguments":y})),
        ],
        1 => vec![
            id(json!({})),
            more(json!({"name":name})),
            more(json!({"arguments":x})),
            more(json!({"arguments":y})),
        ],
        2 => vec![
            id(json!({})),
            more(json!({"arguments":x})),
            more(json!({"arguments":y})),
            more(json!({"name":name})),
        ],
        3 => vec![
            id(json!({"function":{"name":name,"arguments":x}})),
            id(json!({"function":{"name":name,"arguments":y}})),
        ],
        4 => vec![
            id(json!({"function":{"name":"","arguments":""}})),
            more(json!({"name":a})),
            more(json!({"name":b,"arguments":x})),
            more(json!({"arguments":y})),
        ],
        5 => vec![
            id(json!({"function":{"name":a,"arguments":x}})),
            more(json!({"name":b})),
            more(json!({"arguments":y})),
        ],
        _ => vec![id(json!({"function":{"name":name,"arguments":arguments}}))],
    }
}

const SHAPES: usize = 7;

/// Takes turns between two calls.
fn interleaved(a: Vec<Value>, b: Vec<Value>) -> Vec<Value> {
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    let mut out = Vec::new();
    loop {
        let (one, other) = (a.next(), b.next());
        if one.is_none() && other.is_none() {
            return out;
        }
        out.extend(one);
        out.extend(other);
    }
}

#[tokio::test]
async fn a_chat_call_is_answered_wherever_its_name_comes() {
    for shape in 0..SHAPES {
        for cut in [7, 50, usize::MAX] {
            let first = chat_stream(&pieces(0, "call_own1", "headroom_retrieve", &arguments(), shape));
            let last = chat::stream(2, &("done", vec![]));
            let setup = Setup::new(CHAT).says([Say::events(&first).cut(cut), Say::events(&last)]);
            let answer = setup.send(chat::ASK).await;
            assert_eq!(setup.got().len(), 2, "{shape}");
            assert!(
                !answer.body.contains("retrieve") && !answer.body.contains("call_own1"),
                "{}",
                answer.body
            );
            let read = chat::accumulate(&answer.body);
            assert_eq!(read["message"]["content"], "Look. done");
            let second: Value = serde_json::from_str(&setup.got()[1].body).unwrap();
            let call = &second["messages"][1]["tool_calls"][0];
            assert_eq!(
                call["function"],
                json!({"name":"headroom_retrieve","arguments":arguments()}),
                "{shape}"
            );
            assert!(second["messages"][2]["content"].as_str().unwrap().ends_with("\nsecond\n"), "{shape}");
        }
    }
}

#[tokio::test]
async fn a_call_is_answered_however_its_name_is_escaped() {
    let escape = |stream: String| {
        let stream = stream.replace("\"tool_calls\":[", "\"tool\\u005fcalls\":[");
        stream.replace("headroom_retrieve", "headroom\\u005fretr\\u0069eve")
    };
    let first = escape(chat_stream(&pieces(0, "call_own1", "headroom_retrieve", &arguments(), 6)));
    let setup =
        Setup::new(CHAT).says([Say::events(&first), Say::events(&chat::stream(2, &("done", vec![])))]);
    let answer = setup.send(chat::ASK).await;
    assert_eq!(setup.got().len(), 2);
    assert!(answer.body.contains("done") && !answer.body.contains("call_own1"), "{}", answer.body);

    let first = escape(responses::stream(1, &[responses::message("Look. "), responses::ours(1)]));
    let last = responses::stream(2, &[responses::message("done")]);
    let setup = Setup::new("/v1/responses").says([Say::events(&first), Say::events(&last)]);
    let answer = setup.send(responses::ASK).await;
    assert_eq!(setup.got().len(), 2);
    assert!(answer.body.contains("done") && !answer.body.contains("call_own1"), "{}", answer.body);
}

#[tokio::test]
async fn chat_calls_that_come_interleaved_are_parted() {
    let own = arguments();
    let theirs = r#"{"command":"ls"}"#;
    for (shape, other) in (0..SHAPES).flat_map(|shape| (0..SHAPES).map(move |other| (shape, other))) {
        for first in [0, 1] {
            let ours = pieces(first, "call_own1", "headroom_retrieve", &own, shape);
            let bash = pieces(1 - first, "call_bash", "Bash", theirs, other);
            let calls = if first == 0 { interleaved(ours, bash) } else { interleaved(bash, ours) };
            let setup = Setup::new(CHAT).says([Say::events(&chat_stream(&calls))]);
            let answer = setup.send(chat::ASK).await;
            assert_eq!(setup.take_got().len(), 1);
            for secret in ["retrieve", "call_own1", "lines"] {
                assert!(!answer.body.contains(secret), "{shape} {other} {first}: {}", answer.body);
            }
            assert!(
                answer.body.contains("call_bash") && answer.body.contains("\"finish_reason\":\"tool_calls\"")
            );
            assert!(!answer.body.contains("\"index\":1"), "indexes are dense: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_client_tool_whose_name_begins_like_ours_gets_its_call() {
    for name in ["head", "headroom_retrieve_all", "h", "headroom"] {
        for shape in 0..SHAPES {
            let stream = chat_stream(&pieces(0, "call_x", name, "{\"n\":10}", shape));
            let answer = Setup::new(CHAT).says([Say::events(&stream)]).send(chat::ASK).await;
            assert_eq!(answer.body, stream, "{name} {shape}");
        }
    }
}

#[tokio::test]
async fn the_first_piece_of_a_client_call_passes_at_once() {
    for name in ["Bash", "head"] {
        let calls = pieces(0, "call_x", name, "{\"n\":10}", 6);
        let stream = chat_stream(&calls);
        let events: Vec<_> = stream.split_inclusive("\n\n").collect();
        let mut say = Say::events("").hangs();
        say.chunks =
            events[..2].iter().map(|event| bytes::Bytes::copy_from_slice(event.as_bytes())).collect();
        let mut body = Box::pin(Setup::new(CHAT).says([say]).open(chat::ASK).await.into_body());
        for event in &events[..2] {
            let frame =
                http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(frame, event.as_bytes());
        }
    }
}

#[tokio::test]
async fn chunks_of_every_round_have_the_name_that_the_client_saw_first() {
    let nameless = r#"{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#;
    let stream = |n: usize, said: &chat::Said| format!("data: {nameless}\n\n{}", chat::stream(n, said));
    let says = [stream(1, &("Look. ", vec![chat::ours(1)])), stream(2, &("done", vec![]))];
    let setup = Setup::new(CHAT).says(says.iter().map(|say| Say::events(say)).collect::<Vec<_>>());
    let answer = setup.send(chat::ASK).await;
    let (head, rest) = answer.body.split_at(nameless.len() + "data: \n\n".len());
    assert_eq!(head, format!("data: {nameless}\n\n"));
    let read = chat::accumulate(rest);
    assert_eq!((&read["id"], &read["message"]["content"]), (&json!("chatcmpl-1"), &json!("Look. done")));
    assert_eq!(answer.body.matches("\"created\":0").count(), 1);
}

/// A stream of the Responses API that only says what it came to.
fn completed_only(n: usize, items: &[Value]) -> String {
    let event = |kind: &str, status: &str, items: &[Value]| {
        let data = json!({"type":kind,"response":responses::response(n, status, items)});
        format!("event: {kind}\ndata: {data}\n\n")
    };
    event("response.created", "in_progress", &[]) + &event("response.completed", "completed", items)
}

#[tokio::test]
async fn a_response_that_is_only_completed_hides_our_call() {
    let items = [responses::message("Look. "), responses::ours(1)];
    for alone in [false, true] {
        let says = [completed_only(1, &items), completed_only(2, &[responses::message("done")])];
        let says = says.map(|say| if alone { say[say.find("\n\n").unwrap() + 2..].to_owned() } else { say });
        let setup =
            Setup::new("/v1/responses").says(says.iter().map(|say| Say::events(say)).collect::<Vec<_>>());
        let answer = setup.send(responses::ASK).await;
        assert_eq!(setup.got().len(), 2);
        assert!(!answer.body.contains("headroom_retrieve"), "{}", answer.body);
        let last = super::support::data(&answer.body).pop().unwrap();
        assert_eq!(
            last["response"]["output"],
            json!([responses::message("Look. "), responses::message("done")])
        );
        let second: Value = serde_json::from_str(&setup.got()[1].body).unwrap();
        assert_eq!(second["input"][2], responses::ours(1));
        assert_eq!(second["input"][3]["call_id"], "call_own1");
    }
    let setup = Setup::new("/v1/responses")
        .says([Say::events(&completed_only(1, &[responses::ours(1), responses::shell()]))]);
    let answer = setup.send(responses::ASK).await;
    let last = super::support::data(&answer.body).pop().unwrap();
    assert_eq!(last["response"]["output"], json!([responses::shell()]));
    // Without a call of ours nothing changes.
    let plain = completed_only(1, &[responses::message("x"), responses::shell()]);
    assert_eq!(
        Setup::new("/v1/responses").says([Say::events(&plain)]).send(responses::ASK).await.body,
        plain
    );
}

#[tokio::test]
async fn events_of_our_call_are_hidden_where_some_of_them_are_missing() {
    let whole = responses::stream(1, &[responses::message("Look. "), responses::ours(1)]);
    let events: Vec<_> = whole.split_inclusive("\n\n").collect();
    let of_call: Vec<_> = (0..events.len()).filter(|at| events[*at].contains("\"output_index\":1")).collect();
    assert_eq!(of_call.len(), 4);
    for missing in 1..15_usize {
        let left = events
            .iter()
            .enumerate()
            .filter(|(at, _)| of_call.iter().position(|of| of == at).is_none_or(|n| missing & (1 << n) == 0));
        let stream: String = left.map(|(_, event)| *event).collect();
        let last = responses::stream(2, &[responses::message("done")]);
        let setup = Setup::new("/v1/responses").says([Say::events(&stream), Say::events(&last)]);
        let answer = setup.send(responses::ASK).await;
        assert_eq!(setup.got().len(), 2, "{missing:b}");
        for secret in ["headroom_retrieve", "\"hash", "call_own1"] {
            assert!(!answer.body.contains(secret), "{missing:b}: {}", answer.body);
        }
        assert!(answer.body.contains("done"));
    }
    // The name comes with the end.
    let nameless = events.iter().map(|event| match event.contains("output_item.added") {
        true => event.replace("\"name\":\"headroom_retrieve\"", "\"name\":\"\""),
        false => (*event).to_owned(),
    });
    let last = responses::stream(2, &[responses::message("done")]);
    let setup =
        Setup::new("/v1/responses").says([Say::events(&nameless.collect::<String>()), Say::events(&last)]);
    let answer = setup.send(responses::ASK).await;
    assert_eq!(setup.got().len(), 2);
    assert_eq!(responses::accumulate(&answer.body)["output"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_call_with_bytes_that_are_no_text_does_not_pass() {
    let stream = super::anthropic::stream(1, &[super::anthropic::ours(1)]);
    let mut bytes = stream.into_bytes();
    let at = bytes.windows(9).position(|window| window == b"toolu_own").unwrap();
    bytes[at] = 0xff;
    let mut say = Say::events("");
    say.chunks = vec![bytes.into()];
    let last = super::anthropic::stream(2, &[super::anthropic::text("done")]);
    let answer = Setup::new("/v1/messages").says([say, Say::events(&last)]).send(super::anthropic::ASK).await;
    assert!(!answer.body.contains("headroom_retrieve"), "{}", answer.body);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn calls_in_any_pieces_are_ours_or_the_clients_wherever_chunks_are_cut(
        calls in prop::collection::vec((any::<bool>(), 0..SHAPES), 1..5), order in any::<u64>(), cut in 1..80_usize,
    ) {
        let own = arguments();
        let mut queues: Vec<Vec<Value>> = calls.iter().enumerate().map(|(index, (ours, shape))| {
            let (name, arguments) = if *ours { ("headroom_retrieve", &*own) } else { ("Bash", "{\"command\":\"ls\"}") };
            let mut pieces = pieces(index as u64, &format!("id_{index}"), name, arguments, *shape);
            pieces.reverse();
            pieces
        }).collect();
        // The first pieces come in the order of their indexes.
        let mut all: Vec<Value> = Vec::new();
        let (mut begun, mut state) = (0, order);
        while queues.iter().any(|queue| !queue.is_empty()) {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % (begun + 1).min(queues.len());
            begun = begun.max((at + 1).min(queues.len()));
            all.extend(queues[at].pop());
        }
        let stream = chat_stream(&all);
        let says = |cut: usize| {
            let setup = Setup::new(CHAT).says([Say::events(&stream).cut(cut), Say::events(&chat::stream(2, &("done", vec![])))]);
            let answer = block_on(setup.send(chat::ASK));
            (answer.body, setup.got().len())
        };
        let (whole, rounds) = says(usize::MAX);
        prop_assert_eq!(says(cut), (whole.clone(), rounds));
        prop_assert!(!whole.contains("retrieve"));
        if calls.iter().all(|(ours, _)| !ours) {
            prop_assert_eq!(&whole, &stream);
        }
        prop_assert_eq!(rounds, 1 + usize::from(calls.iter().all(|(ours, _)| *ours)));
        for (index, (ours, _)) in calls.iter().enumerate() {
            prop_assert_eq!(whole.contains(&format!("id_{index}")), !ours);
        }
    }
}
