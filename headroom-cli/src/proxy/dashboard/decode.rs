use std::io::Read;

use http::HeaderValue;

/// Read buffer of brotli in bytes.
const BROTLI_BUFFER: usize = 4 << 10;

/// Decodes at most `limit` bytes of an encoded body; `None` if the encoding is unknown.
pub(super) fn decode(bytes: &[u8], encoding: Option<&HeaderValue>, limit: usize) -> Option<Vec<u8>> {
    let reader: Box<dyn Read + '_> = match encoding.map_or(&b"identity"[..], HeaderValue::as_bytes) {
        b"identity" => Box::new(bytes),
        b"gzip" | b"x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        b"deflate" => Box::new(flate2::read::ZlibDecoder::new(bytes)),
        b"br" => Box::new(brotli_decompressor::Decompressor::new(bytes, BROTLI_BUFFER)),
        b"zstd" => Box::new(zstd::stream::read::Decoder::new(bytes).ok()?),
        _ => return None,
    };
    let mut decoded = Vec::new();
    // What was decoded before an error is valid.
    let _ = reader.take(limit as u64).read_to_end(&mut decoded);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_encoding_of_requests_is_read() {
        let text = "some text, some more text, ".repeat(100);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        deflate.write_all(text.as_bytes()).unwrap();
        let mut br = Vec::new();
        brotli::CompressorWriter::new(&mut br, 4096, 1, 20).write_all(text.as_bytes()).unwrap();
        for (name, bytes) in [
            ("gzip", gzip.finish().unwrap()),
            ("deflate", deflate.finish().unwrap()),
            ("zstd", zstd::encode_all(text.as_bytes(), 1).unwrap()),
            ("br", br),
            ("identity", text.clone().into_bytes()),
        ] {
            let encoding = HeaderValue::from_static(name);
            assert_eq!(decode(&bytes, Some(&encoding), usize::MAX).unwrap(), text.as_bytes(), "{name}");
            assert_eq!(decode(&bytes, Some(&encoding), 9).unwrap(), b"some text", "{name}");
        }
        assert_eq!(decode(b"x", Some(&HeaderValue::from_static("other")), 9), None);
        assert_eq!(decode(b"x", None, 9).unwrap(), b"x");
    }
}
