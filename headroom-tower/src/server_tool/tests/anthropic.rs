//! Anthropic Messages.

use std::fmt::Write;

use serde_json::{Value, json};

use super::support::{Answer, Say, Setup, data, handle};

const PATH: &str = "/v1/messages";

pub(super) const ASK: &str = r#"{"model":"claude-x","stream":true,"tools":[{"name":"Bash","input_schema":{}}],"messages":[{"role":"user","content":"what happened?"}]}"#;

fn setup() -> Setup {
    Setup::new(PATH)
}

pub(super) fn ours(n: usize) -> Value {
    json!({"type":"tool_use","id":format!("toolu_own{n}"),"name":"headroom_retrieve","input":{"hash":handle().to_string(),"lines":"2-2","n":n}})
}

pub(super) fn text(text: &str) -> Value {
    json!({"type":"text","text":text})
}

pub(super) fn thinking(n: usize) -> Value {
    json!({"type":"thinking","thinking":format!("hm \u{1f914} {n}"),"signature":format!("sig{n}A0b1C2d3E4f5G6h7I8j9K0")})
}

pub(super) fn bash(id: &str) -> Value {
    json!({"type":"tool_use","id":id,"name":"Bash","input":{"command":"ls \"x\"","z":1,"a":[2.50]}})
}

fn stop_of(blocks: &[Value]) -> &'static str {
    if blocks.iter().any(|block| block["type"] == "tool_use") { "tool_use" } else { "end_turn" }
}

/// A whole answer.
pub(super) fn whole(n: usize, blocks: &[Value]) -> String {
    json!({"id":format!("msg_{n}"),"type":"message","role":"assistant","model":"claude-x","content":blocks,
        "stop_reason":stop_of(blocks),"stop_sequence":null,
        "usage":{"input_tokens":100*n,"cache_read_input_tokens":7*n,"output_tokens":10}})
    .to_string()
}

/// The same as a stream.
pub(super) fn stream(n: usize, blocks: &[Value]) -> String {
    stream_until(n, blocks, stop_of(blocks))
}

pub(super) fn stream_until(n: usize, blocks: &[Value], stop: &str) -> String {
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
pub(super) fn accumulate(stream: &str) -> Value {
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

pub(super) fn read(answer: &Answer, streaming: bool) -> Value {
    if streaming { accumulate(&answer.body) } else { serde_json::from_str(&answer.body).unwrap() }
}

#[tokio::test]
async fn an_answer_without_our_calls_passes_byte_for_byte() {
    for blocks in [vec![thinking(1), text("All is well. "), bash("toolu_b")], vec![text("x")], vec![]] {
        for streaming in [true, false] {
            let (setup, answer) = say(std::slice::from_ref(&blocks), streaming).await;
            let sent = if streaming { stream(1, &blocks) } else { whole(1, &blocks) };
            assert_eq!(answer.body, sent);
            assert_eq!(answer.headers["request-id"], "r");
            assert_eq!(setup.got().len(), 1);
            assert!(setup.got()[0].body.contains("headroom_retrieve"), "the tool was offered");
            assert_eq!(setup.got()[0].head.headers["accept-encoding"], "identity");
        }
    }
}

#[tokio::test]
async fn chunks_of_such_a_stream_are_handed_on_without_a_copy() {
    let stream = stream(1, &[text("All is well.")]);
    let say = Say::events(&stream);
    let pointer = say.chunks[0].as_ptr();
    let answer = setup().says([say]).send(ASK).await;
    assert_eq!(answer.frames.len(), 1);
    assert_eq!(answer.frames[0].as_ptr(), pointer);
}

#[tokio::test]
async fn a_call_is_answered_and_the_client_sees_one_answer() {
    for streaming in [true, false] {
        let rounds =
            [vec![thinking(1), text("Let me look. "), ours(1)], vec![thinking(2), text("It broke.")]];
        let (setup, answer) = say(&rounds, streaming).await;
        let message = read(&answer, streaming);
        assert!(!answer.body.contains("headroom_retrieve"));
        assert_eq!(
            message["content"],
            json!([thinking(1), text("Let me look. "), thinking(2), text("It broke.")])
        );
        assert_eq!(message["stop_reason"], "end_turn");
        assert_eq!(message["id"], if streaming { "msg_1" } else { "msg_2" });
        let usage = json!({"input_tokens":200,"cache_read_input_tokens":14,"output_tokens":20});
        assert_eq!(message["usage"], usage, "the last round's context, the output of all");

        let got = setup.got();
        assert_eq!(got.len(), 2);
        let (first, second) = (&got[0].body, &got[1].body);
        let split = first.len() - 2;
        assert!(first.ends_with("]}") && second.starts_with(&first[..split]) && second.ends_with("]}"));
        let second: Value = serde_json::from_str(second).unwrap();
        assert_eq!(second["messages"][1], json!({"role":"assistant","content":rounds[0]}));
        let result = &second["messages"][2]["content"][0];
        assert_eq!(result["tool_use_id"], "toolu_own1");
        assert!(result["content"].as_str().unwrap().ends_with("\nsecond\n"), "{result}");
        assert_eq!(setup.recorder.events().last().unwrap(), "retrieved anthropic 1 rounds 1 calls");
    }
}

#[tokio::test]
async fn where_chunks_are_cut_makes_no_difference() {
    let rounds =
        [vec![thinking(1), text("Let me look. "), ours(1)], vec![thinking(2), text("It b\u{f6}rke.")]];
    let (_, expected) = say(&rounds, true).await;
    for size in 1..40 {
        let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&stream(n, blocks)).cut(size));
        let answer = setup().says(says.collect::<Vec<_>>()).send(ASK).await;
        assert_eq!(answer.body, expected.body, "{size}");
    }
}

#[tokio::test]
async fn every_event_passes_in_the_poll_in_which_it_is_complete() {
    let stream = stream(1, &[text("one two three four "), ours(1)]);
    let events: Vec<_> = stream.split_inclusive("\n\n").collect();
    let mut say = Say::events("");
    say.chunks = events.iter().map(|event| bytes::Bytes::copy_from_slice(event.as_bytes())).collect();
    let answer =
        setup().says([say, Say::events(&super::anthropic::stream(2, &[text("done")]))]).send(ASK).await;
    let passed: Vec<_> = events.iter().take_while(|event| !event.contains("tool_use")).collect();
    for (frame, event) in answer.frames.iter().zip(passed) {
        assert_eq!(frame, event.as_bytes());
    }
}

#[tokio::test]
async fn several_calls_of_a_round_are_answered_together_and_repeats_are_short() {
    let repeat =
        json!({"type":"tool_use","id":"toolu_again","name":"headroom_retrieve","input":ours(1)["input"]});
    let unknown = json!({"type":"tool_use","id":"toolu_x","name":"headroom_retrieve","input":{"hash":"aaaaaaaaaaaaaaaa"}});
    for streaming in [true, false] {
        let rounds = [vec![ours(1), repeat.clone(), unknown.clone()], vec![text("done")]];
        let (setup, answer) = say(&rounds, streaming).await;
        assert_eq!(read(&answer, streaming)["content"], json!([text("done")]));
        let second: Value = serde_json::from_str(&setup.got()[1].body).unwrap();
        let results = second["messages"][2]["content"].as_array().unwrap();
        assert_eq!(results.len(), 3);
        assert_eq!(results[1]["content"], "This was already shown above.");
        assert!(results[2]["content"].as_str().unwrap().starts_with("Nothing is kept under"));
    }
}

#[tokio::test]
async fn a_model_that_does_not_stop_calling_is_stopped() {
    for streaming in [true, false] {
        let rounds: Vec<_> = (1..=8).map(|n| vec![text(&format!("try {n} ")), ours(n)]).collect();
        let (setup, answer) = say(&rounds, streaming).await;
        let message = read(&answer, streaming);
        assert_eq!(message["stop_reason"], "end_turn");
        assert_eq!(message["content"].as_array().unwrap().len(), 8);
        assert_eq!((setup.got().len(), setup.left()), (8, 0));
        let last: Value = serde_json::from_str(&setup.got()[7].body).unwrap();
        let result = last["messages"].as_array().unwrap().last().unwrap()["content"][0]["content"].clone();
        assert!(result.as_str().unwrap().contains("limit"), "{result}");
        assert!(setup.recorder.events().last().unwrap().ends_with("gave up"));
    }
}

#[tokio::test]
async fn mixed_calls_need_no_further_request_and_are_completed_in_the_next() {
    for streaming in [true, false] {
        let id = "toolu_01A09q90qw90lq917835lq9Z";
        let blocks = vec![thinking(1), ours(1), bash(id)];
        let (setup, answer) = say(std::slice::from_ref(&blocks), streaming).await;
        let message = read(&answer, streaming);
        assert_eq!(message["content"], json!([thinking(1), bash(id)]));
        assert_eq!(message["stop_reason"], "tool_use");
        assert_eq!(setup.take_got().len(), 1);

        // The client runs its tool and goes on; it normalises what it was told, and that stands.
        let result = json!({"type":"tool_result","tool_use_id":id,"content":"a.txt"});
        let mut next: Value = serde_json::from_str(ASK).unwrap();
        let mut changed = bash(id);
        changed["input"] = json!({"command": "ls x"});
        next["messages"].as_array_mut().unwrap().extend([
            json!({"role":"assistant","content":[thinking(1), changed.clone()]}),
            json!({"role":"user","content":[result]}),
        ]);
        let setup = setup.says([Say::events(&stream(2, &[text("done")]))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
        assert_eq!(sent["messages"][1]["content"], json!([thinking(1), ours(1), changed]));
        let results = sent["messages"][2]["content"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        assert_eq!(results[0]["tool_use_id"], "toolu_own1");
        assert_eq!(results[1], result);
    }
}

/// Asks again with the client's copy of what it was told.
pub(super) fn follow_up(message: &Value, more: &str) -> Value {
    let mut next: Value = serde_json::from_str(ASK).unwrap();
    next["messages"].as_array_mut().unwrap().extend([
        json!({"role":"assistant","content":message["content"]}),
        json!({"role":"user","content":more}),
    ]);
    next
}

#[tokio::test]
async fn hidden_rounds_are_put_back_where_they_were() {
    for streaming in [true, false] {
        for thinks in [true, false] {
            let mut rounds = [vec![text("Let me look. "), ours(1)], vec![text("It broke.")]];
            if thinks {
                rounds[0].insert(0, thinking(1));
                rounds[1].insert(0, thinking(2));
            }
            let (setup, answer) = say(&rounds, streaming).await;
            let hidden: Value = serde_json::from_str(&setup.take_got()[1].body).unwrap();
            let next = follow_up(&read(&answer, streaming), "and then?");
            let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
            setup.send(&next.to_string()).await;
            let sent: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
            let messages = sent["messages"].as_array().unwrap();
            assert_eq!(messages[..3], hidden["messages"].as_array().unwrap()[..3]);
            assert_eq!(messages[3], json!({"role":"assistant","content":rounds[1]}));
            assert_eq!(messages[4], json!({"role":"user","content":"and then?"}));

            // A fork from before the answer has nothing to put back.
            let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
            setup.send(ASK).await;
            let fork: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
            assert_eq!(fork["messages"].as_array().unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_client_that_takes_thinking_out_does_not_get_it_back_in() {
    let rounds = [
        vec![thinking(1), text("Let me look. "), ours(1)],
        vec![thinking(2), bash("toolu_bash_with_a_long_id")],
    ];
    let (setup, answer) = say(&rounds, true).await;
    setup.take_got();
    let mut message = read(&answer, true);
    message["content"].as_array_mut().unwrap().retain(|block| block["type"] != "thinking");
    let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
    setup.send(&follow_up(&message, "x").to_string()).await;
    let sent = &setup.got()[0].body;
    assert!(sent.contains("toolu_own1") && !sent.contains("sig1") && !sent.contains("sig2"), "{sent}");
}

#[tokio::test]
async fn a_cache_marker_on_the_copy_stays_on_what_takes_its_place() {
    let rounds = [vec![text("Let me look. "), ours(1)], vec![text("It broke.")]];
    let (setup, answer) = say(&rounds, true).await;
    setup.take_got();
    let mut message = read(&answer, true);
    message["content"][1]["cache_control"] = json!({"type":"ephemeral"});
    let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
    setup.send(&follow_up(&message, "x").to_string()).await;
    let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
    let last = sent["messages"][3]["content"].as_array().unwrap().last().unwrap();
    assert_eq!(last["cache_control"]["type"], "ephemeral");
    assert_eq!(setup.got()[0].body.matches("cache_control").count(), 1);
}

#[tokio::test]
async fn a_call_cut_off_by_the_token_limit_is_no_call() {
    let stream = stream_until(1, &[text("Let me "), ours(1)], "max_tokens");
    let setup = setup().says([Say::events(&stream)]);
    let answer = setup.send(ASK).await;
    let message = accumulate(&answer.body);
    assert_eq!(message["stop_reason"], "max_tokens");
    assert_eq!(message["content"], json!([text("Let me ")]));
    assert_eq!(setup.got().len(), 1);
}

#[tokio::test]
async fn a_refusal_in_a_hidden_round_is_told() {
    let error =
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"},"request_id":"q"}"#;
    let first = vec![text("Let me look. "), ours(1)];
    let setup = setup().says([Say::events(&stream(1, &first)), Say::json(error).status(400)]);
    let answer = setup.send(ASK).await;
    let last = data(&answer.body).pop().unwrap();
    assert_eq!(last, json!({"type":"error","error":{"type":"invalid_request_error","message":"no"}}));
    assert!(answer.body.contains("event: error\n"));

    let setup = self::setup().says([Say::json(&whole(1, &first)), Say::json(error).status(400)]);
    let answer = setup.send(&ASK.replace("\"stream\":true,", "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (400, error));
}

#[tokio::test(start_paused = true)]
async fn a_busy_provider_is_asked_again() {
    let first = vec![text("Let me look. "), ours(1)];
    let busy = Say::json("{}").status(529);
    let limited = Say::json("{}").status(429).header("retry-after", "3");
    let last = Say::events(&stream(2, &[text("done")]));
    let setup = setup().says([Say::events(&stream(1, &first)), busy.clone(), limited, last]);
    let answer = setup.send(ASK).await;
    assert_eq!(accumulate(&answer.body)["content"], json!([text("Let me look. "), text("done")]));
    assert_eq!(setup.got().len(), 4);

    let never = Say::json("{}").status(529).header("x-should-retry", "false");
    let setup = self::setup().says([Say::events(&stream(1, &first)), never]);
    let answer = setup.send(ASK).await;
    assert_eq!(data(&answer.body).pop().unwrap()["error"]["type"], "overloaded_error");
}

#[tokio::test]
async fn a_hidden_round_that_breaks_off_is_told() {
    let first = Say::events(&stream(1, &[text("Let me look. "), ours(1)]));
    let second = stream(2, &[text("It broke.")]);
    let cut = &second[..second.find("message_delta").unwrap() - 7];
    let answer = setup().says([first.clone(), Say::events(cut)]).send(ASK).await;
    assert_eq!(data(&answer.body).pop().unwrap()["type"], "error");
    let answer = setup().says([first, Say::events(cut).breaks()]).send(ASK).await;
    assert_eq!(answer.error.as_deref(), Some("reset"));
}

#[tokio::test]
async fn an_error_event_in_the_first_round_passes() {
    let mut stream = stream(1, &[text("Let me look. ")]);
    stream.truncate(stream.find("event: message_delta").unwrap());
    stream.push_str("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n");
    let answer = setup().says([Say::events(&stream)]).send(ASK).await;
    assert_eq!(answer.body, stream);
}

#[tokio::test]
async fn structured_answers_hold_the_text_of_the_last_round_only() {
    for streaming in [true, false] {
        let rounds =
            [vec![thinking(1), text("{\"half\":"), ours(1)], vec![thinking(2), text("{\"whole\":1}")]];
        let says = rounds.iter().zip(1..).map(|(blocks, n)| {
            if streaming { Say::events(&stream(n, blocks)) } else { Say::json(&whole(n, blocks)) }
        });
        let setup = setup().says(says.collect::<Vec<_>>());
        let ask =
            ASK.replace("\"model\"", "\"output_config\":{\"format\":{\"type\":\"json_schema\"}},\"model\"");
        let ask = if streaming { ask } else { ask.replace("\"stream\":true,", "") };
        let message = read(&setup.send(&ask).await, streaming);
        assert_eq!(message["content"], json!([thinking(1), thinking(2), text("{\"whole\":1}")]));
    }
}

#[tokio::test]
async fn what_cannot_be_repeated_ends_the_turn() {
    let mut first = stream(1, &[text("Let me look. "), ours(1)]);
    first = first.replace("\"type\":\"text_delta\"", "\"type\":\"novel_delta\"");
    let setup = setup().says([Say::events(&first)]);
    let answer = setup.send(ASK).await;
    assert_eq!(data(&answer.body).iter().rev().nth(1).unwrap()["delta"]["stop_reason"], "end_turn");
    assert_eq!(setup.got().len(), 1);
    assert!(!answer.body.contains("headroom_retrieve"));
}

#[tokio::test]
async fn a_refused_rewrite_is_sent_as_it_came_and_the_conversation_stays_so() {
    let refusal = Say::json(r#"{"type":"error","error":{"type":"invalid_request_error"}}"#).status(400);
    let fine = Say::events(&stream(1, &[text("fine")]));
    let next = follow_up(&json!({"content":"what happened?"}), "go on").to_string();
    let setup = setup().says([refusal.clone(), fine.clone(), fine.clone(), fine.clone()]);
    let answer = setup.send(&next).await;
    assert_eq!(answer.body, stream(1, &[text("fine")]));
    let got = setup.take_got();
    assert!(got[0].body.contains("headroom_retrieve"));
    assert_eq!(got[1].body, next);
    assert_eq!(got[1].head.headers["accept-encoding"], "gzip, br");

    let mut later: Value = serde_json::from_str(&next).unwrap();
    later["messages"].as_array_mut().unwrap().extend([
        json!({"role":"assistant","content":"fine"}),
        json!({"role":"user","content":[{"type":"text","text":"and then?"}]}),
    ]);
    setup.send(&later.to_string()).await;
    assert_eq!(setup.take_got()[0].body, later.to_string());
    let other = next.replace("go on", "another conversation");
    setup.send(&other).await;
    assert!(setup.take_got()[0].body.contains("headroom_retrieve"));
    let events = setup.recorder.events();
    assert!(events.contains(&"fell back anthropic 400 accepted".to_owned()), "{events:?}");
    assert!(events.contains(&"skipped rejected".to_owned()), "{events:?}");
}

#[tokio::test]
async fn a_refusal_of_a_first_request_is_none_of_other_conversations_with_the_same_prompt() {
    let refusal = Say::json(r#"{"type":"error","error":{"type":"invalid_request_error"}}"#).status(400);
    let fine = Say::events(&stream(1, &[text("fine")]));
    let setup = setup().says([refusal.clone(), fine.clone(), fine.clone()]);
    setup.send(ASK).await;
    assert_eq!(setup.take_got().len(), 2);
    setup.send(ASK).await;
    assert!(setup.take_got()[0].body.contains("headroom_retrieve"), "the layer is on");
}

#[tokio::test]
async fn a_request_that_is_refused_either_way_is_not_remembered() {
    let refusal = Say::json(r#"{"type":"error"}"#).status(400);
    let fine = Say::events(&stream(1, &[text("fine")]));
    let setup = setup().says([refusal.clone(), refusal, fine]);
    assert_eq!(setup.send(ASK).await.status, 400);
    setup.take_got();
    setup.send(ASK).await;
    assert!(setup.take_got()[0].body.contains("headroom_retrieve"));
}

#[tokio::test]
async fn other_failures_pass_as_they_are() {
    for status in [401, 404, 429, 500, 529] {
        let setup = setup().says([Say::json("{\"type\":\"error\"}").status(status)]);
        let answer = setup.send(ASK).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, "{\"type\":\"error\"}"));
        assert_eq!(setup.got().len(), 1);
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_takes_its_rounds_with_it() {
    use http_body_util::BodyExt;

    let setup = setup().says([Say::events(&stream(1, &[text("Let me look. "), ours(1)]))]);
    let response = setup.open(ASK).await;
    let mut body = Box::pin(response.into_body());
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(setup.got().len(), 1, "the provider is not asked for what nobody reads");
}
