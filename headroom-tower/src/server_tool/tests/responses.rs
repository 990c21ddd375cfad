//! OpenAI Responses.

use std::fmt::Write;

use serde_json::{Value, json};

use super::support::{Answer, Say, Setup, handle};

pub(super) const ASK: &str = r#"{"model":"gpt-x","stream":true,"store":false,"tools":[{"type":"function","name":"shell"}],"input":[{"type":"message","role":"user","content":"what happened?"}]}"#;

fn setup() -> Setup {
    Setup::new("/v1/responses")
}

/// As the provider makes them: nobody else has one.
fn id(n: usize) -> String {
    format!("resp_{n}a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5")
}

pub(super) fn ours(n: usize) -> Value {
    let arguments = json!({"hash":handle().to_string(),"lines":"2","n":n}).to_string();
    json!({"type":"function_call","id":format!("fc_{n}"),"call_id":format!("call_own{n}"),"name":"headroom_retrieve","arguments":arguments,"status":"completed"})
}

pub(super) fn shell() -> Value {
    json!({"type":"function_call","id":"fc_s","call_id":"call_0123456789abcdefghij","name":"shell","arguments":"{\"c\":\"ls\"}","status":"completed"})
}

fn reasoning(n: usize) -> Value {
    json!({"type":"reasoning","id":format!("rs_{n}"),"summary":[],"encrypted_content":format!("enc{n}")})
}

pub(super) fn message(text: &str) -> Value {
    json!({"type":"message","id":"msg","role":"assistant","status":"completed","content":[{"type":"output_text","text":text,"annotations":[]}]})
}

pub(super) fn response(n: usize, status: &str, items: &[Value]) -> Value {
    json!({"id":id(n),"object":"response","status":status,"output":items,
        "usage":{"input_tokens":100*n,"output_tokens":10,"total_tokens":100*n+10}})
}

pub(super) fn stream(n: usize, items: &[Value]) -> String {
    let mut out = String::new();
    let mut number = 0;
    let mut event = |mut data: Value| {
        data["sequence_number"] = json!(number);
        number += 1;
        let _ = write!(out, "event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    };
    for kind in ["created", "in_progress"] {
        event(json!({"type":format!("response.{kind}"),"response":response(n, "in_progress", &[])}));
    }
    for (index, item) in items.iter().enumerate() {
        let mut begun = item.clone();
        if begun["type"] == "function_call" {
            begun["arguments"] = json!("");
        }
        event(json!({"type":"response.output_item.added","output_index":index,"item":begun}));
        match item["type"].as_str().unwrap() {
            "function_call" => {
                event(
                    json!({"type":"response.function_call_arguments.delta","output_index":index,"delta":item["arguments"]}),
                );
                event(
                    json!({"type":"response.function_call_arguments.done","output_index":index,"arguments":item["arguments"]}),
                );
            }
            "message" => {
                event(
                    json!({"type":"response.output_text.delta","output_index":index,"content_index":0,"delta":item["content"][0]["text"]}),
                );
            }
            _ => {}
        }
        event(json!({"type":"response.output_item.done","output_index":index,"item":item}));
    }
    event(json!({"type":"response.completed","response":response(n, "completed", items)}));
    out
}

/// A strict client: the final response, with the rules of the official SDKs.
pub(super) fn accumulate(stream: &str) -> Value {
    let (mut id, mut last, mut next) = (Value::Null, Value::Null, 0);
    let mut items: Vec<Value> = Vec::new();
    for event in stream.split("\n\n").filter(|event| !event.is_empty() && !event.starts_with(':')) {
        let data: Value =
            serde_json::from_str(event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap())
                .unwrap();
        assert!(last.is_null(), "nothing comes behind the end");
        assert_eq!(data["sequence_number"], next, "numbers are dense");
        next += 1;
        let kind = data["type"].as_str().unwrap();
        if kind == "response.created" {
            assert!(id.is_null(), "one response.created");
            id = data["response"]["id"].clone();
        }
        if data.get("response").is_some() {
            assert_eq!(data["response"]["id"], id, "one id");
        }
        match kind {
            "response.output_item.added" => {
                assert_eq!(data["output_index"], items.len(), "indexes are dense");
                items.push(Value::Null);
            }
            "response.output_item.done" => {
                items[data["output_index"].as_u64().unwrap() as usize] = data["item"].clone();
            }
            "response.completed" => last = data["response"].clone(),
            _ => {}
        }
    }
    assert_eq!(last["output"], json!(items));
    last
}

async fn say(ask: &str, rounds: &[Vec<Value>], streaming: bool) -> (Setup, Answer) {
    let says = rounds.iter().zip(1..).map(|(items, n)| {
        if streaming {
            Say::events(&stream(n, items))
        } else {
            Say::json(&response(n, "completed", items).to_string())
        }
    });
    let setup = setup().says(says.collect::<Vec<_>>());
    let ask = if streaming { ask.to_owned() } else { ask.replace("\"stream\":true,", "") };
    let answer = setup.send(&ask).await;
    (setup, answer)
}

pub(super) fn read(answer: &Answer, streaming: bool) -> Value {
    if streaming { accumulate(&answer.body) } else { serde_json::from_str(&answer.body).unwrap() }
}

#[tokio::test]
async fn an_answer_without_our_calls_passes_byte_for_byte() {
    for items in [vec![reasoning(1), message("All is well."), shell()], vec![message("x")]] {
        let (setup, answer) = say(ASK, std::slice::from_ref(&items), true).await;
        assert_eq!(answer.body, stream(1, &items));
        assert!(setup.got()[0].body.contains("headroom_retrieve"));
        let (_, answer) = say(ASK, std::slice::from_ref(&items), false).await;
        assert_eq!(answer.body, response(1, "completed", &items).to_string());
    }
}

#[tokio::test]
async fn a_call_is_answered_and_the_client_sees_one_answer() {
    for streaming in [true, false] {
        let rounds =
            [vec![reasoning(1), message("Look. "), ours(1)], vec![reasoning(2), message("It broke.")]];
        let (setup, answer) = say(ASK, &rounds, streaming).await;
        assert!(!answer.body.contains("headroom_retrieve"));
        let answer = read(&answer, streaming);
        let visible = [reasoning(1), message("Look. "), reasoning(2), message("It broke.")];
        assert_eq!(answer["output"], json!(visible));
        let usage = json!({"input_tokens":200,"output_tokens":20,"total_tokens":220});
        assert_eq!(answer["usage"], usage);
        let second: Value = serde_json::from_str(&setup.take_got()[1].body).unwrap();
        let input = second["input"].as_array().unwrap();
        assert_eq!(input[1..4], rounds[0]);
        assert_eq!(input[4]["call_id"], "call_own1");
        assert!(input[4]["output"].as_str().unwrap().ends_with("\nsecond\n"));

        let mut next: Value = serde_json::from_str(ASK).unwrap();
        let list = next["input"].as_array_mut().unwrap();
        list.extend(visible);
        list.push(json!({"type":"message","role":"user","content":"and then?"}));
        let setup = setup.says([Say::events(&stream(3, &[message("done")]))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
        let sent = sent["input"].as_array().unwrap();
        assert_eq!(sent[..5], input[..5]);
        assert_eq!(sent[5..7], rounds[1]);
        assert_eq!(sent[7]["content"], "and then?");
    }
}

#[tokio::test]
async fn where_chunks_are_cut_makes_no_difference() {
    let rounds = [vec![reasoning(1), ours(1)], vec![message("It b\u{f6}rke."), shell()]];
    let (_, expected) = say(ASK, &rounds, true).await;
    for size in 1..40 {
        let says = rounds.iter().zip(1..).map(|(items, n)| Say::events(&stream(n, items)).cut(size));
        let answer = setup().says(says.collect::<Vec<_>>()).send(ASK).await;
        assert_eq!(answer.body, expected.body, "{size}");
    }
}

#[tokio::test]
async fn mixed_calls_need_no_further_request_and_are_completed_in_the_next() {
    for streaming in [true, false] {
        let items = vec![reasoning(1), ours(1), shell()];
        let (setup, answer) = say(ASK, std::slice::from_ref(&items), streaming).await;
        let answer = read(&answer, streaming);
        assert_eq!(answer["output"], json!([reasoning(1), shell()]));
        assert_eq!(setup.take_got().len(), 1);
        let output = json!({"type":"function_call_output","call_id":shell()["call_id"],"output":"a.txt"});

        // A client without state on the provider's side.
        let mut next: Value = serde_json::from_str(ASK).unwrap();
        next["input"].as_array_mut().unwrap().extend([reasoning(1), shell(), output.clone()]);
        let setup = setup.says([Say::events(&stream(2, &[message("done")]))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
        let sent = sent["input"].as_array().unwrap();
        assert_eq!(sent[1..4], items);
        assert_eq!((&sent[4]["call_id"], &sent[5]), (&json!("call_own1"), &output));

        // One that names the answer it goes on from.
        let mut next: Value = serde_json::from_str(ASK).unwrap();
        next["previous_response_id"] = json!(id(1));
        next["input"] = json!([output]);
        let setup = setup.says([Say::events(&stream(2, &[message("done")]))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
        assert_eq!(sent["previous_response_id"], id(1));
        assert_eq!(sent["input"][0]["call_id"], "call_own1");
        assert_eq!(sent["input"][1], output);
    }
}

#[tokio::test]
async fn who_goes_on_from_an_answer_goes_on_from_its_end() {
    let ask = ASK
        .replace("\"store\":false,", "")
        .replace(r#"[{"type":"message","role":"user","content":"what happened?"}]"#, r#""what happened?""#);
    let rounds = [vec![ours(1)], vec![message("It broke.")]];
    let (setup, answer) = say(&ask, &rounds, true).await;
    assert_eq!(accumulate(&answer.body)["id"], id(1));
    let second: Value = serde_json::from_str(&setup.take_got()[1].body).unwrap();
    assert_eq!(second["input"][0], json!({"type":"message","role":"user","content":"what happened?"}));
    assert_eq!(second["input"].as_array().unwrap().len(), 3);
    let next = json!({"model":"gpt-x","stream":true,"tools":[{"type":"function","name":"shell"}],"previous_response_id":id(1),"input":"go on"});
    let setup = setup.says([Say::events(&stream(3, &[message("done")]))]);
    setup.send(&next.to_string()).await;
    let sent: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
    assert_eq!((&sent["previous_response_id"], &sent["input"]), (&json!(id(2)), &json!("go on")));
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_final() {
    let stream = stream(1, &[message("Look. "), ours(1)])
        .replace("event: response.completed", "event: response.incomplete")
        .replace("\"type\":\"response.completed\"", "\"type\":\"response.incomplete\"");
    let setup = setup().says([Say::events(&stream)]);
    let answer = setup.send(ASK).await;
    assert_eq!(setup.got().len(), 1);
    assert!(answer.body.contains("event: response.incomplete") && !answer.body.contains("headroom_retrieve"));
}

#[tokio::test]
async fn structured_answers_hold_the_text_of_the_last_round_only() {
    for streaming in [true, false] {
        let ask = ASK.replace("\"model\"", "\"text\":{\"format\":{\"type\":\"json_schema\"}},\"model\"");
        let rounds = [vec![reasoning(1), message("{\"half\":"), ours(1)], vec![message("{}")]];
        let (_, answer) = say(&ask, &rounds, streaming).await;
        assert_eq!(read(&answer, streaming)["output"], json!([reasoning(1), message("{}")]));
    }
}

#[tokio::test]
async fn a_failure_in_a_hidden_round_is_told() {
    let first = Say::events(&stream(1, &[message("Look. "), ours(1)]));
    let error = Say::json(r#"{"error":{"message":"no","type":"invalid","code":"bad"}}"#).status(400);
    let answer = setup().says([first, error]).send(ASK).await;
    let last = answer.body.trim_end().lines().last().unwrap();
    assert!(last.starts_with(r#"data: {"type":"error","code":"bad","message":"no","#), "{last}");
}
