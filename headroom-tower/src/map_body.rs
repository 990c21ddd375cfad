/// Turns the body that the layer makes into the body that the inner service takes.
///
/// Implemented for [`Identity`] and for every `Fn(B) -> O`, such as `axum::body::Body::new`.
pub trait MapBody<B> {
    /// The body that the inner service takes.
    type Body;

    /// Maps one body.
    fn map_body(&self, body: B) -> Self::Body;
}

/// Leaves the body unchanged: the inner service takes [`HeadroomBody`](crate::HeadroomBody).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Identity;

impl<B> MapBody<B> for Identity {
    type Body = B;

    fn map_body(&self, body: B) -> B {
        body
    }
}

impl<F, B, O> MapBody<B> for F
where
    F: Fn(B) -> O,
{
    type Body = O;

    fn map_body(&self, body: B) -> O {
        self(body)
    }
}
