use std::sync::Arc;

use headroom_core::Report;

use crate::{ConversationId, SkipReason};

/// The outcome of a request, in the extensions of the request that the inner service gets.
///
/// It is there for every request whose body was read. Cloning it is cheap.
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
    pub(crate) conversation: Option<ConversationId>,
}

impl RequestReport {
    pub(crate) fn rewritten(report: Arc<Report>) -> Self {
        Self { skipped: None, report: Some(report), conversation: None }
    }

    pub(crate) fn skipped(reason: SkipReason, report: Option<Arc<Report>>) -> Self {
        Self { skipped: Some(reason), report, conversation: None }
    }

    /// The engine's report; `None` if it did not run.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    /// Why the body is unchanged; `None` if it was rewritten.
    #[must_use]
    pub fn skip_reason(&self) -> Option<SkipReason> {
        self.skipped
    }

    /// The conversation that the request belongs to, if there is a control group or epochs may begin.
    ///
    /// `None` also where the provider may know more of the conversation than the request tells. See
    /// [`HeadroomLayer::holdout`](crate::HeadroomLayer::holdout).
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        self.conversation
    }

    /// Whether the body was rewritten.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        self.skipped.is_none()
    }
}
