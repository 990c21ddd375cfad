//! Refusals, broken streams, and other ends.

use super::*;

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
