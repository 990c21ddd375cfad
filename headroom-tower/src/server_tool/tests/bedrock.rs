//! Anthropic's models at Bedrock and Vertex.

use serde_json::{Value, json};

use super::{
    anthropic::{accumulate, bash, ours, stream, text, thinking, whole},
    frames::{exception, framed, unframed},
    support::{Answer, Say, Setup},
};

const STREAM: &str = "/model/anthropic.claude-x-v1%3A0/invoke-with-response-stream";
const WHOLE: &str = "/model/anthropic.claude-x-v1%3A0/invoke";
const ASK: &str = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"tools":[{"name":"Bash","input_schema":{}}],"messages":[{"role":"user","content":"what happened?"}]}"#;

fn rounds() -> [Vec<Value>; 2] {
    [vec![thinking(1), text("Let me look. "), ours(1)], vec![thinking(2), text("It br\u{f6}ke.")]]
}

/// Bedrock sends no pings.
fn said(n: usize, blocks: &[Value]) -> String {
    stream(n, blocks).replace("event: ping\ndata: {\"type\":\"ping\"}\n\n", "")
}

fn frames(n: usize, blocks: &[Value]) -> Vec<u8> {
    framed(&said(n, blocks))
}

fn setup() -> Setup {
    Setup::new(STREAM)
}

fn read(answer: &Answer) -> Value {
    accumulate(&unframed(&answer.bytes()))
}

#[tokio::test]
async fn a_stream_without_our_calls_passes_byte_for_byte() {
    for blocks in [vec![thinking(1), text("All is well. "), bash("toolu_b")], vec![text("x")]] {
        for size in [1, 7, 100, 10_000] {
            let setup = setup().says([Say::frames(frames(1, &blocks)).cut(size)]);
            let answer = setup.send(ASK).await;
            assert_eq!(answer.bytes(), frames(1, &blocks));
            assert!(setup.got()[0].body.contains("headroom_retrieve"), "the tool was offered");
        }
    }
}

#[tokio::test]
async fn a_call_is_answered_and_the_client_sees_one_stream_of_frames() {
    let rounds = rounds();
    let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::frames(frames(n, blocks)));
    let setup = setup().says(says.collect::<Vec<_>>());
    let answer = setup.send(ASK).await;
    assert_eq!(answer.headers["content-type"], "application/vnd.amazon.eventstream");
    let message = read(&answer);
    assert_eq!(
        message["content"],
        json!([thinking(1), text("Let me look. "), thinking(2), text("It br\u{f6}ke.")])
    );
    assert_eq!(message["stop_reason"], "end_turn");
    assert_eq!(message["usage"]["input_tokens"], 200);
    assert!(!unframed(&answer.bytes()).contains("headroom_retrieve"));

    let got = setup.got();
    assert_eq!(got[1].head.uri.path(), STREAM);
    let second: Value = serde_json::from_str(&got[1].body).unwrap();
    assert_eq!(second["messages"][1], json!({"role":"assistant","content":rounds[0]}));
    assert_eq!(second["messages"][2]["content"][0]["tool_use_id"], "toolu_own1");
}

#[tokio::test]
async fn where_chunks_are_cut_makes_no_difference() {
    let streams: Vec<_> = rounds().iter().zip(1..).map(|(blocks, n)| frames(n, blocks)).collect();
    let expected = setup().says(streams.iter().cloned().map(Say::frames)).send(ASK).await;
    for size in (1..60).chain([501, 999]) {
        let says = streams.iter().map(|stream| Say::frames(stream.clone()).cut(size));
        let answer = setup().says(says.collect::<Vec<_>>()).send(ASK).await;
        assert_eq!(answer.bytes(), expected.bytes(), "{size}");
    }
}

#[tokio::test]
async fn failures_come_as_exceptions() {
    let first = || Say::frames(frames(1, &rounds()[0]));
    let busy = Say::json(r#"{"message":"Too many tokens"}"#).status(429).header("retry-after", "100");
    let answer = setup().says([first(), busy]).send(ASK).await;
    assert!(answer.bytes().ends_with(&exception("throttlingException", "Too many tokens")));

    // One that the provider sends in a later round is the only one.
    let own = exception("modelStreamErrorException", "it broke");
    let mut second = frames(2, &[text("It ")]);
    second.truncate(second.len() / 2);
    let whole_frames = {
        let mut at = 0;
        while let Some(length) = second.get(at..at + 4) {
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            if at + length > second.len() {
                break;
            }
            at += length;
        }
        at
    };
    second.truncate(whole_frames);
    second.extend(&own);
    let answer = setup().says([first(), Say::frames(second)]).send(ASK).await;
    assert!(answer.bytes().ends_with(&own));
    assert_eq!(unframed(&answer.bytes()).matches("event: exception").count(), 1);
}

#[tokio::test]
async fn what_is_no_frame_passes() {
    let mut garbled = frames(1, &[text("x"), ours(1)]);
    garbled[9] ^= 1;
    for size in [1, 11, 5000] {
        let answer = setup().says([Say::frames(garbled.clone()).cut(size)]).send(ASK).await;
        assert_eq!(answer.bytes(), garbled, "{size}");
    }
}

#[tokio::test]
async fn answers_in_one_piece_are_stitched_too() {
    let path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:rawPredict";
    for path in [WHOLE, path] {
        let says =
            rounds().iter().zip(1..).map(|(blocks, n)| Say::json(&whole(n, blocks))).collect::<Vec<_>>();
        let setup = Setup::new(path).says(says);
        let message: Value = serde_json::from_str(&setup.send(ASK).await.body).unwrap();
        assert_eq!(message["content"].as_array().unwrap().len(), 4, "{path}");
        assert_eq!(setup.got()[1].head.uri.path(), path);
    }
}

#[tokio::test]
async fn vertex_streams_server_sent_events() {
    let path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x:streamRawPredict";
    let says =
        rounds().iter().zip(1..).map(|(blocks, n)| Say::events(&stream(n, blocks))).collect::<Vec<_>>();
    let answer = Setup::new(path).says(says).send(ASK).await;
    assert_eq!(accumulate(&answer.body)["content"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn converse_is_not_served() {
    let ask = r#"{"toolConfig":{"tools":[{"toolSpec":{"name":"Bash"}}]},"messages":[{"role":"user","content":[{"text":"x"}]}]}"#;
    let setup = Setup::new("/model/m/converse-stream").says([Say::frames(b"any".to_vec())]);
    assert_eq!(setup.send(ask).await.bytes(), b"any");
    assert!(!setup.got()[0].body.contains("headroom_retrieve"));
}
