use std::sync::Arc;

use headroom_core::Report;

use crate::SkipReason;

/// What became of a request, in the extensions of the request that the inner service gets.
///
/// It is there for every request whose body the layer looked at. Cloning it is cheap.
///
/// # Example
///
/// ```
/// use headroom_tower::RequestReport;
///
/// fn tokens_saved(request: &http::Request<impl Sized>) -> usize {
///     let report = request.extensions().get::<RequestReport>();
///     report.and_then(RequestReport::report).map_or(0, |report| report.tokens_saved)
/// }
/// # assert_eq!(tokens_saved(&http::Request::new(())), 0);
/// ```
#[derive(Clone, Debug)]
pub struct RequestReport {
    skipped: Option<SkipReason>,
    report: Option<Arc<Report>>,
}

impl RequestReport {
    pub(crate) fn rewritten(report: Arc<Report>) -> Self {
        Self { skipped: None, report: Some(report) }
    }

    pub(crate) fn skipped(reason: SkipReason, report: Option<Arc<Report>>) -> Self {
        Self { skipped: Some(reason), report }
    }

    /// What the engine saw and did; `None` if it was not asked.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    /// Why the body went on as it came; `None` if it was rewritten.
    #[must_use]
    pub fn skip_reason(&self) -> Option<SkipReason> {
        self.skipped
    }

    /// Whether the body that goes on is another than the one that came.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        self.skipped.is_none()
    }
}
