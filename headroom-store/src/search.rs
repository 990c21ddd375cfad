//! Finds the lines or rows that match a query.

use std::ops::Range;

use aho_corasick::AhoCorasick;
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
    words: Words,
}

/// The words of a query, each with a bit of its own.
#[derive(Debug)]
struct Words {
    /// Finds all words of ASCII in one pass, with the first bits.
    ascii: Option<AhoCorasick>,
    /// The other words, with the next bits.
    others: Vec<String>,
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
        Self { regex: special.then(regex).flatten(), words: Words::new(words) }
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
            let found = self.words.find(units.text(at));
            if found != 0 {
                for (bit, count) in counts.iter_mut().enumerate() {
                    *count += u64::from(found >> bit & 1);
                }
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

impl Words {
    fn new(words: Vec<String>) -> Self {
        let (ascii, others): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.is_ascii());
        if ascii.is_empty() {
            return Self { ascii: None, others };
        }
        match AhoCorasick::builder().ascii_case_insensitive(true).build(&ascii) {
            Ok(automaton) => Self { ascii: Some(automaton), others },
            Err(_) => Self { ascii: None, others: [ascii, others].concat() },
        }
    }

    /// The bits of the words in a text, in any case.
    fn find(&self, text: &str) -> u32 {
        let mut found = 0;
        let mut first = 0;
        if let Some(automaton) = &self.ascii {
            for hit in automaton.find_overlapping_iter(text) {
                found |= 1 << hit.pattern().as_u32();
            }
            first = automaton.patterns_len();
        }
        if !self.others.is_empty() {
            let text = text.to_lowercase();
            for (at, word) in self.others.iter().enumerate() {
                found |= u32::from(text.contains(word.as_str())) << (first + at);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_within_others() {
        let search = Search::new("Error rror fehler STRASSE größe");
        let bits = |text: &str| search.words.find(text).count_ones();
        assert_eq!(bits("an ERROR"), 2);
        assert_eq!(bits("die GRÖßE der Strasse"), 2);
        assert_eq!((bits("Fehler"), bits("nothing")), (1, 0));
    }
}
