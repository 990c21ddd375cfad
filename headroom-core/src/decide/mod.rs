//! Chooses the cheapest rendering of one block.

mod changes;
mod lines;
mod renderings;
mod segments;

use std::{borrow::Cow, ops::Range};

use changes::{Change, apply, raw_edits};
use lines::line_changes;
use renderings::renderings;

use crate::{
    BlockReport, ContentKind, Original, Retrieval, Tier, Transform, UnchangedReason,
    compress::{json, reference::RepeatedRun},
    detect,
    engine::{models::TenantModels, report::Action},
    json::{splice::Edit, tape::Text},
    tokenizer::Tokenizer,
};

/// Shorter blocks stay unchanged: no marker would save tokens.
const MIN_BYTES: usize = 160;
/// A rewrite of a whole block must save at least one token in this many.
const MIN_SAVING_RATIO: usize = 20;
/// A reference must save at least this many tokens.
const MIN_SAVED_TOKENS: usize = 8;

/// The decision about one block. Depends only on what its cache key covers.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) kind: ContentKind,
    pub(crate) action: Action,
    /// Edits of the raw string.
    pub(crate) edits: Vec<Edit>,
    pub(crate) originals: Vec<Original>,
    pub(crate) bytes: (usize, usize),
    pub(crate) tokens: Option<(usize, usize)>,
}

/// A block and everything that its decision depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    pub(crate) text: &'a str,
    pub(crate) tool: Option<&'a str>,
    pub(crate) arguments: Option<&'a str>,
    pub(crate) kind: Option<ContentKind>,
    /// Whether the provider requires JSON here.
    pub(crate) json: bool,
    /// The user's latest question.
    pub(crate) question: Option<&'a str>,
    pub(crate) tokenizer: Tokenizer<'a>,
    pub(crate) tier: Tier,
    pub(crate) retrieval: Retrieval,
    /// The models that may be used.
    pub(crate) models: TenantModels<'a>,
    /// The folder of plain-text originals.
    pub(crate) originals_dir: Option<&'a str>,
}

/// Finds runs of a text that occur earlier in the request and pass the test.
pub(crate) type Find<'f> = dyn Fn(&str, &dyn Fn(&RepeatedRun) -> bool) -> Vec<RepeatedRun> + 'f;

/// One way to write a block, with its cost.
#[derive(Debug)]
struct Candidate {
    changes: Vec<Change>,
    steps: Vec<Transform>,
    /// The originals that the candidate's markers name.
    originals: Vec<Original>,
    /// Whether the whole block is rewritten, rather than lines of it replaced.
    whole: bool,
    tokens: usize,
}

impl Decision {
    pub(crate) fn kept(kind: ContentKind, reason: UnchangedReason, bytes: usize) -> Self {
        Self {
            kind,
            action: Action::Kept(reason),
            edits: Vec::new(),
            originals: Vec::new(),
            bytes: (bytes, bytes),
            tokens: None,
        }
    }

    pub(crate) fn saved_tokens(&self) -> usize {
        self.tokens.map_or(0, |(before, after)| before.saturating_sub(after))
    }

    pub(crate) fn report(&self, path: String, tool: Option<String>) -> BlockReport {
        BlockReport {
            path,
            tool,
            kind: self.kind,
            bytes_before: self.bytes.0,
            bytes_after: self.bytes.1,
            tokens_before: self.tokens.map(|(before, _)| before),
            tokens_after: self.tokens.map(|(_, after)| after),
            action: self.action.clone(),
        }
    }

    /// Returns the text that the model sees.
    pub(crate) fn output<'a>(&self, text: Text<'a>) -> Option<Cow<'a, str>> {
        if self.edits.is_empty() {
            return text.decode();
        }
        let mut output = String::with_capacity(self.bytes.1);
        let mut from = 0;
        let copy = |range: Range<usize>| {
            let piece = Text { raw: text.raw.get(range)?, ..text };
            piece.decode()
        };
        for edit in &self.edits {
            output.push_str(&copy(from..edit.start)?);
            output.push_str(&edit.with);
            from = edit.end;
        }
        output.push_str(&copy(from..text.raw.len())?);
        Some(Cow::Owned(output))
    }

    /// Returns the approximate memory use in bytes.
    pub(crate) fn weight(&self) -> usize {
        let edits: usize = self.edits.iter().map(|edit| edit.with.len() + size_of::<Edit>()).sum();
        let originals: usize = self.originals.iter().map(|original| original.content.len()).sum();
        size_of::<Self>() + edits + originals + 64
    }
}

/// Decides one block. `find` returns the runs of a text that occur earlier in the request.
pub(crate) fn decide(raw: Text<'_>, block: &Block<'_>, find: &Find<'_>) -> Decision {
    let text = block.text;
    // Output that another tool already condensed is shown in full.
    let condensed = block.may_elide() && detect::is_condensed(text, block.arguments);
    let block = &Block { retrieval: if condensed { Retrieval::Disabled } else { block.retrieval }, ..*block };
    let kind = block.kind.unwrap_or_else(|| {
        let guess = detect::guess(text, block.tool, block.arguments);
        // Only elision depends on the classification.
        guess.settled(|| if block.may_elide() { block.models.classify(text) } else { None })
    });
    if text.len() < MIN_BYTES {
        return Decision::kept(kind, UnchangedReason::TooShort, text.len());
    }
    let mut decision = Decision::kept(kind, UnchangedReason::NoSaving, text.len());
    let drafts = candidates(block, kind, find);
    if drafts.is_empty() {
        return decision;
    }
    let tokens = block.tokenizer.count(text);
    decision.tokens = Some((tokens, tokens));
    let pays = |draft: &Candidate| {
        let saved = tokens.saturating_sub(draft.tokens);
        saved > 0 && (!draft.whole || saved * MIN_SAVING_RATIO >= tokens)
    };
    let best = drafts.into_iter().filter(pays).min_by_key(|draft| draft.tokens);
    let Some(draft) = best else { return decision };
    let removed: usize = draft.changes.iter().map(|change| change.bytes.len()).sum();
    let added: usize = draft.changes.iter().map(|change| change.with.len()).sum();
    let Some(edits) = raw_edits(raw, text.len(), draft.changes) else { return decision };
    decision.edits = edits;
    decision.action = Action::Edited(draft.steps);
    decision.originals = draft.originals;
    decision.bytes.1 = (text.len() + added).saturating_sub(removed);
    decision.tokens = Some((tokens, draft.tokens));
    decision
}

/// Returns the candidates for a block, unordered.
fn candidates(block: &Block<'_>, kind: ContentKind, find: &Find<'_>) -> Vec<Candidate> {
    if block.json {
        return json_candidates(block, kind);
    }
    let drafts = renderings(block, kind).into_iter().filter_map(|form| {
        let (changes, original) = line_changes(block, &form, find);
        let whole = !form.steps.is_empty();
        if changes.is_empty() && !whole {
            return None;
        }
        let mut steps = form.steps;
        steps.extend(changes.iter().map(|change| change.step));
        steps.sort_unstable();
        steps.dedup();
        let text = apply(&form.text, &changes);
        let tokens = block.tokenizer.count(&text);
        let changes = if whole { replaced(block, text, &steps) } else { changes };
        let mut originals = form.originals;
        originals.extend(original.filter(|own| originals.iter().all(|other| other.handle != own.handle)));
        Some(Candidate { changes, steps, originals, whole, tokens })
    });
    drafts.collect()
}

/// Returns the candidates that are JSON again, for places where the provider requires it.
fn json_candidates(block: &Block<'_>, kind: ContentKind) -> Vec<Candidate> {
    if kind != ContentKind::Json {
        return Vec::new();
    }
    let candidates = json::candidates(block.text).into_iter().filter(|text| text.starts_with(['{', '[']));
    let draft = |text: String| {
        let tokens = block.tokenizer.count(&text);
        let steps = vec![Transform::Json];
        Candidate {
            changes: replaced(block, text, &steps),
            steps,
            originals: Vec::new(),
            whole: true,
            tokens,
        }
    };
    candidates.map(draft).collect()
}

/// Returns the change that rewrites a whole block.
fn replaced(block: &Block<'_>, with: String, steps: &[Transform]) -> Vec<Change> {
    let step = steps.first().copied().unwrap_or(Transform::Json);
    vec![Change { bytes: 0..block.text.len(), with, step }]
}

impl Block<'_> {
    /// Whether parts may be elided: only if the model can retrieve them.
    fn may_elide(&self) -> bool {
        let redeemable = match self.retrieval {
            Retrieval::Disabled => false,
            Retrieval::ServerTool | Retrieval::ClientTool => true,
            Retrieval::File => self.originals_dir.is_some(),
        };
        redeemable && self.tier == Tier::Recoverable
    }
}
