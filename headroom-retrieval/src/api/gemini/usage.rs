//! Token counts over several rounds.

use headroom_json::Value;

use crate::edit::set;

/// Output tokens of a round.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OutputTokens {
    candidates: u64,
    thoughts: u64,
}

impl OutputTokens {
    pub(super) fn from_usage(usage: Value<'_>) -> Self {
        let count = |key| usage.get(key).and_then(Value::count).unwrap_or(0);
        Self { candidates: count("candidatesTokenCount"), thoughts: count("thoughtsTokenCount") }
    }

    pub(super) fn plus(self, more: Self) -> Self {
        Self {
            candidates: self.candidates.saturating_add(more.candidates),
            thoughts: self.thoughts.saturating_add(more.thoughts),
        }
    }

    /// Returns usage with the context of this round and the output of all.
    pub(super) fn before(self, usage: Value<'_>) -> String {
        let sum = self.plus(Self::from_usage(usage));
        let count = |key| usage.get(key).and_then(Value::count).unwrap_or(0);
        let total = count("totalTokenCount").saturating_add(self.candidates).saturating_add(self.thoughts);
        let mut members = vec![("candidatesTokenCount", Some(sum.candidates.to_string()))];
        if sum.thoughts > 0 {
            members.push(("thoughtsTokenCount", Some(sum.thoughts.to_string())));
        }
        members.push(("totalTokenCount", Some(total.to_string())));
        set(usage, &members)
    }
}
