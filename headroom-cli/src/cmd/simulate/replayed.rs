//! What Headroom makes of every request of a recorded session.

use std::collections::{BTreeMap, HashMap};

use headroom_core::{Action, BlockReport, EpochReport, Report, Retrieval, Transform};
use headroom_evals::session::{BlockKind, Body, EpochState, Needs, RecordedSession, Sent, Sizes};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{Replay, bill::ResultTokens};
use crate::ledger::DEFINITION;

/// A session after its replay.
#[derive(Default)]
pub(super) struct Replayed {
    pub(super) sizes: Sizes,
    pub(super) results: BTreeMap<String, ResultTokens>,
    /// The epochs that began in its own requests.
    pub(super) begun: Vec<Begun>,
    /// Where the epochs changed, and what they left.
    pub(super) states: Vec<EpochState>,
    /// What later answers need of what epochs took away.
    pub(super) needs: Needs,
    /// What is left of each block.
    shares: HashMap<u32, f64>,
}

/// An epoch of a session.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Begun {
    /// The first request that it changed, from zero.
    pub(super) request: usize,
    #[serde(flatten)]
    pub(super) report: EpochReport,
}

impl Replay {
    /// Sends every request of a session through the layer, with or without epochs.
    pub(super) fn replayed(&self, session: &RecordedSession, epochs: bool, bar: &ProgressBar) -> Replayed {
        let tools = session.tools();
        let mut replayed = Replayed::default();
        let mut known: Vec<EpochReport> = Vec::new();
        for at in 0..session.requests.len() {
            bar.tick();
            let body = session.body(at, &tools);
            let (sent, result) = self.send_with(body.bytes.clone(), epochs);
            let is_rewritten = result.as_ref().is_some_and(|result| result.is_rewritten());
            let report = result.as_ref().and_then(|result| result.report()).filter(|_| is_rewritten);
            let mut changed = report.map(|report| replayed.shares_of(report, &body)).unwrap_or_default();
            let epochs = report.map(|report| report.epochs.as_slice()).unwrap_or_default();
            if epochs != known {
                let sent = Sent::from_body(sent.as_deref().unwrap_or_default());
                changed.extend(replayed.epochs_of(session, at, (&known, epochs), &sent, report, &body));
                known = epochs.to_vec();
            }
            let has_tool = report.is_some_and(|report| report.retrieval == Retrieval::ServerTool);
            replayed.sizes.push(if has_tool { DEFINITION as f64 * session.factor } else { 0.0 }, changed);
        }
        replayed.needs = session.needs(&replayed.states);
        replayed.sizes.retrieve(&replayed.needs, &replayed.states);
        replayed.count(session);
        replayed
    }
}

impl Replayed {
    /// Returns the shares of results that changed.
    fn shares_of(&mut self, report: &Report, body: &Body) -> Vec<(u32, f64)> {
        let mut counts: BTreeMap<u32, [f64; 2]> = BTreeMap::new();
        for block in &report.blocks {
            let Some(id) = body.block_at(&block.path) else { continue };
            let [before, after] = counts.entry(id).or_default();
            let of_block = tokens(block);
            *before += of_block[0];
            *after += of_block[1];
        }
        let shares = counts.into_iter().filter(|(_, [before, _])| *before > 0.0);
        let shares = shares.map(|(id, [before, after])| (id, (after / before).min(1.0)));
        shares.filter(|(id, share)| self.shares.insert(*id, *share) != Some(*share)).collect()
    }

    /// Notes the epochs of a request that are not those of the one before, and returns the thinking that left or is back.
    fn epochs_of(
        &mut self,
        session: &RecordedSession,
        at: usize,
        (before, epochs): (&[EpochReport], &[EpochReport]),
        sent: &Sent,
        report: Option<&Report>,
        body: &Body,
    ) -> Vec<(u32, f64)> {
        let common = before.iter().zip(epochs).take_while(|(before, now)| before == now).count();
        if session.requests.get(at).is_some_and(|request| !request.is_repeated) {
            let new = epochs.get(common..).unwrap_or_default();
            self.begun.extend(new.iter().map(|report| Begun { request: at, report: *report }));
        }
        let is_epoch = |block: &&BlockReport| matches!(&block.action, Action::Edited(steps) if steps.contains(&Transform::Epoch));
        let shrunk = report.into_iter().flat_map(|report| &report.blocks).filter(is_epoch);
        let mut results: Vec<u32> = shrunk.filter_map(|block| body.block_at(&block.path)).collect();
        results.dedup();
        let left = results.into_iter().filter_map(|id| {
            let block = session.blocks.get(id as usize)?;
            Some((id, sent.result(block).unwrap_or_default().to_owned()))
        });
        self.states.push(EpochState { request: at, shrunk: left.collect() });
        let thinking = body.blocks().filter(|id| {
            session.blocks.get(*id as usize).is_some_and(|block| block.kind == BlockKind::Thinking)
        });
        let shares = thinking.map(|id| (id, f64::from(u8::from(sent.has_thinking(id)))));
        shares.filter(|(id, share)| self.shares.insert(*id, *share).unwrap_or(1.0) != *share).collect()
    }

    /// Adds up the tokens of results.
    fn count(&mut self, session: &RecordedSession) {
        for (id, block) in (0_u32..).zip(&session.blocks) {
            let is_counted = block
                .born
                .and_then(|at| session.requests.get(at))
                .is_some_and(|request| !request.is_repeated);
            let Some(tool) = block.tool.as_deref().filter(|_| is_counted && block.is_result()) else {
                continue;
            };
            let of_tool = self.results.entry(tool.to_owned()).or_default();
            of_tool.before += block.tokens;
            of_tool.after += block.tokens * self.shares.get(&id).copied().unwrap_or(1.0);
        }
    }
}

/// The tokens of a block before and after; where none were counted, what its bytes make about.
fn tokens(block: &BlockReport) -> [f64; 2] {
    const BYTES_PER_TOKEN: f64 = 3.6;
    match (block.tokens_before, block.tokens_after) {
        (Some(before), Some(after)) => [before as f64, after as f64],
        _ => [block.bytes_before as f64 / BYTES_PER_TOKEN, block.bytes_after as f64 / BYTES_PER_TOKEN],
    }
}
