//! Converts reqwest's requests for the layer.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Extensions, request::Parts};
use http_body::{Body, Frame};
use reqwest::Request;

/// Returns the head of a request; `None` if its URL is not an HTTP URL.
pub(crate) fn head(request: &Request, extensions: &Extensions) -> Option<Parts> {
    let head = http::Request::builder().method(request.method().clone()).uri(request.url().as_str());
    let (mut head, ()) = head.version(request.version()).body(()).ok()?.into_parts();
    head.headers = request.headers().clone();
    head.extensions = extensions.clone();
    Some(head)
}

/// Returns the body of a request without copying it; `None` if it is a stream.
pub(crate) fn reusable(request: &Request) -> Option<reqwest::Body> {
    match request.body() {
        None => Some(reqwest::Body::default()),
        Some(_) => request.try_clone()?.body_mut().take(),
    }
}

/// Returns a request with an unreadable body, in place of a stream that could not be sent again if it were read.
pub(crate) fn unreadable(head: Parts) -> http::Request<Unreadable> {
    http::Request::from_parts(head, Unreadable)
}

pub(crate) struct Unreadable;

impl Body for Unreadable {
    type Data = Bytes;
    type Error = Unreadable;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unreadable>>> {
        Poll::Ready(Some(Err(Unreadable)))
    }
}

/// The body that the middleware has put on a request, kept in its extensions.
#[derive(Clone)]
pub(crate) struct Sent(Bytes);

impl Sent {
    pub(crate) fn new(body: Bytes) -> Self {
        Self(body)
    }

    /// Whether the request has this very body, and not just the same extensions.
    pub(crate) fn is_body_of(request: &Request, extensions: &Extensions) -> bool {
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let sent = extensions.get::<Self>();
        body.zip(sent).is_some_and(|(body, Self(sent))| std::ptr::eq(body, sent.as_ref()))
    }
}
