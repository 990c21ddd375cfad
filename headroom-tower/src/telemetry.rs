//! Reports the outcome of a request to the observer and the trace.

use crate::{Cancelled, Fallback, Retrieved, Rewritten, SkipReason, Skipped, StoreFailure, config::Config};

/// The span of one request.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl Span {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(feature = "tracing")]
            span: tracing::debug_span!(
                "headroom.compress",
                headroom.api = tracing::field::Empty,
                headroom.outcome = tracing::field::Empty,
                headroom.skip_reason = tracing::field::Empty,
                headroom.body.bytes.before = tracing::field::Empty,
                headroom.body.bytes.after = tracing::field::Empty,
                headroom.tokens.saved = tracing::field::Empty,
            ),
        }
    }

    pub(crate) fn scope<T>(&self, f: impl FnOnce() -> T) -> T {
        #[cfg(feature = "tracing")]
        return self.span.in_scope(f);
        #[cfg(not(feature = "tracing"))]
        f()
    }

    pub(crate) fn rewritten(&self, config: &Config, event: &Rewritten<'_>) {
        #[cfg(feature = "tracing")]
        {
            self.span.record("headroom.api", event.api.as_str());
            self.span.record("headroom.outcome", "rewritten");
            self.span.record("headroom.body.bytes.before", event.bytes_before);
            self.span.record("headroom.body.bytes.after", event.bytes_after);
            self.span.record("headroom.tokens.saved", event.report.tokens_saved);
            tracing::debug!(
                parent: &self.span,
                bytes_before = event.bytes_before,
                bytes_after = event.bytes_after,
                tokens_saved = event.report.tokens_saved,
                "request rewritten"
            );
        }
        config.observer.on_rewritten(event);
    }

    pub(crate) fn skipped(&self, config: &Config, event: &Skipped<'_>) {
        #[cfg(feature = "tracing")]
        {
            if let Some(api) = event.api {
                self.span.record("headroom.api", api.as_str());
            }
            self.span.record("headroom.outcome", "skipped");
            self.span.record("headroom.skip_reason", event.reason.as_str());
            if event.reason == SkipReason::Internal && bug_is_news() {
                tracing::warn!(parent: &self.span, "the engine or the store panicked; the request goes on as it came");
            } else {
                tracing::debug!(parent: &self.span, reason = event.reason.as_str(), "request left as it is");
            }
        }
        config.observer.on_skipped(event);
    }

    pub(crate) fn store_failure(&self, config: &Config, event: &StoreFailure<'_>) {
        #[cfg(feature = "tracing")]
        {
            tracing::debug!(parent: &self.span, kind = event.kind(), "the store failed");
        }
        config.observer.on_store_failure(event);
    }

    pub(crate) fn cancelled(&self, config: &Config, event: &Cancelled) {
        #[cfg(feature = "tracing")]
        {
            self.span.record("headroom.outcome", "cancelled");
            tracing::debug!(parent: &self.span, stage = event.stage.as_str(), "request dropped");
        }
        config.observer.on_cancelled(event);
    }
}

/// Reports a store that failed outside the rewriting of a request: in looking for hidden exchanges, or in an answer.
pub(crate) fn store_failure(config: &Config, event: &StoreFailure<'_>) {
    #[cfg(feature = "tracing")]
    tracing::debug!(kind = event.kind(), "the store failed");
    config.observer.on_store_failure(event);
}

/// Reports answered calls of the layer's own tool.
pub(crate) fn retrieved(config: &Config, event: &Retrieved) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        api = event.api.as_str(),
        rounds = event.rounds,
        calls = event.calls,
        incomplete = event.incomplete,
        "retrieved"
    );
    config.observer.on_retrieved(event);
}

/// Reports that the provider refused a rewritten request.
pub(crate) fn fallback(config: &Config, event: &Fallback) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        api = event.api.as_str(),
        status = event.status.as_u16(),
        accepted = event.accepted,
        unbound = event.unbound,
        epoch = event.epoch,
        "the rewritten request was refused; sent as it came, or without old thinking"
    );
    config.observer.on_fallback(event);
}

/// Reports a request that passes through unread.
pub(crate) fn passed(config: &Config, reason: SkipReason) {
    #[cfg(feature = "tracing")]
    tracing::trace!(reason = reason.as_str(), "request not looked at");
    config.observer.on_skipped(&Skipped { reason, api: None, report: None, bytes: None, elapsed: None });
}

/// Whether to warn: bugs repeat, so only the first, and each doubling of their number, is worth a warning.
#[cfg(feature = "tracing")]
fn bug_is_news() -> bool {
    use std::sync::atomic::{AtomicU64, Ordering};

    static BUGS: AtomicU64 = AtomicU64::new(0);
    BUGS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).is_power_of_two()
}
