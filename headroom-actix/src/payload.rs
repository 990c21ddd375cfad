use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{dev::Payload, error::PayloadError};
use bytes::Bytes;
use futures_util::Stream;
use headroom_tower::HeadroomBody;
use http_body::{Body, Frame};
use http_body_util::BodyExt;

/// A payload as the layer reads it. An unread payload can be taken back unchanged.
#[derive(Clone)]
pub(crate) struct SharedPayload(Rc<Shared>);

struct Shared {
    payload: RefCell<Payload>,
    is_read: Cell<bool>,
}

impl SharedPayload {
    pub(crate) fn new(payload: Payload) -> Self {
        Self(Rc::new(Shared { payload: RefCell::new(payload), is_read: Cell::new(false) }))
    }

    /// Returns the payload itself, if no byte of it was read.
    pub(crate) fn take_unread(&self) -> Option<Payload> {
        (!self.0.is_read.get()).then(|| self.0.payload.borrow_mut().take())
    }

    /// Returns a payload that yields the layer's body.
    pub(crate) fn replay(body: HeadroomBody<Self>) -> Payload {
        let stream: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> =
            Box::pin(body.into_data_stream());
        Payload::from(stream)
    }
}

impl Body for SharedPayload {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        self.0.is_read.set(true);
        let chunk = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(cx);
        chunk.map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
