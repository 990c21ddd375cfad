use std::convert::Infallible;

use axum::extract::FromRequestParts;
use headroom_tower::{RequestReport, SkipReason, headroom_core::Report};
use http::request::Parts;

/// What became of the request that a handler got.
///
/// Never rejects: without the layer, or where the layer did not look at the body, it is empty.
///
/// # Example
///
/// ```
/// use headroom_axum::HeadroomReport;
///
/// async fn handler(report: HeadroomReport) -> String {
///     match report.skip_reason() {
///         Some(reason) => format!("as it came: {reason}"),
///         None => format!("{} tokens saved", report.tokens_saved()),
///     }
/// }
/// # let _ = handler;
/// ```
#[derive(Clone, Debug, Default)]
pub struct HeadroomReport(Option<RequestReport>);

impl HeadroomReport {
    /// The layer's own report; `None` if it did not look at the body.
    #[must_use]
    pub fn get(&self) -> Option<&RequestReport> {
        self.0.as_ref()
    }

    /// What the engine saw and did; `None` if it was not asked.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.get()?.report()
    }

    /// Why the body is the one that came; `None` if it was rewritten, and if the layer did not look at it.
    #[must_use]
    pub fn skip_reason(&self) -> Option<SkipReason> {
        self.get()?.skip_reason()
    }

    /// Whether the body is another than the one that came.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        self.get().is_some_and(RequestReport::is_rewritten)
    }

    /// Tokens that the rewritten body has less; 0 if it was not rewritten.
    #[must_use]
    pub fn tokens_saved(&self) -> usize {
        if self.is_rewritten() { self.report().map_or(0, |report| report.tokens_saved) } else { 0 }
    }
}

impl<S: Sync> FromRequestParts<S> for HeadroomReport {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<RequestReport>().cloned()))
    }
}
