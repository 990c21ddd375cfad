use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use crate::{Cancelled, Fallback, Observer, Retrieved, Rewritten, Skipped, StoreFailure};

/// Counts the outcomes of requests with the [`metrics`] facade.
///
/// | metric | labels | |
/// |---|---|---|
/// | `headroom_requests_total` | `api`, `outcome` | requests that the layer would rewrite by their head: `rewritten`, `skipped` |
/// | `headroom_skips_total` | `reason` | requests that were not rewritten, read or not |
/// | `headroom_request_body_bytes_total` | `stage` | bytes of rewritten requests, `before` and `after` |
/// | `headroom_tokens_saved_total` | `content` | tokens that edits saved, by kind of content |
/// | `headroom_compress_duration_seconds` | | time spent decoding and compressing a body |
/// | `headroom_store_errors_total` | `kind` | failures of the store |
/// | `headroom_retrievals_total` | `api` | calls of `headroom_retrieve` that were answered |
/// | `headroom_retrieval_rounds_total` | `api` | requests sent to the provider for them |
/// | `headroom_fallbacks_total` | `api`, `accepted` | requests that were refused and sent again unchanged |
/// | `headroom_unbound_total` | `api` | those that were accepted only without their thinking |
/// | `headroom_epochs_total` | `api` | requests with which an epoch began |
/// | `headroom_epoch_tokens_total` | `kind` | estimated tokens that left at them (`freed`), or are written to the cache again (`rewritten`) |
/// | `headroom_epoch_refusals_total` | `api` | requests that were accepted after an epoch only without their old thinking |
/// | `headroom_cancelled_total` | `stage` | requests dropped during the layer's work |
///
/// No label holds content, a model, a user or a tenant.
///
/// # Example
///
/// ```
/// use headroom_tower::{PromptCompressionLayer, MetricsObserver};
///
/// let layer = PromptCompressionLayer::new().observer(MetricsObserver::new());
/// # let _ = layer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct MetricsObserver;

impl MetricsObserver {
    /// Describes the metrics to the installed recorder, if there is one.
    #[must_use]
    pub fn new() -> Self {
        describe_counter!("headroom_requests_total", "Requests that the layer would rewrite");
        describe_counter!("headroom_skips_total", "Requests that were not rewritten");
        describe_counter!("headroom_request_body_bytes_total", Unit::Bytes, "Bytes of rewritten requests");
        describe_counter!("headroom_tokens_saved_total", "Tokens that edits saved");
        describe_histogram!(
            "headroom_compress_duration_seconds",
            Unit::Seconds,
            "Time spent decoding and compressing a body"
        );
        describe_counter!("headroom_store_errors_total", "Failures of the store");
        describe_counter!("headroom_retrievals_total", "Calls of headroom_retrieve that were answered");
        describe_counter!("headroom_retrieval_rounds_total", "Requests made to answer them");
        describe_counter!("headroom_fallbacks_total", "Requests refused and sent again unchanged");
        describe_counter!("headroom_unbound_total", "Requests taken without their thinking only");
        describe_counter!("headroom_epochs_total", "Requests with which old content left");
        describe_counter!(
            "headroom_epoch_tokens_total",
            "Tokens that left, or are written again, by estimate"
        );
        describe_counter!("headroom_epoch_refusals_total", "Requests taken without their old thinking only");
        describe_counter!("headroom_cancelled_total", "Requests dropped while they were worked on");
        Self
    }
}

impl Observer for MetricsObserver {
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        counter!("headroom_requests_total", "api" => event.api.as_str(), "outcome" => "rewritten")
            .increment(1);
        counter!("headroom_request_body_bytes_total", "stage" => "before").increment(event.bytes_before);
        counter!("headroom_request_body_bytes_total", "stage" => "after").increment(event.bytes_after);
        for block in &event.report.blocks {
            if let (Some(before), Some(after)) = (block.tokens_before, block.tokens_after) {
                let saved = before.saturating_sub(after) as u64;
                if saved > 0 {
                    counter!("headroom_tokens_saved_total", "content" => block.kind.as_str())
                        .increment(saved);
                }
            }
        }
        if let Some(epoch) = event.report.epochs.last().filter(|_| event.report.epoch_begins) {
            counter!("headroom_epochs_total", "api" => event.api.as_str()).increment(1);
            for (kind, tokens) in [("freed", epoch.freed), ("rewritten", epoch.rewritten)] {
                counter!("headroom_epoch_tokens_total", "kind" => kind).increment(tokens as u64);
            }
        }
        if let Some(elapsed) = event.elapsed {
            histogram!("headroom_compress_duration_seconds").record(elapsed);
        }
    }

    fn on_skipped(&self, event: &Skipped<'_>) {
        counter!("headroom_skips_total", "reason" => event.reason.as_str()).increment(1);
        if event.reason.is_eligible() {
            let api = event.api.map_or("unknown", |api| api.as_str());
            counter!("headroom_requests_total", "api" => api, "outcome" => "skipped").increment(1);
        }
        if let Some(elapsed) = event.elapsed {
            histogram!("headroom_compress_duration_seconds").record(elapsed);
        }
    }

    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        let kind = event.kind();
        counter!("headroom_store_errors_total", "kind" => kind).increment(1);
    }

    fn on_retrieved(&self, event: &Retrieved) {
        let api = event.api.as_str();
        counter!("headroom_retrievals_total", "api" => api).increment(event.calls.into());
        counter!("headroom_retrieval_rounds_total", "api" => api).increment(event.rounds.into());
    }

    fn on_fallback(&self, event: &Fallback) {
        if event.epoch {
            counter!("headroom_epoch_refusals_total", "api" => event.api.as_str()).increment(1);
            return;
        }
        let accepted = if event.accepted { "true" } else { "false" };
        counter!("headroom_fallbacks_total", "api" => event.api.as_str(), "accepted" => accepted)
            .increment(1);
        if event.unbound {
            counter!("headroom_unbound_total", "api" => event.api.as_str()).increment(1);
        }
    }

    fn on_cancelled(&self, event: &Cancelled) {
        counter!("headroom_cancelled_total", "stage" => event.stage.as_str()).increment(1);
    }
}
