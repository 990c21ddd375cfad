use http::{HeaderMap, header};

use crate::SkipReason;

/// Bytes that one byte of an encoded body may decode to. No recorded request had more than 50, and that one was very
/// repetitive.
const MAX_RATIO: u64 = 200;
/// Bytes that any body may decode to, since a short one may well be repetitive.
const SMALL: u64 = 4 << 20;

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Identity,
    #[cfg(feature = "decompression-gzip")]
    Gzip,
    #[cfg(feature = "decompression-deflate")]
    Deflate,
    #[cfg(feature = "decompression-br")]
    Brotli,
    #[cfg(feature = "decompression-zstd")]
    Zstd,
}

impl Codec {
    /// Returns the encoding that the headers name, if it can be decoded.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Self, SkipReason> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(value) = values.next() else {
            return Ok(Self::Identity);
        };
        let name = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            _ if values.next().is_some() => Err(SkipReason::Encoding),
            "identity" => Ok(Self::Identity),
            #[cfg(feature = "decompression-gzip")]
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            #[cfg(feature = "decompression-deflate")]
            "deflate" => Ok(Self::Deflate),
            #[cfg(feature = "decompression-br")]
            "br" => Ok(Self::Brotli),
            #[cfg(feature = "decompression-zstd")]
            "zstd" => Ok(Self::Zstd),
            _ => Err(SkipReason::Encoding),
        }
    }

    /// Returns how many bytes a body of this length may decode to, at most `max`.
    ///
    /// It depends on the body alone, so that the same body always has the same outcome.
    pub(crate) fn limit(self, length: usize, max: u64) -> u64 {
        let length = length as u64;
        match self {
            Self::Identity => length,
            #[allow(unreachable_patterns, reason = "without features nothing is decoded")]
            _ => length.saturating_mul(MAX_RATIO).max(SMALL).min(max),
        }
    }

    /// Decodes a body to at most [`limit`](Self::limit) bytes; `None` if it is not encoded.
    pub(crate) fn decode(self, body: &[u8], max: u64) -> Result<Option<Vec<u8>>, SkipReason> {
        let limit = self.limit(body.len(), max);
        match self {
            Self::Identity => {
                let _ = (body, limit);
                Ok(None)
            }
            #[cfg(feature = "decompression-gzip")]
            Self::Gzip => read(flate2::bufread::MultiGzDecoder::new(body), limit).map(Some),
            #[cfg(feature = "decompression-deflate")]
            Self::Deflate if is_zlib(body) => read(flate2::bufread::ZlibDecoder::new(body), limit).map(Some),
            #[cfg(feature = "decompression-deflate")]
            Self::Deflate => read(flate2::bufread::DeflateDecoder::new(body), limit).map(Some),
            #[cfg(feature = "decompression-br")]
            Self::Brotli => read(brotli_decompressor::Decompressor::new(body, 4096), limit).map(Some),
            #[cfg(feature = "decompression-zstd")]
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(body);
                read(decoder.map_err(|_| SkipReason::DecodeFailed)?, limit).map(Some)
            }
        }
    }
}

/// Reads a decoder to its end, but at most one byte beyond the limit.
#[cfg(any(
    feature = "decompression-gzip",
    feature = "decompression-deflate",
    feature = "decompression-br",
    feature = "decompression-zstd"
))]
fn read(decoder: impl std::io::Read, limit: u64) -> Result<Vec<u8>, SkipReason> {
    use std::io::Read;

    let mut decoded = Vec::new();
    let result = decoder.take(limit.saturating_add(1)).read_to_end(&mut decoded);
    if decoded.len() as u64 > limit {
        return Err(SkipReason::DecodedTooLarge);
    }
    result.map(|_| decoded).map_err(|_| SkipReason::DecodeFailed)
}

/// Detects zlib by the checksum of its header. Some clients send raw deflate where the standard requires zlib.
#[cfg(feature = "decompression-deflate")]
pub(crate) fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..]
        if first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(values: &[&'static str]) -> Result<Codec, SkipReason> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, http::HeaderValue::from_static(value));
        }
        Codec::from_headers(&headers)
    }

    #[test]
    fn no_encoding_and_identity_are_read_as_they_are() {
        assert_eq!(codec(&[]), Ok(Codec::Identity));
        assert_eq!(codec(&["identity"]), Ok(Codec::Identity));
        assert_eq!(Codec::Identity.decode(b"{}", 1), Ok(None));
    }

    #[test]
    fn unknown_and_stacked_encodings_are_refused() {
        for values in [&["compress"][..], &["gzip, zstd"], &["gzip", "gzip"], &["identity", "identity"]] {
            assert_eq!(codec(values), Err(SkipReason::Encoding), "{values:?}");
        }
    }

    #[cfg(not(feature = "decompression-gzip"))]
    #[test]
    fn an_encoding_whose_feature_is_off_is_refused() {
        assert_eq!(codec(&["gzip"]), Err(SkipReason::Encoding));
    }

    #[cfg(all(
        feature = "decompression-gzip",
        feature = "decompression-deflate",
        feature = "decompression-br",
        feature = "decompression-zstd"
    ))]
    mod every_codec {
        use super::*;
        use crate::test_support::encode;

        const CODECS: [(&str, Codec); 5] = [
            ("gzip", Codec::Gzip),
            ("deflate", Codec::Deflate),
            ("raw-deflate", Codec::Deflate),
            ("br", Codec::Brotli),
            ("zstd", Codec::Zstd),
        ];

        #[test]
        fn gives_back_what_was_encoded() {
            let body = "{\"some\": \"body\"}".repeat(5000);
            for (name, codec) in CODECS {
                let encoded = encode(name, body.as_bytes());
                assert_eq!(codec.decode(&encoded, 1 << 20), Ok(Some(body.clone().into_bytes())), "{name}");
            }
        }

        #[test]
        fn stops_at_the_limit() {
            let bomb = vec![b' '; 32 << 20];
            for (name, codec) in CODECS {
                let encoded = encode(name, &bomb);
                assert!(encoded.len() < 64 << 10, "{name}");
                assert_eq!(codec.decode(&encoded, 1 << 20), Err(SkipReason::DecodedTooLarge), "{name}");
            }
            let small = &bomb[..SMALL as usize];
            let exact = encode("gzip", small);
            assert!(Codec::Gzip.decode(&exact, small.len() as u64).is_ok(), "the limit itself is allowed");
        }

        #[test]
        fn bodies_that_decode_to_far_more_than_they_are_are_refused_whatever_the_limit() {
            let bomb = vec![b' '; SMALL as usize + 1];
            for (name, codec) in CODECS {
                let encoded = encode(name, &bomb);
                assert_eq!(codec.decode(&encoded, u64::MAX), Err(SkipReason::DecodedTooLarge), "{name}");
                let small = encode(name, &bomb[1..]);
                assert!(codec.decode(&small, u64::MAX).is_ok(), "{name}: anything may be small");
            }
            // A program's log repeats each line except for its numbers.
            let line =
                |n: u64| format!("2026-11-20T10:00:00Z INFO served order {:08} in a moment\n", n * 7919);
            let log: String = (0..200_000).map(line).collect();
            assert!(log.len() as u64 > 2 * SMALL);
            for (name, codec) in CODECS {
                assert!(codec.decode(&encode(name, log.as_bytes()), u64::MAX).is_ok(), "{name}");
            }
        }

        #[test]
        fn refuses_what_is_not_encoded_or_cut_off() {
            for (name, codec) in CODECS {
                let encoded = encode(name, "{\"some\": \"body\"}".repeat(50).as_bytes());
                let cut = &encoded[..encoded.len() / 2];
                assert_eq!(codec.decode(cut, 1 << 20), Err(SkipReason::DecodeFailed), "{name} cut");
                assert_eq!(
                    codec.decode(b"{\"a\":1}", 1 << 20),
                    Err(SkipReason::DecodeFailed),
                    "{name} plain"
                );
            }
        }

        #[test]
        fn names_are_read_in_any_case() {
            assert_eq!(codec(&["GZip"]), Ok(Codec::Gzip));
            assert_eq!(codec(&["x-gzip"]), Ok(Codec::Gzip));
            assert_eq!(codec(&[" zstd "]), Ok(Codec::Zstd));
        }
    }
}
