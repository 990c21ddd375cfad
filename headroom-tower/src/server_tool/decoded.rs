//! Removes the content encoding of streams.
//!
//! Some gateways compress in any case, and a call in such a stream must be found.

use std::{
    io::{self, Write},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame};

use crate::{SkipReason, decode::Codec};

/// Encoded bytes decoded at a time, so that the client gets their content before more is read.
const STEP_BYTES: usize = 1024;
/// The most that one step may decode to. Only an attack is that dense.
const MAX_STEP_BYTES: usize = 16 << 20;

/// Whether the content encoding of a response with these headers can be decoded.
pub(super) fn is_readable(headers: &HeaderMap) -> bool {
    Codec::from_headers(headers).and_then(Decoder::new).is_ok()
}

/// A body that is decoded as it arrives. A body without encoding passes through without a copy.
pub(super) struct DecodedBody<R> {
    body: Pin<Box<R>>,
    decoder: Option<Decoder>,
    /// Bytes that are not decoded yet.
    encoded: Bytes,
    damaged: bool,
}

impl<R: Body> DecodedBody<R> {
    /// Decodes the body of a response with these headers. One whose encoding is not supported is damaged from its
    /// first byte on.
    pub(super) fn new(headers: &HeaderMap, body: R) -> Self {
        let decoder = Codec::from_headers(headers).and_then(Decoder::new);
        let (decoder, damaged) = decoder.map_or((None, true), |decoder| (decoder, false));
        Self { body: Box::pin(body), decoder, encoded: Bytes::new(), damaged }
    }

    /// Whether the body ended because it could not be decoded.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged
    }

    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        loop {
            if self.damaged {
                return Poll::Ready(None);
            }
            if let (Some(decoder), false) = (&mut self.decoder, self.encoded.is_empty()) {
                let step = self.encoded.split_to(STEP_BYTES.min(self.encoded.len()));
                match decoder.step(&step) {
                    Ok(decoded) if decoded.is_empty() => {}
                    Ok(decoded) => return Poll::Ready(Some(Ok(Frame::data(decoded)))),
                    Err(_) => self.damaged = true,
                }
                continue;
            }
            let frame = match ready!(self.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame.map_data(|mut data| data.copy_to_bytes(data.remaining())),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            match frame.into_data() {
                Ok(data) if self.decoder.is_some() => self.encoded = data,
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
    }
}

/// Decodes a stream piece by piece.
struct Decoder {
    writer: Box<dyn Write + Send>,
    sink: Sink,
}

impl Decoder {
    /// Creates the decoder of an encoding; `None` if there is nothing to decode.
    fn new(codec: Codec) -> Result<Option<Self>, SkipReason> {
        let sink = Sink::default();
        let writer = writer(codec, &sink)?;
        Ok(writer.map(|writer| Self { writer, sink }))
    }

    fn step(&mut self, encoded: &[u8]) -> io::Result<Bytes> {
        self.writer.write_all(encoded)?;
        self.writer.flush()?;
        Ok(self.sink.take().into())
    }
}

/// Returns a writer that decodes into the sink.
fn writer(codec: Codec, sink: &Sink) -> Result<Option<Box<dyn Write + Send>>, SkipReason> {
    let _ = sink;
    match codec {
        Codec::Identity => Ok(None),
        #[cfg(feature = "decompression-gzip")]
        Codec::Gzip => Ok(Some(Box::new(flate2::write::MultiGzDecoder::new(sink.clone())))),
        #[cfg(feature = "decompression-deflate")]
        Codec::Deflate => Ok(Some(Box::new(Deflate { start: Vec::new(), writer: None, sink: sink.clone() }))),
        #[cfg(feature = "decompression-br")]
        Codec::Brotli => Ok(Some(Box::new(brotli_decompressor::DecompressorWriter::new(sink.clone(), 4096)))),
        #[cfg(feature = "decompression-zstd")]
        Codec::Zstd => {
            let decoder = zstd::stream::write::Decoder::new(sink.clone());
            Ok(Some(Box::new(decoder.map_err(|_| SkipReason::DecodeFailed)?)))
        }
    }
}

/// The output of a decoder.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, decoded: &[u8]) -> io::Result<usize> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.len() + decoded.len() > MAX_STEP_BYTES {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        bytes.extend_from_slice(decoded);
        Ok(decoded.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Deflate with or without the zlib header, which the first two bytes show.
#[cfg(feature = "decompression-deflate")]
struct Deflate {
    start: Vec<u8>,
    writer: Option<Box<dyn Write + Send>>,
    sink: Sink,
}

#[cfg(feature = "decompression-deflate")]
impl Write for Deflate {
    fn write(&mut self, encoded: &[u8]) -> io::Result<usize> {
        if let Some(writer) = &mut self.writer {
            return writer.write(encoded);
        }
        self.start.extend_from_slice(encoded);
        if self.start.len() >= 2 {
            let sink = self.sink.clone();
            let mut writer: Box<dyn Write + Send> = if crate::decode::is_zlib(&self.start) {
                Box::new(flate2::write::ZlibDecoder::new(sink))
            } else {
                Box::new(flate2::write::DeflateDecoder::new(sink))
            };
            writer.write_all(&self.start)?;
            self.writer = Some(writer);
        }
        Ok(encoded.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), |writer| writer.flush())
    }
}
