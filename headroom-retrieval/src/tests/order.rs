//! Commands and inputs in their order. What is checked for every run is in `testing/script.rs`.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::samples::{Part, WIRES, Wire, handle, lines, text};
use crate::{Command, Exchange, Fetched, Input, Reply, RequestHead, ResponseHead};

fn head(content_type: &'static str) -> Input {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Input::Head(ResponseHead::new(StatusCode::OK, &headers))
}

#[test]
fn a_command_comes_again_until_its_input_is_there() {
    let mut exchange = Exchange::new(Wire::Chat.request(&Wire::Chat.ask().to_string()));
    let Command::Send(request) = exchange.poll() else { panic!() };
    assert_eq!((request.head, request.keeps_response), (RequestHead::Rewritten, false));
    assert_eq!(exchange.poll(), Command::Send(request));
}

#[test]
fn an_input_that_is_not_awaited_is_an_error_in_plain_words() {
    let mut exchange = Exchange::new(Wire::Chat.request(&Wire::Chat.ask().to_string()));
    let error = exchange.handle(Input::Data(Bytes::from_static(b"secret"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the exchange waits for the head of a response, not for data; poll it for its next command"
    );
    assert!(exchange.handle(head("text/event-stream")).is_ok());
}

#[test]
fn the_steps_of_a_stream_come_in_this_order() {
    for wire in WIRES {
        let first = wire.answer(1, &[text("Look. "), Part::Ours(lines(1))], true);
        let second = wire.answer(2, &[text("done")], true);
        let mut exchange = Exchange::new(wire.request(&wire.ask().to_string()));
        let mut steps = Vec::new();
        let mut answers = [first, second].into_iter();
        let mut body = Bytes::new();
        loop {
            let command = exchange.poll();
            let keeps_alive = exchange.keep_alive().is_some();
            let (step, input) = match command {
                Command::Send(_) => {
                    let answer = answers.next().unwrap();
                    body = Bytes::from(answer.body);
                    ("send", Some(head(answer.content_type)))
                }
                Command::Read { .. } => {
                    assert!(!keeps_alive, "an event may be half written");
                    (
                        "read",
                        Some(if body.is_empty() {
                            Input::End
                        } else {
                            Input::Data(std::mem::take(&mut body))
                        }),
                    )
                }
                Command::Fetch(fetch) => {
                    assert_eq!(fetch.handles, [handle()]);
                    assert_eq!(keeps_alive, !matches!(wire, Wire::Bedrock | Wire::Gemini), "{wire:?}");
                    ("fetch", Some(Input::Fetched(vec![Fetched::Missing])))
                }
                Command::Store(_) => ("store", Some(Input::Stored)),
                Command::Respond(reply) => {
                    assert_eq!(reply, Reply::Stream);
                    ("respond", None)
                }
                Command::Write(_) => ("write", None),
                Command::Report(_) => ("report", None),
                Command::Forward | Command::Done => break,
                command => panic!("{wire:?}: {command:?}"),
            };
            steps.push(step);
            if let Some(input) = input {
                exchange.handle(input).unwrap();
            }
        }
        steps.dedup();
        let stored = steps.iter().position(|step| *step == "store").unwrap();
        // The last event of Gemini ends a round only with its body.
        let reads = ["send", "respond", "read", "write", "fetch", "send", "read", "write"];
        let reads_on = ["send", "respond", "read", "write", "read", "fetch", "send", "read", "write", "read"];
        let expected = if wire == Wire::Gemini { &reads_on[..] } else { &reads[..] };
        assert_eq!(&steps[..stored], expected, "{wire:?}");
        assert_eq!(steps[stored..], ["store", "report", "write"], "the end comes last: {wire:?}");
    }
}

#[test]
fn a_request_without_the_tool_is_not_looked_into() {
    let mut request = Wire::Chat.request(&Wire::Chat.ask().to_string());
    request.serves = false;
    let mut exchange = Exchange::new(request);
    exchange.handle(head("text/event-stream")).unwrap();
    assert_eq!(exchange.poll(), Command::Respond(Reply::Received));
    assert_eq!(exchange.poll(), Command::Done);
    assert!(exchange.handle(Input::End).is_err());
}
