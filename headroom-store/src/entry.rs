//! The stored form of an original: a header that proves the content, and the content compressed.

use std::io::{self, Read};

use blake3::Hash;
use headroom_core::Handle;
use zstd::bulk::Compressor;

/// The first bytes of every entry; the digit is the version of the format.
const MAGIC: &[u8; 4] = b"HRO1";
const HASH_BYTES: usize = blake3::OUT_LEN;
/// A fast level, within a tenth of the slower levels' ratio on tool output.
const LEVEL: i32 = 3;

/// The largest content that is stored: 256 MiB, far above any request body.
pub(crate) const MAX_BYTES: usize = 256 << 20;

/// Whether this handle names content of this hash.
pub(crate) fn names(handle: &Handle, hash: &Hash) -> bool {
    hash.as_bytes().starts_with(handle.as_bytes())
}

/// Encodes entries. Setting up its tables costs more than compressing a small original, so a batch shares one.
pub(crate) struct Encoder(Compressor<'static>);

impl Encoder {
    pub(crate) fn new() -> io::Result<Self> {
        Compressor::new(LEVEL).map(Self)
    }

    /// Encodes this content.
    pub(crate) fn encode(&mut self, content: &str, hash: &Hash) -> io::Result<Vec<u8>> {
        let frame = self.0.compress(content.as_bytes())?;
        Ok([MAGIC.as_slice(), hash.as_bytes(), &frame].concat())
    }
}

/// Decodes the content and its hash; `None` if the bytes are damaged or were never an entry.
pub(crate) fn decode(bytes: &[u8]) -> Option<(String, Hash)> {
    let (magic, rest) = bytes.split_first_chunk()?;
    let (hash, frame) = rest.split_first_chunk::<HASH_BYTES>()?;
    if magic != MAGIC {
        return None;
    }
    let mut content = Vec::with_capacity(frame.len().saturating_mul(4).min(MAX_BYTES));
    let frame = zstd::stream::read::Decoder::with_buffer(frame).ok()?;
    frame.take(MAX_BYTES as u64 + 1).read_to_end(&mut content).ok()?;
    let hash = Hash::from_bytes(*hash);
    // A frame that ends early or decodes to more than was stored has another hash.
    (blake3::hash(&content) == hash).then_some((String::from_utf8(content).ok()?, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(content: &str) -> Vec<u8> {
        Encoder::new().unwrap().encode(content, &blake3::hash(content.as_bytes())).unwrap()
    }

    #[test]
    fn content_comes_back_and_takes_less() {
        for content in ["", "x", "ä\u{0}\r\n", &"2026-01-01 INFO ready\n".repeat(1000)] {
            let (back, hash) = decode(&encoded(content)).unwrap();
            assert_eq!(back, content);
            assert!(
                names(&Handle::from_content(content), &hash) && !names(&Handle::from_content("else"), &hash)
            );
        }
        assert!(encoded(&"2026-01-01 INFO ready\n".repeat(1000)).len() < 300);
    }

    #[test]
    fn no_damage_yields_content() {
        let bytes = encoded("start\nworking\ndone");
        for at in 0..bytes.len() {
            assert!(decode(&bytes[..at]).is_none(), "cut at {at}");
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                // Some bits of a frame's header do not affect its content.
                if let Some((content, _)) = decode(&bytes) {
                    assert_eq!(content, "start\nworking\ndone", "byte {at}");
                }
            }
        }
        assert!(decode(b"no file of ours, but longer than a header would be").is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_content_comes_back(content in ".{0,400}") {
            assert_eq!(decode(&encoded(&content)).unwrap().0, content);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            assert!(decode(&[&b"HRO1"[..], &bytes].concat()).is_none());
        }
    }
}
