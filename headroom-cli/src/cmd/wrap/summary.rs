use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use headroom_core::{Api, BlockReport, Report};
use serde::Serialize;

use crate::{output::Count, proxy::EmbeddedExchange};

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

impl fmt::Display for SummaryTotals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.requests == 1 { "" } else { "s" };
        write!(f, "{} request{plural}", Count(self.requests))?;
        match self.refused {
            0 => {}
            refused if self.requests == 0 => return write!(f, " ({} refused)", Count(refused)),
            refused => write!(f, " ({} more refused)", Count(refused))?,
        }
        let (before, after) = (Count(self.tokens_before), Count(self.tokens_after));
        match self.saved() {
            _ if self.tokens_before == 0 => f.write_str(", nothing to save in their tool results"),
            0 => write!(f, ", tool results {before} tokens, nothing saved"),
            saved => {
                let share = saved * 100 / self.tokens_before.max(1);
                write!(f, ", tool results {before} -> {after} tokens, {} ({share} %) saved", Count(saved))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_were_all_refused_are_no_more_than_there_were() {
        let text =
            |requests, refused| SummaryTotals { requests, refused, ..SummaryTotals::default() }.to_string();
        assert_eq!(text(0, 2), "0 requests (2 refused)");
        assert!(text(1, 2).starts_with("1 request (2 more refused), "));
        assert!(text(3, 0).starts_with("3 requests, "));
    }
}
