//! Sums savings by name.

use std::collections::BTreeMap;

use headroom_core::{Report, Retrieval};
use serde_json::{Value, json};

use super::project::shorten;
use crate::ledger::{DEFINITION, Entry, saved_in};

/// Maximum number of names. Further ones are summed up under [`OTHERS`].
const MAX_NAMES: usize = 100;
const OTHERS: &str = "(others)";
/// The name if a request does not give one.
pub(super) const UNKNOWN: &str = "(unknown)";
/// Costs that are not results of a tool.
const OWN: &str = "(definition of headroom_retrieve)";
const HIDDEN: &str = "(hidden calls)";
const AGAIN: &str = "(written again at epochs)";
/// Thinking that left at epochs.
const THINKING: &str = "(old thinking)";

/// Sums by name.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<String, Share>);

#[derive(Debug, Default)]
struct Share {
    turns: u64,
    new: i64,
    cached: i64,
    /// Dollars, of turns with a known price.
    saved: f64,
    unpriced: u64,
}

impl Shares {
    fn entry(&mut self, name: &str) -> &mut Share {
        let name = shorten(name);
        let name =
            if self.0.len() < MAX_NAMES || self.0.contains_key(&name) { name } else { OTHERS.to_owned() };
        self.0.entry(name).or_default()
    }

    /// Adds a turn under this name, with all its savings.
    pub(super) fn add(&mut self, name: &str, entry: &Entry, new: i64, cached: i64) {
        let share = self.entry(name);
        share.add(entry, new, cached);
        share.saved -= entry.paid().map_or(0.0, |(_, extra)| extra) + entry.epoch_cost().unwrap_or_default();
    }

    /// Sorted by savings, largest first.
    pub(super) fn to_json(&self) -> Value {
        let mut all: Vec<_> = self.0.iter().collect();
        let tokens = |share: &Share| share.new.saturating_add(share.cached);
        all.sort_by(|(_, a), (_, b)| b.saved.total_cmp(&a.saved).then(tokens(b).cmp(&tokens(a))));
        let row = |(name, share): (&String, &Share)| {
            json!({
                "name": name,
                "turns": share.turns,
                "saved_new": share.new,
                "saved_cached": share.cached,
                "saved": (share.unpriced < share.turns).then_some(share.saved),
            })
        };
        all.into_iter().map(row).collect()
    }
}

impl Share {
    fn add(&mut self, entry: &Entry, new: i64, cached: i64) {
        self.turns += 1;
        self.new += new;
        self.cached += cached;
        match entry.worth(new, cached) {
            Some(saved) => self.saved += saved,
            None => self.unpriced += 1,
        }
    }
}

/// Adds a turn by the tools whose results became smaller. The lines of a turn sum up to its entry in the ledger: the
/// costs of `headroom_retrieve` have a line, too.
pub(super) fn by_tool(report: &Report, entry: &Entry, tools: &mut Shares) {
    let usage = entry.usage.unwrap_or_default();
    let first_new = entry.first_new(report);
    let mut saved: BTreeMap<&str, [i64; 2]> = BTreeMap::new();
    for (at, block) in report.blocks.iter().enumerate() {
        let tokens = saved_in(block);
        if tokens > 0 {
            let [new, cached] = saved.entry(block.tool.as_deref().unwrap_or(UNKNOWN)).or_default();
            *(if at >= first_new { new } else { cached }) += tokens;
        }
    }
    if report.thinking_saved > 0 {
        let [new, cached] = saved.entry(THINKING).or_default();
        *(if first_new == 0 { new } else { cached }) += i64::try_from(report.thinking_saved).unwrap_or(0);
    }
    if report.retrieval == Retrieval::ServerTool {
        let [new, cached] = saved.entry(OWN).or_default();
        *(if usage.cache_read == 0 { new } else { cached }) -= DEFINITION;
    }
    for (name, [new, cached]) in saved {
        tools.entry(name).add(entry, new, cached);
    }
    if let Some(cost) = entry.epoch_cost().filter(|cost| *cost > 0.0) {
        let share = tools.entry(AGAIN);
        share.turns += 1;
        share.saved -= cost;
    }
    if let Some((_, extra)) = entry.paid().filter(|(_, extra)| *extra > 0.0) {
        let share = tools.entry(HIDDEN);
        share.turns += 1;
        share.saved -= extra;
    }
}

#[cfg(test)]
mod tests {
    use headroom_core::{Api, CompressOptions, Engine};

    use super::*;

    fn entry(usage: &str) -> Entry {
        serde_json::from_str(&format!(
            r#"{{"at":1,"provider":"anthropic","model":"claude-opus-5-5","status":200,"outcome":"rewritten","calls":1,
                "tokens_before":0,"tokens_after":0,"saved_new":0,"saved_cached":0,"usage":{usage}}}"#
        ))
        .unwrap()
    }

    /// Two results of different tools, of which only the second was not cached.
    #[test]
    fn tools_share_what_a_turn_saved() {
        let rows = |n: u32| -> String {
            let row = |i| format!("  {{\n    \"id\": {},\n    \"state\": \"ready\"\n  }}", i * n);
            format!("[\n{}\n]", (0..100).map(row).collect::<Vec<_>>().join(",\n"))
        };
        let body = json!({"model": "claude-opus-5-5", "max_tokens": 9, "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}},
                {"type": "tool_use", "id": "t2", "name": "Fetch", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": rows(3)},
                {"type": "tool_result", "tool_use_id": "t2", "content": rows(7)}]}]});
        let outcome =
            Engine::new().compress(Api::Anthropic, body.to_string().as_bytes(), &CompressOptions::new());
        let report = outcome.report();
        let last = report.blocks[1].tokens_after.unwrap();
        let entry =
            entry(&format!(r#"{{"input":0,"cache_read":5000,"cache_write":{},"output":1}}"#, last + 10));
        let mut tools = Shares::default();
        by_tool(report, &entry, &mut tools);
        let shares: Vec<_> =
            tools.0.iter().map(|(name, share)| (name.as_str(), share.new > 0, share.cached > 0)).collect();
        assert_eq!(shares, [("Bash", false, true), ("Fetch", true, false)]);
        let tokens: i64 = tools.0.values().map(|share| share.new + share.cached).sum();
        assert_eq!(tokens, report.tokens_saved as i64);
        assert_eq!(tools.to_json()[0]["name"], "Fetch", "what was new is worth more");
    }

    #[test]
    fn names_are_bounded() {
        let mut shares = Shares::default();
        for n in 0..2 * MAX_NAMES {
            shares.add(&n.to_string(), &entry("null"), 1, 0);
        }
        assert_eq!(shares.0.len(), MAX_NAMES + 1);
        assert_eq!(shares.0[OTHERS].turns, MAX_NAMES as u64);
        assert_eq!(shares.to_json()[0]["saved"], Value::Null, "no price, no dollars");
    }
}
