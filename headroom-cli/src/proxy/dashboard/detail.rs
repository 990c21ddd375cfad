//! The details of one request, block by block.

use std::mem;

use headroom_core::{Action, BlockReport};
use headroom_tower::RequestReport;
use serde_json::{Value, json};

use super::{copies::Bodies, decode::decode};
use crate::{
    blocks::{place, reason},
    ledger::Entry,
};

/// Maximum size of a text that is shown.
const MAX_SHOWN: usize = 256 << 10;
/// Maximum size of a decoded body.
const MAX_DECOMPRESSED_BODY: usize = 16 << 20;
/// Approximate size of a report per block.
const BLOCK: usize = mem::size_of::<BlockReport>() + 80;

#[derive(Debug)]
pub(in crate::proxy) struct Detail {
    report: RequestReport,
    /// Kept only if something was edited.
    bodies: Option<Bodies>,
    weight: usize,
}

impl Detail {
    pub(super) fn new(report: &RequestReport, entry: &Entry, bodies: Option<Bodies>) -> Self {
        let bodies = bodies.filter(|_| entry.outcome == "rewritten");
        let texts = bodies.as_ref().map_or(0, |bodies| bodies.before.len() + bodies.after.len());
        let blocks = report.report().map_or(0, |report| report.blocks.len());
        Self { report: report.clone(), bodies, weight: texts + blocks * BLOCK }
    }

    /// Its approximate size in bytes.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    fn blocks(&self) -> &[BlockReport] {
        self.report.report().map_or(&[], |report| &report.blocks)
    }

    /// All blocks, without texts.
    pub(in crate::proxy) fn to_json(&self) -> Value {
        let block = |block: &BlockReport| {
            let (steps, kept) = match &block.action {
                Action::Edited(steps) => (steps.iter().map(|step| reason::of_step(*step)).collect(), None),
                Action::Kept(reason) => (Vec::new(), Some(reason::of_block(*reason))),
                _ => (Vec::new(), None),
            };
            json!({
                "path": block.path,
                "tool": block.tool,
                "kind": words(block.kind.as_str()),
                "bytes_before": block.bytes_before,
                "bytes_after": block.bytes_after,
                "tokens_before": block.tokens_before,
                "tokens_after": block.tokens_after,
                "steps": steps,
                "kept": kept,
            })
        };
        let report = self.report.report();
        json!({
            "blocks": self.blocks().iter().map(block).collect::<Vec<_>>(),
            "texts": self.bodies.is_some(),
            "tokenizer": report.map(|report| report.tokenizer),
            "estimated": report.is_some_and(|report| report.estimated),
            "retrieval": report.map(|report| report.retrieval.to_string()),
            "bytes_before": report.map(|report| report.bytes_before),
            "bytes_after": report.map(|report| report.bytes_after),
        })
    }

    /// A block's text before and after; `None` if it cannot be shown.
    pub(in crate::proxy) fn texts(&self, at: usize) -> Option<Value> {
        let (block, bodies) = (self.blocks().get(at)?, self.bodies.as_ref()?);
        let before = decode(&bodies.before, bodies.encoding.as_ref(), MAX_DECOMPRESSED_BODY)?;
        let before: Value = serde_json::from_slice(&before).ok()?;
        let after: Value = serde_json::from_slice(&bodies.after).ok()?;
        let is_same =
            |other: &&BlockReport| other.path == block.path && matches!(other.action, Action::Edited(_));
        let number = self.blocks().iter().take(at).filter(is_same).count();
        let (before, after) = place::texts(&before, &after, &block.path, number)?;
        let [(before, more_before), (after, more_after)] = [before, after].map(shown);
        Some(json!({"before": before, "after": after, "more_before": more_before, "more_after": more_after}))
    }
}

fn words(label: &str) -> String {
    label.replace('_', " ")
}

/// Cuts a very long text; returns how many bytes were cut.
fn shown(mut text: String) -> (String, usize) {
    let length = text.len();
    if length > MAX_SHOWN {
        let mut end = MAX_SHOWN;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    let more = length - text.len();
    (text, more)
}
