//! Gemini.

use std::fmt::Write;

use serde_json::{Value, json};

use super::support::{Answer, Say, Setup, data, handle};

pub(super) const ASK: &str = r#"{"tools":[{"functionDeclarations":[{"name":"shell"}]}],"contents":[{"role":"user","parts":[{"text":"what happened?"}]}]}"#;
pub(super) const STREAM: &str = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse";
pub(super) const WHOLE: &str = "/v1beta/models/gemini-x:generateContent";

pub(super) fn text(text: &str) -> Value {
    json!({"text":text})
}

pub(super) fn ours(n: usize) -> Value {
    json!({"functionCall":{"name":"headroom_retrieve","args":{"hash":handle().to_string(),"lines":"2","n":n}},
        "thoughtSignature":format!("own{n}")})
}

pub(super) fn shell(signature: Option<&str>) -> Value {
    let mut part = json!({"functionCall":{"name":"shell","args":{"command":"ls"}}});
    if let Some(signature) = signature {
        part["thoughtSignature"] = json!(signature);
    }
    part
}

fn usage(n: usize) -> Value {
    json!({"promptTokenCount":100*n,"candidatesTokenCount":10,"thoughtsTokenCount":1,"totalTokenCount":100*n+11})
}

pub(super) fn whole(n: usize, parts: &[Value]) -> String {
    json!({"candidates":[{"content":{"parts":parts,"role":"model"},"finishReason":"STOP","index":0}],
        "usageMetadata":usage(n),"responseId":format!("r{n}")})
    .to_string()
}

/// One part a chunk, the finish with the last.
pub(super) fn stream(n: usize, parts: &[Value]) -> String {
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        let mut chunk = json!({"candidates":[{"content":{"parts":[part],"role":"model"},"index":0}],
            "usageMetadata":usage(n),"responseId":format!("r{n}")});
        if at + 1 == parts.len() {
            chunk["candidates"][0]["finishReason"] = json!("STOP");
        }
        let _ = write!(out, "data: {chunk}\r\n\r\n");
    }
    out
}

async fn say(rounds: &[Vec<Value>], streaming: bool) -> (Setup, Answer) {
    let says = rounds.iter().zip(1..).map(|(parts, n)| {
        if streaming { Say::events(&stream(n, parts)) } else { Say::json(&whole(n, parts)) }
    });
    let setup = Setup::new(if streaming { STREAM } else { WHOLE }).says(says.collect::<Vec<_>>());
    let answer = setup.send(ASK).await;
    (setup, answer)
}

/// All parts, the finish and the usage.
pub(super) fn read(answer: &Answer, streaming: bool) -> (Vec<Value>, Value, Value) {
    let chunks =
        if streaming { data(&answer.body) } else { vec![serde_json::from_str(&answer.body).unwrap()] };
    let mut parts = Vec::new();
    let (mut finish, mut usage) = (Value::Null, Value::Null);
    for chunk in chunks {
        assert!(finish.is_null(), "one finish");
        if streaming {
            assert_eq!(chunk["responseId"], "r1");
        }
        let candidate = &chunk["candidates"][0];
        parts.extend(candidate["content"]["parts"].as_array().unwrap().clone());
        finish = candidate["finishReason"].clone();
        usage = chunk["usageMetadata"].clone();
    }
    (parts, finish, usage)
}

#[tokio::test]
async fn an_answer_without_our_calls_passes_byte_for_byte() {
    for parts in [vec![text("All "), text("is well.")], vec![text("x"), shell(Some("s"))]] {
        for streaming in [true, false] {
            let (setup, answer) = say(std::slice::from_ref(&parts), streaming).await;
            assert_eq!(answer.body, if streaming { stream(1, &parts) } else { whole(1, &parts) });
            assert!(setup.got()[0].body.contains("headroom_retrieve"));
        }
    }
}

#[tokio::test]
async fn a_client_that_fills_in_signatures_and_ids_keeps_its_exchange() {
    let mut call = ours(1);
    call.as_object_mut().unwrap().remove("thoughtSignature");
    let rounds = [vec![text("Let me look closer."), call], vec![text("Once more."), shell(None)]];
    let (setup, answer) = say(&rounds, true).await;
    let (parts, ..) = read(&answer, true);
    assert_eq!(parts, [text("Let me look closer."), text("Once more."), shell(None)]);
    let hidden: Value = serde_json::from_str(&setup.take_got()[1].body).unwrap();

    // Gemini CLI joins texts, makes ids up, and marks calls that came without a signature.
    let mut copy = shell(Some("skip_thought_signature_validator"));
    copy["functionCall"]["id"] = json!("shell_1795983657834_0");
    let mut next: Value = serde_json::from_str(ASK).unwrap();
    next["contents"].as_array_mut().unwrap().extend([
        json!({"role":"model","parts":[text("Let me look closer.Once more."), copy]}),
        json!({"role":"user","parts":[{"functionResponse":{"name":"shell","response":{"output":"ok"}}}]}),
    ]);
    let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
    setup.send(&next.to_string()).await;
    let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
    assert_eq!(sent["contents"].as_array().unwrap()[..3], hidden["contents"].as_array().unwrap()[..3]);
    assert_eq!(sent["contents"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_call_is_answered_and_the_client_sees_one_answer() {
    for streaming in [true, false] {
        let rounds = [vec![text("Look. "), ours(1)], vec![text("It "), text("broke.")]];
        let (setup, answer) = say(&rounds, streaming).await;
        assert!(!answer.body.contains("headroom_retrieve"));
        let (parts, finish, usage) = read(&answer, streaming);
        assert_eq!(parts, [text("Look. "), text("It "), text("broke.")]);
        assert_eq!(finish, "STOP");
        let expected = json!({"promptTokenCount":200,"candidatesTokenCount":20,"thoughtsTokenCount":2,"totalTokenCount":222});
        assert_eq!(usage, expected);
        let second: Value = serde_json::from_str(&setup.take_got()[1].body).unwrap();
        assert_eq!(second["contents"][1], json!({"role":"model","parts":rounds[0]}), "with its signature");
        let response = &second["contents"][2]["parts"][0]["functionResponse"];
        assert_eq!(response["name"], "headroom_retrieve");
        assert!(response["response"]["output"].as_str().unwrap().ends_with("\nsecond\n"));

        // The client joins texts.
        let mut next: Value = serde_json::from_str(ASK).unwrap();
        next["contents"].as_array_mut().unwrap().extend([
            json!({"role":"model","parts":[text("Look. It broke.")]}),
            json!({"role":"user","parts":[text("and then?")]}),
        ]);
        let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
        assert_eq!(sent["contents"].as_array().unwrap()[..3], second["contents"].as_array().unwrap()[..3]);
        assert_eq!(sent["contents"][3]["parts"], json!(rounds[1]));
        assert_eq!(sent["contents"][4]["parts"][0], text("and then?"));
    }
}

#[tokio::test]
async fn a_server_that_names_the_call_as_its_finish_waits_for_the_answer_too() {
    for (first, last) in [
        (stream(1, &[text("Look. "), ours(1)]), stream(2, &[text("It broke.")])),
        (whole(1, &[text("Look. "), ours(1)]), whole(2, &[text("It broke.")])),
    ] {
        let (first, streaming) = (first.replace("STOP", "FUNCTION_CALL"), first.starts_with("data"));
        let say = |body: &str| if streaming { Say::events(body) } else { Say::json(body) };
        let setup = Setup::new(if streaming { STREAM } else { WHOLE }).says([say(&first), say(&last)]);
        let (parts, finish, _) = read(&setup.send(ASK).await, streaming);
        assert_eq!((parts, finish), (vec![text("Look. "), text("It broke.")], json!("STOP")));
    }
}

#[tokio::test]
async fn where_chunks_are_cut_makes_no_difference() {
    let rounds = [vec![text("L\u{f6}\u{f6}k. "), ours(1)], vec![text("It "), shell(Some("s"))]];
    let (_, expected) = say(&rounds, true).await;
    for size in 1..40 {
        let says = rounds.iter().zip(1..).map(|(parts, n)| Say::events(&stream(n, parts)).cut(size));
        let answer = Setup::new(STREAM).says(says.collect::<Vec<_>>()).send(ASK).await;
        assert_eq!(answer.body, expected.body, "{size}");
    }
}

#[tokio::test]
async fn mixed_calls_get_their_signature_back_in_the_next_request() {
    for streaming in [true, false] {
        // The first call of a set has the signature for all.
        let parts = vec![ours(1), shell(None)];
        let (setup, answer) = say(std::slice::from_ref(&parts), streaming).await;
        let (visible, finish, _) = read(&answer, streaming);
        // The client's call has it too, so that it can be sent back also where ours is lost.
        let shown = shell(Some("own1"));
        assert_eq!((&visible, finish), (&vec![shown.clone()], json!("STOP")));
        assert_eq!(setup.take_got().len(), 1);
        let mut next: Value = serde_json::from_str(ASK).unwrap();
        let response = json!({"functionResponse":{"name":"shell","response":{"output":"a.txt"}}});
        next["contents"]
            .as_array_mut()
            .unwrap()
            .extend([json!({"role":"model","parts":[shown]}), json!({"role":"user","parts":[response]})]);
        let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
        assert_eq!(sent["contents"][1]["parts"], json!(parts));
        let responses = sent["contents"][2]["parts"].as_array().unwrap();
        assert_eq!(responses.len(), 2);
        assert_eq!(responses[0]["functionResponse"]["name"], "headroom_retrieve");
        assert_eq!(responses[1], response);
    }
}

#[tokio::test]
async fn streams_that_are_no_events_and_cached_contents_are_not_served() {
    let setup = Setup::new("/v1beta/models/gemini-x:streamGenerateContent").says([Say::json("[]")]);
    assert_eq!(setup.send(ASK).await.body, "[]");
    assert!(!setup.got()[0].body.contains("headroom_retrieve"));
    let setup = Setup::new(WHOLE).says([Say::json("{}")]);
    setup.send(&ASK.replace("{\"tools\"", "{\"cachedContent\":\"c\",\"tools\"")).await;
    assert!(!setup.got()[0].body.contains("headroom_retrieve"));
    let setup = Setup::new(STREAM).says([Say::events("")]);
    let in_pieces = r#"{"toolConfig":{"functionCallingConfig":{"streamFunctionCallArguments":true}},"tools""#;
    setup.send(&ASK.replace("{\"tools\"", in_pieces)).await;
    assert!(!setup.got()[0].body.contains("headroom_retrieve"));
}

#[tokio::test]
async fn a_failure_in_a_hidden_round_is_told() {
    let first = Say::events(&stream(1, &[ours(1)]));
    let error = Say::json("{\n \"error\": {\n \"code\": 400, \"message\": \"no\" }\n}").status(400);
    let answer = Setup::new(STREAM).says([first, error]).send(ASK).await;
    assert_eq!(answer.body, "data: {\"error\":{\"code\":400,\"message\":\"no\"}}\r\n\r\n");
}
