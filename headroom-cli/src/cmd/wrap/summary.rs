use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use headroom_core::{Api, BlockReport, Report};
use serde::Serialize;

use crate::{
    ledger::{EpochTotals, LedgerTotals},
    output::{Count, dollars},
    proxy::EmbeddedExchange,
};

/// Sums over the requests through the proxy. A conversation is sent, and counted, again with every turn.
#[derive(Debug, Default)]
pub(super) struct Summary(Mutex<SummaryTotals>);

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct SummaryTotals {
    /// Turns that the provider accepted.
    requests: u64,
    /// Turns that it refused.
    refused: u64,
    /// Tokens of the tool results that were considered for edits.
    tokens_before: u64,
    /// The same after the edits.
    tokens_after: u64,
}

impl Summary {
    pub(super) fn add(&self, exchange: &EmbeddedExchange<'_>) {
        // Counting tokens is free, so it saves nothing.
        let counts = ["count_tokens", "input_tokens", ":countTokens"];
        if Api::from_path(exchange.path).is_none() || counts.iter().any(|end| exchange.path.ends_with(end)) {
            return;
        }
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !exchange.status.is_success() {
            totals.refused += 1;
            return;
        }
        totals.requests += 1;
        let Some(result) = exchange.report else { return };
        let Some(report) = result.report() else { return };
        let before = sum(report, |block| block.tokens_before);
        totals.tokens_before += before;
        totals.tokens_after += match result.is_rewritten() {
            true => sum(report, |block| block.tokens_after),
            false => before,
        };
    }

    pub(super) fn totals(&self) -> SummaryTotals {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sum(report: &Report, tokens: fn(&BlockReport) -> Option<usize>) -> u64 {
    report.blocks.iter().filter_map(tokens).map(|tokens| tokens as u64).sum()
}

impl SummaryTotals {
    pub(super) const fn saved(&self) -> u64 {
        self.tokens_before.saturating_sub(self.tokens_after)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.requests == 0 && self.refused == 0
    }
}

/// The line at the end: what was sent, what it cost, and what it would have cost.
pub(super) struct Receipt<'a> {
    pub(super) totals: SummaryTotals,
    /// What the provider counted.
    pub(super) bill: &'a LedgerTotals,
}

impl fmt::Display for Receipt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { totals, bill } = self;
        let plural = if totals.requests == 1 { "" } else { "s" };
        write!(f, "{} request{plural}", Count(totals.requests))?;
        match totals.refused {
            0 => {}
            refused if totals.requests == 0 => return write!(f, " ({} refused)", Count(refused)),
            refused => write!(f, " ({} more refused)", Count(refused))?,
        }
        let saved = bill.saved_tokens();
        let tokens = Count(saved.unsigned_abs());
        let what = if saved < 0 { "more" } else { "saved" };
        let sent = bill.usage.prompt();
        if bill.paid > 0.0 && bill.unpriced == 0 {
            let (paid, without) = (dollars(bill.paid), dollars(bill.without()));
            let share = bill.saved_share() * 100.0;
            write!(
                f,
                ", {paid} paid, {without} without Headroom by estimate ({:+.1} %), {tokens} tokens {what}",
                0.0 - share
            )?;
            return write!(f, "{}", EpochNote(bill.epochs));
        }
        if sent > 0 {
            let share = saved as f64 / (sent as f64 + saved.max(0) as f64) * 100.0;
            return write!(f, ", {} tokens sent, {tokens} ({:.1} %) {what}", Count(sent), share.abs());
        }
        let (before, after) = (Count(totals.tokens_before), Count(totals.tokens_after));
        match totals.saved() {
            _ if totals.tokens_before == 0 => f.write_str(", nothing to save in their tool results"),
            0 => write!(f, ", tool results {before} tokens, nothing saved"),
            saved => write!(f, ", tool results {before} -> {after} tokens, {} saved", Count(saved)),
        }
    }
}

/// What the epochs of a run came to.
struct EpochNote(EpochTotals);

impl fmt::Display for EpochNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EpochTotals { began, gain, .. } = self.0;
        let plural = if began == 1 { "" } else { "s" };
        match began {
            0 => Ok(()),
            _ if gain < 0.0 => {
                write!(f, "; {} epoch{plural}, {} not repaid yet", Count(began), dollars(-gain))
            }
            _ => write!(f, "; {} epoch{plural}, {} gained", Count(began), dollars(gain)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Usage;

    fn text(totals: SummaryTotals, bill: &LedgerTotals) -> String {
        Receipt { totals, bill }.to_string()
    }

    #[test]
    fn requests_that_were_all_refused_are_no_more_than_there_were() {
        let text = |requests, refused| {
            text(SummaryTotals { requests, refused, ..SummaryTotals::default() }, &LedgerTotals::default())
        };
        assert_eq!(text(0, 2), "0 requests (2 refused)");
        assert!(text(1, 2).starts_with("1 request (2 more refused), "));
        assert!(text(3, 0).starts_with("3 requests, "));
    }

    #[test]
    fn the_base_is_everything_that_was_sent() {
        let totals = SummaryTotals { requests: 5, refused: 0, tokens_before: 20_000, tokens_after: 8_000 };
        assert_eq!(
            text(totals, &LedgerTotals::default()),
            "5 requests, tool results 20,000 -> 8,000 tokens, 12,000 saved"
        );
        let usage = Usage { input: 8_000, cache_read: 80_000, ..Usage::default() };
        let mut bill =
            LedgerTotals { turns: 5, unpriced: 5, usage, saved_new: 12_000, ..LedgerTotals::default() };
        assert_eq!(text(totals, &bill), "5 requests, 88,000 tokens sent, 12,000 (12.0 %) saved");
        (bill.unpriced, bill.paid, bill.saved) = (0, 0.9, 0.1);
        assert_eq!(
            text(totals, &bill),
            "5 requests, $0.90 paid, $1.00 without Headroom by estimate (-10.0 %), 12,000 tokens saved"
        );
        (bill.paid, bill.saved, bill.saved_new) = (1.01, -0.01, -550);
        assert_eq!(
            text(totals, &bill),
            "5 requests, $1.01 paid, $1.00 without Headroom by estimate (+1.0 %), 550 tokens more"
        );
        bill.epochs = EpochTotals { began: 1, gain: -0.25, ..EpochTotals::default() };
        assert!(text(totals, &bill).ends_with("550 tokens more; 1 epoch, $0.25 not repaid yet"));
        bill.epochs = EpochTotals { began: 2, gain: 0.5, ..EpochTotals::default() };
        assert!(text(totals, &bill).ends_with("550 tokens more; 2 epochs, $0.50 gained"));
    }
}
