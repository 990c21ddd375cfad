//! Headroom's own token counts of a request.

use headroom_core::{BlockReport, Report};

/// Tokens of the counted tool results: those that were considered for edits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) before: u64,
    pub(crate) after: u64,
}

impl Tokens {
    pub(crate) fn from_report(report: &Report) -> Self {
        let sum = |get: fn(&BlockReport) -> Option<usize>| {
            report.blocks.iter().filter_map(get).map(|tokens| tokens as u64).sum()
        };
        Self { before: sum(|block| block.tokens_before), after: sum(|block| block.tokens_after) }
    }
}
