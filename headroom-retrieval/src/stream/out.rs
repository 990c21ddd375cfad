//! Output for the client.

use bytes::{Bytes, BytesMut};

/// Bytes that wait to be sent. A chunk of which nothing is removed is passed on without a copy.
#[derive(Default)]
pub(crate) struct Out {
    first: Bytes,
    more: BytesMut,
}

impl Out {
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if self.more.is_empty() && self.first.is_empty() {
            self.first = bytes;
        } else {
            let first = std::mem::take(&mut self.first);
            self.more.extend_from_slice(&first);
            self.more.extend_from_slice(&bytes);
        }
    }

    pub(crate) fn take(&mut self) -> Option<Bytes> {
        let first = std::mem::take(&mut self.first);
        let bytes = if self.more.is_empty() { first } else { self.more.split().freeze() };
        (!bytes.is_empty()).then_some(bytes)
    }
}
