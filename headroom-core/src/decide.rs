//! What one block becomes.

use std::{borrow::Cow, ops::Range};

use crate::{
    BlockReport, ContentKind, Handle, Means, Original, Reason, Step, Tier,
    budget::Tokenizer,
    compress::{
        elide::{self, Wanted},
        fold, json, terminal,
    },
    detect,
    marker::{self, Elision},
    reference::Found,
    report::Action,
    scan::Text,
    splice::Edit,
    text::RawOffsets,
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
    pub(crate) tokenizer: Tokenizer,
    pub(crate) tier: Tier,
    pub(crate) means: Means,
    /// Where originals are kept as files.
    pub(crate) spool: Option<&'a str>,
}

/// Gives the runs of a text that stand earlier in the request and pass the test.
pub(crate) type Find<'f> = dyn Fn(&str, &dyn Fn(&Found) -> bool) -> Vec<Found> + 'f;

/// A replacement in the decoded text.
#[derive(Debug)]
struct Change {
    bytes: Range<usize>,
    with: String,
    step: Step,
}

/// One way to write a block.
#[derive(Debug)]
struct Draft {
    changes: Vec<Change>,
    steps: Vec<Step>,
    /// What the gaps of the draft point into.
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
    let kind = block.kind.unwrap_or_else(|| detect::kind(text, block.tool, block.arguments));
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
    let Some(edits) = raw_edits(raw, draft.changes) else { return decision };
    decision.edits = edits;
    decision.action = Action::Edited(draft.steps);
    decision.originals = draft.originals;
    decision.bytes.1 = (text.len() + added).saturating_sub(removed);
    decision.tokens = Some((tokens, draft.tokens));
    decision
}

/// The ways in which a block could be written, unordered.
fn drafts(block: &Block<'_>, kind: ContentKind, find: &Find<'_>) -> Vec<Draft> {
    let text = block.text;
    let mut drafts = Vec::new();
    let mut add = |text: String, changes: Option<Vec<Change>>, originals, steps: Vec<Step>| {
        let (tokens, whole) = (block.tokenizer.count(&text), changes.is_none());
        let changes = changes.unwrap_or_else(|| {
            let step = steps.first().copied().unwrap_or(Step::Json);
            vec![Change { bytes: 0..block.text.len(), with: text, step }]
        });
        drafts.push(Draft { tokens, changes, steps, originals, whole });
    };
    if !block.json {
        let (changes, original) = line_changes(block, kind, text, find);
        if !changes.is_empty() {
            let steps = steps(&changes, None);
            add(apply(text, &changes), Some(changes), original.into_iter().collect(), steps);
        }
    }
    match kind {
        ContentKind::Json => {
            let fits = |candidate: &String| !block.json || candidate.starts_with(['{', '[']);
            let selected = (block.may_elide() && !block.json).then(|| {
                let wanted =
                    Wanted { question: block.question, arguments: block.arguments, file_read: false };
                json::selected(text, &wanted, block.spool)
            });
            if let Some(found) = selected.flatten() {
                add(found.text, None, found.originals, vec![Step::Json, Step::Elision]);
            } else {
                for candidate in json::candidates(text).into_iter().filter(fits) {
                    add(candidate, None, Vec::new(), vec![Step::Json]);
                }
            }
        }
        ContentKind::Text if !block.json => {
            if let Some(rendered) = terminal::render(text) {
                let (changes, original) = line_changes(block, kind, &rendered, find);
                let originals = original.into_iter().collect();
                add(apply(&rendered, &changes), None, originals, steps(&changes, Some(Step::Terminal)));
            }
        }
        _ => {}
    }
    drafts
}

/// Replacements of whole lines: references, folds, and gaps with the original that they point into.
fn line_changes(
    block: &Block<'_>,
    kind: ContentKind,
    text: &str,
    find: &Find<'_>,
) -> (Vec<Change>, Option<Original>) {
    let count = |text: &str| block.tokenizer.count(text);
    let pays = |bytes: &Range<usize>, with: &str| {
        text.get(bytes.clone()).is_some_and(|removed| count(removed) >= count(with) + MIN_SAVING)
    };
    let mut changes = Changes::default();
    // Where the text has something like a marker already, nobody could tell ours from it.
    if text.contains(marker::OPENING) {
        return (Vec::new(), None);
    }
    if block.tier >= Tier::Context {
        let found = find(text, &|found| pays(&found.bytes, &found.marker)).into_iter();
        changes.merge(found.map(|found| Change {
            bytes: found.bytes,
            with: found.marker,
            step: Step::Reference,
        }));
    }
    // What a fold repeats must stand right before it.
    let folds = fold::runs(text)
        .into_iter()
        .filter(|fold| changes.are_off(&(fold.kept..fold.range.end)) && pays(&fold.range, &fold.replacement));
    let folds: Vec<_> = folds.collect();
    changes.merge(folds.into_iter().map(|fold| Change {
        bytes: fold.range,
        with: fold.replacement,
        step: Step::Fold,
    }));
    if !block.may_elide() || kind == ContentKind::Json {
        return (changes.sorted, None);
    }
    let handle = Handle::of(text);
    let wanted = Wanted {
        question: block.question,
        arguments: block.arguments,
        file_read: kind == ContentKind::FileRead,
    };
    let gaps = elide::gaps(text, &wanted).into_iter().filter_map(|gap| {
        let elision =
            Elision { handle, lines: (gap.first, gap.last), summary: &gap.summary, folder: block.spool };
        let with = elision.to_string();
        let fits = changes.are_off(&gap.range) && pays(&gap.range, &with);
        fits.then_some(Change { bytes: gap.range, with, step: Step::Elision })
    });
    let gaps: Vec<_> = gaps.collect();
    let original = (!gaps.is_empty()).then(|| Original { handle, content: text.to_owned() });
    changes.merge(gaps);
    (changes.sorted, original)
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

/// Changes in order, none over another.
#[derive(Debug, Default)]
struct Changes {
    sorted: Vec<Change>,
}

impl Changes {
    /// Whether no change touches these bytes.
    fn are_off(&self, bytes: &Range<usize>) -> bool {
        let behind = self.sorted.partition_point(|change| change.bytes.end <= bytes.start);
        self.sorted.get(behind).is_none_or(|change| bytes.end <= change.bytes.start)
    }

    /// Adds changes that are off those that are there.
    fn merge(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.sorted.extend(changes);
        self.sorted.sort_by_key(|change| change.bytes.start);
    }
}

fn steps(changes: &[Change], first: Option<Step>) -> Vec<Step> {
    let mut steps: Vec<Step> = first.into_iter().chain(changes.iter().map(|change| change.step)).collect();
    steps.sort_unstable();
    steps.dedup();
    steps
}

fn apply(text: &str, changes: &[Change]) -> String {
    let mut output = String::with_capacity(text.len());
    let mut from = 0;
    for change in changes {
        output.push_str(text.get(from..change.bytes.start).unwrap_or_default());
        output.push_str(&change.with);
        from = change.bytes.end;
    }
    output.push_str(text.get(from..).unwrap_or_default());
    output
}

/// Changes of the decoded text as edits of the raw string.
fn raw_edits(raw: Text<'_>, changes: Vec<Change>) -> Option<Vec<Edit>> {
    let mut offsets = RawOffsets::new(raw);
    changes
        .into_iter()
        .map(|change| {
            let start = offsets.at(change.bytes.start)?;
            let end = offsets.at(change.bytes.end)?;
            Some(Edit { start, end, with: change.with })
        })
        .collect()
}
