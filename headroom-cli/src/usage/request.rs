//! Reads the model that a request names on its way to the provider.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::find::Finder;

pin_project! {
    /// A request's body, passed on unchanged. The model in it is reported to a callback, once.
    pub(crate) struct ModelTap<B, F> {
        #[pin]
        body: B,
        finder: Option<Finder>,
        told: F,
    }
}

impl<B, F: FnMut(&str)> ModelTap<B, F> {
    /// Reads the body only if somebody wants to know.
    pub(crate) fn new(body: B, is_wanted: bool, told: F) -> Self {
        Self { body, finder: is_wanted.then(Finder::default), told }
    }
}

impl<B, F> Body for ModelTap<B, F>
where
    B: Body<Data = Bytes>,
    F: FnMut(&str),
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let (Some(finder), Some(Ok(frame))) = (&mut *this.finder, &frame)
            && let Some(data) = frame.data_ref()
        {
            finder.read(data);
            if let Some(model) = &finder.found().model {
                (this.told)(model);
                *this.finder = None;
            }
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

impl<B, F> fmt::Debug for ModelTap<B, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelTap").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    async fn told(body: &str, step: usize, is_wanted: bool) -> Vec<String> {
        let pieces: Vec<_> = body.as_bytes().chunks(step).map(Bytes::copy_from_slice).collect();
        let pieces = pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Frame::data(piece)));
        let mut models = Vec::new();
        let tap = ModelTap::new(StreamBody::new(stream::iter(pieces)), is_wanted, |model: &str| {
            models.push(model.to_owned());
        });
        assert_eq!(tap.collect().await.unwrap().to_bytes(), body);
        models
    }

    #[tokio::test]
    async fn the_model_is_told_once_wherever_it_stands() {
        for (body, model) in [
            (r#"{"model":"m-1","messages":[{"content":"{\"model\":\"x\"}"}],"model2":1}"#, Some("m-1")),
            (r#"{"messages":[{"model":"no"}],"model":"m/2:a"}"#, Some("m/2:a")),
            (r#"{"model":"not a name, but content"}"#, None),
            ("model", None),
        ] {
            for step in [1, 5, 1000] {
                let expected: Vec<_> = model.into_iter().map(str::to_owned).collect();
                assert_eq!(told(body, step, true).await, expected, "{body} by {step}");
                assert!(told(body, step, false).await.is_empty());
            }
        }
    }
}
