//! Copies of a request's body, as it came and as it first went on.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderValue;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// Most bytes that are kept of one body. Of a longer one nothing is.
const MAX_BODY: usize = 4 << 20;
/// Most frames of one body: a slow client may send each byte for itself.
const MAX_FRAMES: usize = 1 << 14;
/// Most bytes of all copies whose requests are going on. What comes while there are so many is not copied.
const MAX_OPEN: usize = 32 << 20;

/// Bytes of copies whose requests are going on.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Arc<AtomicUsize>);

/// One of the two forms that a body has.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) enum Side {
    /// As it came from the client.
    Before,
    /// As it went to the provider, the first time.
    After,
}

/// Takes copies, or none.
#[derive(Clone, Debug, Default)]
pub(in crate::proxy) struct Copies(Option<Arc<Mutex<Both>>>);

#[derive(Debug)]
struct Both {
    open: Open,
    encoding: Option<HeaderValue>,
    before: Copy,
    after: Copy,
}

#[derive(Debug)]
enum Copy {
    /// The frames, which the bytes are not copied out of while the request waits, and their length.
    Taken(Vec<Bytes>, usize),
    /// Not to be had: too long, or there was no room.
    Dropped,
}

/// The two forms of a body.
#[derive(Debug)]
pub(super) struct Bodies {
    /// The content encoding of the first.
    pub(super) encoding: Option<HeaderValue>,
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

impl Copies {
    pub(super) fn new(open: Open, encoding: Option<HeaderValue>) -> Self {
        let both = Both { open, encoding, before: Copy::default(), after: Copy::default() };
        Self(Some(Arc::new(Mutex::new(both))))
    }

    /// The body, which is copied while it passes.
    pub(in crate::proxy) fn copy<B>(&self, body: B, side: Side) -> Copied<B> {
        Copied { body, copies: self.clone(), side }
    }

    fn add(&self, side: Side, data: &Bytes) {
        if let Some(both) = &self.0 {
            both.lock().unwrap_or_else(PoisonError::into_inner).add(side, data);
        }
    }

    /// What was copied; `None` if one of the two was not.
    pub(super) fn take(&self) -> Option<Bodies> {
        let both = &mut *self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let (Copy::Taken(before, length), Copy::Taken(after, _)) =
            (both.before.end(&both.open), both.after.end(&both.open))
        else {
            return None;
        };
        let encoding = both.encoding.take();
        // Whole, and apart from the buffers that they came in.
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
    /// What there is. From then on nothing is added.
    fn end(&mut self, open: &Open) -> Self {
        let copy = std::mem::replace(self, Self::Dropped);
        if let Self::Taken(_, length) = &copy {
            open.0.fetch_sub(*length, Ordering::Relaxed);
        }
        copy
    }
}

pin_project! {
    /// A body that is copied while it passes.
    pub(in crate::proxy) struct Copied<B> {
        #[pin]
        body: B,
        copies: Copies,
        side: Side,
    }
}

impl<B: Body<Data = Bytes>> Body for Copied<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.copies.add(*this.side, data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(open: &Open, before: &[&[u8]], after: &[&[u8]]) -> Option<(usize, usize)> {
        let copies = Copies::new(open.clone(), None);
        before.iter().for_each(|data| copies.add(Side::Before, &Bytes::copy_from_slice(data)));
        after.iter().for_each(|data| copies.add(Side::After, &Bytes::copy_from_slice(data)));
        copies.take().map(|bodies| (bodies.before.len(), bodies.after.len()))
    }

    #[test]
    fn bodies_are_kept_up_to_a_limit_and_room_is_given_back() {
        let open = Open::default();
        assert_eq!(taken(&open, &[b"one", b"two"], &[b"1"]), Some((6, 1)));
        assert_eq!(taken(&open, &[&vec![0; MAX_BODY]], &[b"1"]), Some((MAX_BODY, 1)));
        assert_eq!(taken(&open, &[&vec![0; MAX_BODY], b"0"], &[b"1"]), None, "too long");
        assert_eq!(taken(&open, &[b"1"], &[&vec![0; MAX_BODY + 1]]), None, "too long");
        assert_eq!(taken(&open, &[&b"1"[..]; MAX_FRAMES + 1], &[]), None, "in too many pieces");
        assert_eq!(taken(&open, &[], &[]), None, "nothing was copied");
        assert_eq!(open.0.load(Ordering::Relaxed), 0);
        let held = Copies::new(open.clone(), None);
        open.0.fetch_add(MAX_OPEN, Ordering::Relaxed);
        assert_eq!(taken(&open, &[b"1"], &[]), None, "no room");
        held.add(Side::Before, &Bytes::from_static(b"1"));
        drop(held);
        assert_eq!(open.0.load(Ordering::Relaxed), MAX_OPEN);
        assert!(Copies::default().take().is_none());
    }
}
