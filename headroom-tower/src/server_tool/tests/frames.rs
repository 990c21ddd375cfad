//! Frames of AWS as a client reads them, apart from the code that stitches them.

use base64::{Engine, engine::general_purpose::STANDARD};
pub(super) use headroom_retrieval::fuzzing::{exception, framed};

/// The events of a stream of whole frames as server-sent events; the name of an exception is that of its event.
pub(super) fn unframed(mut frames: &[u8]) -> String {
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
