//! Walks the items of a request in order: decides the results that are new, and finds the epochs.

use std::{cell::OnceCell, sync::Arc};

use headroom_json::Edit;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Shared, lock,
    request::{Request, name},
    texts::Texts,
};
use crate::{
    Handle, Original, Tier, UnchangedReason,
    compress::reference::Index,
    decide::Decision,
    epoch::{Epochs, History, Leaving, Old, Plan, Used, render},
    originals::Originals,
    relevance::Query,
    wire::{
        Arguments, Call, Item, Items,
        conversation::derived,
        items::{Prompt, Thought},
    },
};

/// Distinguishes the keys of epochs from those of results.
const EPOCHS: u64 = u64::MAX;
/// Bytes of a token, as the rule of epochs takes them.
const BYTES_PER_TOKEN: usize = 4;

/// The decisions about a request.
pub(super) struct Decided {
    /// The decision about each result when it arrived.
    arrivals: Vec<OnceCell<Arc<Decision>>>,
    pub(super) epochs: Epochs,
}

impl Decided {
    /// Returns the decision in force for a result.
    pub(super) fn get(&self, item: usize) -> Option<&Arc<Decision>> {
        let replaced = u32::try_from(item).ok().and_then(|item| self.epochs.replaced.get(&item));
        replaced.or_else(|| self.arrivals.get(item)?.get())
    }

    /// Returns the originals of these decisions. Those that are not cached are moved, because an original may be as large as
    /// the request.
    pub(super) fn into_originals(self) -> Vec<Original> {
        let mut replaced = Arc::unwrap_or_clone(self.epochs.replaced);
        let decisions = (0_u32..).zip(self.arrivals);
        let decisions =
            decisions.filter_map(|(item, arrival)| replaced.remove(&item).or(arrival.into_inner()));
        let originals = decisions.flat_map(|decision| match Arc::try_unwrap(decision) {
            Ok(decision) => decision.originals,
            Err(cached) => cached.originals.clone(),
        });
        originals.collect()
    }

    /// Returns the edits that remove the thinking before the last epoch.
    pub(super) fn cuts(&self, items: &Items<'_>) -> Vec<(usize, Edit)> {
        let cut = |bytes: std::ops::Range<usize>| {
            (bytes.start, Edit { start: 0, end: bytes.len(), with: String::new() })
        };
        self.old_thinking(items).filter_map(|thought| thought.bytes.clone()).map(cut).collect()
    }

    fn old_thinking<'i>(&self, items: &'i Items<'_>) -> impl Iterator<Item = &'i Thought> + use<'i> {
        let last = self.epochs.last;
        items.thoughts().iter().take_while(move |thought| last.is_some_and(|last| thought.item <= last))
    }

    /// Estimates the tokens of the thinking before the last epoch that can be removed.
    pub(super) fn thinking_saved(&self, items: &Items<'_>) -> usize {
        let removed = self.old_thinking(items).filter(|thought| thought.bytes.is_some());
        removed.map(|thought| thought.read).sum::<usize>() / BYTES_PER_TOKEN
    }

    /// Whether the newest prompt is an epoch, and no answer follows it.
    pub(super) fn begins_epoch(&self, items: &Items<'_>) -> bool {
        let answers = items.len().checked_sub(1).map_or(0, |last| items.answers(last));
        items
            .prompts()
            .last()
            .is_some_and(|prompt| self.epochs.last == Some(prompt.item) && prompt.answers == answers)
    }
}

/// What the results before some item are needed for: the index of their lines, and their originals.
struct Known {
    index: Index,
    originals: Originals,
    /// The items in the index.
    indexed: usize,
    /// The items whose originals are known.
    added: usize,
}

impl<'a> Request<'a, '_> {
    /// Decides every tool result; reuses the cached decision of a result seen before in the same place.
    pub(super) fn decide(
        &self,
        shared: &Shared,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Result<Decided, UnchangedReason> {
        let arrivals: Vec<OnceCell<Arc<Decision>>> = self.items.iter().map(|_| OnceCell::new()).collect();
        let mut first_unknown = None;
        {
            let mut memo = lock(&shared.decisions);
            for (index, (item, cell)) in self.items.iter().zip(&arrivals).enumerate() {
                let Item::Result(_) = item else { continue };
                match self.facts.get(index).and_then(|facts| memo.get(&facts.key)) {
                    Some(decision) => _ = cell.set(decision),
                    None => first_unknown = first_unknown.or(Some(index)),
                }
            }
        }
        let mut decided = Decided { arrivals, epochs: Epochs::default() };
        let known = first_unknown.unwrap_or(self.items.len());
        let walked = self.epochs_up_to(known, &mut decided.epochs, shared);
        if first_unknown.is_some() || walked < self.prompts().len() {
            let mut walk = Walk { request: self, shared, may_go_on, next: walked, at: 0 };
            walk.at = match walked.checked_sub(1).and_then(|last| self.prompts().get(last)) {
                Some(prompt) => prompt.item as usize,
                None => 0,
            };
            while walk.until_next_epoch(&mut decided)? {}
        }
        Ok(decided)
    }

    /// Returns the prompts that may be epochs.
    fn prompts(&self) -> &[Prompt] {
        if self.rule.is_some() { self.items.prompts() } else { &[] }
    }

    /// Looks up the epochs at the newest known prompt among these items, and returns the number of the next prompt.
    fn epochs_up_to(&self, items: usize, epochs: &mut Epochs, shared: &Shared) -> usize {
        let mut memo = lock(&shared.epochs);
        for (number, prompt) in self.prompts().iter().enumerate().rev() {
            let item = prompt.item as usize;
            let facts = self.facts.get(item).filter(|_| item <= items);
            if let Some(found) = facts.and_then(|facts| memo.get(&derived(&facts.key, EPOCHS))) {
                *epochs = found;
                return number + 1;
            }
        }
        0
    }
}

/// A walk over the items of a request.
struct Walk<'w, 'a, 'c> {
    request: &'w Request<'a, 'c>,
    shared: &'w Shared,
    may_go_on: &'w dyn Fn(usize) -> bool,
    /// The number of the next prompt.
    next: usize,
    /// The next item.
    at: usize,
}

impl<'a> Walk<'_, 'a, '_> {
    /// Walks until an epoch changes earlier content, or to the end; returns whether there is more.
    fn until_next_epoch(&mut self, decided: &mut Decided) -> Result<bool, UnchangedReason> {
        let request = self.request;
        let Decided { arrivals, epochs } = decided;
        let texts = Texts::new(request.items, arrivals, Arc::clone(&epochs.replaced));
        let mut known = None;
        while let Some(item) = request.items.get(self.at) {
            let prompt = request.prompts().get(self.next).filter(|prompt| prompt.item as usize == self.at);
            if let Some(prompt) = prompt {
                self.next += 1;
                let began = self.begin_epoch(*prompt, arrivals, epochs, &texts);
                if let Some(facts) = request.facts.get(self.at).filter(|_| began.is_ok()) {
                    let weight = 128 + if began == Ok(true) { weight(epochs) } else { 0 };
                    lock(&self.shared.epochs).put(derived(&facts.key, EPOCHS), epochs.clone(), weight);
                }
                if began? {
                    return Ok(true);
                }
            }
            let facts = request.facts.get(self.at);
            let cell = arrivals.get(self.at).filter(|cell| cell.get().is_none());
            if let (Item::Result(result), Some(cell), Some(facts)) = (item, cell, facts) {
                if !(self.may_go_on)(result.text.raw.len()) {
                    self.keep(known, &texts, self.at);
                    return Err(UnchangedReason::Cancelled);
                }
                let known = known.get_or_insert_with(|| self.resume(epochs));
                self.advance(known, arrivals, &texts);
                let found = (&known.index, &texts, &known.originals);
                let decision = Arc::new(request.decide_result(result, facts, found, self.shared));
                lock(&self.shared.decisions).put(facts.key, Arc::clone(&decision), decision.weight());
                _ = cell.set(decision);
            }
            self.at += 1;
        }
        self.keep(known, &texts, request.items.len());
        Ok(false)
    }

    /// Returns what is known of the items before this one: from the newest cached index since the last epoch.
    fn resume(&self, epochs: &Epochs) -> Known {
        let mut originals = Originals::new(self.shared.secret);
        epochs.replaced.values().for_each(|decision| originals.add(decision));
        let oldest = epochs.last.map_or(0, |last| last as usize);
        let mut indexes = lock(&self.shared.indexes);
        let facts = self.request.facts.iter().enumerate().take(self.at).skip(oldest).rev();
        for (at, facts) in facts {
            if let Some(index) = indexes.take(&facts.key) {
                return Known { index, originals, indexed: at + 1, added: 0 };
            }
        }
        Known { index: Index::default(), originals, indexed: 0, added: 0 }
    }

    /// Adds the items before this one.
    fn advance(&self, known: &mut Known, arrivals: &[OnceCell<Arc<Decision>>], texts: &Texts<'a, '_>) {
        let new = arrivals.get(known.added..self.at).unwrap_or_default();
        new.iter().filter_map(OnceCell::get).for_each(|decision| known.originals.add(decision));
        known.added = self.at;
        self.index(known, texts, self.at);
    }

    fn index(&self, known: &mut Known, texts: &Texts<'a, '_>, end: usize) {
        if self.request.tier < Tier::Dedup {
            return;
        }
        for at in known.indexed..end {
            if let (Some(item), Some(facts)) = (self.request.items.get(at), self.request.facts.get(at)) {
                self.request.remember(at, item, facts, &mut known.index, texts);
            }
        }
        known.indexed = known.indexed.max(end);
    }

    /// Keeps the index of the items before `end` for the next request.
    fn keep(&self, known: Option<Known>, texts: &Texts<'a, '_>, end: usize) {
        let Some(mut known) = known else { return };
        self.index(&mut known, texts, end);
        if let Some(last) = end.checked_sub(1).and_then(|last| self.request.facts.get(last)) {
            let weight = known.index.weight();
            lock(&self.shared.indexes).put(last.key, known.index, weight);
        }
    }

    /// Writes old results anew if this prompt is an epoch, and returns whether it is.
    fn begin_epoch(
        &self,
        prompt: Prompt,
        arrivals: &[OnceCell<Arc<Decision>>],
        epochs: &mut Epochs,
        texts: &Texts<'a, '_>,
    ) -> Result<bool, UnchangedReason> {
        let request = self.request;
        let Some(rule) = request.rule else { return Ok(false) };
        let replaced = Arc::clone(&epochs.replaced);
        let standing = |item: usize| -> Option<&Decision> {
            let replaced = u32::try_from(item).ok().and_then(|item| replaced.get(&item));
            Some(replaced.or_else(|| arrivals.get(item)?.get())?)
        };
        let (api, items, facts) = (request.api, request.items, &*request.facts);
        let history = History { api, rule, items, facts, standing: &standing };
        let Some(Plan { leaving, mut report }) = history.plan(self.next - 1, prompt, epochs) else {
            return Ok(false);
        };
        let used = used(items, prompt);
        let mut left = FxHashMap::default();
        // A result that cannot be written anew stays, and so do those that it refers to.
        let mut needed = FxHashSet::default();
        for leaving in leaving {
            let Ok(item) = u32::try_from(leaving.item) else { continue };
            let Some(arrival) = standing(leaving.item).filter(|_| arrivals.get(leaving.item).is_some())
            else {
                continue;
            };
            let rest = if needed.contains(&item) {
                None
            } else {
                self.shorten(leaving, arrival, prompt, &used, texts)?
            };
            match rest {
                Some(decision) => _ = left.insert(item, decision),
                None => needed.extend(arrival.refers.iter().copied()),
            }
        }
        if left.is_empty() {
            return Ok(false);
        }
        report.results = left.len();
        left.extend(epochs.replaced.iter().map(|(item, decision)| (*item, Arc::clone(decision))));
        epochs.replaced = Arc::new(left);
        Arc::make_mut(&mut epochs.reports).push(report);
        epochs.last = Some(prompt.item);
        Ok(true)
    }

    /// Returns the decision that shows little of an old result; `None` if there is none.
    fn shorten(
        &self,
        leaving: Leaving,
        standing: &Decision,
        prompt: Prompt,
        used: &Used,
        texts: &Texts<'a, '_>,
    ) -> Result<Option<Arc<Decision>>, UnchangedReason> {
        let request = self.request;
        let (Some(Item::Result(result)), Some(facts), Some(at), Ok(item)) = (
            request.items.get(leaving.item),
            request.facts.get(leaving.item),
            request.facts.get(prompt.item as usize),
            u32::try_from(leaving.item),
        ) else {
            return Ok(None);
        };
        let key = derived(&at.key, item.into());
        if let Some(known) = lock(&self.shared.decisions).get(&key) {
            return Ok(Some(known));
        }
        if !(self.may_go_on)(result.text.raw.len()) {
            return Err(UnchangedReason::Cancelled);
        }
        let Some(text) = result.text.decode() else { return Ok(None) };
        if request.unstorable.contains(&Handle::from_content(&text)) {
            return Ok(None);
        }
        let arguments =
            request.call(facts).filter(|call| call.is_readable(facts.answers)).and_then(Call::arguments);
        let question = texts.question(prompt.item);
        let query =
            Query { question: question.as_deref(), arguments: arguments.as_deref(), ..Query::default() };
        let newer =
            leaving.newer.and_then(|newer| name(request.items.get(newer)?, request.facts.get(newer)?, 0));
        let newer = newer.as_deref().map(|name| name.strip_suffix(" part 1").unwrap_or(name));
        let folder = request.originals_dir;
        let gaps = render(&Old { item, text: &text, kind: standing.kind, used, query, newer, folder });
        let Some(decision) = standing.shortened(result.text, &text, gaps, request.tokenizer) else {
            return Ok(None);
        };
        let decision = Arc::new(decision);
        lock(&self.shared.decisions).put(key, Arc::clone(&decision), decision.weight());
        Ok(Some(decision))
    }
}

/// Returns the identifiers that the model used before a prompt.
fn used(items: &Items<'_>, prompt: Prompt) -> Used {
    let mut used = Used::default();
    for (at, item) in (0..prompt.item).zip(items.iter()) {
        match item {
            Item::Said(text) => used.add(at, text.raw),
            Item::Call(call) => used.add(at, call.arguments.as_ref().map_or("", Arguments::raw)),
            _ => {}
        }
    }
    used
}

/// Returns the memory that the results of an epoch take.
fn weight(epochs: &Epochs) -> usize {
    epochs.replaced.values().map(|decision| decision.weight()).sum()
}
