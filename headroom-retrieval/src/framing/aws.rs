//! Event streams in AWS framing, as Bedrock sends them: each frame holds an event of the model's own API.
//!
//! ```text
//! bytes  4               4                   4             ...       ...       4
//!        length of all | length of headers | CRC of both | headers | payload | CRC of all before
//! ```
//!
//! The format is specified at <https://smithy.io/2.0/aws/amazon-eventstream.html>.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{BufMut, Bytes, BytesMut};
use headroom_json::{Value, quote};

use super::Data;
use crate::{api::Failure, edit::set};

/// Bytes before the headers.
pub(super) const PRELUDE: usize = 12;
/// Bytes of a frame with neither headers nor payload.
const FRAME: usize = PRELUDE + 4;

/// Returns the length of the frame that begins with these bytes; `None` if this is not a frame.
pub(super) fn length(prelude: &[u8]) -> Option<usize> {
    let (checked, length) = (prelude.get(..8)?, number(prelude, 0)? as usize);
    (number(prelude, 8)? == crc32fast::hash(checked) && length >= FRAME).then_some(length)
}

/// Returns the event in a frame.
pub(super) fn data(frame: &[u8]) -> Data {
    let event = || {
        let (headers, payload) = open(frame)?;
        if header(headers, ":message-type")? != "event" || header(headers, ":event-type")? != "chunk" {
            return None;
        }
        let encoded = Value::parse(std::str::from_utf8(payload).ok()?)?.get("bytes")?.text()?;
        String::from_utf8(STANDARD.decode(&*encoded).ok()?).ok()
    };
    event().map_or(Data::None, Data::Apart)
}

/// Whether a frame reports that the stream has failed.
pub(super) fn is_failure(frame: &[u8]) -> bool {
    let kind = open(frame).and_then(|(headers, _)| header(headers, ":message-type"));
    matches!(kind, Some("exception" | "error"))
}

/// Replaces the event in a frame.
pub(super) fn with(frame: &[u8], data: &str) -> Bytes {
    let event = || {
        let (headers, payload) = open(frame)?;
        let payload = Value::parse(std::str::from_utf8(payload).ok()?)?;
        let encoded = format!("\"{}\"", STANDARD.encode(data));
        close(headers, set(payload, &[("bytes", Some(encoded))]).as_bytes())
    };
    event().unwrap_or_else(|| Bytes::copy_from_slice(frame))
}

/// Creates a frame that reports a failure to the client.
pub(super) fn exception(failure: &Failure) -> Bytes {
    let kind = match failure.status {
        429 => "throttlingException",
        408 | 504 => "modelTimeoutException",
        503 | 529 => "serviceUnavailableException",
        400..=499 => "validationException",
        _ => "internalServerException",
    };
    let mut headers = BytesMut::new();
    for (name, value) in
        [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")]
    {
        headers.put_u8(name.len() as u8);
        headers.put_slice(name.as_bytes());
        headers.put_u8(STRING);
        headers.put_u16(value.len() as u16);
        headers.put_slice(value.as_bytes());
    }
    let body = failure.body.as_deref().and_then(Value::parse);
    let own = body.and_then(|body| body.get("message").or_else(|| body.get("error")?.get("message"))?.text());
    let own = own.unwrap_or_else(|| "The provider could not go on with this answer.".into());
    close(&headers, format!("{{\"message\":{}}}", quote(&own)).as_bytes()).unwrap_or_default()
}

/// The type of text headers.
const STRING: u8 = 7;

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

/// Returns headers and payload of an undamaged frame.
fn open(frame: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = frame.len().checked_sub(4)?;
    let headers = PRELUDE.checked_add(number(frame, 4)? as usize)?;
    let intact = number(frame, end)? == crc32fast::hash(frame.get(..end)?);
    intact.then_some(())?;
    Some((frame.get(PRELUDE..headers)?, frame.get(headers..end)?))
}

/// Creates a frame from headers and payload; `None` if they are too long.
fn close(headers: &[u8], payload: &[u8]) -> Option<Bytes> {
    let length = FRAME + headers.len() + payload.len();
    let mut frame = BytesMut::with_capacity(length);
    frame.put_u32(u32::try_from(length).ok()?);
    frame.put_u32(u32::try_from(headers.len()).ok()?);
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(headers);
    frame.put_slice(payload);
    frame.put_u32(crc32fast::hash(&frame));
    Some(frame.freeze())
}

/// Returns the text header of this name.
fn header<'a>(mut headers: &'a [u8], name: &str) -> Option<&'a str> {
    loop {
        let (length, rest) = headers.split_first()?;
        let (own, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let (length, rest) = match *kind {
            0 | 1 => (0, rest),
            2 => (1, rest),
            3 => (2, rest),
            4 => (4, rest),
            5 | 8 => (8, rest),
            9 => (16, rest),
            6 | STRING => {
                let (length, rest) = rest.split_at_checked(2)?;
                (usize::from(u16::from_be_bytes(length.try_into().ok()?)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        if own == name.as_bytes() {
            return std::str::from_utf8(value).ok().filter(|_| *kind == STRING);
        }
        headers = rest;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{exception as failure, frame};

    #[test]
    fn an_event_is_read_and_replaced_and_all_else_of_the_frame_stays() {
        let bytes = frame(r#"{"type":"ping"}"#);
        assert_eq!(length(&bytes), Some(bytes.len()));
        assert_eq!(data(&bytes).text(&bytes), Some(r#"{"type":"ping"}"#));
        assert_eq!(with(&bytes, r#"{"type":"ping"}"#), bytes);
        let other = with(&bytes, r#"{"n":"ö"}"#);
        assert_eq!(length(&other), Some(other.len()));
        assert_eq!(data(&other).text(&other), Some(r#"{"n":"ö"}"#));
        assert_eq!(with(&other, r#"{"type":"ping"}"#), bytes);
    }

    #[test]
    fn damage_is_no_event() {
        let bytes = frame(r#"{"type":"ping"}"#);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(data(&damaged).text(&damaged), None, "{at}");
            assert!(!is_failure(&damaged));
        }
    }

    #[test]
    fn failures_are_exceptions() {
        assert!(is_failure(&failure("throttlingException", "slow down")));
        assert!(!is_failure(&frame("{}")));
        let own = |status, body: &str| exception(&Failure { status, body: Some(body.to_owned()) });
        assert_eq!(own(429, r#"{"message":"slow down"}"#), failure("throttlingException", "slow down"));
        let wrapped = r#"{"error":{"message":"no"}}"#;
        assert_eq!(own(400, wrapped), failure("validationException", "no"));
        assert!(is_failure(&exception(&Failure { status: 502, body: None })));
    }

    #[test]
    fn headers_of_every_type_are_passed_over() {
        let mut headers = Vec::new();
        for (kind, length) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
            headers.extend([1, b'x', kind]);
            headers.extend(vec![0; length]);
        }
        headers.extend(b"\x01x\x06\x00\x03abc\x01y\x07\x00\x02hi");
        assert_eq!(header(&headers, "y"), Some("hi"));
        assert_eq!(header(&headers, "x"), None, "it is no text");
        assert_eq!(header(&headers, "z"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,20}") {
            let _ = (length(&bytes), data(&bytes), is_failure(&bytes), with(&bytes, &text), header(&bytes, "x"));
            let framed = close(&bytes, &bytes).unwrap();
            prop_assert_eq!(length(&framed), Some(framed.len()));
            let _ = (data(&framed), is_failure(&framed), with(&framed, &text));
        }
    }
}
