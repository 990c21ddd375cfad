//! Epochs in the ledger: what each cost when it began, and what it saved since.

use std::collections::BTreeMap;

use headroom_core::Report;
use serde::{Deserialize, Serialize};

use super::Entry;

/// After this many seconds without a turn a conversation counts as over: the longest lifetime of a provider's cache.
const OVER: u64 = 60 * 60;

/// An epoch of the conversation that a turn belongs to. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EpochMark {
    /// A name that the epoch has in every turn of its conversation, and in those that were forked behind it.
    pub(crate) id: String,
    /// The number of its prompt.
    pub(crate) prompt: usize,
    /// Tokens that left, by estimate.
    pub(crate) freed: u64,
    /// Tokens that are written to the cache again, by estimate.
    pub(crate) rewritten: u64,
    /// The expected gain, in tokens at the price of a prompt that is not cached.
    pub(crate) expected: u64,
}

impl EpochMark {
    /// Returns the epochs of a request, oldest first.
    pub(super) fn of(conversation: Option<u64>, report: &Report) -> Vec<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&conversation.unwrap_or_default().to_be_bytes());
        let mark = |epoch: &headroom_core::EpochReport| {
            for number in [epoch.prompt, epoch.results, epoch.freed, epoch.rewritten, epoch.turns] {
                hasher.update(&(number as u64).to_be_bytes());
            }
            let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
            Self {
                id: format!("{:08x}", u32::from_be_bytes([a, b, c, d])),
                prompt: epoch.prompt,
                freed: epoch.freed as u64,
                rewritten: epoch.rewritten as u64,
                expected: epoch.expected_gain as u64,
            }
        };
        report.epochs.iter().map(mark).collect()
    }
}

/// All epochs of some days, each with what it cost and saved.
#[derive(Debug, Default)]
pub(crate) struct EpochBook(BTreeMap<String, EpochAccount>);

/// One epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EpochAccount {
    /// The conversation, if it could be told.
    pub(crate) conversation: Option<String>,
    pub(crate) model: String,
    /// When it began, in seconds since 1970; `None` if the turn with which it began is not in the ledger.
    pub(crate) began: Option<u64>,
    pub(crate) prompt: usize,
    /// Tokens that left, by estimate.
    pub(crate) freed: u64,
    /// Tokens that were expected to be written again.
    pub(crate) rewritten: u64,
    /// Tokens that were written again, by the provider's count.
    pub(crate) written: u64,
    /// Dollars that it was expected to gain in the end.
    pub(crate) expected: f64,
    /// Dollars that it has gained, less the cost of writing again.
    pub(crate) gain: f64,
    /// Turns with it, the first included.
    pub(crate) turns: u64,
    /// When the last of them ended.
    pub(crate) last: u64,
}

/// Where an epoch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EpochState {
    /// It has gained more than it cost.
    Repaid,
    /// It has not yet, and its conversation may go on.
    Open,
    /// It has not, and its conversation is over.
    Lost,
}

impl EpochAccount {
    /// Where it stands at this time.
    pub(crate) const fn state(&self, now: u64) -> EpochState {
        match (self.gain >= 0.0, now.saturating_sub(self.last) > OVER) {
            (true, _) => EpochState::Repaid,
            (false, false) => EpochState::Open,
            (false, true) => EpochState::Lost,
        }
    }
}

impl EpochBook {
    /// Adds a turn. Those that the provider refused, or whose dollars are unknown, change nothing.
    pub(crate) fn add(&mut self, entry: &Entry) {
        if !entry.is_accepted() {
            return;
        }
        for (at, mark) in entry.epochs.iter().enumerate() {
            let begins = entry.epoch_begins && at + 1 == entry.epochs.len();
            let Some(gain) = entry.epoch_gain(mark, begins) else { continue };
            let account = self.0.entry(mark.id.clone()).or_insert_with(|| EpochAccount {
                conversation: entry.conversation.clone(),
                model: entry.model.clone().unwrap_or_default(),
                began: None,
                prompt: mark.prompt,
                freed: mark.freed,
                rewritten: mark.rewritten,
                written: 0,
                expected: entry.at_full_price(mark.expected).unwrap_or_default(),
                gain: 0.0,
                turns: 0,
                last: 0,
            });
            account.turns += 1;
            account.gain += gain;
            account.last = account.last.max(entry.at);
            if begins {
                account.began.get_or_insert(entry.at);
                account.written += entry.written_again();
            }
        }
    }

    /// The epochs, oldest first.
    pub(crate) fn accounts(&self) -> Vec<&EpochAccount> {
        let mut all: Vec<_> = self.0.values().collect();
        all.sort_by_key(|account| account.began.unwrap_or(account.last));
        all
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ledger::Conversations;

    /// Turns of a conversation, with seconds since it began, what the prompt is, and what of it was read.
    fn entries(turns: &[(u64, u64, u64)], begins: usize) -> Vec<Entry> {
        let mark =
            json!({"id": "0a0b0c0d", "prompt": 2, "freed": 100_000, "rewritten": 50_000, "expected": 40_000});
        let turn = |(n, (at, prompt, read)): (usize, &(u64, u64, u64))| {
            let epochs = if n >= begins { json!([mark]) } else { json!([]) };
            serde_json::from_value(json!({
                "at": at, "provider": "anthropic", "model": "claude-opus-4-6", "status": 200, "outcome": "rewritten",
                "calls": 1, "tokens_before": 0, "tokens_after": 0, "saved_new": 0,
                "saved_cached": if n >= begins { 100_000 } else { 0 }, "conversation": "0000000a",
                "epochs": epochs, "epoch_begins": n == begins,
                "usage": {"input": 0, "cache_read": read, "cache_write": prompt - read, "output": 0}}))
            .unwrap()
        };
        let mut entries: Vec<Entry> = turns.iter().enumerate().map(turn).collect();
        let mut conversations = Conversations::default();
        entries.iter_mut().for_each(|entry| conversations.follow(entry));
        entries
    }

    fn account(entries: &[Entry]) -> EpochAccount {
        let mut book = EpochBook::default();
        entries.iter().for_each(|entry| book.add(entry));
        book.accounts().into_iter().next().unwrap().clone()
    }

    fn is(dollars: f64, expected: f64) {
        assert!((dollars - expected).abs() < 1e-9, "{dollars} instead of {expected}");
    }

    // Opus 4.6 takes 5 for a million tokens of the prompt, 6.25 to write and 0.5 to read.

    #[test]
    fn an_epoch_costs_what_is_written_again_and_gains_reads() {
        // 180,000 tokens, of which 100,000 leave; the first 20,000 are read, so 60,000 are written again.
        let turns = [(0, 180_000, 0), (10, 82_000, 20_000), (20, 83_000, 82_000), (30, 84_000, 83_000)];
        let found = account(&entries(&turns, 1));
        assert_eq!((found.turns, found.written, found.began, found.last), (3, 60_000, Some(10), 30));
        is(found.expected, 40_000.0 * 5.0 / 1e6);
        let cost = 60_000.0 * (6.25 - 0.5) / 1e6;
        is(found.gain, 3.0 * 100_000.0 * 0.5 / 1e6 - cost);
        assert_eq!(found.state(40), EpochState::Open);
        assert_eq!(found.state(30 + OVER + 1), EpochState::Lost);
        let longer: Vec<_> = turns.into_iter().chain((4..9).map(|n| (n * 10, 90_000, 89_000))).collect();
        assert_eq!(account(&entries(&longer, 1)).state(u64::MAX), EpochState::Repaid);
    }

    #[test]
    fn after_a_pause_nothing_is_written_again_and_all_that_left_would_have_been() {
        let found = account(&entries(&[(0, 180_000, 0), (1_000, 82_000, 20_000)], 1));
        assert_eq!(found.written, 0);
        is(found.gain, 100_000.0 * 6.25 / 1e6);
    }

    #[test]
    fn an_epoch_whose_beginning_nobody_saw_counts_from_where_it_is_seen() {
        let found = account(&entries(&[(20, 83_000, 82_000)], 0)[..1]);
        assert_eq!(found.began, Some(20));
        // Without the turn before it, what was not read counts, up to what was expected.
        assert_eq!(found.written, 1_000);
        let mut later = entries(&[(0, 1, 0), (20, 83_000, 82_000)], 0);
        later.remove(0);
        assert_eq!(account(&later).began, None);
    }

    #[test]
    fn names_tell_epochs_apart() {
        let mut report = Report::default();
        assert!(EpochMark::of(Some(1), &report).is_empty());
        let log = |n: u64| {
            (0..200)
                .map(|line| format!("{line:6}\tlet v_{n}_{line} = make({});\n", n * line))
                .collect::<String>()
        };
        let mut messages = vec![];
        for turn in 0..5 {
            messages.push(json!({"role": "user", "content": format!("why {turn}?")}));
            for call in 0..8 {
                let id = format!("t{turn}_{call}");
                messages.push(json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "Bash", "input": {"n": call}}]}));
                messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": log(turn * 8 + call)}]}));
            }
            messages.push(json!({"role": "assistant", "content": "done"}));
        }
        // This model reads its cache at the price of writing it.
        let body = json!({"model": "gpt-5-pro", "tools": [{"name": "Bash", "input_schema": {}}], "messages": messages});
        let options = headroom_core::CompressOptions::new()
            .retrieval(headroom_core::Retrieval::ServerTool)
            .epochs(true);
        let engine = headroom_core::Engine::new();
        report.clone_from(
            engine.compress(headroom_core::Api::Anthropic, body.to_string().as_bytes(), &options).report(),
        );
        let marks = EpochMark::of(Some(1), &report);
        assert!(marks.len() > 1, "{report:?}");
        let ids: std::collections::BTreeSet<_> = marks.iter().map(|mark| &mark.id).collect();
        assert_eq!(ids.len(), marks.len());
        assert_eq!(EpochMark::of(Some(1), &report), marks);
        assert_ne!(EpochMark::of(Some(2), &report)[0].id, marks[0].id);
        report.epochs.pop();
        assert_eq!(EpochMark::of(Some(1), &report)[..], marks[..marks.len() - 1], "later epochs rename none");
    }
}
