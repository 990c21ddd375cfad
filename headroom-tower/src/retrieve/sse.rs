//! Server-sent events: where each one ends, and the data in it.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use super::events::Data;

/// The byte behind the first empty line, or where to look on when there is more.
pub(super) fn end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut line = from;
    loop {
        match bytes.get(line..) {
            Some([b'\n', ..]) => return Ok(line + 1),
            Some([b'\r', b'\n', ..]) => return Ok(line + 2),
            Some(rest) => match memchr(b'\n', rest) {
                Some(at) => line += at + 1,
                None => return Err(line),
            },
            None => return Err(bytes.len()),
        }
    }
}

/// What the `data` lines of an event say.
pub(super) fn data(raw: &[u8]) -> Data {
    let mut data = Data::None;
    let mut line = 0;
    while let Some(rest) = raw.get(line..).filter(|rest| !rest.is_empty()) {
        let next = line + memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        if rest.starts_with(b"data:") {
            let end = next - line_end(raw.get(line..next).unwrap_or_default());
            let start = line + 5 + usize::from(rest.get(5) == Some(&b' ')).min(end - line - 5);
            let text = |range: Range<usize>| std::str::from_utf8(raw.get(range)?).ok();
            data = match (data, text(start..end)) {
                (Data::None, Some(_)) => Data::Within(start..end),
                (Data::Within(first), Some(more)) => {
                    Data::Apart(format!("{}\n{more}", text(first).unwrap_or_default()))
                }
                (Data::Apart(first), Some(more)) => Data::Apart(first + "\n" + more),
                (_, None) => return Data::None,
            };
        }
        line = next;
    }
    data
}

/// The event `raw` with other data.
pub(super) fn with(raw: &[u8], data: &str) -> Bytes {
    let mut bytes = BytesMut::with_capacity(raw.len() + data.len());
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"event:") || line.starts_with(b"id:") {
            bytes.extend_from_slice(line);
        }
    }
    bytes.extend_from_slice(b"data: ");
    bytes.extend_from_slice(data.as_bytes());
    bytes.extend_from_slice(b"\n\n");
    bytes.freeze()
}

fn line_end(line: &[u8]) -> usize {
    match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}
