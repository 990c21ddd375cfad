//! Heads that changed from turn to turn of a conversation, and what that cost.

use std::collections::{BTreeMap, BTreeSet};

use headroom_tower::RequestReport;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Entry;
use crate::head::{HeadChange, HeadPrint, defined_tools};

/// How many heads are held. The one that was longest without a turn is dropped first.
const MAX_HEADS: usize = 256;
/// Less than one in this many tokens of the prompt before are no miss.
const MIN_MISSED_SHARE: u64 = 16;

/// A head that changed, and what that cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadMark {
    pub(crate) changes: Vec<HeadChange>,
    /// Tokens of the turn before that the provider did not find in its cache.
    pub(crate) missed: u64,
}

/// The newest head of each conversation. Requests of other models, and those without tools, have one of their own: agents
/// send some beside a conversation that begin like it.
#[derive(Debug, Default)]
pub(crate) struct HeadMemory(BTreeMap<(String, String, bool), LastHead>);

#[derive(Debug)]
struct LastHead {
    at: u64,
    /// Tokens of its prompt.
    prompt: u64,
    head: HeadPrint,
    /// Texts of results in it.
    results: usize,
}

impl HeadMemory {
    /// Adds to a turn what its head tells: the tools that it defines, if they are not those of the turn before, the tools
    /// that were called since, and what the provider missed because the head changed.
    pub(crate) fn follow(&mut self, entry: &mut Entry, report: Option<&RequestReport>, body: &str) {
        let (Some(conversation), Some(usage), true) = (&entry.conversation, entry.usage, entry.is_accepted())
        else {
            return;
        };
        let Some(head) = HeadPrint::read(body) else { return };
        let key = (conversation.clone(), entry.model.clone().unwrap_or_default(), head.has_tools());
        let last = self.0.remove(&key);
        let blocks = report.and_then(RequestReport::report).map_or(&[][..], |report| &report.blocks);
        let known = last.as_ref().map_or(0, |last| last.results);
        // A conversation that was compacted or rewound has fewer results than before.
        let new = blocks.get(known..).unwrap_or_default();
        entry.called = new.iter().filter_map(|block| block.tool.clone()).collect();
        entry.called.sort_unstable();
        entry.called.dedup();
        let changes = last.as_ref().map(|last| last.head.changes(&head)).unwrap_or_default();
        let has_other_tools = changes.iter().any(|change| change.place.starts_with("tool"));
        if last.is_none() || has_other_tools {
            entry.defined = defined_tools(body);
        }
        if let Some(last) = last.filter(|_| !changes.is_empty() && !entry.epoch_begins && !entry.is_paused())
        {
            let missed = last.prompt.saturating_sub(usage.cache_read).min(usage.uncached());
            if missed > last.prompt / MIN_MISSED_SHARE {
                entry.head = Some(HeadMark { changes, missed });
            }
        }
        if self.0.len() >= MAX_HEADS {
            let oldest = self.0.iter().min_by_key(|(_, last)| last.at).map(|(key, _)| key.clone());
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        let last = LastHead { at: entry.at, prompt: usage.prompt(), head, results: blocks.len() };
        self.0.insert(key, last);
    }
}

/// What changed in the heads of all conversations of some days, with what it cost.
#[derive(Debug, Default)]
pub(crate) struct HeadBook(BTreeMap<HeadChange, (HeadAccount, BTreeSet<String>)>);

/// One place of the head that changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct HeadAccount {
    /// Turns whose prompt was written again for it.
    pub(crate) turns: u64,
    pub(crate) conversations: usize,
    /// Tokens that were written again.
    pub(crate) missed: u64,
    /// Dollars by which that is more than reading them.
    pub(crate) dollars: f64,
}

impl HeadBook {
    /// Adds a turn. The first change of a head is what the provider missed its cache for.
    pub(crate) fn add(&mut self, entry: &Entry) {
        let Some((mark, change)) = entry.head.as_ref().and_then(|mark| Some((mark, mark.changes.first()?)))
        else {
            return;
        };
        let (account, conversations) = self.0.entry(change.clone()).or_default();
        conversations.extend(entry.conversation.clone());
        account.turns += 1;
        account.conversations = conversations.len();
        account.missed += mark.missed;
        account.dollars += entry.head_cost().unwrap_or_default();
    }

    /// Returns what changed, the dearest first.
    pub(crate) fn accounts(&self) -> Vec<(&HeadChange, &HeadAccount)> {
        let mut accounts: Vec<_> = self.0.iter().map(|(change, (account, _))| (change, account)).collect();
        accounts.sort_by(|(_, a), (_, b)| b.dollars.total_cmp(&a.dollars).then(b.missed.cmp(&a.missed)));
        accounts
    }

    /// Returns the same for programs.
    pub(crate) fn to_json(&self) -> Value {
        let row = |(change, account): (&HeadChange, &HeadAccount)| {
            let mut row = json!(change);
            if let (Some(fields), Value::Object(sums)) = (row.as_object_mut(), json!(account)) {
                fields.extend(sums);
            }
            row
        };
        self.accounts().into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::HeadChangeKind;

    #[test]
    fn a_change_costs_what_the_provider_missed() {
        let mut memory = HeadMemory::default();
        let mut follow = |at: u64, day: u32, model: &str, [read, write]: [u64; 2]| {
            let mut entry: Entry = serde_json::from_value(json!({
                "at": at, "provider": "anthropic", "model": model, "status": 200, "outcome": "rewritten", "calls": 1,
                "tokens_before": 0, "tokens_after": 0, "saved_new": 0, "saved_cached": 0, "conversation": "c",
                "previous": {"seconds": 9, "prompt": 1},
                "usage": {"input": 0, "cache_read": read, "cache_write": write, "output": 0}}))
            .unwrap();
            let body = json!({"system": format!("today is 2026-11-{day}"), "tools": [{"name": "Bash"}], "messages": []});
            memory.follow(&mut entry, None, &body.to_string());
            entry
        };
        let first = follow(1, 10, "claude-opus-4-6", [0, 50_000]);
        assert_eq!((first.head.is_none(), first.defined.len(), &*first.defined[0].name), (true, 1, "Bash"));
        let same = follow(2, 10, "claude-opus-4-6", [50_000, 900]);
        assert!(same.head.is_none() && same.defined.is_empty());
        let changed = follow(3, 11, "claude-opus-4-6", [8_000, 43_500]);
        let mark = changed.head.clone().unwrap();
        assert_eq!((mark.missed, mark.changes[0].what), (42_900, HeadChangeKind::Date));
        assert!(
            follow(4, 12, "claude-opus-4-6", [51_000, 700]).head.is_none(),
            "the provider found everything all the same"
        );
        let mut book = HeadBook::default();
        for entry in [&first, &same, &changed] {
            book.add(entry);
        }
        let [(change, account)] = book.accounts()[..] else { panic!("{book:?}") };
        assert_eq!(
            (&*change.place, account.turns, account.conversations, account.missed),
            ("system", 1, 1, 42_900)
        );
        // What is written costs 5.75 more a million than what is read.
        assert!((account.dollars - 42_900.0 * 5.75 / 1e6).abs() < 1e-9, "{account:?}");
        assert!(follow(5, 13, "other", [0, 60_000]).head.is_none(), "another model has a cache of its own");
    }
}
