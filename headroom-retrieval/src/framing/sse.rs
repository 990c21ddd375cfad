//! Splits server-sent events and finds their data.
//!
//! Lines end in LF, CR or CRLF, and an empty line ends an event:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

use super::Data;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Finds the ends of events in a stream of pieces. It gets every byte once, so its work is linear in the stream,
/// however small the pieces are.
///
/// A CR may be half of a CRLF. In a stream of bare CRs an event ends with its second CR, because the next byte may be
/// long in coming; an LF that follows opens the next event, where it has no effect. Elsewhere the next byte decides.
#[derive(Debug, Default)]
pub(super) struct Boundaries {
    state: LineState,
    /// Whether the last line ended in a bare CR.
    is_bare_cr: bool,
    /// Number of bytes searched.
    #[cfg(test)]
    pub(super) searched: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LineState {
    #[default]
    LineStart,
    InLine,
    /// After a CR that ended a line.
    AfterCr {
        is_empty: bool,
    },
    /// After a bare CR that ended an event.
    AfterEvent,
}

impl Boundaries {
    /// Returns the end of the current event in the next piece of the stream; 0 if it ended with the piece before.
    pub(super) fn find(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = piece.get(at).copied() {
            let from = at;
            let is_end = self.step(byte, piece, &mut at);
            self.count(at - from);
            if is_end {
                return Some(at);
            }
        }
        None
    }

    /// Continues from the byte at `at`. Returns whether the event ends there.
    fn step(&mut self, byte: u8, piece: &[u8], at: &mut usize) -> bool {
        match self.state {
            LineState::AfterCr { .. } | LineState::AfterEvent => {
                let is_end = self.state == LineState::AfterCr { is_empty: true };
                self.is_bare_cr = byte != b'\n';
                *at += usize::from(!self.is_bare_cr);
                self.state = LineState::LineStart;
                is_end
            }
            LineState::InLine => {
                let rest = piece.get(*at..).unwrap_or_default();
                let length = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                match rest.get(length) {
                    Some(b'\r') => self.state = LineState::AfterCr { is_empty: false },
                    Some(_) => self.line_feed(),
                    None => {}
                }
                *at += (length + 1).min(rest.len());
                false
            }
            LineState::LineStart if byte == b'\n' => {
                *at += 1;
                self.line_feed();
                true
            }
            LineState::LineStart if byte == b'\r' => {
                *at += 1;
                let is_end = self.is_bare_cr;
                self.state =
                    if is_end { LineState::AfterEvent } else { LineState::AfterCr { is_empty: true } };
                is_end
            }
            LineState::LineStart => {
                self.state = LineState::InLine;
                false
            }
        }
    }

    fn line_feed(&mut self) {
        self.is_bare_cr = false;
        self.state = LineState::LineStart;
    }

    fn count(&mut self, bytes: usize) {
        #[cfg(test)]
        {
            self.searched += bytes;
        }
        #[cfg(not(test))]
        let _ = bytes;
    }
}

/// Returns the content of an event's `data` lines.
pub(super) fn data(raw: &[u8]) -> Data {
    let mut data = Data::None;
    for line in lines(raw) {
        let Some(value) = value(raw, &line.text) else { continue };
        let text = String::from_utf8_lossy(raw.get(value.clone()).unwrap_or_default());
        data = match (data, text) {
            (Data::None, std::borrow::Cow::Borrowed(_)) => Data::Within(value),
            // Clients read invalid UTF-8, too.
            (Data::None, std::borrow::Cow::Owned(text)) => Data::Apart(text),
            (Data::Within(first), more) => {
                let first = raw.get(first).and_then(|first| std::str::from_utf8(first).ok());
                Data::Apart(format!("{}\n{more}", first.unwrap_or_default()))
            }
            (Data::Apart(first), more) => Data::Apart(first + "\n" + &more),
        };
    }
    data
}

/// Replaces the data of the event `raw`. All other lines stay.
pub(super) fn with(raw: &[u8], data: &str) -> Bytes {
    let mut bytes = BytesMut::with_capacity(raw.len() + data.len());
    let mut is_written = false;
    for line in lines(raw) {
        if value(raw, &line.text).is_none() {
            bytes.extend_from_slice(raw.get(line.text.start..line.end).unwrap_or_default());
        } else if !std::mem::replace(&mut is_written, true) {
            for part in data.split('\n') {
                bytes.extend_from_slice(b"data: ");
                bytes.extend_from_slice(part.as_bytes());
                bytes.extend_from_slice(b"\n");
            }
        }
    }
    bytes.freeze()
}

/// Removes a leading byte order mark.
pub(crate) fn without_mark(mut raw: Bytes) -> Bytes {
    if raw.starts_with(BYTE_ORDER_MARK) {
        let _ = raw.split_to(BYTE_ORDER_MARK.len());
    }
    raw
}

/// One line of an event.
struct Line {
    text: Range<usize>,
    /// The index after the line's terminator.
    end: usize,
}

fn lines(raw: &[u8]) -> impl Iterator<Item = Line> {
    let mut next = if raw.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    std::iter::from_fn(move || {
        let start = next;
        let rest = raw.get(start..).filter(|rest| !rest.is_empty())?;
        let length = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let ending = match rest.get(length..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([_, ..]) => 1,
            _ => 0,
        };
        next = start + length + ending;
        Some(Line { text: start..start + length, end: next })
    })
}

/// Returns the range of a `data` line's value.
fn value(raw: &[u8], line: &Range<usize>) -> Option<Range<usize>> {
    let value = raw.get(line.clone())?.strip_prefix(b"data:")?;
    let space = usize::from(value.first() == Some(&b' '));
    Some(line.start + 5 + space..line.end)
}
