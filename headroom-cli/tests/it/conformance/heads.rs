//! Heads of requests and their compression: RFC 9113, section 8, and RFC 7541.

use super::client::*;
use crate::support::{Proxy, Upstream, ok};

const METHOD: &[u8] = &[0x82];
const SCHEME: &[u8] = &[0x86];

fn path() -> Vec<u8> {
    field(":path", "/v1/models")
}

fn authority() -> Vec<u8> {
    field(":authority", "localhost")
}

/// A whole request with these fields after what every request has.
fn with(fields: &[Vec<u8>]) -> Vec<u8> {
    frame(
        HEADERS,
        WHOLE,
        1,
        &[METHOD.to_vec(), SCHEME.to_vec(), path(), authority(), fields.concat()].concat(),
    )
}

/// A whole request of these fields.
fn of(fields: &[&[u8]]) -> Vec<u8> {
    frame(HEADERS, WHOLE, 1, &fields.concat())
}

/// A request with this length and these bodies.
fn body(length: &str, pieces: &[&[u8]]) -> Vec<u8> {
    let head = [&[0x83][..], SCHEME, &path(), &authority(), &field("content-length", length)].concat();
    let mut frames = frame(HEADERS, END_HEADERS, 1, &head);
    for (n, piece) in pieces.iter().enumerate() {
        frames.extend(frame(DATA, u8::from(n + 1 == pieces.len()), 1, piece));
    }
    frames
}

#[test]
fn malformed_heads_are_errors_of_their_stream_and_reach_no_upstream() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    let (path, authority) = (path(), authority());
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("8.2.1 a name with upper case", with(&[field("X-Upper", "a")])),
        ("8.2.1 a name with a space", with(&[field("a b", "a")])),
        ("8.2.1 a name that is empty", with(&[field("", "a")])),
        ("8.2.1 a line end in a value", with(&[field("a", "b\r\nc: d")])),
        ("8.2.1 a zero in a value", with(&[field("a", "b\0")])),
        ("8.2.2 connection", with(&[field("connection", "close")])),
        ("8.2.2 keep-alive", with(&[field("keep-alive", "1")])),
        ("8.2.2 transfer-encoding", with(&[field("transfer-encoding", "chunked")])),
        ("8.2.2 upgrade", with(&[field("upgrade", "h2c")])),
        ("8.2.2 te", with(&[field("te", "gzip")])),
        ("8.3 a pseudo-header after others", of(&[METHOD, SCHEME, &path, &field("a", "b"), &authority])),
        ("8.3 an unknown pseudo-header", with(&[field(":protocol-x", "a")])),
        ("8.3 one of responses", with(&[field(":status", "200")])),
        ("8.3.1 no method", of(&[SCHEME, &path, &authority])),
        ("8.3.1 no scheme", of(&[METHOD, &path, &authority])),
        ("8.3.1 no path", of(&[METHOD, SCHEME, &authority])),
        ("8.3.1 an empty path", of(&[METHOD, SCHEME, &field(":path", ""), &authority])),
        ("8.3.1 two methods", of(&[METHOD, METHOD, SCHEME, &path, &authority])),
        ("8.3.1 two schemes", of(&[METHOD, SCHEME, SCHEME, &path, &authority])),
        ("8.3.1 two paths", of(&[METHOD, SCHEME, &path, &path, &authority])),
        ("8.1.1 a body shorter than its length", body("9", &[b"abc"])),
        ("8.1.1 a body longer than its length", body("2", &[b"a", b"bc"])),
        ("8.1.1 a length without a body", with(&[field("content-length", "1")])),
        ("8.1.1 a length that is none", body("-1", &[b"a"])),
        (
            "8.1 a second head that is no end",
            [body("3", &[]), frame(HEADERS, END_HEADERS, 1, &field("a", "b"))].concat(),
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, bytes)| {
            let got = exchange(proxy.address, bytes);
            (!is_error(&got, PROTOCOL, Some(1))).then(|| format!("{name}: {got:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    while let Some(request) = upstream.request_within(std::time::Duration::from_millis(100)) {
        assert!(!request.complete, "{request:?}");
    }
    assert!(exchange(proxy.address, &with(&[field("te", "trailers")])).contains(&Got::Head(1)));
}

#[test]
fn errors_of_compression_end_the_connection() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    for (name, block) in [
        ("2.3.3 an index above the tables", &[0xff, 0x7f][..]),
        ("4.2 a change of size after fields", &[0x82, 0x20]),
        (
            "5.1 an integer without end",
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        ("5.2 padding of more than seven bits", &[0x82, 0x86, 0x04, 0x82, 0x63, 0xff]),
        ("5.2 padding that is not ones", &[0x82, 0x86, 0x04, 0x81, 0x60]),
        ("5.2 a text longer than its block", &[0x00, 0x7e, b'a']),
        ("6.1 the index 0", &[0x80]),
        ("6.3 a size above the limit", &[0x3f, 0xe2, 0x1f, 0x82]),
    ] {
        let got = exchange(proxy.address, &frame(HEADERS, WHOLE, 1, block));
        assert!(is_error(&got, COMPRESSION, None), "{name}: {got:?}");
    }
    assert!(upstream.is_untouched());
}

#[test]
fn a_preface_that_is_none_gets_no_http2() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    for preface in ["PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r"] {
        let mut connection = crate::support::Connection::open(proxy.address);
        connection.write(preface).unwrap();
        // As HTTP/1.1 it is an unknown version.
        assert!(connection.read().map_or(true, |answer| answer.status() >= 400), "{preface:?}");
    }
    assert!(upstream.is_untouched());
}

/// RFC 9113 takes such a request for malformed. `h2` drops what must not be in its trailers.
#[test]
fn a_pseudo_header_in_trailers_reaches_no_upstream() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    let head = [&[0x83][..], SCHEME, &path(), &authority()].concat();
    let trailers = [field(":path", "/other"), field("x-trailer", "a")].concat();
    let frames = [frame(HEADERS, END_HEADERS, 1, &head), frame(HEADERS, WHOLE, 1, &trailers)].concat();
    exchange(proxy.address, &frames);
    if let Some(request) = upstream.request_within(std::time::Duration::from_millis(500)) {
        assert_eq!(request.target(), "/v1/models");
        assert!(!format!("{request:?}").contains("/other"), "{request:?}");
    }
}
