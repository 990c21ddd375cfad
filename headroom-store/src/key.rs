//! Names of what a store holds.

use std::fmt;

use data_encoding::BASE32_NOPAD;

/// The length of a key, as of a handle: 80 bits, 16 letters.
const KEY_BYTES: usize = 10;

/// The key of a [record](crate::ExchangeStore): 80 bits of a hash of what identifies the exchange. It prints as 16
/// letters of lower-case base32, as a handle does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey([u8; KEY_BYTES]);

impl RecordKey {
    /// Creates a key from the first 80 bits of a hash.
    #[must_use]
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        let mut bytes = [0; KEY_BYTES];
        bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }

    /// Returns the raw 80 bits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Parses a key as it prints.
    #[cfg(feature = "disk")]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Both print the same way, and only this one way is valid.
        text.parse::<headroom_core::Handle>().ok().map(|handle| Self(*handle.as_bytes()))
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({self})")
    }
}

/// The key of an entry.
#[cfg(any(feature = "disk", feature = "memory"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum EntryKey {
    /// Content whose hash is the key.
    Original(headroom_core::Handle),
    /// Content under a caller's key.
    Record(RecordKey),
}

#[cfg(test)]
mod tests {
    use headroom_core::Handle;

    use super::*;

    #[test]
    fn keys_print_as_handles_do() {
        for n in 0..1000 {
            let text = format!("content {n}");
            let hash = std::array::from_fn(|at| text.as_bytes().get(at).copied().unwrap_or(at as u8));
            let key = RecordKey::from_hash(&hash);
            let printed: Handle = key.to_string().parse().unwrap();
            assert_eq!(printed.as_bytes(), key.as_bytes());
        }
    }
}
