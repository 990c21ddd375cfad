//! Elides whole sentences from documents, articles and conversations.
//!
//! If the query discriminates between sentences, the relevant ones stay with their context. Without a query, only long
//! documents lose text: in each paragraph, what follows its first sentences. What stays keeps what it needs to mean what
//! it says: its headings, the introduction of its list, its question, its speaker, its term, the header of its table, and
//! the start of its paragraph. No sentence is ever shortened.

mod bm25;
mod genre;
mod outline;
mod owners;
mod prune;
mod sentence;
mod shape;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bm25::Ranking;
use outline::{ProseUnit, ProseUnitKind, units};
use owners::Owners;
pub(crate) use prune::prune;
use shape::shapes;

use headroom_json::{Tape, Text};

use crate::{
    compress::Omission,
    relevance::{Query, words::Terms},
    text::marker,
    tuning::tuning,
};

/// Rounds in which short gaps are closed.
const ROUNDS: usize = 3;

/// Returns the sentences of a text that may be elided, in order and disjoint. They need not be whole lines.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    let fits = text.len() >= tuning().prose.min_bytes && u32::try_from(text.len()).is_ok();
    // A text with a marker is left alone, unless the marker is at the start, as in pages.
    if !fits || text.match_indices(marker::OPENING).any(|(at, _)| at > 0) {
        return Vec::new();
    }
    let shapes = shapes(text);
    let units = units(text, &shapes);
    if units.len() < tuning().prose.min_units || !genre::is_prose(text, &units) {
        return Vec::new();
    }
    let terms = terms(query);
    let ranking =
        ((1..=tuning().prose.max_terms).contains(&terms.len())).then(|| Ranking::new(text, &units, &terms));
    let least = if query.question.is_some_and(is_question) { 1 } else { tuning().prose.min_terms };
    let is_asked = |ranking: &Ranking| {
        ranking.telling >= least && ranking.telling * tuning().prose.terms_per_discriminative >= terms.len()
    };
    let owners = Owners::of(text, &units, &shapes);
    let mut kept = match ranking.filter(is_asked) {
        Some(ranking) => best(&units, &ranking.scores, text.len(), &owners),
        None if text.len() >= tuning().prose.long_bytes => outline(&units),
        None => return Vec::new(),
    };
    owners.keep_always(&mut kept);
    for _ in 0..ROUNDS {
        fill(&units, &mut kept);
        owners.close(&mut kept);
    }
    runs(&kept).filter_map(|run| gap(text, &units, run)).collect()
}

/// Whether a text is prose from start to end, so that parts of it may go.
pub(crate) fn is_prose(text: &str) -> bool {
    genre::is_prose(text, &units(text, &shapes(text)))
}

/// Whether a text asks for information.
fn is_question(text: &str) -> bool {
    const WORDS: [&str; 9] = ["how", "what", "when", "where", "which", "who", "whom", "whose", "why"];
    let first = text.split_whitespace().next().unwrap_or_default();
    text.trim_end().ends_with('?') || WORDS.iter().any(|word| word.eq_ignore_ascii_case(first))
}

/// Returns the terms of the question and of the call.
fn terms(query: &Query<'_>) -> Terms {
    let mut texts: Vec<String> = query.question.map(str::to_owned).into_iter().collect();
    if let Some(arguments) = query.arguments {
        match Tape::parse(arguments) {
            Ok(tape) if tape.root().is_object() => {
                texts
                    .extend(tape.root().strings().filter_map(Text::decode).map(std::borrow::Cow::into_owned));
            }
            _ => texts.push(arguments.to_owned()),
        }
    }
    // A URL or path says where a text comes from, not what is wanted of it.
    let says = |word: &&str| !word.contains("://") && !word.starts_with('/');
    Terms::from_texts(texts.iter().flat_map(|text| text.split_whitespace()).filter(says))
}

/// Returns what stays regardless, and the units with the highest scores that fit, with what they need.
fn best(units: &[ProseUnit], scores: &[u64], length: usize, owners: &Owners) -> Vec<bool> {
    let mut order: Vec<(u64, usize)> = scores.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut kept = vec![false; units.len()];
    owners.keep_always(&mut kept);
    let turns = units.iter().filter(|unit| unit.kind == ProseUnitKind::Turn).count();
    let share =
        if turns * 2 > units.len() { tuning().prose.kept_share_of_turns } else { tuning().prose.kept_share };
    owners.fill(&mut kept, order.into_iter().map(|(_, unit)| unit), length * share / 100);
    kept
}

/// Returns everything except what follows the first sentences of a paragraph.
fn outline(units: &[ProseUnit]) -> Vec<bool> {
    let mut kept = Vec::with_capacity(units.len());
    for paragraph in units.chunk_by(|a, b| a.paragraph == b.paragraph && a.kind == b.kind) {
        let prose = paragraph.first().is_some_and(|unit| unit.kind == ProseUnitKind::Sentence);
        kept.extend((0..paragraph.len()).map(|at| !prose || at < tuning().prose.lead_sentences));
    }
    kept
}

/// Keeps runs that are too short for a marker.
fn fill(units: &[ProseUnit], kept: &mut [bool]) {
    let small: Vec<Range<usize>> =
        runs(kept).filter(|run| bytes(units, run).len() < tuning().prose.min_gap_bytes).collect();
    for run in small {
        if let Some(kept) = kept.get_mut(run) {
            kept.fill(true);
        }
    }
}

/// Returns the maximal runs of units that are not kept.
fn runs(kept: &[bool]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    kept.chunk_by(|a, b| a == b).filter_map(move |chunk| {
        let run = at..at + chunk.len();
        at = run.end;
        (chunk.first() == Some(&false)).then_some(run)
    })
}

/// Returns the bytes of these units.
fn bytes(units: &[ProseUnit], run: &Range<usize>) -> Range<usize> {
    let start = units.get(run.start).map_or(0, |unit| unit.bytes.start);
    let end = run.end.checked_sub(1).and_then(|last| units.get(last)).map_or(start, |unit| unit.bytes.end);
    start..end
}

/// Returns the gap for these units. A gap of several lines includes the white space up to the rest of its outer lines.
fn gap(text: &str, units: &[ProseUnit], run: Range<usize>) -> Option<Omission> {
    let mut range = bytes(units, &run);
    let lines = (units.get(run.start)?.lines.0, units.get(run.end.checked_sub(1)?)?.lines.1);
    if lines.0 < lines.1 {
        let before = run.start.checked_sub(1).and_then(|before| units.get(before));
        range.start =
            before.filter(|unit| unit.lines.1 == lines.0).map_or(range.start, |unit| unit.bytes.end);
        let behind = units.get(run.end).filter(|unit| unit.lines.0 == lines.1);
        range.end = behind.map_or(range.end, |unit| unit.bytes.start);
    }
    let said = text.get(range.clone())?;
    let words = said.split_ascii_whitespace().count();
    Some(Omission { range, first: lines.0 + 1, last: lines.1 + 1, summary: format!("{words} words") })
}
