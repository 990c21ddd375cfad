use std::convert::Infallible;

use axum::extract::FromRequestParts;
use headroom_tower::{RequestReport, SkipReason, headroom_core::Report};
use http::request::Parts;

/// The outcome of a handler's request.
///
/// Never rejects: it is empty without the layer, or if the layer did not read the body.
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
    /// The layer's own report; `None` if it did not read the body.
    #[must_use]
    pub fn get(&self) -> Option<&RequestReport> {
        self.0.as_ref()
    }

    /// The engine's report; `None` if it did not run.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.get()?.report()
    }

    /// Why the body is unchanged; `None` if it was rewritten, or if the layer did not read it.
    #[must_use]
    pub fn skip_reason(&self) -> Option<SkipReason> {
        self.get()?.skip_reason()
    }

    /// Whether the body was rewritten.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        self.get().is_some_and(RequestReport::is_rewritten)
    }

    /// Tokens saved by rewriting; 0 if the body was not rewritten.
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
