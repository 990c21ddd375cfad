//! What one block becomes.

mod changes;
mod forms;
mod lines;
mod parts;

use std::{borrow::Cow, ops::Range};

use changes::{Change, apply, raw_edits};
use forms::forms;
use lines::line_changes;

use crate::{
    BlockReport, ContentKind, Means, Original, Reason, Step, Tier, budget::Tokenizer, compress::json, detect,
    learned::Learned, reference::Found, report::Action, scan::Text, splice::Edit,
};

/// Blocks shorter than this are left alone: no marker would pay.
const MIN_BYTES: usize = 160;
/// A rewrite of a whole block must save at least one token in this many.
const WORTHWHILE: usize = 20;
/// A reference must save at least this many tokens.
const MIN_SAVING: usize = 8;

/// What became of one block; depends on nothing but what its key covers.
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

/// Everything that decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    pub(crate) text: &'a str,
    pub(crate) tool: Option<&'a str>,
    pub(crate) arguments: Option<&'a str>,
    pub(crate) kind: Option<ContentKind>,
    /// Whether the provider expects JSON in this place.
    pub(crate) json: bool,
    /// What the user asked last.
    pub(crate) question: Option<&'a str>,
    pub(crate) tokenizer: Tokenizer<'a>,
    pub(crate) tier: Tier,
    pub(crate) means: Means,
    /// The models that may be asked.
    pub(crate) learned: Learned<'a>,
    /// Where originals are kept as files.
    pub(crate) spool: Option<&'a str>,
}

/// Gives the runs of a text that stand earlier in the request and pass the test.
pub(crate) type Find<'f> = dyn Fn(&str, &dyn Fn(&Found) -> bool) -> Vec<Found> + 'f;

/// One way to write a block.
#[derive(Debug)]
struct Draft {
    changes: Vec<Change>,
    steps: Vec<Step>,
    /// What the markers of the draft point into.
    originals: Vec<Original>,
    /// Whether the block is written anew rather than lines of it replaced.
    whole: bool,
    tokens: usize,
}

impl Decision {
    pub(crate) fn kept(kind: ContentKind, reason: Reason, bytes: usize) -> Self {
        Self {
            kind,
            action: Action::Kept(reason),
            edits: Vec::new(),
            originals: Vec::new(),
            bytes: (bytes, bytes),
            tokens: None,
        }
    }

    pub(crate) fn saved(&self) -> usize {
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

    /// The text that the model sees.
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

    /// Rough memory use in bytes.
    pub(crate) fn weight(&self) -> usize {
        let edits: usize = self.edits.iter().map(|edit| edit.with.len() + size_of::<Edit>()).sum();
        let originals: usize = self.originals.iter().map(|original| original.content.len()).sum();
        size_of::<Self>() + edits + originals + 64
    }
}

/// Decides what a block becomes. `find` gives the runs of a text that stand earlier in the request.
pub(crate) fn decide(raw: Text<'_>, block: &Block<'_>, find: &Find<'_>) -> Decision {
    let text = block.text;
    // What another tool kept is what is worth showing.
    let condensed = block.may_elide() && detect::is_condensed(text, block.arguments);
    let block = &Block { means: if condensed { Means::None } else { block.means }, ..*block };
    let kind = block.kind.unwrap_or_else(|| {
        let guess = detect::guess(text, block.tool, block.arguments);
        // Where nothing may be set aside, nothing hangs on it.
        guess.settled(|| if block.may_elide() { block.learned.verdict(text) } else { None })
    });
    if text.len() < MIN_BYTES {
        return Decision::kept(kind, Reason::TooShort, text.len());
    }
    let mut decision = Decision::kept(kind, Reason::NoSaving, text.len());
    let drafts = drafts(block, kind, find);
    if drafts.is_empty() {
        return decision;
    }
    let tokens = block.tokenizer.count(text);
    decision.tokens = Some((tokens, tokens));
    let pays = |draft: &Draft| {
        let saved = tokens.saturating_sub(draft.tokens);
        saved > 0 && (!draft.whole || saved * WORTHWHILE >= tokens)
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

/// The ways in which a block could be written, unordered.
fn drafts(block: &Block<'_>, kind: ContentKind, find: &Find<'_>) -> Vec<Draft> {
    if block.json {
        return json_drafts(block, kind);
    }
    let drafts = forms(block, kind).into_iter().filter_map(|form| {
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
        Some(Draft { changes, steps, originals, whole, tokens })
    });
    drafts.collect()
}

/// Drafts that are JSON again, where the provider expects nothing else.
fn json_drafts(block: &Block<'_>, kind: ContentKind) -> Vec<Draft> {
    if kind != ContentKind::Json {
        return Vec::new();
    }
    let candidates = json::candidates(block.text).into_iter().filter(|text| text.starts_with(['{', '[']));
    let draft = |text: String| {
        let tokens = block.tokenizer.count(&text);
        let steps = vec![Step::Json];
        Draft { changes: replaced(block, text, &steps), steps, originals: Vec::new(), whole: true, tokens }
    };
    candidates.map(draft).collect()
}

/// The change that writes a block anew.
fn replaced(block: &Block<'_>, with: String, steps: &[Step]) -> Vec<Change> {
    let step = steps.first().copied().unwrap_or(Step::Json);
    vec![Change { bytes: 0..block.text.len(), with, step }]
}

impl Block<'_> {
    /// Whether parts may be set aside: only where the model can get them back.
    fn may_elide(&self) -> bool {
        let redeemable = match self.means {
            Means::None => false,
            Means::Served | Means::Client => true,
            Means::File => self.spool.is_some(),
        };
        redeemable && self.tier == Tier::Full
    }
}
