//! The end of a request's log line.

use std::fmt;

use headroom_tower::RequestReport;

use crate::tokens::Tokens;

/// What the layer did to a request. Counts, never content.
#[derive(Debug)]
pub(super) struct Effect<'a> {
    pub(super) outcome: &'static str,
    pub(super) report: &'a RequestReport,
}

impl fmt::Display for Effect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(report) = self.report.report().filter(|_| self.outcome == "rewritten") else {
            return write!(f, ", sent unchanged: {}", self.outcome);
        };
        let Tokens { before, after } = Tokens::from_report(report);
        write!(f, ", tool results {before} -> {after} tokens, {} saved", report.tokens_saved)?;
        match report.epochs.last().filter(|_| report.epoch_begins) {
            Some(epoch) => write!(f, ", an epoch: about {} tokens left", epoch.freed),
            None => Ok(()),
        }
    }
}
