//! Any bytes as a stream of events, in any chunks: no byte is lost, cuts make no difference, the data is what a plain
//! reading of the format says, and other data changes nothing else.
#![no_main]

use headroom_retrieval::fuzzing::{Split, split};
use libfuzzer_sys::fuzz_target;

const OTHER: &str = r#"{"type":"ping"}"#;

fuzz_target!(|input: &[u8]| {
    let [framing, cuts, rest @ ..] = input else { return };
    let aws = framing % 4 == 0;
    let Some((cuts, stream)) = rest.split_at_checked(usize::from(cuts % 8)) else { return };
    let (whole, left) = split(aws, &[stream], OTHER);
    let (pieces, left_of_pieces) = split(aws, &chunks(stream, cuts), OTHER);
    assert_eq!(joined(&whole, &left), stream, "a byte is lost");
    assert_eq!(joined(&pieces, &left_of_pieces), stream, "a byte is lost where the stream is cut");
    assert_eq!(events(&pieces), events(&whole), "where the stream is cut makes a difference");
    for (raw, data, replaced) in whole.iter().filter(|_| !aws) {
        assert_eq!(*data, plain(raw), "{:?} reads otherwise", raw);
        if data.is_none() {
            continue; // Only data is ever replaced.
        }
        assert_eq!(plain(replaced).as_deref(), Some(OTHER), "{:?} has other data", replaced);
        // Alone, an event may look otherwise: a CR at its end needs what follows, an LF at its start what was before.
        let stands_alone = raw.ends_with(b"\n\n") || raw.ends_with(b"\r\n\r\n");
        let has_one_line =
            std::str::from_utf8(raw).is_ok() && data.as_ref().is_some_and(|data| !data.contains('\n'));
        if has_one_line && stands_alone && !raw.starts_with(b"\n") {
            let back = split(false, &[replaced], data.as_deref().unwrap_or_default()).0;
            assert_eq!(back[0].2, *raw, "more than the data was changed");
        }
    }
});

/// The stream in chunks that end where these bytes say.
fn chunks<'a>(stream: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    let mut rest = stream;
    for cut in cuts {
        let (chunk, more) = rest.split_at(usize::from(*cut).min(rest.len()));
        chunks.push(chunk);
        rest = more;
    }
    chunks.push(rest);
    chunks
}

fn joined(events: &[Split], left: &[u8]) -> Vec<u8> {
    events.iter().flat_map(|(raw, ..)| raw.iter()).chain(left).copied().collect()
}

/// The events that have data. What is no frame passes in whatever pieces it comes.
fn events(events: &[Split]) -> Vec<&Split> {
    events.iter().filter(|(_, data, _)| data.is_some()).collect()
}

/// The data of a server-sent event, read line by line.
fn plain(event: &[u8]) -> Option<String> {
    let event = event.strip_prefix(b"\xef\xbb\xbf").unwrap_or(event);
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut rest = event;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let (line, more) = rest.split_at(end);
        lines.push(line);
        rest = more.strip_prefix(b"\r\n").or(more.get(1..)).unwrap_or_default();
    }
    let data = lines.into_iter().filter_map(|line| {
        let value = line.strip_prefix(b"data:")?;
        Some(String::from_utf8_lossy(value.strip_prefix(b" ").unwrap_or(value)))
    });
    let data: Vec<_> = data.collect();
    (!data.is_empty()).then(|| data.join("\n"))
}
