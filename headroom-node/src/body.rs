//! The body of a request, as TypeScript hands it over.

use std::{fmt, mem};

use bytes::Bytes;
use napi_derive::napi;

/// The body of a request, handed over in pieces, so that no piece holds the event loop for long.
#[napi]
#[derive(Default)]
pub struct RequestBody {
    bytes: Vec<u8>,
    list: usize,
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("size", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[napi]
impl RequestBody {
    /// Creates an empty body.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends text.
    #[napi]
    pub fn push(&mut self, piece: String) {
        if self.bytes.is_empty() {
            self.bytes = piece.into_bytes();
        } else {
            self.bytes.extend_from_slice(piece.as_bytes());
        }
    }

    /// Appends bytes.
    #[napi]
    pub fn push_bytes(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// Says that the list of messages begins here.
    #[napi]
    pub fn begin_messages(&mut self) {
        self.list = self.bytes.len();
    }

    /// Its length, in bytes.
    #[napi(getter)]
    #[must_use]
    pub fn size(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    /// Returns the bytes, and where the list of messages begins.
    pub(crate) fn take(&mut self) -> (Bytes, usize) {
        (Bytes::from(mem::take(&mut self.bytes)), self.list)
    }
}
