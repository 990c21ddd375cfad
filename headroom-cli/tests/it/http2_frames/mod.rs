//! What RFC 9113 and RFC 7541 demand of a server, sent frame by frame: what is malformed ends the stream or the
//! connection with the code that the RFC names, what is unknown is ignored, and floods do not reach anyone else.

mod broken;

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::support::{PATIENCE, Proxy, Upstream, exchange};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const COMPRESSION_ERROR: u32 = 9;

/// How a server reacts to what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaction {
    /// An answer with this status on stream 1.
    Answer(u16),
    /// The stream is reset with this code.
    Reset(u32),
    /// The connection ends with this code.
    GoAway(u32),
    /// The connection ends without a word.
    Closed,
    /// A ping comes back.
    Pong,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header as a literal without indexing and without Huffman coding.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    headers.iter().flat_map(|(name, value)| literal(name, value)).collect()
}

const REQUEST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/v1/messages")];

/// A request whose headers are the usual ones and these.
fn request_with(headers: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[&REQUEST, headers].concat()))
}

fn request_of(headers: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(headers))
}

/// The usual request, which is answered.
fn request() -> Vec<u8> {
    request_with(&[])
}

/// The head of a request whose body follows.
fn open(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(&REQUEST))
}

fn setting(id: u16, value: u32) -> Vec<u8> {
    let payload = [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(SETTINGS, 0, 0, &payload)
}

struct Client(TcpStream);

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    fn start(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        client.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
        client
    }

    /// What the server no longer reads is its reaction, which [`reaction`](Self::reaction) finds.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    fn next_frame(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload)?;
        Ok((kind, flags, u32::from_be_bytes(stream) & 0x7fff_ffff, payload))
    }

    /// The first frame that says what the server makes of it.
    fn reaction(&mut self) -> Reaction {
        let word = |payload: &[u8]| u32::from_be_bytes(payload.try_into().unwrap());
        loop {
            match self.next_frame() {
                Ok((HEADERS, _, 1, payload)) => return Reaction::Answer(status(&payload)),
                Ok((RST_STREAM, _, 1, payload)) => return Reaction::Reset(word(&payload)),
                // A server may announce its end without an error before it ends.
                Ok((GOAWAY, _, 0, payload)) if word(&payload[4..8]) == 0 => {}
                Ok((GOAWAY, _, 0, payload)) => return Reaction::GoAway(word(&payload[4..8])),
                Ok((PING, ACK, 0, payload)) if payload == *b"headroom" => return Reaction::Pong,
                Ok(_) => {}
                Err(error) => {
                    assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "no reaction at all");
                    return Reaction::Closed;
                }
            }
        }
    }
}

/// The status that the static table of RFC 7541 names, which all answers here have.
fn status(block: &[u8]) -> u16 {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    // A server may begin with an update of its table's size.
    let first = block.iter().copied().find(|byte| byte & 0xe0 != 0x20).unwrap();
    match first {
        0x88..=0x8e => INDEXED[usize::from(first - 0x88)],
        _ => 0,
    }
}

fn react(address: SocketAddr, bytes: &[u8]) -> Reaction {
    let mut client = Client::start(address);
    client.send(bytes);
    client.reaction()
}

#[track_caller]
fn check(address: SocketAddr, cases: &[(&str, Vec<u8>, &[Reaction])]) {
    let wrong = cases.iter().filter_map(|(name, bytes, allowed)| {
        let reaction = react(address, bytes);
        (!allowed.contains(&reaction)).then(|| format!("{name}: {reaction:?}, expected one of {allowed:?}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn run(cases: &[(&str, Vec<u8>, &[Reaction])]) {
    let upstream = Upstream::answering(ANSWER);
    let proxy = Proxy::to(upstream.address, &[]);
    check(proxy.address, cases);
    let alive =
        exchange(proxy.address, "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(alive.status(), 200);
}

const ANSWERED: &[Reaction] = &[Reaction::Answer(200)];

#[test]
fn what_a_server_has_to_accept_is_answered() {
    let headers = block(&REQUEST);
    let padded = [&[3][..], &headers, &[0; 3]].concat();
    let halves = headers.split_at(7);
    run(&[
        ("the usual request", request(), ANSWERED),
        ("an unknown kind of frame", [frame(0xfe, 0xff, 0, b"hello"), request()].concat(), ANSWERED),
        ("an unknown setting", [setting(0xfff0, 7), request()].concat(), ANSWERED),
        (
            "PRIORITY on an idle stream",
            [frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 9]), request()].concat(),
            ANSWERED,
        ),
        ("padded headers", frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, &padded), ANSWERED),
        (
            "headers in two frames",
            [frame(HEADERS, END_STREAM, 1, halves.0), frame(CONTINUATION, END_HEADERS, 1, halves.1)].concat(),
            ANSWERED,
        ),
        (
            "trailers",
            [
                open(1),
                frame(DATA, 0, 1, b"{}"),
                frame(HEADERS, END_HEADERS | END_STREAM, 1, &literal("a", "b")),
            ]
            .concat(),
            ANSWERED,
        ),
        ("te: trailers", request_with(&[("te", "trailers")]), ANSWERED),
        ("a ping", frame(PING, 0, 0, b"headroom"), &[Reaction::Pong]),
        (
            "DATA after the end of its stream",
            [request(), frame(DATA, 0, 1, b"x")].concat(),
            &[Reaction::Reset(STREAM_CLOSED), Reaction::GoAway(PROTOCOL_ERROR), Reaction::Answer(200)],
        ),
    ]);
}

#[test]
fn a_preface_that_is_none_closes_the_connection() {
    let upstream = Upstream::answering(ANSWER);
    let proxy = Proxy::to(upstream.address, &[]);
    let mut client = Client::connect(proxy.address);
    client.send(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    client.send(&frame(SETTINGS, 0, 0, &[]));
    let mut answer = Vec::new();
    client.0.read_to_end(&mut answer).unwrap_or_default();
    assert!(answer.len() < 512 && !answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    assert!(upstream.is_untouched());
}

/// Returns the n-th piece of a flood.
type Flood<'f> = &'f dyn Fn(u32) -> Vec<u8>;

/// Each flood is sent for a while beside a client of `/livez`, whose answers must go on.
#[test]
fn floods_of_frames_do_not_reach_others() {
    let upstream = Upstream::answering(ANSWER);
    let proxy = Proxy::to(upstream.address, &[]);
    let reset = |n: u32| [open(n * 2 + 1), frame(RST_STREAM, 0, n * 2 + 1, &[0, 0, 0, 8])].concat();
    let floods: [(&str, Flood<'_>); 6] = [
        ("streams that are reset at once", &reset),
        ("settings", &|_| setting(3, 100)),
        ("pings", &|_| frame(PING, 0, 0, b"headroom")),
        ("empty data", &|n| if n == 0 { open(1) } else { frame(DATA, 0, 1, &[]) }),
        ("headers without an end", &|n| match n {
            0 => frame(HEADERS, 0, 1, &block(&REQUEST)),
            _ => frame(CONTINUATION, 0, 1, &literal("name", &"v".repeat(100)).repeat(20)),
        }),
        ("windows", &|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
    ];
    for (name, flood) in floods {
        let mut client = Client::start(proxy.address);
        // Nobody reads what comes back, as an attacker would not.
        client.0.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let end = Instant::now() + Duration::from_millis(400);
        let sent = (0..20_000).take_while(|n| Instant::now() < end && client.0.write_all(&flood(*n)).is_ok());
        let sent = sent.count();
        assert!(sent > 10, "{name}: {sent}");
        let alive =
            exchange(proxy.address, "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        assert_eq!(alive.status(), 200, "{name}");
    }
    assert_eq!(react(proxy.address, &request()), Reaction::Answer(200));
}
