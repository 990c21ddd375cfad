//! The answer to a query, as text for the model.

use std::{fmt::Write, ops::Range};

use super::RetrieveQuery;
use crate::{
    search::Search,
    units::{UnitKind, Units},
};

/// Lines shown before and after a line that matches a query.
const CONTEXT_LINES: usize = 2;
/// The most hits that one answer shows.
const MAX_HITS: usize = 200;

impl RetrieveQuery {
    /// Writes a run of units, as many as fit.
    pub(super) fn shown(&self, units: &Units<'_>, picked: Range<usize>, place: &str) -> String {
        let name = units.kind.name();
        if picked.is_empty() {
            return format!("There are no such {name}s{place}. {}\n", units.summary());
        }
        let mut end = picked.start;
        let mut bytes = 0;
        while end < picked.end {
            bytes += units.bytes(end);
            if bytes > self.max_bytes && end > picked.start {
                break;
            }
            end += 1;
        }
        let whole = end - picked.start == units.len();
        let mut answer = format!("{}{place}", units.coordinates(picked.start..end));
        if bytes > self.max_bytes && end < picked.end {
            let _ = write!(answer, "; more does not fit, ask for the next {name}s or a query");
        } else if !whole {
            let _ = write!(answer, "; ask for other {name}s or a query");
        }
        answer.push_str(":\n");
        let before = answer.len();
        units.write(picked.start..end, &mut answer);
        let limit = before.saturating_add(self.max_bytes);
        if answer.len() > limit {
            let cut = (0..=limit).rev().find(|at| answer.is_char_boundary(*at)).unwrap_or(0);
            let rest = answer.len() - cut;
            answer.truncate(cut);
            let _ = write!(answer, "\n({rest} more bytes of this {name}; ask with a query or a path)\n");
        }
        answer
    }

    /// Writes the matches of a query, best first, with their context.
    pub(super) fn found(&self, query: &str, units: &Units<'_>, picked: Range<usize>, place: &str) -> String {
        let name = units.kind.name();
        let hits = Search::new(query).rank(units, picked.clone());
        if hits.is_empty() {
            return format!(
                "Nothing in {}{place} matches \"{query}\". {}\n",
                units.coordinates(picked),
                units.summary()
            );
        }
        let around = if units.kind == UnitKind::Line { CONTEXT_LINES } else { 0 };
        let mut shown: Vec<Range<usize>> = Vec::new();
        let (mut bytes, mut count) = (0, 0);
        for hit in &hits {
            let window = hit.saturating_sub(around).max(picked.start)..(hit + around + 1).min(picked.end);
            let new = window.clone().filter(|at| !shown.iter().any(|range| range.contains(at)));
            let cost: usize = new.map(|at| units.bytes(at)).sum();
            if bytes + cost > self.max_bytes && count > 0 {
                break;
            }
            bytes += cost;
            count += 1;
            match shown.iter_mut().find(|range| range.start <= window.end && window.start <= range.end) {
                Some(range) => *range = range.start.min(window.start)..range.end.max(window.end),
                None => shown.push(window),
            }
            // Many short hits should be narrowed down, not shown.
            if count == MAX_HITS {
                break;
            }
        }
        let mut answer = format!(
            "{} of {} {name}s{place} match \"{query}\", {count} shown, best first; ask for {name}s around them or another query:\n",
            hits.len(),
            units.len(),
        );
        let limit = (answer.len() + shown.len() * 40).saturating_add(self.max_bytes);
        for range in joined(shown) {
            let _ = writeln!(answer, "{}:", units.coordinates(range.clone()));
            units.write(range, &mut answer);
            if !answer.ends_with('\n') {
                answer.push('\n');
            }
        }
        if answer.len() > limit {
            let cut = (0..=limit).rev().find(|at| answer.is_char_boundary(*at)).unwrap_or(0);
            answer.truncate(cut);
            let _ = writeln!(answer, "\n(cut here: the {name} is too long)");
        }
        answer
    }
}

/// Joins adjacent and overlapping ranges in the order of the first of each.
fn joined(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut order: Vec<(usize, Range<usize>)> = ranges.into_iter().enumerate().collect();
    order.sort_by_key(|(_, range)| range.start);
    let mut merged: Vec<(usize, Range<usize>)> = Vec::new();
    for (rank, range) in order {
        match merged.last_mut() {
            Some((best, last)) if range.start <= last.end => {
                *best = rank.min(*best);
                last.end = last.end.max(range.end);
            }
            _ => merged.push((rank, range)),
        }
    }
    merged.sort_by_key(|(rank, _)| *rank);
    merged.into_iter().map(|(_, range)| range).collect()
}
