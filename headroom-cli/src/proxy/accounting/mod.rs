//! Sums over the process's lifetime (`/stats`), metrics of usage, and the ledger.

pub(crate) mod exchange;
pub(crate) mod metered;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use metrics::counter;
use serde_json::{Value, json};

use crate::ledger::{AS_OF, Entry, Ledger, LedgerTotals};

/// How long the exit waits for the disk.
const FLUSH: Duration = Duration::from_secs(2);

/// Receives every finished turn.
#[derive(Debug)]
pub(super) struct Totals {
    start: Instant,
    sums: Mutex<LedgerTotals>,
    /// `None` if the user has no folder.
    ledger: Option<Ledger>,
}

impl Totals {
    pub(super) fn new(ledger: Option<Ledger>) -> Self {
        Self { start: Instant::now(), sums: Mutex::default(), ledger }
    }

    pub(super) fn add(&self, entry: Entry) {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner).add(&entry);
        if let Some(usage) = entry.usage {
            let usage = usage + entry.extra;
            for (kind, tokens) in [
                ("input", usage.input),
                ("cache_read", usage.cache_read),
                ("cache_write", usage.cache_write),
                ("output", usage.output),
            ] {
                let provider = entry.provider.clone();
                counter!("headroom_usage_tokens_total", "provider" => provider, "kind" => kind)
                    .increment(tokens);
            }
        }
        if let Some(ledger) = &self.ledger {
            ledger.add(entry);
        }
    }

    /// Waits until everything is in the ledger.
    pub(super) fn flush(&self) {
        if let Some(ledger) = &self.ledger {
            ledger.flush(FLUSH);
        }
    }

    pub(super) fn to_json(&self) -> String {
        let sums = *self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let stats: Value = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.start.elapsed().as_secs(),
            "since_start": sums,
            "prices_as_of": AS_OF,
        });
        format!("{stats}\n")
    }
}
