//! Chooses the cheapest rendering of one block.

mod changes;
mod lines;
mod renderings;
mod segments;

use std::{borrow::Cow, ops::Range};

use changes::{Change, apply, raw_edits};
use headroom_json::{Edit, Text, document::Sequence};
use lines::line_changes;
use memchr::memmem;
use renderings::renderings;

use crate::{
    Action, BlockReport, Classification, ContentKind, Original, Retrieval, Tier, Transform, UnchangedReason,
    compress::{json::JsonText, reference::RepeatedRun, source::SourceScan},
    detect,
    models::TenantModels,
    records::RecordScan,
    tokenizer::{KnownCounts, Tokenizer},
    tuning::tuning,
};

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
    /// The items whose texts its references name.
    pub(crate) refers: Vec<u32>,
}

/// A block and everything that its decision depends on.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) text: &'a str,
    pub(crate) tool: Option<&'a str>,
    pub(crate) arguments: Option<&'a str>,
    pub(crate) kind: Option<ContentKind>,
    /// Whether the agent edited a file of this name before.
    pub(crate) is_edited: &'a dyn Fn(&str) -> bool,
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
            refers: Vec::new(),
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
        let originals: usize = self.originals.iter().map(|original| original.content().len()).sum();
        size_of::<Self>() + edits + originals + self.refers.len() * size_of::<u32>() + 64
    }

    /// Returns the decision that replaces these bytes of the same text instead; `None` if that saves no tokens.
    pub(crate) fn shortened(
        &self,
        raw: Text<'_>,
        text: &str,
        gaps: Vec<(Range<usize>, String)>,
        tokenizer: Tokenizer<'_>,
    ) -> Option<Self> {
        let change = |(bytes, with)| Change { bytes, with, step: Transform::Epoch };
        let changes: Vec<Change> = gaps.into_iter().map(change).collect();
        let output = apply(text, &changes);
        let before = self.tokens.map_or_else(|| tokenizer.count(text), |(before, _)| before);
        let after = tokenizer.count(&output);
        if changes.is_empty() || after >= before {
            return None;
        }
        Some(Self {
            kind: self.kind,
            action: Action::Edited(vec![Transform::Epoch]),
            edits: raw_edits(raw, text.len(), changes)?,
            originals: vec![Original::new(text.to_owned())],
            bytes: (text.len(), output.len()),
            tokens: Some((before, after)),
            refers: Vec::new(),
        })
    }
}

/// Decides one block. `find` returns the runs of a text that occur earlier in the request.
pub(crate) fn decide(raw: Text<'_>, block: &Block<'_>, find: &Find<'_>) -> Decision {
    let text = block.text;
    // Output that another tool already condensed is shown in full.
    let condensed = block.may_elide() && detect::is_condensed(text, block.arguments);
    let retrieval = if condensed { Retrieval::Disabled } else { block.retrieval };
    let known = KnownCounts::new(text);
    let block = &Block { retrieval, tokenizer: block.tokenizer.knowing(&known), ..*block };
    let mut scan = None;
    let code = SourceScan::new(text, block.arguments);
    let kind = block.kind.unwrap_or_else(|| {
        let mut guess = detect::guess(text, block.tool, block.arguments, block.is_edited);
        scan = guess.scan.take();
        let kind = guess.settled(|| block.classified(text));
        code.settled(kind, guess.has_groups)
    });
    if text.len() < tuning().decide.min_bytes {
        return Decision::kept(kind, UnchangedReason::TooShort, text.len());
    }
    if detect::instructions::are_in(text, block.tool) {
        return Decision::kept(kind, UnchangedReason::Instructions, text.len());
    }
    let is_instruction_file = detect::instructions::are_in_file(block.arguments);
    let reason = match kind {
        _ if is_instruction_file => UnchangedReason::Instructions,
        ContentKind::FileRead => UnchangedReason::FileRead,
        _ => UnchangedReason::NoSaving,
    };
    let mut decision = Decision::kept(kind, reason, text.len());
    let mut drafts = candidates(block, kind, scan, &code, find);
    if is_instruction_file {
        // A file that is read again may refer to equal lines of an earlier result.
        drafts.retain(|draft| !draft.whole && draft.steps == [Transform::Reference]);
    }
    if drafts.is_empty() {
        return decision;
    }
    let tokens = block.tokenizer.count(text);
    decision.tokens = Some((tokens, tokens));
    let pays = |draft: &Candidate| {
        let saved = tokens.saturating_sub(draft.tokens);
        saved > 0 && (!draft.whole || saved * tuning().decide.tokens_per_saved >= tokens)
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
fn candidates<'a>(
    block: &Block<'a>,
    kind: ContentKind,
    scan: Option<RecordScan<'a>>,
    code: &SourceScan<'a>,
    find: &Find<'_>,
) -> Vec<Candidate> {
    if block.json {
        return json_candidates(block, kind);
    }
    let instructions = detect::instructions::spans(block.text);
    let mut scan = scan.filter(|scan| scan.is_of(block.text));
    let drafts = renderings(block, kind, &instructions, code).into_iter().filter_map(|form| {
        let (changes, added) = line_changes(block, &form, scan.take(), code, find);
        let whole = !form.steps.is_empty();
        if changes.is_empty() && !whole {
            return None;
        }
        let mut steps = form.steps;
        steps.extend(changes.iter().map(|change| change.step));
        steps.sort_unstable();
        steps.dedup();
        let (text, tokens) = if changes.is_empty() {
            (form.text.into_owned(), form.tokens)
        } else {
            (apply(&form.text, &changes), None)
        };
        // What a reference covers stands in an earlier result, word for word.
        let is_covered = |span: &Range<usize>| {
            !whole
                && changes.iter().any(|change| {
                    change.step == Transform::Reference
                        && change.bytes.start <= span.start
                        && span.end <= change.bytes.end
                })
        };
        let instructions: Vec<_> = instructions.iter().filter(|span| !is_covered(span)).cloned().collect();
        let is_kept = keeps(&instructions, block.text, &text);
        if !is_kept || code.is_broken(kind, &text) {
            return None;
        }
        let tokens = tokens.unwrap_or_else(|| block.tokenizer.count(&text));
        let changes = if whole { replaced(block, text, &steps) } else { changes };
        let mut originals = form.originals;
        for original in added {
            if originals.iter().all(|other| other.handle() != original.handle()) {
                originals.push(original);
            }
        }
        Some(Candidate { changes, steps, originals, whole, tokens })
    });
    drafts.collect()
}

/// Whether these parts of a text are in its output, in order.
fn keeps(parts: &[Range<usize>], text: &str, output: &str) -> bool {
    let mut rest = output;
    parts.iter().all(|part| {
        let part = text.get(part.clone()).unwrap_or_default();
        let behind =
            memmem::find(rest.as_bytes(), part.as_bytes()).and_then(|at| rest.get(at + part.len()..));
        behind.map(|behind| rest = behind).is_some()
    })
}

/// Returns the candidates that are JSON again, for places where the provider requires it.
fn json_candidates(block: &Block<'_>, kind: ContentKind) -> Vec<Candidate> {
    if kind != ContentKind::Json {
        return Vec::new();
    }
    let Some(json) = JsonText::parse(block.text, Sequence::Values) else { return Vec::new() };
    let candidates = json.candidates().into_iter().filter(|text| text.starts_with(['{', '[']));
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
    /// Asks the classifier about a text. Only elision depends on the answer.
    fn classified(&self, text: &str) -> Option<Classification> {
        if self.may_elide() { self.models.classify(text) } else { None }
    }

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

#[cfg(test)]
mod tests;
