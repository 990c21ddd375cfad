//! Copies a request's body, as received and as first sent.

use std::{
    borrow::Cow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use headroom_tower::RequestReport;
use http::{HeaderMap, HeaderValue, header};

use super::decode::decode;
use crate::observed::{Observed, Observer};

/// Maximum size of a copied body. A longer one is not copied at all.
const MAX_BODY: usize = 4 << 20;
/// Maximum number of frames of a body: a slow client may send each byte as one.
const MAX_FRAMES: usize = 1 << 14;
/// Maximum size of all copies of open requests. Beyond that, nothing is copied.
const MAX_OPEN: usize = 32 << 20;

/// The size of the copies of open requests.
#[derive(Clone, Debug, Default)]
pub(in crate::proxy) struct OpenCopies(Arc<AtomicUsize>);

/// A side of the layer.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) enum Side {
    /// As received from the client.
    Before,
    /// As first sent to the provider.
    After,
}

/// A body that is copied while it passes.
pub(in crate::proxy) type CopiedBody<B> = Observed<B, Copier>;

/// Copies bodies, or does nothing.
#[derive(Clone, Debug, Default)]
pub(in crate::proxy) struct Copies(Option<Arc<Mutex<Both>>>);

/// Copies one side of a body.
#[derive(Debug)]
pub(in crate::proxy) struct Copier {
    copies: Copies,
    side: Side,
}

impl Observer for Copier {
    fn observe(&mut self, data: &Bytes) {
        self.copies.add(self.side, data);
    }
}

#[derive(Debug)]
struct Both {
    open: OpenCopies,
    encoding: Option<HeaderValue>,
    before: Copy,
    after: Copy,
}

#[derive(Debug)]
enum Copy {
    /// The frames and their length. Their bytes are copied only when the request is over.
    Taken(Vec<Bytes>, usize),
    /// Not available: too long, or there was no room.
    Dropped,
}

/// Both copies of a body.
#[derive(Debug)]
pub(in crate::proxy) struct Bodies {
    /// The content encoding of the first.
    pub(super) encoding: Option<HeaderValue>,
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

impl Bodies {
    /// Returns what the provider got, decoded; `None` if it cannot be decoded, or is too long.
    pub(in crate::proxy) fn sent(&self, report: Option<&RequestReport>) -> Option<Cow<'_, [u8]>> {
        // A rewritten body has no content encoding.
        match (&self.encoding, report.is_some_and(RequestReport::is_rewritten)) {
            (_, true) => Some(Cow::Borrowed(&self.after)),
            (None, false) => Some(Cow::Borrowed(&self.before)),
            (encoding, false) => {
                let decoded = decode(&self.before, encoding.as_ref(), MAX_BODY)?;
                (decoded.len() < MAX_BODY).then_some(Cow::Owned(decoded))
            }
        }
    }
}

impl Copies {
    /// Copies of a request with these headers.
    pub(in crate::proxy) fn new(open: OpenCopies, headers: &HeaderMap) -> Self {
        let encoding = headers.get(header::CONTENT_ENCODING).cloned();
        let both = Both { open, encoding, before: Copy::default(), after: Copy::default() };
        Self(Some(Arc::new(Mutex::new(both))))
    }

    /// Wraps a body so that it is copied while it passes.
    pub(in crate::proxy) fn copy<B>(&self, body: B, side: Side) -> CopiedBody<B> {
        Observed::new(body, Copier { copies: self.clone(), side })
    }

    fn add(&self, side: Side, data: &Bytes) {
        if let Some(both) = &self.0 {
            both.lock().unwrap_or_else(PoisonError::into_inner).add(side, data);
        }
    }

    /// Takes the copies; `None` if one is missing.
    pub(in crate::proxy) fn take(&self) -> Option<Bodies> {
        let both = &mut *self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let (Copy::Taken(before, length), Copy::Taken(after, _)) =
            (both.before.end(&both.open), both.after.end(&both.open))
        else {
            return None;
        };
        let encoding = both.encoding.take();
        // Contiguous, and independent of the network buffers.
        (length > 0).then(|| Bodies { encoding, before: before.concat(), after: after.concat() })
    }
}

impl Both {
    fn add(&mut self, side: Side, data: &Bytes) {
        let copy = match side {
            Side::Before => &mut self.before,
            Side::After => &mut self.after,
        };
        let Copy::Taken(frames, length) = copy else { return };
        let open = self.open.0.fetch_add(data.len(), Ordering::Relaxed) + data.len();
        frames.push(data.clone());
        *length += data.len();
        if open > MAX_OPEN || *length > MAX_BODY || frames.len() > MAX_FRAMES {
            let _ = copy.end(&self.open);
        }
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        let _ = (self.before.end(&self.open), self.after.end(&self.open));
    }
}

impl Default for Copy {
    fn default() -> Self {
        Self::Taken(Vec::new(), 0)
    }
}

impl Copy {
    /// Takes the copy; nothing is added from then on.
    fn end(&mut self, open: &OpenCopies) -> Self {
        let copy = std::mem::replace(self, Self::Dropped);
        if let Self::Taken(_, length) = &copy {
            open.0.fetch_sub(*length, Ordering::Relaxed);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(open: &OpenCopies, before: &[&[u8]], after: &[&[u8]]) -> Option<(usize, usize)> {
        let copies = Copies::new(open.clone(), &HeaderMap::new());
        before.iter().for_each(|data| copies.add(Side::Before, &Bytes::copy_from_slice(data)));
        after.iter().for_each(|data| copies.add(Side::After, &Bytes::copy_from_slice(data)));
        copies.take().map(|bodies| (bodies.before.len(), bodies.after.len()))
    }

    #[test]
    fn bodies_are_kept_up_to_a_limit_and_room_is_given_back() {
        let open = OpenCopies::default();
        assert_eq!(taken(&open, &[b"one", b"two"], &[b"1"]), Some((6, 1)));
        assert_eq!(taken(&open, &[&vec![0; MAX_BODY]], &[b"1"]), Some((MAX_BODY, 1)));
        assert_eq!(taken(&open, &[&vec![0; MAX_BODY], b"0"], &[b"1"]), None, "too long");
        assert_eq!(taken(&open, &[b"1"], &[&vec![0; MAX_BODY + 1]]), None, "too long");
        assert_eq!(taken(&open, &[&b"1"[..]; MAX_FRAMES + 1], &[]), None, "in too many pieces");
        assert_eq!(taken(&open, &[], &[]), None, "nothing was copied");
        assert_eq!(open.0.load(Ordering::Relaxed), 0);
        let held = Copies::new(open.clone(), &HeaderMap::new());
        open.0.fetch_add(MAX_OPEN, Ordering::Relaxed);
        assert_eq!(taken(&open, &[b"1"], &[]), None, "no room");
        held.add(Side::Before, &Bytes::from_static(b"1"));
        drop(held);
        assert_eq!(open.0.load(Ordering::Relaxed), MAX_OPEN);
        assert!(Copies::default().take().is_none());
    }
}
