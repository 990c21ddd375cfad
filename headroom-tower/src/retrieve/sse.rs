//! Server-sent events: where each one ends, and the data in it.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memchr;

/// Cuts a stream into events. Chunks may be cut anywhere; the bytes of all events together are those of the stream.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// What is left of the chunk that came last.
    chunk: Bytes,
    /// The beginning of an event that is not complete yet.
    partial: BytesMut,
    /// How much of `partial` was looked through.
    scanned: usize,
}

impl Splitter {
    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.partial.is_empty() && self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let left = std::mem::take(&mut self.chunk);
            self.partial.extend_from_slice(&left);
            self.partial.extend_from_slice(&chunk);
        }
    }

    /// The next event that is complete, with the empty line that ends it.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        if self.partial.is_empty() {
            match end(&self.chunk, 0) {
                Ok(end) => return Some(Event::of(self.chunk.split_to(end))),
                Err(scanned) => {
                    self.partial.extend_from_slice(&std::mem::take(&mut self.chunk));
                    self.scanned = scanned;
                    return None;
                }
            }
        }
        match end(&self.partial, self.scanned) {
            Ok(end) => {
                self.scanned = 0;
                let event = Event::of(self.partial.split_to(end).freeze());
                if self.partial.is_empty() {
                    self.partial = BytesMut::new();
                }
                Some(event)
            }
            Err(scanned) => {
                self.scanned = scanned;
                None
            }
        }
    }

    /// How much is held back because its event is not complete.
    pub(super) fn held(&self) -> usize {
        self.partial.len() + self.chunk.len()
    }

    /// What was held back.
    pub(super) fn take(&mut self) -> Bytes {
        self.scanned = 0;
        let mut partial = std::mem::take(&mut self.partial);
        if partial.is_empty() {
            return std::mem::take(&mut self.chunk);
        }
        partial.extend_from_slice(&std::mem::take(&mut self.chunk));
        partial.freeze()
    }
}

/// The byte behind the first empty line, or where to look on when there is more.
fn end(bytes: &[u8], from: usize) -> Result<usize, usize> {
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

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) raw: Bytes,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    None,
    Line(Range<usize>),
    Lines(String),
}

impl Event {
    fn of(raw: Bytes) -> Self {
        let mut data = Data::None;
        let mut line = 0;
        while let Some(rest) = raw.get(line..).filter(|rest| !rest.is_empty()) {
            let next = line + memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            if rest.starts_with(b"data:") {
                let end = next - line_end(raw.get(line..next).unwrap_or_default());
                let start = line + 5 + usize::from(rest.get(5) == Some(&b' ')).min(end - line - 5);
                data = match (data, raw.get(start..end).and_then(|line| std::str::from_utf8(line).ok())) {
                    (Data::None, Some(_)) => Data::Line(start..end),
                    (Data::Line(first), Some(more)) => {
                        let first = raw.get(first).and_then(|line| std::str::from_utf8(line).ok());
                        Data::Lines(format!("{}\n{more}", first.unwrap_or_default()))
                    }
                    (Data::Lines(first), Some(more)) => Data::Lines(first + "\n" + more),
                    (_, None) => return Self { raw, data: Data::None },
                };
            }
            line = next;
        }
        Self { raw, data }
    }

    /// The text of its data.
    pub(super) fn data(&self) -> Option<&str> {
        match &self.data {
            Data::None => None,
            Data::Line(range) => std::str::from_utf8(self.raw.get(range.clone())?).ok(),
            Data::Lines(text) => Some(text),
        }
    }

    /// The event that has other data.
    pub(super) fn replaced(&self, data: &str) -> Self {
        Self::of(self.with(data))
    }

    /// The bytes of that event.
    pub(super) fn with(&self, data: &str) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.raw.len() + data.len());
        if let Data::Line(range) = &self.data {
            bytes.extend_from_slice(self.raw.get(..range.start).unwrap_or_default());
            bytes.extend_from_slice(data.as_bytes());
            bytes.extend_from_slice(self.raw.get(range.end..).unwrap_or_default());
            return bytes.freeze();
        }
        for line in self.raw.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b"event:") || line.starts_with(b"id:") {
                bytes.extend_from_slice(line);
            }
        }
        bytes.extend_from_slice(b"data: ");
        bytes.extend_from_slice(data.as_bytes());
        bytes.extend_from_slice(b"\n\n");
        bytes.freeze()
    }
}

fn line_end(line: &[u8]) -> usize {
    match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(chunks: &[&[u8]]) -> (Vec<Event>, Bytes) {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for chunk in chunks {
            splitter.push(Bytes::copy_from_slice(chunk));
            while let Some(event) = splitter.next_event() {
                events.push(event);
            }
        }
        let rest = splitter.take();
        (events, rest)
    }

    const STREAM: &str = "event: a\ndata: {\"x\":1}\n\n: comment\n\ndata: one\ndata: two\n\nevent: b\r\ndata:tight\r\n\r\nid: 3\n\ndata\n\ndata: cut";

    #[test]
    fn events_end_at_empty_lines_of_either_kind() {
        let (events, rest) = split(&[STREAM.as_bytes()]);
        let data: Vec<_> = events.iter().map(Event::data).collect();
        assert_eq!(data, [Some("{\"x\":1}"), None, Some("one\ntwo"), Some("tight"), None, None]);
        assert_eq!(rest, "data: cut");
    }

    #[test]
    fn other_data_leaves_the_rest_of_an_event_as_it_was() {
        let (events, _) = split(&[STREAM.as_bytes()]);
        assert_eq!(events[0].with("{}"), "event: a\ndata: {}\n\n");
        assert_eq!(events[2].with("{}"), "data: {}\n\n");
        assert_eq!(events[3].with("{}"), "event: b\r\ndata:{}\r\n\r\n");
    }

    #[test]
    fn every_cut_gives_the_same_events() {
        let (whole, rest) = split(&[STREAM.as_bytes()]);
        let whole: Vec<_> = whole.into_iter().map(|event| event.raw).collect();
        for at in 0..=STREAM.len() {
            let (first, second) = STREAM.as_bytes().split_at(at);
            let (events, end) = split(&[first, second]);
            assert_eq!(events.into_iter().map(|event| event.raw).collect::<Vec<_>>(), whole, "{at}");
            assert_eq!(end, rest);
        }
        let bytes: Vec<_> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(split(&bytes).0.into_iter().map(|event| event.raw).collect::<Vec<_>>(), whole);
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_cuts_do_not_matter(
            stream in "(data: ?|event: |[\r\n]|x|:){0,40}", cuts in prop::collection::vec(0..80_usize, 0..5),
        ) {
            let (whole, rest) = split(&[stream.as_bytes()]);
            let mut joined: Vec<u8> = whole.iter().flat_map(|event| event.raw.to_vec()).collect();
            joined.extend_from_slice(&rest);
            prop_assert_eq!(&joined, stream.as_bytes());
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([stream.len()]) {
                chunks.push(&stream.as_bytes()[from..cut]);
                from = cut;
            }
            let (events, _) = split(&chunks);
            prop_assert_eq!(events.len(), whole.len());
            for (a, b) in events.iter().zip(&whole) {
                prop_assert_eq!(&a.raw, &b.raw);
                prop_assert_eq!(a.data(), b.data());
            }
        }
    }
}
