//! Conversations without the provider's counts: what their results become when they arrive.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use headroom_evals::{
    ordered_json::Node,
    replay::{Bill, Prices, Tokens, recording::Conversation},
};
use headroom_tower::RequestReport;
use serde::Serialize;

use super::Replay;

/// One conversation.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) file: PathBuf,
    pub(super) turns: usize,
    /// Tokens of its last request, before and after.
    pub(super) tokens_before: u64,
    pub(super) tokens_after: u64,
    /// The cost of all of its requests, in units of one input token.
    pub(super) bill_before: f64,
    pub(super) bill_after: f64,
}

/// The results of one tool in the last requests.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Tool {
    pub(super) results: u64,
    /// Tokens of the results that were considered for edits.
    pub(super) tokens_before: u64,
    pub(super) tokens_after: u64,
}

impl Replay {
    pub(super) fn conversation(
        &self,
        conversation: &Conversation,
        file: &Path,
        tools: &mut BTreeMap<String, Tool>,
    ) -> Row {
        let mut tokens = Tokens::default();
        let (mut before, mut after) = (Bill::default(), Bill::default());
        let mut last = None;
        let turns = conversation.turns.iter().take(self.max_turns.unwrap_or(usize::MAX));
        for messages in turns.clone() {
            let Ok(request) = conversation.request(*messages) else { continue };
            let (sent, report) = self.send(request.clone());
            let (Ok(raw), Ok(sent)) = (parse(&request), parse(sent.as_deref().unwrap_or(&request))) else {
                continue;
            };
            before.add(tokens.blocks(&raw));
            after.add(tokens.blocks(&sent));
            last = report;
        }
        for block in last.as_ref().and_then(RequestReport::report).iter().flat_map(|report| &report.blocks) {
            let tool = tools.entry(block.tool.clone().unwrap_or_else(|| "(unnamed)".to_owned())).or_default();
            let count = |tokens: Option<usize>| tokens.unwrap_or_default() as u64;
            tool.results += 1;
            tool.tokens_before += count(block.tokens_before);
            tool.tokens_after += count(block.tokens_after);
        }
        Row {
            file: file.to_owned(),
            turns: turns.count(),
            tokens_before: before.tokens(),
            tokens_after: after.tokens(),
            bill_before: in_tokens(before.price(&Prices::ANTHROPIC)),
            bill_after: in_tokens(after.price(&Prices::ANTHROPIC)),
        }
    }
}

/// Converts thousandths of a token's price to token prices.
fn in_tokens(thousandths: u64) -> f64 {
    thousandths as f64 / 1e3
}

fn parse(body: &[u8]) -> serde_json::Result<Node> {
    serde_json::from_slice(body)
}
