//! Frames and requests that break the rules.

use super::*;

/// An error of the connection. Section 5.4.1 lets a server close without a word, and the h2 crate says `PROTOCOL_ERROR`
/// where section 7 has a more exact code.
macro_rules! ends {
    ($($code:ident)?) => {
        &[$(Reaction::GoAway($code),)? Reaction::GoAway(PROTOCOL_ERROR), Reaction::Closed]
    };
}

/// A malformed request: section 8.1.1 has it reset, or answered with 400 first.
const MALFORMED: &[Reaction] =
    &[Reaction::Reset(PROTOCOL_ERROR), Reaction::GoAway(PROTOCOL_ERROR), Reaction::Answer(400)];
#[test]
fn frames_that_break_the_rules_of_a_connection_end_it() {
    let large = vec![0; (16 << 10) + 1];
    let ping = |stream, payload: &[u8]| frame(PING, 0, stream, payload);
    run(&[
        ("DATA before SETTINGS is answered", frame(DATA, 0, 0, b"x"), ends!()),
        ("HEADERS on stream 0", frame(HEADERS, END_HEADERS, 0, &block(&REQUEST)), ends!()),
        ("HEADERS on a stream of the server", frame(HEADERS, 5, 2, &block(&REQUEST)), ends!()),
        ("DATA on an idle stream", frame(DATA, END_STREAM, 1, b"x"), ends!(STREAM_CLOSED)),
        ("RST_STREAM on an idle stream", frame(RST_STREAM, 0, 1, &[0; 4]), ends!()),
        ("RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, &[0; 4]), ends!()),
        (
            "RST_STREAM of three bytes",
            [open(1), frame(RST_STREAM, 0, 1, &[0; 3])].concat(),
            ends!(FRAME_SIZE_ERROR),
        ),
        ("WINDOW_UPDATE on an idle stream", frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]), ends!()),
        ("WINDOW_UPDATE of nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), ends!()),
        ("WINDOW_UPDATE of three bytes", frame(WINDOW_UPDATE, 0, 0, &[0; 3]), ends!(FRAME_SIZE_ERROR)),
        (
            "a window beyond its limit",
            frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
            ends!(FLOW_CONTROL_ERROR),
        ),
        ("PING on a stream", ping(1, b"headroom"), ends!()),
        ("PING of nine bytes", ping(0, b"headrooms"), ends!(FRAME_SIZE_ERROR)),
        ("GOAWAY on a stream", frame(GOAWAY, 0, 1, &[0; 8]), ends!()),
        ("PUSH_PROMISE of a client", frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]), ends!()),
        ("CONTINUATION of nothing", frame(CONTINUATION, END_HEADERS, 1, &[]), ends!()),
        (
            "another frame within a block of headers",
            [frame(HEADERS, END_STREAM, 1, &block(&REQUEST)), ping(0, b"headroom")].concat(),
            ends!(),
        ),
        ("a frame that is too long", [open(1), frame(DATA, 0, 1, &large)].concat(), ends!(FRAME_SIZE_ERROR)),
        (
            "padding that is longer than its frame",
            [open(1), frame(DATA, PADDED, 1, &[9, 0, 0])].concat(),
            ends!(),
        ),
        (
            "a stream with a lower number than the one before",
            [open(5), frame(HEADERS, 5, 3, &block(&REQUEST))].concat(),
            ends!(STREAM_CLOSED),
        ),
    ]);
}

#[test]
fn settings_and_blocks_of_headers_that_break_the_rules_end_the_connection() {
    run(&[
        ("SETTINGS on a stream", frame(SETTINGS, 0, 1, &[]), ends!()),
        ("SETTINGS of five bytes", frame(SETTINGS, 0, 0, &[0; 5]), ends!(FRAME_SIZE_ERROR)),
        ("an acknowledgement with settings", frame(SETTINGS, ACK, 0, &[0; 6]), ends!(FRAME_SIZE_ERROR)),
        ("ENABLE_PUSH of 2", setting(2, 2), ends!()),
        ("a first window beyond its limit", setting(4, 0x8000_0000), ends!(FLOW_CONTROL_ERROR)),
        ("frames that may be smaller than 16 KB", setting(5, 16383), ends!()),
        ("frames that may be larger than 16 MB", setting(5, 1 << 24), ends!()),
        ("an index that no table has", frame(HEADERS, 5, 1, &[0xff, 0xff, 0x7f]), ends!(COMPRESSION_ERROR)),
        ("index 0", frame(HEADERS, 5, 1, &[0x80]), ends!(COMPRESSION_ERROR)),
        ("a block that ends within a name", frame(HEADERS, 5, 1, &[0, 20, b'x']), ends!(COMPRESSION_ERROR)),
        (
            "a table beyond its limit",
            frame(HEADERS, 5, 1, &[0x3f, 0xff, 0xff, 0x7f]),
            ends!(COMPRESSION_ERROR),
        ),
    ]);
}

/// A body of two bytes whose head names this length.
fn with_length(length: &str) -> Vec<u8> {
    let headers = block(&[&REQUEST[..], &[("content-length", length)]].concat());
    [frame(HEADERS, END_HEADERS, 1, &headers), frame(DATA, END_STREAM, 1, b"{}")].concat()
}

#[test]
fn requests_that_are_malformed_do_not_go_on() {
    let without = |left_out: &str| {
        let headers: Vec<_> = REQUEST.iter().copied().filter(|(name, _)| *name != left_out).collect();
        request_of(&headers)
    };
    let path = |path| {
        request_of(&[(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)])
    };
    let upstream = Upstream::answering(ANSWER);
    let proxy = Proxy::to(upstream.address, &[]);
    check(
        proxy.address,
        &[
            ("no method", without(":method"), MALFORMED),
            ("no scheme", without(":scheme"), MALFORMED),
            ("no path", without(":path"), MALFORMED),
            ("an empty path", path(""), MALFORMED),
            ("a name in capitals", request_with(&[("X-Name", "v")]), MALFORMED),
            ("connection", request_with(&[("connection", "keep-alive")]), MALFORMED),
            ("transfer-encoding", request_with(&[("transfer-encoding", "chunked")]), MALFORMED),
            ("te other than trailers", request_with(&[("te", "gzip")]), MALFORMED),
            ("two methods", request_of(&[&REQUEST[..], &[(":method", "GET")]].concat()), MALFORMED),
            (
                "a pseudo-header of answers",
                request_of(&[&[(":status", "200")], &REQUEST[..]].concat()),
                MALFORMED,
            ),
            ("an unknown pseudo-header", request_of(&[&[(":name", "v")], &REQUEST[..]].concat()), MALFORMED),
            ("a pseudo-header after others", request_of(&[&[("a", "b")], &REQUEST[..]].concat()), MALFORMED),
            ("a line end in a value", request_with(&[("a", "b\r\nhost: evil.example")]), MALFORMED),
            ("less than its content-length", with_length("3"), MALFORMED),
            ("more than its content-length", with_length("1"), MALFORMED),
        ],
    );
    assert!(upstream.is_untouched());
}
