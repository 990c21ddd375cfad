//! Finds the lines or rows that match a query.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::units::Units;

/// Memory that a query's automaton may take.
const REGEX_BYTES: usize = 1 << 20;
/// Words of a query that are used.
const MAX_WORDS: usize = 32;

/// A compiled query.
#[derive(Debug)]
pub(crate) struct Search {
    regex: Option<Regex>,
    words: Vec<String>,
}

impl Search {
    pub(crate) fn new(query: &str) -> Self {
        let special = query.contains(['.', '*', '+', '?', '(', ')', '[', ']', '{', '}', '|', '^', '$', '\\']);
        let regex = || RegexBuilder::new(query).case_insensitive(true).size_limit(REGEX_BYTES).build().ok();
        let words = query
            .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase);
        let mut words: Vec<_> = words.take(MAX_WORDS).collect();
        words.sort_unstable();
        words.dedup();
        Self { regex: special.then(regex).flatten(), words }
    }

    /// Returns the matching units, best first.
    pub(crate) fn rank(&self, units: &Units<'_>, picked: Range<usize>) -> Vec<usize> {
        if let Some(regex) = &self.regex {
            let hits: Vec<_> = picked.clone().filter(|at| regex.is_match(units.text(*at))).collect();
            if !hits.is_empty() {
                return hits;
            }
        }
        // Collect the words of each unit as bits.
        let mut hits = Vec::new();
        let mut counts = [0_u64; MAX_WORDS];
        for at in picked.clone() {
            let text = units.text(at).to_lowercase();
            let mut found = 0_u32;
            for (bit, (word, count)) in self.words.iter().zip(&mut counts).enumerate() {
                if text.contains(word.as_str()) {
                    found |= 1 << bit;
                    *count += 1;
                }
            }
            if found != 0 {
                hits.push((at, found));
            }
        }
        // Rare words weigh more.
        let total = picked.len() as u64;
        let worths = counts.map(|count| u64::from((total / count.max(1)).checked_ilog2().unwrap_or(0)) + 1);
        let worth = |found: u32| -> u64 {
            worths.iter().enumerate().filter(|(bit, _)| found >> bit & 1 == 1).map(|(_, worth)| worth).sum()
        };
        let mut ranked: Vec<_> = hits.into_iter().map(|(at, found)| (worth(found), at)).collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.into_iter().map(|(_, at)| at).collect()
    }
}
