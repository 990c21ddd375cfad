//! Finds out what would leave at a prompt, and whether that is repaid.

use rustc_hash::{FxHashMap, FxHashSet};

use headroom_json::Text;

use super::{
    EpochReport, Epochs, Rule,
    calls::{Deed, Part},
    render::MAX_LEFT_BYTES,
    rule::{Sums, tokens},
};
use crate::{
    Action, Api, ContentKind, UnchangedReason,
    decide::Decision,
    relevance::{features::LineFeatures, severity::Severity},
    wire::{Arguments, Item, Items, ToolResult, conversation::Facts, items::Prompt},
};

/// A result is old after this many further answers of the model. A prompt begins something new: what served the last steps
/// before it is the most that the next ones use.
const OLD_ANSWERS: u32 = 5;
/// A result that something newer supersedes leaves after this many.
const MIN_ANSWERS: u32 = 2;
/// A file is being edited if it was touched within this many answers.
const ACTIVE_ANSWERS: u32 = 20;
/// After this many answers nobody resolves an error any more.
const ERROR_ANSWERS: u32 = 40;
/// A result that is less than this much larger than what would be left of it stays.
const MIN_FREED_BYTES: usize = 300;
/// Bytes at the end of a result that show whether it failed.
const TAIL_BYTES: usize = 600;
/// Bytes at the start of a result in which agents tell the exit status.
const HEAD_BYTES: usize = 400;
/// How agents tell that a command succeeded.
const ZERO: [&str; 3] = ["exited with code 0", "Exit code: 0", "<returncode>0"];
/// Between looks at prompts there is at least one new item in this many.
const STEP_RATIO: u32 = 64;

/// A conversation up to a prompt.
pub(crate) struct History<'h, 'a> {
    pub(crate) api: Api,
    pub(crate) rule: Rule,
    pub(crate) items: &'h Items<'a>,
    pub(crate) facts: &'h [Facts],
    /// Returns the decision by which an item stands.
    pub(crate) standing: &'h dyn Fn(usize) -> Option<&'h Decision>,
}

/// What leaves at an epoch.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The results that leave, newest first.
    pub(crate) leaving: Vec<Leaving>,
    pub(crate) report: EpochReport,
}

/// A result that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) item: usize,
    /// The item that supersedes it.
    pub(crate) newer: Option<usize>,
}

impl<'a> History<'_, 'a> {
    /// Returns what leaves at this prompt, if it is an epoch, and notes when to look again.
    pub(crate) fn plan(&self, number: usize, prompt: Prompt, epochs: &mut Epochs) -> Option<Plan> {
        if prompt.item < epochs.next {
            return None;
        }
        epochs.next = prompt.item.saturating_add(1 + prompt.item / STEP_RATIO);
        let end = prompt.item as usize;
        let before = self.items.get(..end)?;
        let start = before.iter().rposition(|item| matches!(item, Item::Compaction)).map_or(0, |at| at + 1);
        if !self.thinking_may_leave(start, end) || !self.may_pay(start, prompt, epochs) {
            return None;
        }
        let leaving = self.leaving(start, prompt, epochs);
        let freed = leaving.iter().map(|leaving| self.freed(leaving.item)).sum::<usize>();
        let first = leaving.last()?.item;
        // Thinking of all answers since the last epoch leaves too.
        let since = epochs.last.map_or(start, |last| (last as usize + 1).max(start));
        let first = if self.finds_the_head_alone() { start } else { first };
        let thinking = self.thinking(since, end);
        let bytes = |from: usize| (from..end).map(|item| self.bytes(item)).sum::<usize>();
        let sums = Sums {
            freed: freed + thinking,
            rewritten: bytes(first).saturating_sub(freed),
            visible: bytes(start),
            turns: self.turns(start, prompt),
        };
        let report = EpochReport {
            prompt: number + 1,
            results: leaving.len(),
            freed: tokens(sums.freed),
            rewritten: tokens(sums.rewritten),
            turns: sums.turns as usize,
            expected_gain: self.rule.gain(&sums),
        };
        self.rule.is_epoch(&sums).then_some(Plan { leaving, report })
    }

    /// Whether the provider finds only the head in its cache once something behind it has changed. It looks for a prompt
    /// within twenty places before a breakpoint, and those of clients are at the head and at the end.
    const fn finds_the_head_alone(&self) -> bool {
        matches!(self.api, Api::Anthropic | Api::Converse)
    }

    /// Whether all thinking of these items can be removed.
    fn thinking_may_leave(&self, start: usize, end: usize) -> bool {
        let within = |item: u32| (start..=end).contains(&(item as usize));
        let mut thoughts = self.items.thoughts().iter();
        thoughts.all(|thought| thought.bytes.is_some() || !within(thought.item))
    }

    /// Returns the bytes of the thinking of these items.
    fn thinking(&self, start: usize, end: usize) -> usize {
        let within = |item: u32| (start..=end).contains(&(item as usize));
        let thoughts = self.items.thoughts().iter().filter(|thought| within(thought.item));
        thoughts.map(|thought| thought.read).sum()
    }

    /// Whether the prompt could be an epoch if every result left. Costs nearly nothing.
    fn may_pay(&self, start: usize, prompt: Prompt, epochs: &Epochs) -> bool {
        let end = prompt.item as usize;
        let may = |item: &usize| !epochs.replaced.contains_key(&u32::try_from(*item).unwrap_or(u32::MAX));
        let freed =
            (start..end).filter(may).map(|item| self.freed(item)).sum::<usize>() + self.thinking(start, end);
        let visible = (start..end).map(|item| self.bytes(item)).sum();
        self.rule.is_epoch(&Sums { freed, rewritten: 0, visible, turns: self.turns(start, prompt).max(1) })
    }

    /// Returns the requests so far that hold what the model still sees.
    fn turns(&self, start: usize, prompt: Prompt) -> u32 {
        let before = start.checked_sub(1).map_or(0, |before| self.items.answers(before));
        prompt.answers.saturating_sub(before)
    }

    /// Returns the bytes of an item that the model sees.
    fn bytes(&self, item: usize) -> usize {
        match self.items.get(item) {
            Some(Item::User(text) | Item::Said(text)) => text.raw.len(),
            Some(Item::Call(call)) => call.arguments.as_ref().map_or(0, |arguments| arguments.raw().len()),
            Some(Item::Result(_)) => (self.standing)(item).map_or(0, |decision| decision.bytes.1),
            _ => 0,
        }
    }

    /// Returns the bytes that leave with a result.
    fn freed(&self, item: usize) -> usize {
        let Some(Item::Result(_)) = self.items.get(item) else { return 0 };
        self.bytes(item).saturating_sub(MAX_LEFT_BYTES)
    }

    /// Returns the results that may leave, newest first.
    fn leaving(&self, start: usize, prompt: Prompt, epochs: &Epochs) -> Vec<Leaving> {
        let end = prompt.item as usize;
        let deeds = Deeds::new(self.items, start..end);
        let mut leaving = Vec::new();
        let mut seen = Seen::default();
        // Texts that a result which stays refers to.
        let mut needed = FxHashSet::default();
        for item in (start..end).rev() {
            let call = self.facts.get(item).and_then(|facts| facts.call);
            let deed = call.and_then(|call| deeds.get(call as usize));
            match self.items.get(item) {
                Some(Item::Call(_)) => {
                    if let Some(deed) = deeds.get(item).filter(|deed| deed.writes) {
                        seen.written.entry(deed.path.as_deref()).or_insert(item);
                    }
                }
                Some(Item::Result(result)) => {
                    let Some(decision) = (self.standing)(item) else { continue };
                    let age = prompt.answers.saturating_sub(self.items.answers(item));
                    let newer = seen.newer(deed, item);
                    let call = self.call_of(item);
                    let is_newest = seen.add(deed, call, item);
                    let is_view = is_newest.of_call
                        && matches!(decision.kind, ContentKind::FileRead | ContentKind::Code);
                    let shows_patched = call.is_some_and(|(_, arguments)| {
                        deeds.shows_patched(arguments, prompt.answers, is_view, &mut seen.patched)
                    });
                    let stays = !may_leave(result, decision)
                        || u32::try_from(item)
                            .is_ok_and(|item| needed.contains(&item) || epochs.replaced.contains_key(&item))
                        || deed.is_some_and(|deed| deed.is_kept)
                        || age < MIN_ANSWERS
                        || age < OLD_ANSWERS && newer.is_none()
                        || shows_patched
                        || is_newest.of_file
                            && deed.is_some_and(|deed| deeds.is_active(deed, prompt.answers))
                        || is_newest.of_call
                            && age < ERROR_ANSWERS
                            && decision.kind.traits().can_fail
                            && ends_in_error(result.text);
                    let pays = self.freed(item) >= MIN_FREED_BYTES || !decision.refers.is_empty();
                    if stays || !pays {
                        needed.extend(decision.refers.iter().copied());
                    } else {
                        leaving.push(Leaving { item, newer });
                    }
                }
                _ => {}
            }
        }
        leaving
    }

    /// Returns the bytes of the call that a result answers, which tell it from others. Of a call with very many answers
    /// and long arguments only some read them.
    fn call_of(&self, item: usize) -> Option<(&'a str, &'a str)> {
        let facts = self.facts.get(item)?;
        let Some(Item::Call(call)) = self.items.get(facts.call? as usize) else { return None };
        let arguments = call.arguments.as_ref().map_or("", Arguments::raw);
        call.is_readable(facts.answers).then(|| (call.name.map_or("", |name| name.raw), arguments))
    }
}

/// Whether the law lets this result be written anew.
fn may_leave(result: &ToolResult<'_>, decision: &Decision) -> bool {
    result.protected.is_none()
        && !result.json
        && !matches!(
            decision.action,
            Action::Kept(
                UnchangedReason::LoneSurrogate | UnchangedReason::Internal | UnchangedReason::TooShort
            )
        )
}

/// Whether a result begins with an exit status of zero, as agents write it above the output of a command.
fn succeeded(text: Text<'_>) -> bool {
    let start =
        (0..=HEAD_BYTES.min(text.raw.len())).rev().find_map(|end| text.raw.get(..end)).unwrap_or_default();
    ZERO.iter().any(|zero| {
        let rest = start.split_once(zero).map(|(_, rest)| rest);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    })
}

/// Whether the last lines of a result report an error, and no exit status says otherwise.
fn ends_in_error(text: Text<'_>) -> bool {
    if succeeded(text) {
        return false;
    }
    let from = text.raw.len().saturating_sub(TAIL_BYTES);
    let tail = (from..=text.raw.len()).find_map(|from| text.raw.get(from..)).unwrap_or_default();
    // Not from within an escape.
    let tail = if from == 0 { tail } else { tail.split_once("\\n").map_or("", |(_, tail)| tail) };
    let Some(tail) = (Text { raw: tail, ..text }).decode() else { return false };
    LineFeatures::from_text(&tail).rows.iter().any(|row| row.severity == Severity::Error)
}

/// What calls do, by their items.
struct Deeds {
    of: FxHashMap<usize, Deed>,
    /// For each file that was edited, when it was touched last.
    edited: FxHashMap<String, u32>,
    /// The names of files that patches changed, and when, oldest first.
    patched: Vec<(String, u32)>,
}

impl Deeds {
    /// How many patched files are looked for in each command.
    const MAX_PATCHED: usize = 16;

    fn new(items: &Items<'_>, range: std::ops::Range<usize>) -> Self {
        let mut deeds = Self { of: FxHashMap::default(), edited: FxHashMap::default(), patched: Vec::new() };
        for item in range {
            let Some(Item::Call(call)) = items.get(item) else { continue };
            let mut deed = Deed::of(call);
            let patched = std::mem::take(&mut deed.patched).into_iter();
            deeds.patched.extend(patched.map(|name| (name, items.answers(item))));
            if let Some(path) = &deed.path {
                match deeds.edited.get_mut(path) {
                    Some(last) => *last = items.answers(item),
                    None if deed.edits => _ = deeds.edited.insert(path.clone(), items.answers(item)),
                    None => {}
                }
            }
            deeds.of.insert(item, deed);
        }
        deeds
    }

    fn get(&self, item: usize) -> Option<&Deed> {
        self.of.get(&item)
    }

    /// Whether a command names a file that patches are changing, and no newer one does. The newest view of each part of
    /// such a file counts too.
    fn shows_patched(&self, call: &str, answers: u32, is_view: bool, seen: &mut FxHashSet<String>) -> bool {
        if call.contains("*** Begin Patch") {
            return false;
        }
        let recent = self.patched.iter().rev().take(Self::MAX_PATCHED);
        let active = recent.filter(|(_, at)| answers.saturating_sub(*at) < ACTIVE_ANSWERS);
        let mut shows = false;
        for (name, _) in active.filter(|(name, _)| call.contains(name.as_str())) {
            shows |= seen.insert(name.clone()) || is_view;
        }
        shows
    }

    /// Whether the file that this call reads is being edited.
    fn is_active(&self, deed: &Deed, answers: u32) -> bool {
        let last = deed.path.as_ref().and_then(|path| self.edited.get(path));
        last.is_some_and(|last| answers.saturating_sub(*last) < ACTIVE_ANSWERS)
    }
}

/// What stands behind a result.
#[derive(Default)]
struct Seen<'d> {
    /// Reads of each file, newest first.
    reads: FxHashMap<&'d str, Vec<(Part, usize)>>,
    /// The newest call that wrote each file whole.
    written: FxHashMap<Option<&'d str>, usize>,
    calls: FxHashSet<(&'d str, &'d str)>,
    /// The patched files that a newer command names.
    patched: FxHashSet<String>,
}

/// Whether a result is the newest one.
#[derive(Clone, Copy, Debug, Default)]
struct Newest {
    of_file: bool,
    of_call: bool,
}

impl<'d> Seen<'d> {
    /// How many newer reads of a file are compared.
    const MAX_READS: usize = 16;

    /// Returns the read or write that shows all of what this read shows.
    fn newer(&self, deed: Option<&Deed>, item: usize) -> Option<usize> {
        let deed = deed.filter(|deed| deed.reads)?;
        let path = deed.path.as_deref()?;
        let reads = self.reads.get(path).into_iter().flatten();
        let covers = |(part, newer): &&(Part, usize)| *newer > item && part.covers(deed.part);
        let read = reads.rev().find(covers).map(|(_, newer)| *newer);
        read.max(self.written.get(&Some(path)).copied())
    }

    /// Adds a result.
    fn add(&mut self, deed: Option<&'d Deed>, call: Option<(&'d str, &'d str)>, item: usize) -> Newest {
        let mut newest = Newest { of_call: call.is_none_or(|call| self.calls.insert(call)), of_file: false };
        if let Some(deed) = deed.filter(|deed| deed.reads)
            && let Some(path) = deed.path.as_deref()
        {
            let reads = self.reads.entry(path).or_default();
            newest.of_file = reads.is_empty();
            if reads.len() < Self::MAX_READS {
                reads.push((deed.part, item));
            }
        }
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_status_says_more_than_the_words_of_the_output() {
        let ends = |raw: &str| ends_in_error(Text { raw, start: 0, escaped: true });
        let failed = "line\\n".repeat(9) + "error: test part_3 failed";
        assert!(ends(&failed));
        for start in
            ["Process exited with code 0\\n", "Exit code: 0\\nOutput:\\n", "<returncode>0</returncode>\\n"]
        {
            assert!(!ends(&format!("{start}{failed}")), "{start}");
        }
        for start in ["Process exited with code 1\\n", "Exit code: 01\\n", "Exit code: 101\\n"] {
            assert!(ends(&format!("{start}{failed}")), "{start}");
        }
    }
}
