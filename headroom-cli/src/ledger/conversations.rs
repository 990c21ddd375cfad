//! What came before each turn in its conversation, and so why the provider's cache was written.

use std::{collections::BTreeMap, ops::AddAssign};

use serde::{Deserialize, Serialize};

use super::Entry;

/// How many conversations are followed at a time. The one that was longest without a turn is dropped first.
const MAX_CONVERSATIONS: usize = 4096;
/// Less than one in this many tokens of the prompt before are no miss.
const MIN_MISSED_SHARE: u64 = 16;

/// The turn before another of the same conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Previous {
    /// Seconds between the ends of both.
    pub(crate) seconds: u64,
    /// The tokens of its prompt, with what hidden calls added.
    pub(crate) prompt: u64,
    /// Whether what it wrote to the cache stays for an hour.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_long: bool,
}

/// The last turn of each conversation.
#[derive(Debug, Default)]
pub(crate) struct Conversations(BTreeMap<String, Last>);

#[derive(Clone, Copy, Debug)]
struct Last {
    at: u64,
    prompt: u64,
    is_long: bool,
}

impl Conversations {
    /// Tells a turn what came before it. Turns are given in the order in which they ended.
    pub(crate) fn follow(&mut self, entry: &mut Entry) {
        let (Some(conversation), Some(usage), true) = (&entry.conversation, entry.usage, entry.is_accepted())
        else {
            return;
        };
        let last = self.0.get(conversation).copied();
        if entry.previous.is_none() {
            entry.previous = last.map(|last| Previous {
                seconds: entry.at.saturating_sub(last.at),
                prompt: last.prompt,
                is_long: last.is_long,
            });
        }
        if last.is_none() && self.0.len() >= MAX_CONVERSATIONS {
            let oldest = self.0.iter().min_by_key(|(_, last)| last.at).map(|(name, _)| name.clone());
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        let is_long = usage.cache_write_long > 0 || last.is_some_and(|last| last.is_long);
        self.0.insert(conversation.clone(), Last { at: entry.at, prompt: usage.prompt(), is_long });
    }
}

/// The tokens of prompts that were not read from the cache, by their cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CacheWrites {
    /// They were new.
    pub(crate) new: u64,
    /// The first turn of a conversation, or of one that the ledger cannot tell.
    pub(crate) start: u64,
    /// Old content left at an epoch, and what followed it was written again.
    pub(crate) epoch: u64,
    /// A pause longer than the lifetime of the cache.
    pub(crate) pause: u64,
    /// The head had changed: a date in the system prompt, other tools.
    pub(crate) head: u64,
    /// Anything else: another model, a compaction, a cache that was dropped.
    pub(crate) other: u64,
}

impl CacheWrites {
    /// Splits what a turn did not read.
    pub(crate) fn of(entry: &Entry) -> Self {
        let mut writes = Self::default();
        let Some(usage) = entry.usage else { return writes };
        let uncached = usage.uncached();
        let Some(previous) = entry.previous else { return Self { start: uncached, ..writes } };
        let was_there = previous.prompt.saturating_sub(usage.cache_read).min(uncached);
        let (cause, missed) = match (entry.is_paused(), entry.epoch_begins, &entry.head) {
            (true, _, _) => (&mut writes.pause, was_there),
            (false, true, _) => (&mut writes.epoch, entry.written_again()),
            (false, false, Some(mark)) => (&mut writes.head, mark.missed.min(uncached)),
            (false, false, None) => (&mut writes.other, was_there),
        };
        // Breakpoints are not at the very end, so a little of what was there is written again each time.
        *cause = if missed > previous.prompt / MIN_MISSED_SHARE { missed } else { 0 };
        writes.new = uncached - *cause;
        writes
    }
}

impl AddAssign for CacheWrites {
    fn add_assign(&mut self, other: Self) {
        let Self { new, start, epoch, pause, head, other } = other;
        self.new += new;
        self.start += start;
        self.epoch += epoch;
        self.pause += pause;
        self.head += head;
        self.other += other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: u64, conversation: &str, usage: [u64; 2], begins: bool) -> Entry {
        serde_json::from_value(serde_json::json!({
            "at": at, "provider": "anthropic", "status": 200, "outcome": "rewritten", "calls": 1, "tokens_before": 0,
            "tokens_after": 0, "saved_new": 0, "saved_cached": 0, "conversation": conversation, "epoch_begins": begins,
            "epochs": if begins { serde_json::json!([{"id": "a", "prompt": 2, "freed": 40_000, "rewritten": 9, "expected": 9}]) } else { serde_json::json!([]) },
            "usage": {"input": 0, "cache_read": usage[0], "cache_write": usage[1], "output": 0}}))
        .unwrap()
    }

    #[test]
    fn what_is_not_read_has_a_cause() {
        let mut conversations = Conversations::default();
        let mut writes = |at, conversation, usage, begins| {
            let mut entry = entry(at, conversation, usage, begins);
            conversations.follow(&mut entry);
            CacheWrites::of(&entry)
        };
        let is = CacheWrites::default();
        assert_eq!(writes(0, "a", [0, 100_000], false), CacheWrites { start: 100_000, ..is });
        assert_eq!(writes(10, "a", [99_000, 3_000], false), CacheWrites { new: 3_000, ..is });
        assert_eq!(writes(11, "b", [50_000, 9_000], false), CacheWrites { start: 9_000, ..is });
        assert_eq!(writes(20, "a", [10_000, 55_000], true), CacheWrites { epoch: 52_000, new: 3_000, ..is });
        assert_eq!(writes(30, "a", [20_000, 50_000], false), CacheWrites { other: 45_000, new: 5_000, ..is });
        assert_eq!(
            writes(331, "a", [10_000, 62_000], false),
            CacheWrites { pause: 60_000, new: 2_000, ..is }
        );
        assert_eq!(writes(900, "a", [10_000, 30_000], true), CacheWrites { pause: 30_000, ..is });
    }

    #[test]
    fn the_number_of_conversations_is_bounded_and_what_a_turn_knows_stays() {
        let mut conversations = Conversations::default();
        for n in 0..=MAX_CONVERSATIONS as u64 {
            conversations.follow(&mut entry(n, &n.to_string(), [0, 1], false));
        }
        assert_eq!(conversations.0.len(), MAX_CONVERSATIONS);
        assert!(!conversations.0.contains_key("0") && conversations.0.contains_key("1"));
        let mut known = entry(9_999, "1", [0, 1], false);
        known.previous = Some(Previous { seconds: 3, prompt: 4, is_long: true });
        conversations.follow(&mut known);
        assert_eq!(known.previous.unwrap().seconds, 3);
    }
}
