//! Epochs: prompts of the user at which old content leaves, because the rewriting is expected to be repaid.
//!
//! Between epochs the output grows by appending, as the conversation does. Whether a prompt is an epoch follows from the
//! bytes up to and including it: the prompts are walked from the first to the last with one rule, so every longer request
//! of the conversation, every replica and every restart finds the same ones. A conversation that was rewound, forked or
//! compacted is decided anew from its own bytes.
//!
//! At an epoch leave: the results that are old, except for a few lines; the results of reads whose file was read or
//! written again; and the thinking of all answers before it. All results that leave are originals first.

mod calls;
mod plan;
mod prices;
mod render;
mod rule;
mod used;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::decide::Decision;

pub(crate) use plan::{History, Leaving, Plan};
pub use prices::ModelPrices;
pub(crate) use render::{Old, render};
pub(crate) use rule::Rule;
pub(crate) use used::Used;

/// Describes one epoch: a prompt at which old content left. Holds no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EpochReport {
    /// The number of the prompt among the prompts of the user, from one.
    pub prompt: usize,
    /// How many results left, in part or whole.
    pub results: usize,
    /// Estimated tokens of results and thinking that left.
    pub freed: usize,
    /// Estimated tokens before the prompt that are written to the cache again: from the first change on, and on Anthropic's
    /// API all behind the head.
    pub rewritten: usize,
    /// The requests so far, and so about as many as are expected to follow.
    pub turns: usize,
    /// The expected gain, in tokens at the price of a prompt that is not cached.
    pub expected_gain: usize,
}

/// The epochs of a conversation up to some prompt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epochs {
    /// The results that are written otherwise than when they arrived.
    pub(crate) replaced: Arc<FxHashMap<u32, Arc<Decision>>>,
    pub(crate) reports: Arc<Vec<EpochReport>>,
    /// The item of the newest epoch's prompt.
    pub(crate) last: Option<u32>,
    /// Before this item no prompt is looked at, so that the work stays linear.
    pub(crate) next: u32,
}
