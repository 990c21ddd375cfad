use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use headroom_tower::{Cancelled, Fallback, Observer, Retrieved, Rewritten, Skipped, StoreFailure};
use serde::Serialize;

/// Counts events of a layer, for `GET /stats`. Give it to the layer as its observer, and a clone to
/// [`Routes::stats`](super::Routes::stats).
///
/// # Example
///
/// ```
/// use headroom_axum::Stats;
///
/// let stats = Stats::new();
/// let layer = headroom_axum::layer().observer(stats.clone());
/// assert_eq!(stats.to_json()["requests"]["rewritten"], 0);
/// # let _ = layer;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Mutex<Counts>>);

/// Counts since the start.
#[derive(Debug, Default, Serialize)]
struct Counts {
    requests: Requests,
    /// Bytes of rewritten bodies.
    bytes: Sizes,
    /// Tokens saved in their tool results.
    tokens_saved: u64,
    retrieved: Answered,
    store_errors: u64,
}

#[derive(Debug, Default, Serialize)]
struct Requests {
    rewritten: u64,
    /// Rewritten requests that the provider refused and that were sent again unchanged.
    refused: u64,
    /// Requests dropped before they were sent.
    cancelled: u64,
    /// Requests sent unchanged, by reason.
    skipped: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default, Serialize)]
struct Sizes {
    before: u64,
    after: u64,
}

#[derive(Debug, Default, Serialize)]
struct Answered {
    /// Calls of the tool.
    calls: u64,
    /// Requests sent to the provider for them.
    rounds: u64,
}

impl Stats {
    /// Creates counts of zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the current counts.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(*self.counts())
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Stats {
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        let mut counts = self.counts();
        counts.requests.rewritten += 1;
        counts.bytes.before += event.bytes_before;
        counts.bytes.after += event.bytes_after;
        counts.tokens_saved += event.report.tokens_saved as u64;
    }

    fn on_skipped(&self, event: &Skipped<'_>) {
        *self.counts().requests.skipped.entry(event.reason.as_str()).or_default() += 1;
    }

    fn on_store_failure(&self, _: &StoreFailure<'_>) {
        self.counts().store_errors += 1;
    }

    fn on_retrieved(&self, event: &Retrieved) {
        let mut counts = self.counts();
        counts.retrieved.calls += u64::from(event.calls);
        counts.retrieved.rounds += u64::from(event.rounds);
    }

    fn on_fallback(&self, _: &Fallback) {
        self.counts().requests.refused += 1;
    }

    fn on_cancelled(&self, _: &Cancelled) {
        self.counts().requests.cancelled += 1;
    }
}
