use axum::{BoxError, Error, body::Body};
use bytes::Bytes;
use headroom_tower::MapBody;
use http_body_util::BodyExt;

/// Turns any body into axum's body; [`layer`](crate::layer) passes it to `map_body`.
///
/// Like `axum::body::Body::new`, but the type has a name, and errors of axum's own body are not wrapped again: axum's
/// extractors search only a few levels for the errors they know.
///
/// # Example
///
/// ```
/// use headroom_axum::{IntoAxumBody, headroom_tower::PromptCompressionLayer};
///
/// struct Gateway {
///     layer: PromptCompressionLayer<IntoAxumBody>,
/// }
///
/// let gateway = Gateway { layer: PromptCompressionLayer::new().map_body(IntoAxumBody::new()) };
/// # let _ = gateway.layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct IntoAxumBody;

impl IntoAxumBody {
    /// Creates the mapping.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<B> MapBody<B> for IntoAxumBody
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Body = Body;

    fn map_body(&self, body: B) -> Body {
        Body::new(body.map_err(|error| match error.into().downcast::<Error>() {
            Ok(axum) => axum.into_inner(),
            Err(other) => other,
        }))
    }
}
