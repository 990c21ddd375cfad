//! OpenAI Chat Completions.

use std::fmt::Write;

use serde_json::{Value, json};

use super::support::{Answer, Say, Setup, handle};

pub(super) const ASK: &str = r#"{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"Bash"}}],"messages":[{"role":"user","content":"what happened?"}]}"#;

fn setup() -> Setup {
    Setup::new("/v1/chat/completions")
}

fn call(id: &str, name: &str, arguments: &Value) -> Value {
    json!({"id":id,"type":"function","function":{"name":name,"arguments":arguments.to_string()}})
}

pub(super) fn ours(n: usize) -> Value {
    call(
        &format!("call_own{n}"),
        "headroom_retrieve",
        &json!({"hash":handle().to_string(),"lines":"2","n":n}),
    )
}

pub(super) fn bash() -> Value {
    call("call_0123456789abcdefghijkl", "Bash", &json!({"command":"ls \"x\" \u{e4}"}))
}

/// What the model says in one round: text and calls.
pub(super) type Said = (&'static str, Vec<Value>);

fn usage(n: usize) -> Value {
    json!({"prompt_tokens":100*n,"completion_tokens":10,"total_tokens":100*n+10})
}

fn finish(calls: &[Value]) -> &'static str {
    if calls.is_empty() { "stop" } else { "tool_calls" }
}

pub(super) fn whole(n: usize, (text, calls): &Said) -> String {
    let content = if text.is_empty() { Value::Null } else { json!(text) };
    let mut message = json!({"role":"assistant","content":content});
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    json!({"id":format!("chatcmpl-{n}"),"object":"chat.completion","created":n,
        "choices":[{"index":0,"message":message,"finish_reason":finish(calls)}],"usage":usage(n)})
    .to_string()
}

pub(super) fn stream(n: usize, (text, calls): &Said) -> String {
    let mut out = String::new();
    let mut chunk = |choices: Value, usage: Value| {
        let _ = write!(
            out,
            "data: {}\n\n",
            json!({"id":format!("chatcmpl-{n}"),"object":"chat.completion.chunk","created":n,"choices":choices,"usage":usage})
        );
    };
    let delta = |delta: Value| json!([{"index":0,"delta":delta,"finish_reason":null}]);
    chunk(delta(json!({"role":"assistant","content":""})), Value::Null);
    for word in text.split_inclusive(' ') {
        chunk(delta(json!({"content":word})), Value::Null);
    }
    for (index, call) in calls.iter().enumerate() {
        let mut first = call.clone();
        first["index"] = json!(index);
        let arguments = first["function"]["arguments"].as_str().unwrap().to_owned();
        first["function"]["arguments"] = json!("");
        chunk(delta(json!({"tool_calls":[first]})), Value::Null);
        let letters: Vec<_> = arguments.chars().collect();
        for piece in letters.chunks(7) {
            let piece: String = piece.iter().collect();
            chunk(delta(json!({"tool_calls":[{"index":index,"function":{"arguments":piece}}]})), Value::Null);
        }
    }
    chunk(json!([{"index":0,"delta":{},"finish_reason":finish(calls)}]), Value::Null);
    chunk(json!([]), usage(n));
    out.push_str("data: [DONE]\n\n");
    out
}

/// A strict client: what it makes of a stream, with the rules of the official SDKs.
pub(super) fn accumulate(stream: &str) -> Value {
    let mut message = json!({"role":"","content":"","tool_calls":[]});
    let (mut id, mut finish, mut usage, mut done) = (Value::Null, Value::Null, Value::Null, false);
    for event in stream.split("\n\n").filter(|event| !event.is_empty() && !event.starts_with(':')) {
        assert!(!done, "nothing comes behind the end");
        let data = event.strip_prefix("data: ").unwrap();
        if data == "[DONE]" {
            done = true;
            continue;
        }
        let chunk: Value = serde_json::from_str(data).unwrap();
        if id.is_null() {
            id = chunk["id"].clone();
        }
        assert_eq!(id, chunk["id"], "one id");
        if !chunk["usage"].is_null() {
            assert!(usage.is_null(), "one usage");
            usage = chunk["usage"].clone();
        }
        let Some(choice) = chunk["choices"].get(0) else { continue };
        assert!(finish.is_null(), "nothing is said behind the finish");
        finish = choice["finish_reason"].clone();
        for key in ["role", "content"] {
            let so_far = message[key].as_str().unwrap().to_owned();
            message[key] = json!(so_far + choice["delta"][key].as_str().unwrap_or_default());
        }
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let calls = message["tool_calls"].as_array_mut().unwrap();
            let index = call["index"].as_u64().unwrap() as usize;
            assert!(index <= calls.len(), "indexes are dense");
            if index == calls.len() {
                let mut call = call.clone();
                call.as_object_mut().unwrap().remove("index");
                calls.push(call);
            } else {
                let arguments = calls[index]["function"]["arguments"].as_str().unwrap().to_owned();
                calls[index]["function"]["arguments"] =
                    json!(arguments + call["function"]["arguments"].as_str().unwrap());
            }
        }
    }
    assert!(done);
    assert_eq!(message["role"], "assistant", "the role is said once");
    json!({"message":message,"finish_reason":finish,"usage":usage,"id":id})
}

async fn say(rounds: &[Said], streaming: bool) -> (Setup, Answer) {
    let says = rounds
        .iter()
        .zip(1..)
        .map(|(said, n)| if streaming { Say::events(&stream(n, said)) } else { Say::json(&whole(n, said)) });
    let setup = setup().says(says.collect::<Vec<_>>());
    let answer = setup.send(&ask(streaming)).await;
    (setup, answer)
}

fn ask(streaming: bool) -> String {
    if streaming { ASK.to_owned() } else { ASK.replace("\"stream\":true,", "") }
}

pub(super) fn read(answer: &Answer, streaming: bool) -> Value {
    if streaming {
        return accumulate(&answer.body);
    }
    let whole: Value = serde_json::from_str(&answer.body).unwrap();
    let mut message = whole["choices"][0]["message"].clone();
    if message.get("tool_calls").is_none() {
        message["tool_calls"] = json!([]);
    }
    json!({"message":message,"finish_reason":whole["choices"][0]["finish_reason"],"usage":whole["usage"]})
}

#[tokio::test]
async fn an_answer_without_our_calls_passes_byte_for_byte() {
    for said in [("All is well. ", vec![bash()]), ("x", vec![]), ("", vec![])] {
        let (setup, answer) = say(std::slice::from_ref(&said), true).await;
        assert_eq!(answer.body, stream(1, &said));
        assert!(setup.got()[0].body.contains("headroom_retrieve"));
        let (_, answer) = say(std::slice::from_ref(&said), false).await;
        assert_eq!(answer.body, whole(1, &said));
    }
}

#[tokio::test]
async fn a_call_is_answered_and_the_client_sees_one_answer() {
    for streaming in [true, false] {
        let rounds = [("Let me look. ", vec![ours(1)]), ("It broke.", vec![])];
        let (setup, answer) = say(&rounds, streaming).await;
        assert!(!answer.body.contains("headroom_retrieve"));
        let answer = read(&answer, streaming);
        assert_eq!(answer["message"]["content"], "Let me look. It broke.");
        assert_eq!(answer["message"]["tool_calls"], json!([]));
        assert_eq!(answer["finish_reason"], "stop");
        assert_eq!(answer["usage"], json!({"prompt_tokens":200,"completion_tokens":20,"total_tokens":220}));
        let got = setup.got();
        let (first, second) = (&got[0].body, &got[1].body);
        assert!(second.starts_with(&first[..first.len() - 2]) && second.ends_with("]}"));
        let second: Value = serde_json::from_str(second).unwrap();
        let said = json!({"role":"assistant","content":"Let me look. ","tool_calls":[ours(1)]});
        assert_eq!(second["messages"][1], said);
        assert_eq!(second["messages"][2]["tool_call_id"], "call_own1");
        assert!(second["messages"][2]["content"].as_str().unwrap().ends_with("\nsecond\n"));

        // In the next request it stands where it was.
        let mut next: Value = serde_json::from_str(ASK).unwrap();
        next["messages"].as_array_mut().unwrap().extend([
            json!({"role":"assistant","content":[{"type":"text","text":"Let me look. It broke."}]}),
            json!({"role":"user","content":"and then?"}),
        ]);
        setup.take_got();
        let setup = setup.says([Say::events(&stream(3, &("done", vec![])))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
        assert_eq!(sent["messages"].as_array().unwrap()[..3], second["messages"].as_array().unwrap()[..3]);
        assert_eq!(sent["messages"][3]["content"], "It broke.");
        assert_eq!(sent["messages"][4]["content"], "and then?");
    }
}

#[tokio::test]
async fn where_chunks_are_cut_makes_no_difference() {
    let rounds = [("Let me look. ", vec![ours(1)]), ("It b\u{f6}rke.", vec![bash()])];
    let (_, expected) = say(&rounds, true).await;
    for size in 1..40 {
        let says = rounds.iter().zip(1..).map(|(said, n)| Say::events(&stream(n, said)).cut(size));
        let answer = setup().says(says.collect::<Vec<_>>()).send(ASK).await;
        assert_eq!(answer.body, expected.body, "{size}");
    }
}

#[tokio::test]
async fn mixed_calls_need_no_further_request_and_are_completed_in_the_next() {
    for streaming in [true, false] {
        for calls in [vec![ours(1), bash()], vec![bash(), ours(1)]] {
            let (setup, answer) = say(&[("Look. ", calls.clone())], streaming).await;
            let answer = read(&answer, streaming);
            assert_eq!(answer["message"]["tool_calls"], json!([bash()]));
            assert_eq!(answer["finish_reason"], "tool_calls");
            assert_eq!(setup.take_got().len(), 1);

            let mut next: Value = serde_json::from_str(ASK).unwrap();
            let result = json!({"role":"tool","tool_call_id":bash()["id"],"content":"a.txt"});
            next["messages"].as_array_mut().unwrap().extend([answer["message"].clone(), result.clone()]);
            let setup = setup.says([Say::events(&stream(2, &("done", vec![])))]);
            setup.send(&next.to_string()).await;
            let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
            assert_eq!(sent["messages"][1]["tool_calls"], json!(calls));
            assert_eq!(sent["messages"][2]["tool_call_id"], "call_own1");
            assert_eq!(sent["messages"][3], result);
        }
    }
}

#[tokio::test]
async fn a_chunk_that_says_all_at_once_is_taken_apart() {
    // As some compatible servers send it: text, calls and the finish in one chunk, without `index` or [DONE].
    let all = json!({"id":"x","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"Look. ",
        "tool_calls":[ours(1)]},"finish_reason":"stop"}],"usage":usage(1)});
    let last = json!({"id":"y","created":2,"choices":[{"index":0,"delta":{"role":"assistant","content":"It broke."},
        "finish_reason":"stop"}],"usage":usage(2)});
    let says = [all, last].map(|chunk| Say::events(&format!("data: {chunk}\n\n")));
    let setup = setup().says(says);
    let answer = setup.send(ASK).await;
    assert_eq!(setup.got().len(), 2);
    let answer = accumulate(&format!("{}data: [DONE]\n\n", answer.body));
    assert_eq!(answer["message"]["content"], "Look. It broke.");
    assert_eq!((&answer["id"], &answer["finish_reason"]), (&json!("x"), &json!("stop")));
}

#[tokio::test]
async fn a_model_that_does_not_stop_calling_is_stopped() {
    for streaming in [true, false] {
        let rounds: Vec<_> = (1..=8).map(|n| ("again ", vec![ours(n)])).collect();
        let (setup, answer) = say(&rounds, streaming).await;
        let answer = read(&answer, streaming);
        assert_eq!(answer["finish_reason"], "stop");
        assert_eq!(answer["message"]["content"], "again ".repeat(8));
        assert_eq!(setup.got().len(), 8);
    }
}

#[tokio::test]
async fn structured_answers_hold_the_text_of_the_last_round_only() {
    for streaming in [true, false] {
        let rounds = [("{\"half\": ", vec![ours(1)]), ("{\"whole\": 1}", vec![])];
        let says = rounds.iter().zip(1..).map(|(said, n)| {
            if streaming { Say::events(&stream(n, said)) } else { Say::json(&whole(n, said)) }
        });
        let setup = setup().says(says.collect::<Vec<_>>());
        let ask =
            ask(streaming).replace("\"model\"", "\"response_format\":{\"type\":\"json_object\"},\"model\"");
        let answer = read(&setup.send(&ask).await, streaming);
        assert_eq!(answer["message"]["content"], "{\"whole\": 1}");
    }
}

#[tokio::test]
async fn a_failure_in_a_hidden_round_is_told() {
    let first = Say::events(&stream(1, &("Look. ", vec![ours(1)])));
    let error = Say::json(r#"{"error":{"message":"no","type":"invalid_request_error"}}"#).status(400);
    let answer = setup().says([first, error]).send(ASK).await;
    assert!(
        answer
            .body
            .ends_with("data: {\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\"}}\n\n")
    );
}

#[tokio::test]
async fn several_choices_are_not_served() {
    let setup = setup().says([Say::json(&whole(1, &("x", vec![])))]);
    setup.send(&ASK.replace("\"model\"", "\"n\":2,\"model\"")).await;
    assert!(!setup.got()[0].body.contains("headroom_retrieve"));
}
