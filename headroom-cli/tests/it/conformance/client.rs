//! A client of HTTP/2 that sends whatever it is told to, and says what it got for it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::support::PATIENCE;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const ACK: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
/// A head that is a whole request.
pub(super) const WHOLE: u8 = END_STREAM | END_HEADERS;

pub(super) const PROTOCOL: u32 = 1;
pub(super) const FLOW_CONTROL: u32 = 3;
pub(super) const STREAM_CLOSED: u32 = 5;
pub(super) const FRAME_SIZE: u32 = 6;
pub(super) const COMPRESSION: u32 = 9;
pub(super) const CALM: u32 = 11;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// A header field that no table has.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// The head of a request for something that needs no upstream.
pub(super) fn head() -> Vec<u8> {
    // `:method: GET`, `:scheme: http`, and names of the static table for the others.
    [&[0x82, 0x86, 0x04, 6], &b"/livez"[..], &[0x01, 9], b"localhost"].concat()
}

pub(super) fn request(stream: u32) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, &head())
}

/// The connection's or a stream's part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// A head of a response on a stream.
    Head(u32),
    Reset(u32, u32),
    GoAway(u32),
    /// PING or SETTINGS, acknowledged.
    Ack(u8, Vec<u8>),
}

/// What comes for these bytes until the connection ends, or until a last PING is answered.
pub(super) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<Got> {
    const LAST: &[u8] = b"the last";
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // It may be closed before all of it is sent.
    let _ = stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), bytes].concat());
    let _ = stream.write_all(&frame(PING, 0, 0, LAST));
    let mut got = Vec::new();
    while let Some((kind, flags, id, payload)) = read(&mut stream) {
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        match kind {
            HEADERS => got.push(Got::Head(id)),
            RST_STREAM => got.push(Got::Reset(id, number(0))),
            GOAWAY => got.push(Got::GoAway(number(4))),
            PING if flags == ACK && payload == LAST => {
                // Frames are answered in their order, but for responses, which take their time.
                if got.iter().any(|one| matches!(one, Got::Head(_) | Got::Reset(..) | Got::GoAway(_))) {
                    break;
                }
                stream.set_read_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
            }
            PING | SETTINGS if flags == ACK => got.push(Got::Ack(kind, payload)),
            _ => {}
        }
    }
    got
}

fn read(stream: &mut TcpStream) -> Option<(u8, u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    stream.read_exact(&mut payload).ok()?;
    let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some((head[3], head[4], id, payload))
}

/// Whether the answer is an error of the connection, or of this stream where that is enough.
///
/// RFC 9113 names a code for each. `h2` has `PROTOCOL_ERROR` where a frame has the wrong size, or a block cannot be
/// decoded; the connection ends all the same, so that is taken for the right code.
pub(super) fn is_error(got: &[Got], code: u32, stream: Option<u32>) -> bool {
    let is_it = |one: &Got| match one {
        Got::GoAway(found) => [code, PROTOCOL].contains(found),
        Got::Reset(id, found) => stream == Some(*id) && [code, PROTOCOL].contains(found),
        _ => false,
    };
    got.iter().any(is_it)
}
