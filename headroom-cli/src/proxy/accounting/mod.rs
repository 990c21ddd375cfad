//! Sums over the process's lifetime (`/stats`), metrics of usage, and the ledger.

pub(crate) mod exchange;
pub(crate) mod metered;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use headroom_tower::RequestReport;
use metrics::counter;
use serde_json::{Value, json};

use crate::ledger::{CacheWrites, Call, Conversations, Entry, HeadMemory, Ledger, LedgerTotals, as_of};

/// How long the exit waits for the disk.
const FLUSH: Duration = Duration::from_secs(2);

/// Receives every finished turn.
#[derive(Debug)]
pub(super) struct Totals {
    start: Instant,
    sums: Mutex<LedgerTotals>,
    conversations: Mutex<Conversations>,
    heads: Mutex<HeadMemory>,
    /// `None` if the user has no folder.
    ledger: Option<Ledger>,
}

impl Totals {
    pub(super) fn new(ledger: Option<Ledger>) -> Self {
        Self {
            start: Instant::now(),
            sums: Mutex::default(),
            conversations: Mutex::default(),
            heads: Mutex::default(),
            ledger,
        }
    }

    /// Sums up a turn that has ended, with what came before it in its conversation. `body` is what was sent, where that
    /// is known.
    fn entry(
        &self,
        at: u64,
        provider: &'static str,
        report: Option<&RequestReport>,
        calls: &[Call],
        body: Option<&str>,
    ) -> Option<Entry> {
        let mut conversations = self.conversations.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entry = Entry::new(at, provider, report, calls, &mut conversations)?;
        drop(conversations);
        if let Some(body) = body {
            let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
            heads.follow(&mut entry, report, body);
        }
        Some(entry)
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
            let CacheWrites { new, start, epoch, pause, head, other } = CacheWrites::of(&entry);
            for (cause, tokens) in [
                ("new", new),
                ("start", start),
                ("epoch", epoch),
                ("pause", pause),
                ("head", head),
                ("other", other),
            ] {
                let provider = entry.provider.clone();
                counter!("headroom_uncached_tokens_total", "provider" => provider, "cause" => cause)
                    .increment(tokens);
            }
        }
        if let Some(ledger) = &self.ledger {
            ledger.add(entry);
        }
    }

    /// The sums since the start.
    pub(super) fn sums(&self) -> LedgerTotals {
        *self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything is in the ledger.
    pub(super) fn flush(&self) {
        if let Some(ledger) = &self.ledger {
            ledger.flush(FLUSH);
        }
    }

    pub(super) fn to_json(&self) -> String {
        let sums = self.sums();
        let stats: Value = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.start.elapsed().as_secs(),
            "since_start": sums,
            "prices_as_of": as_of(),
        });
        format!("{stats}\n")
    }
}
