//! Streams in an encoding that nobody asked for.

use std::io::Write;

use bytes::Bytes;
use serde_json::json;

use super::{
    anthropic::{self, ASK, accumulate, ours, text},
    faults::{WIRES, failed},
    support::{Say, Setup},
};
use crate::test_support::encode;

const ENCODINGS: [(&str, &str); 5] =
    [("gzip", "gzip"), ("deflate", "deflate"), ("raw-deflate", "deflate"), ("br", "br"), ("zstd", "zstd")];

fn encoded(stream: &str, (codec, name): (&'static str, &'static str)) -> Say {
    let mut say = Say::events("").header("content-encoding", name);
    say.chunks = vec![encode(codec, stream.as_bytes()).into()];
    say
}

#[tokio::test]
async fn a_call_in_an_encoded_stream_is_answered() {
    for encoding in ENCODINGS {
        for wire in &WIRES {
            for cut in [1, 10, usize::MAX] {
                let plain = [Say::events(&(wire.calls)(1)), Say::events(&(wire.ends)())];
                let expected = Setup::new(wire.path).says(plain).send(wire.ask).await;
                let says = [(wire.calls)(1), (wire.ends)()].map(|stream| encoded(&stream, encoding).cut(cut));
                let setup = Setup::new(wire.path).says(says);
                let answer = setup.send(wire.ask).await;
                assert_eq!(answer.body, expected.body, "{encoding:?} {} {cut}", wire.name);
                assert!(!answer.headers.contains_key("content-encoding"));
                assert_eq!(setup.got().len(), 2);
            }
        }
    }
}

#[tokio::test]
async fn rounds_may_be_encoded_each_in_its_own_way() {
    let rounds = [vec![text("Look. "), ours(1)], vec![ours(2)], vec![text("done")]];
    let streams: Vec<_> = rounds.iter().zip(1..).map(|(blocks, n)| anthropic::stream(n, blocks)).collect();
    let says =
        [Say::events(&streams[0]), encoded(&streams[1], ENCODINGS[4]), encoded(&streams[2], ENCODINGS[0])];
    let answer = Setup::new("/v1/messages").says(says).send(ASK).await;
    assert_eq!(accumulate(&answer.body)["content"], json!([text("Look. "), text("done")]));
}

#[tokio::test]
async fn events_of_an_encoded_stream_pass_as_they_come() {
    let stream = anthropic::stream(1, &[text("one two three")]);
    let events: Vec<_> = stream.split_inclusive("\n\n").collect();
    let mut say = Say::events("").header("content-encoding", "gzip");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    say.chunks.clear();
    for event in &events {
        encoder.write_all(event.as_bytes()).unwrap();
        encoder.flush().unwrap();
        say.chunks.push(Bytes::from(std::mem::take(encoder.get_mut())));
    }
    let answer = Setup::new("/v1/messages").says([say]).send(ASK).await;
    assert_eq!(answer.frames, events);
}

#[tokio::test]
async fn a_stream_that_is_not_what_its_header_says_is_a_failure() {
    for encoding in [ENCODINGS[0], ENCODINGS[4]] {
        for at in [0, 4, 30] {
            let mut say = encoded(&(WIRES[0].calls)(1), encoding);
            let mut bytes = say.chunks.concat();
            bytes[at..].fill(b'x');
            say.chunks = vec![bytes.into()];
            let answer = Setup::new("/v1/messages").says([say]).send(ASK).await;
            assert!(failed(&WIRES[0], &answer), "{encoding:?} {at}: {}", answer.body);
            assert!(!answer.body.contains("headroom_retrieve"));
        }
    }
}

#[tokio::test]
async fn a_bomb_is_a_failure_and_is_not_kept() {
    for encoding in [ENCODINGS[3], ENCODINGS[4]] {
        let say = encoded(&"x".repeat(64 << 20), encoding);
        assert!(say.chunks[0].len() < 64 << 10);
        let answer = Setup::new("/v1/messages").says([say]).send(ASK).await;
        // It decodes to more in one step than any stream does, or passes in pieces.
        assert!(failed(&WIRES[0], &answer) || answer.body.len() == 64 << 20, "{encoding:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_asked_for_again_without_the_tool() {
    for (name, kind) in
        [("compress", "text/event-stream"), ("gzip, br", "text/event-stream"), ("x", "application/json")]
    {
        let unreadable = || {
            let say = if kind == "application/json" { Say::json("\u{1f}") } else { Say::events("\u{1f}") };
            say.header("content-encoding", name)
        };
        let setup = Setup::new("/v1/messages").says([unreadable(), unreadable(), unreadable()]);
        // Of a conversation without a turn nothing is remembered: others begin with the same prompt.
        let turns =
            r#"{"role":"user","content":"hello"},{"role":"assistant","content":"Hello."},{"role":"user""#;
        let ask = &ASK.replace(r#"{"role":"user""#, turns);
        let answer = setup.send(ask).await;
        assert_eq!(answer.headers["content-encoding"], name);
        let got = setup.take_got();
        assert_eq!(got.len(), 2);
        assert!(got[0].body.contains("headroom_retrieve"));
        assert_eq!(got[1].body, *ask, "as it came");
        let events = setup.recorder.events();
        assert!(events.contains(&"fell back anthropic 200 accepted".to_owned()), "{events:?}");
        // The conversation goes on as it comes.
        setup.send(ask).await;
        let got = setup.take_got();
        assert_eq!((got.len(), &got[0].body), (1, ask));
    }
}
