//! Splits streams into events, in the provider's framing.

mod aws;
mod sse;

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};

use crate::api::Failure;

pub(crate) use self::sse::without_mark;

/// The framing of events in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// AWS frames.
    Aws,
}

impl Framing {
    /// Returns the framing of a response with these headers, if it is a stream of events.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        match essence(headers) {
            kind if kind.eq_ignore_ascii_case("text/event-stream") => Some(Self::Sse),
            kind if kind.eq_ignore_ascii_case("application/vnd.amazon.eventstream") => Some(Self::Aws),
            _ => None,
        }
    }
}

/// Returns the frame that reports a failure to the client, in AWS framing.
pub(crate) fn exception(failure: &Failure) -> Bytes {
    aws::exception(failure)
}

/// Returns the media type without its parameters.
pub(crate) fn essence(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}

/// Splits a stream into events. Chunks may be cut anywhere; the bytes of all events add up to the stream.
#[derive(Debug)]
pub(crate) struct Splitter {
    framing: Framing,
    /// Bytes that were not searched yet.
    chunk: Bytes,
    /// The searched beginning of an incomplete event.
    partial: BytesMut,
    boundaries: sse::Boundaries,
    /// How many bytes the current AWS frame has left, once its length is known.
    frame_left: Option<usize>,
    /// Whether the current event passes through because it is too long to hold.
    skipping: bool,
    /// Whether invalid framing was found, so that later frames cannot be located.
    lost: bool,
}

impl Splitter {
    pub(crate) fn new(framing: Framing) -> Self {
        Self {
            framing,
            chunk: Bytes::new(),
            partial: BytesMut::new(),
            boundaries: sse::Boundaries::default(),
            frame_left: None,
            skipping: false,
            lost: false,
        }
    }

    pub(crate) fn push(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            self.chunk = [&*self.chunk, &*chunk].concat().into();
        }
    }

    /// Returns the next complete event with its terminator, or the next piece of one that is too long.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        if self.chunk.is_empty() {
            return None;
        }
        let end = if self.lost { None } else { self.find_end() };
        if self.lost {
            return Some(Event::opaque(self.framing, self.take()));
        }
        let piece = self.chunk.split_to(end.unwrap_or(self.chunk.len()));
        if self.skipping {
            self.skipping = end.is_none();
            // An event may end with the previous piece.
            return if piece.is_empty() {
                self.next_event()
            } else {
                Some(Event::opaque(self.framing, piece))
            };
        }
        if end.is_some() && self.partial.is_empty() {
            return Some(Event::new(self.framing, piece));
        }
        self.partial.extend_from_slice(&piece);
        end?;
        Some(Event::new(self.framing, std::mem::take(&mut self.partial).freeze()))
    }

    /// Returns the end of the current event in the chunk. Searches every byte once.
    fn find_end(&mut self) -> Option<usize> {
        if self.framing == Framing::Sse {
            return self.boundaries.find(&self.chunk);
        }
        let left = match self.frame_left {
            Some(left) => left,
            None => {
                let more = aws::PRELUDE.saturating_sub(self.partial.len());
                let start = [&*self.partial, self.chunk.get(..more)?].concat();
                let Some(length) = aws::length(&start) else {
                    self.lost = true;
                    return None;
                };
                length.saturating_sub(self.partial.len())
            }
        };
        let end = (left <= self.chunk.len()).then_some(left);
        self.frame_left = end.is_none().then(|| left - self.chunk.len());
        end
    }

    /// Number of bytes held for an incomplete event.
    pub(crate) fn held(&self) -> usize {
        self.partial.len() + self.chunk.len()
    }

    /// Returns the held bytes. The rest of their event comes in pieces that are not read.
    pub(crate) fn skip(&mut self) -> Bytes {
        self.skipping = true;
        std::mem::take(&mut self.partial).freeze()
    }

    /// Returns the held bytes at the end of the stream.
    pub(crate) fn take(&mut self) -> Bytes {
        let chunk = std::mem::take(&mut self.chunk);
        let mut partial = std::mem::take(&mut self.partial);
        if partial.is_empty() {
            return chunk;
        }
        partial.extend_from_slice(&chunk);
        partial.freeze()
    }

    /// Number of bytes searched for ends of events.
    #[cfg(test)]
    fn searched(&self) -> usize {
        self.boundaries.searched
    }
}

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) raw: Bytes,
    framing: Framing,
    data: Data,
}

/// The location of an event's data.
#[derive(Clone, Debug)]
pub(crate) enum Data {
    None,
    /// A range of the event's bytes.
    Within(Range<usize>),
    /// Extracted from them.
    Apart(String),
}

impl Data {
    pub(crate) fn text<'a>(&'a self, raw: &'a [u8]) -> Option<&'a str> {
        match self {
            Self::None => None,
            Self::Within(range) => std::str::from_utf8(raw.get(range.clone())?).ok(),
            Self::Apart(text) => Some(text),
        }
    }
}

impl Event {
    pub(crate) fn new(framing: Framing, raw: Bytes) -> Self {
        let data = match framing {
            Framing::Sse => sse::data(&raw),
            Framing::Aws => aws::data(&raw),
        };
        Self { raw, framing, data }
    }

    /// Creates an event from bytes that are not read.
    fn opaque(framing: Framing, raw: Bytes) -> Self {
        Self { raw, framing, data: Data::None }
    }

    /// Returns the text of its data.
    pub(crate) fn data(&self) -> Option<&str> {
        self.data.text(&self.raw)
    }

    /// Whether its frame reports that the stream has failed.
    pub(crate) fn is_failure(&self) -> bool {
        self.framing == Framing::Aws && aws::is_failure(&self.raw)
    }

    /// Returns the event with other data.
    pub(crate) fn replaced(&self, data: &str) -> Self {
        Self::new(self.framing, self.with(data))
    }

    /// Returns the bytes of the event with other data.
    pub(crate) fn with(&self, data: &str) -> Bytes {
        match (self.framing, &self.data) {
            (Framing::Aws, _) => aws::with(&self.raw, data),
            (Framing::Sse, Data::Within(range)) => {
                let (before, after) = (self.raw.get(..range.start), self.raw.get(range.end..));
                [before.unwrap_or_default(), data.as_bytes(), after.unwrap_or_default()].concat().into()
            }
            (Framing::Sse, _) => sse::with(&self.raw, data),
        }
    }
}

/// One event as the fuzz targets see it: its bytes, its data, and its bytes with other data.
#[cfg(feature = "__fuzzing")]
pub type Split = (Bytes, Option<String>, Bytes);

/// Returns the events of a stream in these chunks, in AWS frames or as server-sent events, and the rest.
#[cfg(feature = "__fuzzing")]
pub fn split(aws: bool, chunks: &[&[u8]], other: &str) -> (Vec<Split>, Bytes) {
    let mut splitter = Splitter::new(if aws { Framing::Aws } else { Framing::Sse });
    let mut events = Vec::new();
    for chunk in chunks {
        splitter.push(Bytes::copy_from_slice(chunk));
        while let Some(event) = splitter.next_event() {
            let data = event.data().map(str::to_owned);
            let replaced = event.with(other);
            events.push((event.raw, data, replaced));
        }
    }
    (events, splitter.take())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(framing: Framing, chunks: &[&[u8]]) -> (Vec<Event>, Bytes) {
        let mut splitter = Splitter::new(framing);
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

    #[test]
    fn work_grows_with_the_length_of_an_event_however_small_its_pieces_are() {
        for length in [1 << 16, 1 << 17, 1 << 18] {
            let event = format!("data: {}\n\n", "x".repeat(length));
            for size in [1, 256] {
                let mut splitter = Splitter::new(Framing::Sse);
                let mut events = 0;
                for piece in event.as_bytes().chunks(size) {
                    splitter.push(Bytes::copy_from_slice(piece));
                    events += usize::from(splitter.next_event().is_some());
                }
                assert_eq!((events, splitter.searched()), (1, event.len()), "{length} in pieces of {size}");
            }
        }
    }

    #[test]
    fn lines_may_end_in_any_way_and_events_pass_as_soon_as_they_are_whole() {
        for (ending, mark) in [("\n", ""), ("\r\n", ""), ("\r", ""), ("\r", "\u{feff}"), ("\n", "\u{feff}")] {
            let stream = format!("{mark}: comment\nevent: a\ndata: 1\ndata: 2\n\nid: x\ndata:3\n\n")
                .replace('\n', ending);
            let (events, rest) = split(Framing::Sse, &[stream.as_bytes()]);
            assert_eq!(
                events.iter().map(Event::data).collect::<Vec<_>>(),
                [Some("1\n2"), Some("3")],
                "{stream:?}"
            );
            assert_eq!(rest, "");
            let with = ": comment\nevent: a\ndata: 7\n\n".replace('\n', ending);
            assert_eq!(
                String::from_utf8_lossy(&events[0].with("7"))
                    .replace("data: 7\n", &format!("data: 7{ending}")),
                with
            );
        }
        // A CR at the end of a piece, which may be half of a CRLF.
        let (events, rest) =
            split(Framing::Sse, &[b"data: 1\r\n\r", b"\ndata: 2\r\n\r", b"data: 3\r\r", b"\n\n"]);
        let raw: Vec<_> = events.iter().map(|event| &*event.raw).collect();
        assert_eq!(raw, [&b"data: 1\r\n\r\n"[..], b"data: 2\r\n\r", b"data: 3\r\r", b"\n\n"]);
        assert_eq!(rest, "");
    }

    #[test]
    fn data_that_is_no_utf8_is_read_as_clients_read_it() {
        let (events, _) = split(Framing::Sse, &[b"data: {\"a\":\"\xff\"}\n\n"]);
        assert_eq!(events[0].data(), Some("{\"a\":\"\u{fffd}\"}"));
    }

    #[test]
    fn the_rest_of_an_event_that_is_skipped_comes_unread_and_the_next_is_read() {
        let mut splitter = Splitter::new(Framing::Sse);
        let mut passed = Vec::new();
        for piece in ["data: {\"a\":", "1}\r\n\r", "\ndata: 2\r\n\r\n"] {
            splitter.push(Bytes::from(piece));
            while let Some(event) = splitter.next_event() {
                passed.push((event.raw.clone(), event.data().map(str::to_owned)));
            }
            if passed.is_empty() {
                passed.push((splitter.skip(), None));
            }
        }
        let all: Vec<u8> = passed.iter().flat_map(|(raw, _)| raw.to_vec()).collect();
        assert_eq!(all, b"data: {\"a\":1}\r\n\r\ndata: 2\r\n\r\n");
        assert_eq!(passed.iter().filter_map(|(_, data)| data.as_deref()).collect::<Vec<_>>(), ["2"]);
    }

    const STREAM: &str = "event: a\ndata: {\"x\":1}\n\n: comment\n\ndata: one\ndata: two\n\nevent: b\r\ndata:tight\r\n\r\nid: 3\n\ndata\n\ndata: cut";

    #[test]
    fn events_end_at_empty_lines_of_either_kind() {
        let (events, rest) = split(Framing::Sse, &[STREAM.as_bytes()]);
        let data: Vec<_> = events.iter().map(Event::data).collect();
        assert_eq!(data, [Some("{\"x\":1}"), None, Some("one\ntwo"), Some("tight"), None, None]);
        assert_eq!(rest, "data: cut");
    }

    #[test]
    fn other_data_leaves_the_rest_of_an_event_as_it_was() {
        let (events, _) = split(Framing::Sse, &[STREAM.as_bytes()]);
        assert_eq!(events[0].with("{}"), "event: a\ndata: {}\n\n");
        assert_eq!(events[2].with("{}"), "data: {}\n\n");
        assert_eq!(events[3].with("{}"), "event: b\r\ndata:{}\r\n\r\n");
    }

    #[test]
    fn every_cut_gives_the_same_events() {
        let (whole, rest) = split(Framing::Sse, &[STREAM.as_bytes()]);
        let whole: Vec<_> = whole.into_iter().map(|event| event.raw).collect();
        for at in 0..=STREAM.len() {
            let (first, second) = STREAM.as_bytes().split_at(at);
            let (events, end) = split(Framing::Sse, &[first, second]);
            assert_eq!(events.into_iter().map(|event| event.raw).collect::<Vec<_>>(), whole, "{at}");
            assert_eq!(end, rest);
        }
        let bytes: Vec<_> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(
            split(Framing::Sse, &bytes).0.into_iter().map(|event| event.raw).collect::<Vec<_>>(),
            whole
        );
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_and_cuts_do_not_matter(
            stream in "(data: ?|event: |[\r\n]|x|:){0,40}", cuts in prop::collection::vec(0..80_usize, 0..5),
        ) {
            let (whole, rest) = split(Framing::Sse, &[stream.as_bytes()]);
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
            let (events, _) = split(Framing::Sse, &chunks);
            prop_assert_eq!(events.len(), whole.len());
            for (a, b) in events.iter().zip(&whole) {
                prop_assert_eq!(&a.raw, &b.raw);
                prop_assert_eq!(a.data(), b.data());
            }
        }
    }
}
