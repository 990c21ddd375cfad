//! Finds stack traces, and other lines below an event, that stand earlier in the same text.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::{records::Structure, relevance::features::LineFeatures, tuning::tuning};

/// Lines that are the same as earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    pub(super) lines: Range<usize>,
    /// The first of the earlier lines.
    pub(super) of: usize,
}

impl Repeat {
    /// Says which lines these are the same as.
    pub(super) fn summary(&self) -> String {
        let (count, first) = (self.lines.len(), self.of + 1);
        format!("the same {count} lines as {first}-{}", self.of + count)
    }
}

/// Returns the repeated runs of lines that continue an event, in order. No run refers to another.
pub(super) fn repeats(text: &str, features: &LineFeatures, structure: &Structure<'_>) -> Vec<Repeat> {
    let count = features.rows.len();
    let line = |line: usize| features.rows.get(line).map_or("", |row| row.text(text));
    // The first place of each line that continues an event and is itself no repetition.
    let mut places: FxHashMap<&str, usize> = FxHashMap::default();
    let mut found = Vec::new();
    let mut at = 0;
    while at < count {
        if !structure.continues(at) {
            at += 1;
            continue;
        }
        let own = line(at);
        let Some(of) = places.get(own).copied() else {
            places.insert(own, at);
            at += 1;
            continue;
        };
        let most = (at - of).min(count - at);
        let same =
            |offset: &usize| structure.continues(at + offset) && line(at + offset) == line(of + offset);
        let length = (0..most).take_while(same).count();
        if length >= tuning().log.min_repeated_lines {
            found.push(Repeat { lines: at..at + length, of });
        }
        at += length.max(1);
    }
    // A run that refers to lines of a repetition refers to what these repeat.
    found.retain(|repeat| is_first(&places, repeat, &line));
    found
}

/// Whether all lines that a run refers to are first ones.
fn is_first<'t>(places: &FxHashMap<&str, usize>, repeat: &Repeat, line: &impl Fn(usize) -> &'t str) -> bool {
    let of = repeat.of..repeat.of + repeat.lines.len();
    of.clone().all(|at| places.get(line(at)).is_some_and(|first| of.contains(first)))
}
