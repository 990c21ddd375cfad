//! Streams and whole answers of one exchange.

use super::*;

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
    let answer = setup().says([say, Say::events(&super::stream(2, &[text("done")]))]).send(ASK).await;
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
