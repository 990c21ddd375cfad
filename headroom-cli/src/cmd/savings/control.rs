//! Compares the control group with all other conversations.

use std::{collections::BTreeMap, fmt::Write as _};

use headroom_evals::stats;
use serde::Serialize;

use crate::{
    ledger::Entry,
    output::{Count, dollars},
};

/// Fewer conversations in a group tell nothing.
const LEAST: usize = 20;

/// What is known of the conversations of both groups.
#[derive(Debug, Default)]
pub(super) struct ControlGroup {
    conversations: BTreeMap<String, Tally>,
}

/// One conversation.
#[derive(Clone, Copy, Debug)]
struct Tally {
    is_held_out: bool,
    /// The group changed while it was open: its size was set anew.
    is_mixed: bool,
    turns: u64,
    paid: f64,
}

/// Both groups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Comparison {
    pub(super) untouched: Group,
    pub(super) with_headroom: Group,
    /// `None` if there is too little data.
    pub(super) per_turn: Option<Difference>,
    pub(super) per_conversation: Option<Difference>,
}

/// One group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Group {
    pub(super) conversations: usize,
    pub(super) turns: u64,
    /// Dollars.
    pub(super) paid: f64,
}

/// The cost with Headroom against the cost without, as a share, and the interval that holds it in 95 of 100 samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) change: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Group {
    fn of<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Self {
        tallies.fold(Self::default(), |mut group, tally| {
            group.conversations += 1;
            group.turns += tally.turns;
            group.paid += tally.paid;
            group
        })
    }

    fn per_turn(&self) -> f64 {
        self.paid / self.turns as f64
    }

    fn per_conversation(&self) -> f64 {
        self.paid / self.conversations as f64
    }
}

impl ControlGroup {
    /// Adds a turn. Those without a conversation or without dollars are in neither group.
    pub(super) fn add(&mut self, entry: &Entry) {
        let (Some(name), Some((paid, _)), true) = (&entry.conversation, entry.paid(), entry.is_accepted())
        else {
            return;
        };
        let is_held_out = entry.is_held_out();
        let tally = self.conversations.entry(name.clone()).or_insert(Tally {
            is_held_out,
            is_mixed: false,
            turns: 0,
            paid: 0.0,
        });
        tally.is_mixed |= tally.is_held_out != is_held_out;
        tally.turns += 1;
        tally.paid += paid;
    }

    /// Compares both groups; `None` without a control group.
    pub(super) fn compare(&self) -> Option<Comparison> {
        let tallies: Vec<Tally> =
            self.conversations.values().filter(|tally| !tally.is_mixed).copied().collect();
        let group = |tallies: &[&Tally], is_held_out| {
            Group::of(tallies.iter().copied().filter(|tally| tally.is_held_out == is_held_out))
        };
        let all: Vec<&Tally> = tallies.iter().collect();
        let (untouched, with_headroom) = (group(&all, true), group(&all, false));
        if untouched.conversations == 0 {
            return None;
        }
        let is_enough = untouched.conversations.min(with_headroom.conversations) >= LEAST;
        let difference = |of: fn(&Group) -> f64| {
            let change = |tallies: &[&Tally]| {
                let (without, with) = (of(&group(tallies, true)), of(&group(tallies, false)));
                let change = with / without - 1.0;
                if change.is_finite() { change } else { 0.0 }
            };
            let (low, high) = stats::interval(&tallies, change);
            Difference { change: change(&all), low, high }
        };
        Some(Comparison {
            untouched,
            with_headroom,
            per_turn: is_enough.then(|| difference(Group::per_turn)),
            per_conversation: is_enough.then(|| difference(Group::per_conversation)),
        })
    }
}

impl Comparison {
    pub(super) fn to_text(self) -> String {
        let Self { untouched, with_headroom, per_turn, per_conversation } = self;
        let all = untouched.conversations + with_headroom.conversations;
        let mut text = format!(
            "Control group: {} of {} conversations were sent untouched.\n",
            Count(untouched.conversations as u64),
            Count(all as u64)
        );
        let (Some(per_turn), Some(per_conversation)) = (per_turn, per_conversation) else {
            let _ =
                writeln!(text, "That is too little to compare: at least {LEAST} of each kind are needed.");
            return text;
        };
        for (name, of, difference) in [
            ("per turn", Group::per_turn as fn(&Group) -> f64, per_turn),
            ("per conversation", Group::per_conversation, per_conversation),
        ] {
            let _ = writeln!(
                text,
                "  {name}: {} -> {} with Headroom, {:+.1} % ({:+.1} .. {:+.1} %)",
                dollars(of(&untouched)),
                dollars(of(&with_headroom)),
                difference.change * 100.0,
                difference.low * 100.0,
                difference.high * 100.0
            );
        }
        let verdict = match per_turn {
            Difference { high, .. } if high < 0.0 => "Turns with Headroom cost less.",
            Difference { low, .. } if low > 0.0 => "Turns with Headroom cost more.",
            _ => "The difference per turn may be chance.",
        };
        let _ = writeln!(text, "In brackets: where 95 of 100 such comparisons would end.\n{verdict}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries of so many conversations, each of three turns that cost about this many dollars.
    fn group(from: usize, count: usize, outcome: &str, dollars: f64) -> Vec<Entry> {
        let turn = |n: usize| {
            // 20 dollars for a million tokens of output.
            let spread = 0.8 + 0.4 * ((n * 7919) % 100) as f64 / 100.0;
            let output = (dollars * spread * 1e6 / 20.0) as u64;
            let json = format!(
                r#"{{"at":0,"provider":"anthropic","model":"claude-opus-5-5","status":200,"outcome":"{outcome}","calls":1,
                    "tokens_before":0,"tokens_after":0,"saved_new":0,"saved_cached":0,"conversation":"{:08x}",
                    "usage":{{"input":0,"cache_read":0,"cache_write":0,"output":{output}}}}}"#,
                from + n
            );
            serde_json::from_str(&json).unwrap()
        };
        (0..count).flat_map(|n| [turn(n), turn(n), turn(n)]).collect()
    }

    fn compare(entries: &[Entry]) -> Option<Comparison> {
        let mut group = ControlGroup::default();
        entries.iter().for_each(|entry| group.add(entry));
        group.compare()
    }

    #[test]
    fn a_difference_has_an_interval() {
        let entries = [group(0, 40, "holdout", 0.10), group(100, 200, "rewritten", 0.08)].concat();
        let found = compare(&entries).unwrap();
        assert_eq!((found.untouched.conversations, found.with_headroom.turns), (40, 600));
        let Difference { change, low, high } = found.per_turn.unwrap();
        assert!((change + 0.2).abs() < 0.03 && low < change && change < high && high < 0.0, "{found:?}");
        let text = found.to_text();
        assert!(text.contains("40 of 240") && text.ends_with("Turns with Headroom cost less.\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }

    #[test]
    fn no_difference_is_not_taken_for_one() {
        let entries = [group(0, 40, "holdout", 0.10), group(40, 40, "no_saving", 0.10)].concat();
        let found = compare(&entries).unwrap();
        let Difference { low, high, .. } = found.per_turn.unwrap();
        assert!(low < 0.0 && 0.0 < high, "{found:?}");
        assert!(found.to_text().contains("may be chance"));
    }

    #[test]
    fn too_little_data_is_said_and_none_shows_nothing() {
        let few = [group(0, 3, "holdout", 0.10), group(100, 200, "rewritten", 0.08)].concat();
        let found = compare(&few).unwrap();
        assert_eq!((found.per_turn, found.per_conversation), (None, None));
        assert!(found.to_text().contains("too little to compare"), "{}", found.to_text());
        assert_eq!(compare(&group(0, 50, "rewritten", 0.08)), None);
        // A conversation of both groups is in neither, and one that no conversation is known of, too.
        let mut mixed = [group(0, 3, "holdout", 0.1), group(0, 3, "rewritten", 0.1)].concat();
        assert_eq!(compare(&mixed), None);
        mixed.truncate(9);
        mixed.iter_mut().for_each(|entry| entry.conversation = None);
        assert_eq!(compare(&mixed), None);
    }
}
