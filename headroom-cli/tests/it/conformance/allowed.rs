//! What must be taken for no error, and how much of it.

use super::{
    client::*,
    frames::{open, proxy, setting, update},
};

#[test]
fn what_the_protocol_allows_is_answered() {
    let (proxy, _upstream) = proxy();
    let (first, rest) = (&head()[..7], &head()[7..]);
    for (name, before) in [
        ("4.1 a frame of an unknown type", frame(0x16, 0xff, 0, b"unknown")),
        ("4.1 flags that are not defined", frame(PING, 0xfe, 0, &[0; 8])),
        ("6.5.2 an unknown setting", setting(0xf0f0, 1)),
        ("6.7 an ACK of no PING", frame(PING, ACK, 0, &[9; 8])),
        ("5.3 PRIORITY of an idle stream", frame(PRIORITY, 0, 7, &[0, 0, 0, 0, 9])),
        ("6.9 WINDOW_UPDATE", update(0, 1)),
    ] {
        let got = exchange(proxy.address, &[before, request(1)].concat());
        assert!(got.contains(&Got::Head(1)), "{name}: {got:?}");
    }
    for (name, frames) in [
        ("4.1 the reserved bit", frame(HEADERS, WHOLE, 0x8000_0001, &head())),
        ("6.2 padding", frame(HEADERS, WHOLE | PADDED, 1, &[&[2], &head()[..], &[0, 0]].concat())),
        (
            "6.10 a head in three frames",
            [
                frame(HEADERS, END_STREAM, 1, first),
                frame(CONTINUATION, 0, 1, rest),
                frame(CONTINUATION, END_HEADERS, 1, &[]),
            ]
            .concat(),
        ),
    ] {
        let got = exchange(proxy.address, &frames);
        assert!(got.contains(&Got::Head(1)), "{name}: {got:?}");
    }
    let got = exchange(proxy.address, &[setting(4, 9), frame(PING, 0, 0, b"pingpong")].concat());
    assert!(
        got.contains(&Got::Ack(SETTINGS, vec![])) && got.contains(&Got::Ack(PING, b"pingpong".to_vec())),
        "{got:?}"
    );
}

#[test]
fn streams_that_are_reset_as_fast_as_they_are_opened_end_the_connection() {
    let (proxy, _upstream) = proxy();
    let bytes: Vec<u8> = (0..2000)
        .flat_map(|n| [open(2 * n + 1), frame(RST_STREAM, 0, 2 * n + 1, &8u32.to_be_bytes())].concat())
        .collect();
    let got = exchange(proxy.address, &bytes);
    assert!(is_error(&got, CALM, None), "{got:?}");
    assert!(exchange(proxy.address, &request(1)).contains(&Got::Head(1)));
}
