//! Frames, streams and settings: RFC 9113, sections 3 to 7. The sections are those of the table.

use super::client::*;
use crate::support::{Proxy, Upstream, ok};

pub(super) fn proxy() -> (Proxy, Upstream) {
    let upstream = Upstream::answering(ok("{}"));
    (Proxy::to(upstream.address, &["--log", "off"]), upstream)
}

pub(super) fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// A request whose body is still to come.
pub(super) fn open(stream: u32) -> Vec<u8> {
    frame(
        HEADERS,
        END_HEADERS,
        stream,
        &[&[0x83, 0x86, 0x04, 12][..], b"/v1/messages", &[0x01, 9], b"localhost"].concat(),
    )
}

pub(super) fn update(stream: u32, by: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &by.to_be_bytes())
}

/// A name, the frames, the expected code, and the stream that ends, if not the connection.
type Case = (&'static str, Vec<Vec<u8>>, u32, Option<u32>);

fn cases() -> Vec<Case> {
    let reset = |stream| frame(RST_STREAM, 0, stream, &8u32.to_be_bytes());
    let most = 0x7fff_ffff;
    vec![
        (
            "4.2 DATA above the largest size",
            vec![open(1), frame(DATA, 0, 1, &[0; 16_385])],
            FRAME_SIZE,
            Some(1),
        ),
        ("4.2 HEADERS above it", vec![frame(HEADERS, WHOLE, 1, &[0; 16_385])], FRAME_SIZE, None),
        ("5.1 DATA on an idle stream", vec![frame(DATA, END_STREAM, 1, b"x")], PROTOCOL, None),
        ("5.1 RST_STREAM on an idle stream", vec![reset(1)], PROTOCOL, None),
        ("5.1 WINDOW_UPDATE on an idle stream", vec![update(1, 9)], PROTOCOL, None),
        (
            "5.1 CONTINUATION on an idle stream",
            vec![frame(CONTINUATION, END_HEADERS, 1, &head())],
            PROTOCOL,
            None,
        ),
        (
            "5.1 DATA after the end",
            vec![request(1), frame(DATA, END_STREAM, 1, b"x")],
            STREAM_CLOSED,
            Some(1),
        ),
        ("5.1 HEADERS after the end", vec![request(1), request(1)], STREAM_CLOSED, Some(1)),
        (
            "5.1 DATA after a reset",
            vec![open(1), reset(1), frame(DATA, END_STREAM, 1, b"x")],
            STREAM_CLOSED,
            Some(1),
        ),
        ("5.1.1 an even stream", vec![request(2)], PROTOCOL, None),
        ("5.1.1 a stream below the last one", vec![request(5), request(3)], PROTOCOL, None),
        (
            "5.5 an unknown frame within a head",
            vec![frame(HEADERS, END_STREAM, 1, &head()), frame(0x16, 0, 0, b"x")],
            PROTOCOL,
            None,
        ),
        ("6.1 DATA on stream 0", vec![frame(DATA, 0, 0, b"x")], PROTOCOL, None),
        ("6.1 padding longer than DATA", vec![open(1), frame(DATA, PADDED, 1, &[9, 0])], PROTOCOL, None),
        ("6.2 HEADERS on stream 0", vec![request(0)], PROTOCOL, None),
        (
            "6.2 PRIORITY within a head",
            vec![frame(HEADERS, END_STREAM, 1, &head()), frame(PRIORITY, 0, 1, &[0; 5])],
            PROTOCOL,
            None,
        ),
        (
            "6.2 a head of another stream within a head",
            vec![frame(HEADERS, END_STREAM, 1, &head()), request(3)],
            PROTOCOL,
            None,
        ),
        (
            "6.2 padding longer than HEADERS",
            vec![frame(HEADERS, WHOLE | PADDED, 1, &[200, 0x82])],
            PROTOCOL,
            None,
        ),
        ("6.3 PRIORITY on stream 0", vec![frame(PRIORITY, 0, 0, &[0; 5])], PROTOCOL, None),
        ("6.3 PRIORITY of another size", vec![frame(PRIORITY, 0, 1, &[0; 4])], FRAME_SIZE, Some(1)),
        ("6.4 RST_STREAM on stream 0", vec![reset(0)], PROTOCOL, None),
        ("6.4 RST_STREAM of another size", vec![open(1), frame(RST_STREAM, 0, 1, &[0; 3])], FRAME_SIZE, None),
        ("6.5 an ACK that sets something", vec![frame(SETTINGS, ACK, 0, &[0; 6])], FRAME_SIZE, None),
        ("6.5 SETTINGS on a stream", vec![frame(SETTINGS, 0, 1, &[])], PROTOCOL, None),
        ("6.5 SETTINGS of another size", vec![frame(SETTINGS, 0, 0, &[0; 5])], FRAME_SIZE, None),
        ("6.5.2 ENABLE_PUSH", vec![setting(2, 2)], PROTOCOL, None),
        ("6.5.2 INITIAL_WINDOW_SIZE", vec![setting(4, 0x8000_0000)], FLOW_CONTROL, None),
        ("6.5.2 MAX_FRAME_SIZE, too small", vec![setting(5, 16_383)], PROTOCOL, None),
        ("6.5.2 MAX_FRAME_SIZE, too large", vec![setting(5, 0x0100_0000)], PROTOCOL, None),
        (
            "6.6 PUSH_PROMISE of a client",
            vec![frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2], &head()[..]].concat())],
            PROTOCOL,
            None,
        ),
        ("6.7 PING on a stream", vec![frame(PING, 0, 1, &[0; 8])], PROTOCOL, None),
        ("6.7 PING of another size", vec![frame(PING, 0, 0, &[0; 6])], FRAME_SIZE, None),
        ("6.8 GOAWAY on a stream", vec![frame(GOAWAY, 0, 1, &[0; 8])], PROTOCOL, None),
        ("6.9 WINDOW_UPDATE by nothing", vec![update(0, 0)], PROTOCOL, None),
        ("6.9 WINDOW_UPDATE of a stream by nothing", vec![open(1), update(1, 0)], PROTOCOL, Some(1)),
        ("6.9 WINDOW_UPDATE of another size", vec![frame(WINDOW_UPDATE, 0, 0, &[0; 3])], FRAME_SIZE, None),
        ("6.9.1 a window above the most", vec![update(0, most), update(0, most)], FLOW_CONTROL, None),
        ("6.9.1 that of a stream", vec![open(1), update(1, most), update(1, most)], FLOW_CONTROL, Some(1)),
        (
            "6.10 CONTINUATION after the end of a head",
            vec![request(1), frame(CONTINUATION, END_HEADERS, 1, &field("a", "b"))],
            PROTOCOL,
            None,
        ),
        (
            "6.10 CONTINUATION on stream 0",
            vec![frame(HEADERS, END_STREAM, 1, &head()), frame(CONTINUATION, END_HEADERS, 0, &[])],
            PROTOCOL,
            None,
        ),
        (
            "6.10 DATA within a head",
            vec![frame(HEADERS, 0, 1, &head()), frame(DATA, 0, 1, b"x")],
            PROTOCOL,
            None,
        ),
    ]
}

#[test]
fn errors_of_frames_end_the_connection_or_their_stream() {
    let (proxy, _upstream) = proxy();
    let wrong: Vec<String> = cases()
        .iter()
        .filter_map(|(name, frames, code, stream)| {
            let got = exchange(proxy.address, &frames.concat());
            (!is_error(&got, *code, *stream)).then(|| format!("{name}: {got:?}, not error {code}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(exchange(proxy.address, &request(1)).last(), Some(&Got::Head(1)), "others are served");
}
