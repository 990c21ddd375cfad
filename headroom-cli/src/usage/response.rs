//! Reads a response's usage on its way to the client.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

use super::{
    Usage,
    counts::ReportedUsage,
    find::{Finder, FoundUsage},
};
use crate::observed::Observer;

/// Output buffer of brotli in bytes.
const BROTLI_BUFFER: usize = 4 << 10;

/// Reads the usage in a response, and reports it to a callback as soon as it is read.
pub(crate) struct UsageReader<F> {
    decoder: Decoder,
    told: F,
}

impl<F: FnMut(Option<Usage>, Option<&str>)> UsageReader<F> {
    /// Reads the body if its headers announce a supported format.
    pub(crate) fn new(headers: &HeaderMap, told: F) -> Self {
        Self { decoder: Decoder::from_headers(headers), told }
    }
}

impl<F: FnMut(Option<Usage>, Option<&str>)> Observer for UsageReader<F> {
    fn observe(&mut self, data: &Bytes) {
        if let Some(found) = self.decoder.read(data) {
            (self.told)(found.reported.as_ref().and_then(ReportedUsage::counts), found.model.as_deref());
        }
    }
}

/// Decodes a response's content encoding, chunk by chunk.
enum Decoder {
    Plain(Box<Text>),
    Gzip(Box<MultiGzDecoder<Text>>),
    Deflate(Box<ZlibDecoder<Text>>),
    Brotli(Box<brotli_decompressor::DecompressorWriter<Text>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Text>>),
    /// Unsupported, or not a text that could contain usage.
    Off,
}

impl Decoder {
    fn from_headers(headers: &HeaderMap) -> Self {
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let text = match kind.split(';').next().unwrap_or_default().trim() {
            "application/json" => Text::new(false),
            "text/event-stream" => Text::new(true),
            _ => return Self::Off,
        };
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = encodings.next().map_or(&b"identity"[..], |value| value.as_bytes());
        match encoding {
            _ if encodings.next().is_some() => Self::Off,
            b"identity" => Self::Plain(Box::new(text)),
            b"gzip" | b"x-gzip" => Self::Gzip(Box::new(MultiGzDecoder::new(text))),
            b"deflate" => Self::Deflate(Box::new(ZlibDecoder::new(text))),
            b"br" => {
                let decoder = brotli_decompressor::DecompressorWriter::new(text, BROTLI_BUFFER);
                Self::Brotli(Box::new(decoder))
            }
            b"zstd" => match zstd::stream::write::Decoder::new(text) {
                Ok(decoder) => Self::Zstd(Box::new(decoder)),
                Err(_) => Self::Off,
            },
            _ => Self::Off,
        }
    }

    /// Reads a chunk; returns what is known if that is more than before.
    fn read(&mut self, data: &[u8]) -> Option<&FoundUsage> {
        // Flushed each time: data that a decoder holds back would be read only after the client saw the end.
        let read = |writer: &mut dyn Write| writer.write_all(data).and_then(|()| writer.flush());
        let result = match self {
            Self::Plain(text) => read(text),
            Self::Gzip(decoder) => read(decoder),
            Self::Deflate(decoder) => read(decoder),
            Self::Brotli(decoder) => read(decoder),
            Self::Zstd(decoder) => read(decoder),
            Self::Off => return None,
        };
        if result.is_err() {
            *self = Self::Off;
        }
        let text = match self {
            Self::Plain(text) => text,
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
            Self::Off => return None,
        };
        text.news()
    }
}

/// JSON, or events whose data is JSON.
struct Text {
    finder: Finder,
    events: bool,
    line: EventLine,
    has_news: bool,
}

/// The position in a line of an event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EventLine {
    /// This many bytes of the field's name were seen.
    Name(usize),
    /// In the value of a `data` field.
    Data,
    /// In another field.
    Other,
}

impl Text {
    const NAME: &'static [u8] = b"data:";

    fn new(events: bool) -> Self {
        Self { finder: Finder::default(), events, line: EventLine::Name(0), has_news: false }
    }

    fn news(&mut self) -> Option<&FoundUsage> {
        std::mem::take(&mut self.has_news).then(|| self.finder.found())
    }

    fn event(&mut self, data: &[u8]) {
        for piece in data.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match piece.split_last() {
                Some((b'\n' | b'\r', text)) => (text, true),
                _ => (piece, false),
            };
            // An empty line ends an event. The second half of a CRLF is taken for one, too: by then the data, which all
            // providers send in one line, is complete.
            if end && text.is_empty() && self.line == EventLine::Name(0) {
                self.finder.restart();
                continue;
            }
            self.line(text);
            if end {
                self.line = EventLine::Name(0);
            }
        }
    }

    fn line(&mut self, mut text: &[u8]) {
        if let EventLine::Name(seen) = self.line {
            let wanted = Self::NAME.get(seen..).unwrap_or_default();
            let length = wanted.len().min(text.len());
            let (head, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
            self.line = match wanted.starts_with(head) {
                false => EventLine::Other,
                true if length == wanted.len() => EventLine::Data,
                true => EventLine::Name(seen + length),
            };
            text = rest;
        }
        if self.line == EventLine::Data {
            self.has_news |= self.finder.read(text);
        }
    }
}

impl Write for Text {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.events {
            self.event(data);
        } else {
            self.has_news |= self.finder.read(data);
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;
    use crate::observed::Observed;

    const MESSAGES: &str = "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"c\",\
        \"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\r\n\r\n: data: {\"usage\":\
        {\"input_tokens\":1}}\r\n\r\nevent: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\ndatum: {\"usage\":{\"input_tokens\":1}}\r\n\r\n\
        event: message_delta\r\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":40}}\r\n\r\n";
    const WHOLE: &str = "{\"model\":\"c\",\n\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":7,\"output_tokens\":40}}";

    fn encoded(encoding: &str, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        match encoding {
            "gzip" => {
                flate2::read::GzEncoder::new(text.as_bytes(), flate2::Compression::fast())
                    .read_to_end(&mut out)
                    .unwrap();
            }
            "deflate" => {
                flate2::read::ZlibEncoder::new(text.as_bytes(), flate2::Compression::fast())
                    .read_to_end(&mut out)
                    .unwrap();
            }
            "br" => {
                brotli::CompressorReader::new(text.as_bytes(), 4096, 5, 20).read_to_end(&mut out).unwrap();
            }
            "zstd" => out = zstd::encode_all(text.as_bytes(), 1).unwrap(),
            _ => out = text.as_bytes().to_vec(),
        }
        out
    }

    /// Returns what is reported at the end of this body in chunks, which must pass unchanged.
    async fn told(kind: &str, encoding: &str, body: &[u8], step: usize) -> (Option<Usage>, Option<String>) {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_TYPE, kind.parse().unwrap()),
            (header::CONTENT_ENCODING, encoding.parse().unwrap()),
        ]);
        let pieces: Vec<_> = body.chunks(step).map(Bytes::copy_from_slice).collect();
        let pieces = pieces.into_iter().map(|piece| Ok::<_, io::Error>(Frame::data(piece)));
        let mut last = (None, None);
        let reader = UsageReader::new(&headers, |usage, model: Option<&str>| {
            last = (usage, model.map(str::to_owned));
        });
        let passing = Observed::new(StreamBody::new(stream::iter(pieces)), reader);
        let passed = passing.collect().await.unwrap().to_bytes();
        assert_eq!(passed, body);
        last
    }

    #[tokio::test]
    async fn usage_is_told_of_every_encoding_in_pieces_of_any_size() {
        let expected =
            (Some(Usage { input: 5, cache_read: 7, output: 40, ..Usage::default() }), Some("c".to_owned()));
        for encoding in ["identity", "gzip", "deflate", "br", "zstd"] {
            for (kind, text) in [("text/event-stream; charset=utf-8", MESSAGES), ("application/json", WHOLE)]
            {
                let body = encoded(encoding, text);
                for step in [1, 3, 64, 10_000] {
                    assert_eq!(
                        told(kind, encoding, &body, step).await,
                        expected,
                        "{kind} {encoding} by {step}"
                    );
                }
            }
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_passes_and_tells_nothing() {
        for (kind, encoding) in [
            ("text/plain", "identity"),
            ("application/json", "compress"),
            ("application/json", "gzip, br"),
            ("application/json", "gzip"),
            ("application/json", "zstd"),
            ("application/vnd.amazon.eventstream", "identity"),
        ] {
            assert_eq!(told(kind, encoding, WHOLE.as_bytes(), 8).await, (None, None), "{kind} {encoding}");
        }
    }
}
