use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The request body that the inner service gets: `B` itself, a replay of the bytes read from it, or a rewritten
    /// body.
    ///
    /// It yields data as [`Bytes`], and passes on `B`'s trailers and `B`'s own error. If `B`'s data is `Bytes` too, no
    /// byte is copied.
    ///
    /// It is [`Clone`] where `B` and its error are, so that a retry inside the layer can send the request again. A
    /// rewritten body is one [`Bytes`], so its clone costs nothing.
    pub struct HeadroomBody<B>
    where
        B: Body,
    {
        #[pin]
        kind: BodyKind<B>,
    }
}

pin_project! {
    #[project = BodyKindProj]
    enum BodyKind<B>
    where
        B: Body,
    {
        Untouched { #[pin] body: B },
        Replay { data: Option<Bytes>, tail: Tail<B> },
    }
}

/// The part of a replayed body that follows its data.
pub(crate) enum Tail<B: Body> {
    /// Nothing.
    End,
    /// The unread rest of the body.
    Rest(Pin<Box<B>>),
    /// Trailers, and the body's size hint for the rest after the data.
    Trailers(Box<HeaderMap>, SizeHint),
    /// The error that ended reading, and the body's size hint for the rest after the data.
    Error(B::Error, SizeHint),
}

impl<B: Body> HeadroomBody<B> {
    pub(crate) fn untouched(body: B) -> Self {
        Self { kind: BodyKind::Untouched { body } }
    }

    pub(crate) fn replay(data: Bytes, tail: Tail<B>) -> Self {
        Self { kind: BodyKind::Replay { data: Some(data).filter(|data| !data.is_empty()), tail } }
    }

    pub(crate) fn full(data: Bytes) -> Self {
        Self::replay(data, Tail::End)
    }

    /// Returns a clone if all of the body is in memory, as it is once the layer has read it; `None` if a part of it is
    /// still to come. For retries of bodies that are not [`Clone`], such as axum's.
    ///
    /// # Example
    ///
    /// ```
    /// use axum::body::Body;
    /// use headroom_tower::PromptCompressionLayer;
    /// use http::Request;
    /// use http_body_util::BodyExt;
    ///
    /// # async fn example() -> Result<(), axum::Error> {
    /// let request = Request::post("/v1/messages").body(Body::from(r#"{"messages":[]}"#)).unwrap();
    /// let request = PromptCompressionLayer::new().rewrite(request).await;
    /// let again = request.body().try_clone().expect("the layer has read it");
    /// assert_eq!(again.collect().await?.to_bytes(), request.into_body().collect().await?.to_bytes());
    /// # Ok(())
    /// # }
    /// # futures_util::FutureExt::now_or_never(example()).unwrap().unwrap();
    /// ```
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        let BodyKind::Replay { data, tail } = &self.kind else { return None };
        let tail = match tail {
            Tail::End => Tail::End,
            Tail::Trailers(trailers, hint) => Tail::Trailers(trailers.clone(), *hint),
            Tail::Rest(_) | Tail::Error(..) => return None,
        };
        Some(Self { kind: BodyKind::Replay { data: data.clone(), tail } })
    }
}

impl<B: Body + Default> Default for HeadroomBody<B> {
    fn default() -> Self {
        Self::untouched(B::default())
    }
}

impl<B> Clone for HeadroomBody<B>
where
    B: Body + Clone,
    B::Error: Clone,
{
    fn clone(&self) -> Self {
        let kind = match &self.kind {
            BodyKind::Untouched { body } => BodyKind::Untouched { body: body.clone() },
            BodyKind::Replay { data, tail } => BodyKind::Replay { data: data.clone(), tail: tail.clone() },
        };
        Self { kind }
    }
}

impl<B> Clone for Tail<B>
where
    B: Body + Clone,
    B::Error: Clone,
{
    fn clone(&self) -> Self {
        match self {
            Self::End => Self::End,
            Self::Rest(body) => Self::Rest(Box::pin(B::clone(body))),
            Self::Trailers(trailers, hint) => Self::Trailers(trailers.clone(), *hint),
            Self::Error(error, hint) => Self::Error(error.clone(), *hint),
        }
    }
}

impl<B: Body> Body for HeadroomBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let (data, tail) = match self.project().kind.project() {
            BodyKindProj::Untouched { body } => {
                return Poll::Ready(ready!(body.poll_frame(cx)).map(into_bytes));
            }
            BodyKindProj::Replay { data, tail } => (data, tail),
        };
        if let Some(data) = data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Tail::Rest(body) = tail {
            let frame = ready!(body.as_mut().poll_frame(cx));
            if matches!(frame, None | Some(Err(_))) {
                *tail = Tail::End;
            }
            return Poll::Ready(frame.map(into_bytes));
        }
        Poll::Ready(match std::mem::replace(tail, Tail::End) {
            Tail::Trailers(trailers, _) => Some(Ok(Frame::trailers(*trailers))),
            Tail::Error(error, _) => Some(Err(error)),
            Tail::End | Tail::Rest(_) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            BodyKind::Untouched { body } => body.is_end_stream(),
            BodyKind::Replay { data: Some(_), .. } => false,
            BodyKind::Replay { data: None, tail } => match tail {
                Tail::End => true,
                Tail::Rest(body) => body.is_end_stream(),
                Tail::Trailers(..) | Tail::Error(..) => false,
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            BodyKind::Untouched { body } => body.size_hint(),
            BodyKind::Replay { data, tail } => {
                let rest = match tail {
                    Tail::End => SizeHint::with_exact(0),
                    Tail::Rest(body) => body.size_hint(),
                    Tail::Trailers(_, hint) | Tail::Error(_, hint) => *hint,
                };
                after(data.as_ref().map_or(0, |data| data.len() as u64), &rest)
            }
        }
    }
}

/// Returns the hint for `bytes` followed by a body with the hint `rest`.
fn after(bytes: u64, rest: &SizeHint) -> SizeHint {
    let mut hint = SizeHint::new();
    hint.set_lower(bytes.saturating_add(rest.lower()));
    if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(bytes)) {
        hint.set_upper(upper);
    }
    hint
}

/// Returns the part of `hint` that remains after the first `bytes`.
pub(crate) fn beyond(bytes: u64, hint: &SizeHint) -> SizeHint {
    let mut rest = SizeHint::new();
    rest.set_lower(hint.lower().saturating_sub(bytes));
    if let Some(upper) = hint.upper().and_then(|upper| upper.checked_sub(bytes)) {
        rest.set_upper(upper);
    }
    rest
}

fn into_bytes<D: Buf, E>(frame: Result<Frame<D>, E>) -> Result<Frame<Bytes>, E> {
    frame.map(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
}

impl<B: Body> fmt::Debug for HeadroomBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            BodyKind::Untouched { .. } => "untouched",
            BodyKind::Replay { .. } => "replay",
        };
        f.debug_struct("HeadroomBody").field("kind", &kind).field("size", &self.size_hint()).finish()
    }
}
