//! Frames of AWS as a provider writes them, apart from the code that reads them, for tests.

use base64::{Engine, engine::general_purpose::STANDARD};

fn build(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(name.len() as u8);
        head.extend(name.bytes());
        head.push(7);
        head.extend((value.len() as u16).to_be_bytes());
        head.extend(value.bytes());
    }
    let mut frame = ((16 + head.len() + payload.len()) as u32).to_be_bytes().to_vec();
    frame.extend((head.len() as u32).to_be_bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(head);
    frame.extend(payload.bytes());
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// Returns an event of the model's API in a frame.
#[must_use]
pub fn frame(event: &str) -> Vec<u8> {
    let headers =
        [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")];
    build(&headers, &format!(r#"{{"bytes":"{}","p":"abcdefgh"}}"#, STANDARD.encode(event)))
}

/// Returns a failure in the middle of a stream.
#[must_use]
pub fn exception(kind: &str, message: &str) -> Vec<u8> {
    let headers =
        [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")];
    build(&headers, &format!(r#"{{"message":"{message}"}}"#))
}

/// Returns a stream of server-sent events in frames.
#[must_use]
pub fn framed(sse: &str) -> Vec<u8> {
    sse.lines().filter_map(|line| line.strip_prefix("data: ")).flat_map(frame).collect()
}
