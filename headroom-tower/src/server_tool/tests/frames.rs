//! Frames of AWS as a provider writes them, apart from the code that reads them.

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

/// An event of the model's API.
pub(in crate::server_tool) fn frame(event: &str) -> Vec<u8> {
    let headers =
        [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")];
    build(&headers, &format!(r#"{{"bytes":"{}","p":"abcdefgh"}}"#, STANDARD.encode(event)))
}

/// A failure in the middle of a stream.
pub(in crate::server_tool) fn exception(kind: &str, message: &str) -> Vec<u8> {
    let headers =
        [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")];
    build(&headers, &format!(r#"{{"message":"{message}"}}"#))
}

/// A stream of server-sent events in frames.
pub(in crate::server_tool) fn framed(sse: &str) -> Vec<u8> {
    sse.lines().filter_map(|line| line.strip_prefix("data: ")).flat_map(frame).collect()
}

/// The events of a stream of whole frames as server-sent events; the name of an exception is that of its event.
pub(in crate::server_tool) fn unframed(mut frames: &[u8]) -> String {
    let mut out = String::new();
    let number = |at: usize, frame: &[u8]| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap()) as usize;
    while !frames.is_empty() {
        let (frame, rest) = frames.split_at(number(0, frames));
        assert_eq!(number(8, frame), crc32fast::hash(&frame[..8]) as usize);
        let end = frame.len() - 4;
        assert_eq!(number(end, frame), crc32fast::hash(&frame[..end]) as usize);
        let payload = &frame[12 + number(4, frame)..end];
        let payload: serde_json::Value = serde_json::from_slice(payload).unwrap();
        let (name, data) = match payload["bytes"].as_str() {
            Some(encoded) => {
                let data = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
                let event: serde_json::Value = serde_json::from_str(&data).unwrap();
                (event["type"].as_str().unwrap().to_owned(), data)
            }
            None => ("exception".to_owned(), payload.to_string()),
        };
        out.push_str(&format!("event: {name}\ndata: {data}\n\n"));
        frames = rest;
    }
    out
}
