use serde::Serialize;

use super::{CacheWrites, Entry};
use crate::usage::Usage;

/// Sums of entries. Every figure can be derived from the entries and the prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct LedgerTotals {
    /// Requests that the provider accepted.
    pub(crate) turns: u64,
    /// Requests that it refused; they count for nothing else.
    pub(crate) refused: u64,
    /// Turns that were made smaller.
    pub(crate) rewritten: u64,
    /// Requests that the provider received for the turns.
    pub(crate) calls: u64,
    /// Turns without dollars: the usage or the model's price is unknown.
    pub(crate) unpriced: u64,
    /// The usage that the provider reported.
    pub(crate) usage: Usage,
    /// The part of it for calls that the client does not know of.
    pub(crate) extra: Usage,
    /// Tokens saved in content that was not in the provider's cache.
    pub(crate) saved_new: i64,
    /// Tokens saved in content that would have been read from it.
    pub(crate) saved_cached: i64,
    /// The cost of the usage in dollars.
    pub(crate) paid: f64,
    /// Dollars saved, less the cost of the extra calls.
    pub(crate) saved: f64,
    /// The tokens that were not read from the cache, by cause.
    pub(crate) cache_writes: CacheWrites,
    /// The epochs that began in these turns, and the gain of all epochs in them.
    pub(crate) epochs: EpochTotals,
}

/// Sums over epochs. Their gain is part of what was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct EpochTotals {
    /// How many began.
    pub(crate) began: u64,
    /// Tokens that left at them, by estimate.
    pub(crate) freed: u64,
    /// Tokens that were written to the cache again for them, by the provider's count.
    pub(crate) written: u64,
    /// Dollars that they were expected to gain in the end.
    pub(crate) expected: f64,
    /// Dollars that they and earlier ones gained in these turns, less the cost of writing again.
    pub(crate) gain: f64,
}

impl EpochTotals {
    fn add(&mut self, entry: &Entry) {
        for (at, mark) in entry.epochs.iter().enumerate() {
            let begins = entry.epoch_begins && at + 1 == entry.epochs.len();
            self.gain += entry.epoch_gain(mark, begins).unwrap_or_default();
            if begins {
                self.began += 1;
                self.freed += mark.freed;
                self.written += entry.written_again();
                self.expected += entry.at_full_price(mark.expected).unwrap_or_default();
            }
        }
    }

    fn merge(&mut self, other: Self) {
        let Self { began, freed, written, expected, gain } = other;
        self.began += began;
        self.freed += freed;
        self.written += written;
        self.expected += expected;
        self.gain += gain;
    }
}

impl LedgerTotals {
    pub(crate) fn add(&mut self, entry: &Entry) {
        if !entry.is_accepted() {
            self.refused += 1;
            return;
        }
        self.turns += 1;
        self.rewritten += u64::from(entry.outcome == "rewritten");
        self.calls += u64::from(entry.calls);
        self.usage += entry.usage.unwrap_or_default() + entry.extra;
        self.extra += entry.extra;
        self.saved_new += entry.saved_new;
        self.saved_cached += entry.saved_cached;
        self.cache_writes += CacheWrites::of(entry);
        self.epochs.add(entry);
        match (entry.paid(), entry.saved()) {
            (Some((paid, _)), Some(saved)) => {
                self.paid += paid;
                self.saved += saved;
            }
            _ => self.unpriced += 1,
        }
    }

    /// Adds other sums.
    pub(crate) fn merge(&mut self, other: &Self) {
        let Self {
            turns,
            refused,
            rewritten,
            calls,
            unpriced,
            usage,
            extra,
            saved_new,
            saved_cached,
            paid,
            saved,
            cache_writes,
            epochs,
        } = *other;
        self.turns += turns;
        self.refused += refused;
        self.rewritten += rewritten;
        self.calls += calls;
        self.unpriced += unpriced;
        self.usage += usage;
        self.extra += extra;
        self.saved_new += saved_new;
        self.saved_cached += saved_cached;
        self.paid += paid;
        self.saved += saved;
        self.cache_writes += cache_writes;
        self.epochs.merge(epochs);
    }

    /// What the turns would have cost in dollars without Headroom, by estimate.
    pub(crate) fn without(&self) -> f64 {
        self.paid + self.saved
    }

    /// The share of that which was saved.
    pub(crate) fn saved_share(&self) -> f64 {
        if self.without() > 0.0 { self.saved / self.without() } else { 0.0 }
    }

    /// All tokens saved, cached or not.
    pub(crate) const fn saved_tokens(&self) -> i64 {
        self.saved_new.saturating_add(self.saved_cached)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{"at":1764000000,"provider":"anthropic","model":"claude-opus-5-5","status":200,
        "outcome":"rewritten","calls":1,"tokens_before":3000,"tokens_after":1000,"saved_new":500000,
        "saved_cached":1000000,"usage":{"input":0,"cache_read":1000000,"cache_write":1000000,"output":1000000}}"#;

    fn entry(change: &[(&str, serde_json::Value)]) -> Entry {
        let mut entry: serde_json::Value = serde_json::from_str(ENTRY).unwrap();
        for (key, value) in change {
            entry[*key] = value.clone();
        }
        serde_json::from_value(entry).unwrap()
    }

    fn sums(entries: &[Entry]) -> LedgerTotals {
        let mut sums = LedgerTotals::default();
        entries.iter().for_each(|entry| sums.add(entry));
        sums
    }

    fn is(dollars: f64, expected: f64) {
        assert!((dollars - expected).abs() < 1e-9, "{dollars} instead of {expected}");
    }

    #[test]
    fn tokens_cost_what_the_provider_takes_for_their_kind() {
        // 4 in, 5 to write, 0.2 to read, 20 out for a million each.
        let sums = sums(&[entry(&[])]);
        is(sums.paid, 0.2 + 5.0 + 20.0);
        // Half a million would have been written, a million read.
        is(sums.saved, 0.5 * 5.0 + 0.2);
        assert_eq!((sums.turns, sums.saved_tokens(), sums.unpriced), (1, 1_500_000, 0));
    }

    #[test]
    fn what_hidden_calls_cost_is_paid_and_not_saved() {
        let extra = serde_json::json!({"input": 1000000, "cache_read": 0, "cache_write": 0, "output": 0});
        let sums = sums(&[entry(&[("extra", extra)])]);
        is(sums.paid, 25.2 + 4.0);
        is(sums.saved, 2.7 - 4.0);
        assert_eq!(sums.usage.input, 1_000_000);
    }

    #[test]
    fn refused_requests_count_for_nothing_and_unknown_prices_have_no_dollars() {
        let refused = [400, 401, 429, 500, 529].map(|status| entry(&[("status", status.into())]));
        assert_eq!(sums(&refused), LedgerTotals { refused: 5, ..LedgerTotals::default() });
        let mut unpriced = entry(&[("model", "claude-of-tomorrow".into())]);
        for _ in 0..2 {
            let sums = sums(std::slice::from_ref(&unpriced));
            assert_eq!((sums.turns, sums.unpriced, sums.paid, sums.saved), (1, 1, 0.0, 0.0));
            unpriced = entry(&[("usage", serde_json::Value::Null)]);
        }
    }
}
