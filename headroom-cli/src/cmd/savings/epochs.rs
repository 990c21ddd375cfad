//! What epochs cost and gained.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    ledger::{CacheWrites, EpochAccount, EpochBook, EpochState},
    output::{Count, dollars},
};

/// The epochs with their sums, for programs.
pub(super) fn to_json(book: &EpochBook, now: u64) -> Value {
    let sums = Sums::of(book, now);
    let row = |account: &EpochAccount| {
        let mut row = json!(account);
        if let Some(fields) = row.as_object_mut() {
            fields.insert("state".to_owned(), json!(account.state(now)));
        }
        row
    };
    json!({
        "count": sums.count,
        "repaid": sums.repaid,
        "open": sums.open,
        "lost": sums.lost,
        "freed": sums.freed,
        "written": sums.written,
        "expected": sums.expected,
        "gain": sums.gain,
        "loss": sums.loss,
        "each": book.accounts().into_iter().map(row).collect::<Vec<_>>(),
    })
}

/// The same in a few lines; `None` if there was no epoch.
pub(super) fn to_text(book: &EpochBook, writes: CacheWrites, now: u64) -> Option<String> {
    let sums = Sums::of(book, now);
    if sums.count == 0 {
        return None;
    }
    let mut text = format!(
        "Epochs: {}. About {} tokens left at them, {} were written again.\n",
        Count(sums.count),
        Count(sums.freed),
        Count(sums.written)
    );
    let _ = writeln!(
        text,
        "  expected to gain {}, gained {} so far: {} repaid, {} open, {} not repaid",
        dollars(sums.expected),
        signed(sums.gain),
        Count(sums.repaid),
        Count(sums.open),
        Count(sums.lost)
    );
    if sums.lost > 0 {
        let _ = writeln!(text, "  lost with conversations that ended too soon: {}", dollars(-sums.loss));
    }
    let CacheWrites { new, start, epoch, pause, head, other } = writes;
    let _ = writeln!(
        text,
        "Tokens not read from the cache: {} new, {} at a start, {} at epochs,\n\
         {} after pauses, {} after changes of the head, {} for other reasons.",
        Count(new),
        Count(start),
        Count(epoch),
        Count(pause),
        Count(head),
        Count(other)
    );
    text.push_str(
        "An epoch gains, in each turn, what the tokens that left would have cost: the price\n\
         of a read, or of the uncached prompt where the provider had to write. It costs what\n\
         was written again instead of read. Both are in the savings above.\n",
    );
    Some(text)
}

fn signed(amount: f64) -> String {
    if amount < 0.0 { format!("-{}", dollars(-amount)) } else { dollars(amount) }
}

#[derive(Debug, Default, PartialEq)]
struct Sums {
    count: u64,
    repaid: u64,
    open: u64,
    lost: u64,
    freed: u64,
    written: u64,
    expected: f64,
    gain: f64,
    /// The part of the gain, below zero, of epochs that were not repaid when their conversation ended.
    loss: f64,
}

impl Sums {
    fn of(book: &EpochBook, now: u64) -> Self {
        let mut sums = Self::default();
        for account in book.accounts() {
            sums.count += 1;
            sums.freed += account.freed;
            sums.written += account.written;
            sums.expected += account.expected;
            sums.gain += account.gain;
            match account.state(now) {
                EpochState::Repaid => sums.repaid += 1,
                EpochState::Open => sums.open += 1,
                EpochState::Lost => {
                    sums.lost += 1;
                    sums.loss += account.gain;
                }
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Conversations, Entry};

    /// An epoch of each state: begun, and followed by this many turns.
    fn book() -> EpochBook {
        let (mut book, mut conversations) = (EpochBook::default(), Conversations::default());
        for (n, (at, turns)) in [(0, 20), (0, 2), (9_000, 2)].into_iter().enumerate() {
            for turn in 0..=turns {
                let begins = turn == 1;
                let epochs = match turn {
                    0 => json!([]),
                    _ => {
                        json!([{"id": format!("{n}"), "prompt": 2, "freed": 100_000, "rewritten": 50_000, "expected": 40_000}])
                    }
                };
                let [read, written] = [[0, 180_000], [20_000, 60_000], [80_000, 0]][turn.min(2)];
                let mut entry: Entry = serde_json::from_value(json!({
                    "at": at + turn * 10, "provider": "anthropic", "model": "claude-opus-4-6", "status": 200,
                    "outcome": "rewritten", "calls": 1, "tokens_before": 0, "tokens_after": 0, "saved_new": 0,
                    "saved_cached": 0, "conversation": format!("{n}"), "epochs": epochs, "epoch_begins": begins,
                    "usage": {"input": 0, "cache_read": read, "cache_write": written, "output": 0}}))
                .unwrap();
                conversations.follow(&mut entry);
                book.add(&entry);
            }
        }
        book
    }

    #[test]
    fn an_epoch_that_was_not_repaid_shows_as_a_loss() {
        let book = book();
        let shown = to_json(&book, 9_100);
        assert_eq!(
            (&shown["count"], &shown["repaid"], &shown["open"], &shown["lost"]),
            (&json!(3), &json!(1), &json!(1), &json!(1))
        );
        let (gain, loss) = (shown["gain"].as_f64().unwrap(), shown["loss"].as_f64().unwrap());
        // 60,000 tokens cost 5.75 more a million to write than to read; each turn saves a read of 100,000.
        let expected = |turns: f64| turns * 0.05 - 60_000.0 * 5.75 / 1e6;
        assert!((loss - expected(2.0)).abs() < 1e-9 && loss < 0.0, "{shown}");
        assert!((gain - expected(20.0) - 2.0 * expected(2.0)).abs() < 1e-9, "{shown}");
        assert_eq!(shown["each"][0]["state"], "repaid");
        let text = to_text(&book, CacheWrites::default(), 9_100).unwrap();
        assert!(text.contains("1 repaid, 1 open, 1 not repaid"), "{text}");
        assert!(text.contains("ended too soon: $0.24"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 84), "{text}");
        assert_eq!(to_text(&EpochBook::default(), CacheWrites::default(), 0), None);
    }
}
