//! Parses a text again after elision, incrementally.

use std::ops::Range;

use tree_sitter::{InputEdit, Point, Tree};

use super::{grammar::Grammar, language::Language, opening, select::Hole};
use crate::text::marker;

/// Parses a text with a marker in each hole.
pub(super) fn parse(
    grammar: &mut Grammar,
    mut tree: Tree,
    source: &str,
    rows: &[&str],
    holes: &[Hole],
    language: Language,
) -> Option<Tree> {
    let mut shorter = String::with_capacity(source.len());
    let mut from = 0;
    let mut edits = Vec::with_capacity(holes.len());
    for (hole, range) in holes.iter().zip(ranges(source, rows, holes)) {
        shorter.push_str(source.get(from..range.start).unwrap_or_default());
        let start = shorter.len();
        shorter.push_str(&opening(rows, hole, language));
        shorter.push_str(marker::OPENING);
        shorter.push_str("aaaaaaaaaaaaaaaa lines 1-9 stored; headroom_retrieve]\n");
        edits.push((&hole.rows, range.clone(), shorter.len() - start));
        from = range.end;
    }
    shorter.push_str(source.get(from..).unwrap_or_default());
    // From the last to the first, so that offsets into the original text stay valid.
    for (rows, range, length) in edits.into_iter().rev() {
        tree.edit(&InputEdit {
            start_byte: range.start,
            old_end_byte: range.end,
            new_end_byte: range.start + length,
            start_position: Point::new(rows.start, 0),
            old_end_position: Point::new(rows.end, 0),
            new_end_position: Point::new(rows.start + 1, 0),
        });
    }
    grammar.parse_again(&shorter, Some(&tree))
}

/// Returns the byte range of each hole in the source.
fn ranges(source: &str, rows: &[&str], holes: &[Hole]) -> impl Iterator<Item = Range<usize>> {
    let (mut row, mut at) = (0, 0);
    let mut start_of = move |query: usize| {
        let passed = rows.get(row..query).unwrap_or_default();
        at = passed.iter().fold(at, |at, row| (at + row.len() + 1).min(source.len()));
        row = query;
        at
    };
    holes.iter().map(move |hole| start_of(hole.rows.start)..start_of(hole.rows.end))
}
