//! Parses a text again with what replaces its lines, to see whether it is still code.

use std::ops::Range;

use tree_sitter::{InputEdit, Point, Tree};

use super::{
    MAX_BYTES, TRIAL_BYTES, envelope, errors,
    grammar::{self, Grammar},
    is_hopeless, is_numbered, mistakes_in, opening,
    select::Hole,
    source,
};
use crate::{
    compress::language::Language,
    text::{
        lines::{Line, Lines},
        marker,
    },
};

/// Size of the start that shows of most texts that they are not in a language.
const PROBE_BYTES: usize = 1 << 10;

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

/// Whether a text still parses with these replacements of whole lines, in order. `None` if it did not parse before, as
/// a part of a file may not, or if nothing but comments is left. Lines that a tool put around the code are not judged.
/// What did not parse although it is whole, such as code with macros, must not parse worse.
pub(in crate::compress) fn still_parses(
    text: &str,
    language: Language,
    changes: &[(Range<usize>, &str)],
    is_whole: bool,
) -> Option<bool> {
    let view = Lines::new(text)?;
    let before = source(text, &view);
    let all = 0..view.lines.len();
    let (mut after, is_left) = replaced(text, &view, &all, changes);
    if !is_left {
        return None;
    }
    // What is too long or too hard to parse cannot be judged.
    if before.len() > MAX_BYTES {
        return Some(false);
    }
    grammar::with(language, |grammar| {
        if !is_whole && is_hopeless(grammar, &before) {
            return None;
        }
        let Some(tree) = grammar.parse(&before) else { return Some(false) };
        let mut allowed = errors(&tree);
        if allowed > 0 {
            let rows: Vec<&str> = before.split_terminator('\n').collect();
            match envelope::code_in(grammar, &rows) {
                Some(inside) => {
                    after = replaced(text, &view, &inside, changes).0;
                    allowed = 0;
                }
                None if is_whole => {}
                None => return None,
            }
        }
        let is_even = || changes.iter().all(|(bytes, _)| keeps_indent(text, &view, bytes));
        let parses =
            |grammar: &mut Grammar| grammar.parse(&after).is_some_and(|tree| errors(&tree) <= allowed);
        Some((language != Language::Python || is_even()) && parses(grammar))
    })
}

/// Returns these lines of the code with the changes, and whether any line but empty ones is left.
fn replaced(
    text: &str,
    view: &Lines,
    inside: &Range<usize>,
    changes: &[(Range<usize>, &str)],
) -> (String, bool) {
    let mut after = String::with_capacity(text.len());
    let is_numbered = is_numbered(view);
    let mut rest = changes.iter().peekable();
    let mut is_left = false;
    for (row, line) in view.lines.iter().enumerate() {
        let range = line.range();
        while rest.next_if(|(bytes, _)| bytes.end <= range.start && bytes.end < range.end).is_some() {}
        match rest.peek() {
            Some((bytes, with)) if bytes.start == range.start => {
                after.push_str(with.trim_end());
                after.push('\n');
            }
            Some((bytes, _)) if bytes.start < range.start => {}
            _ if inside.contains(&row) => {
                if !is_numbered || line.run != 0 {
                    let body =
                        if is_numbered { line.body(text) } else { text.get(range).unwrap_or_default() };
                    is_left |= !body.trim().is_empty();
                    after.push_str(body);
                }
                after.push('\n');
            }
            _ => {}
        }
    }
    (after, is_left)
}

/// Whether a text has no mistake as code in this language. What is too long or too hard to parse is not known to have none.
pub(in crate::compress) fn is_flawless(text: &str, language: Language) -> bool {
    text.len() <= MAX_BYTES && grammar::with(language, |grammar| Some(grammar.takes(text))) == Some(true)
}

/// Whether the start of a text has no mistake as code in this language.
pub(in crate::compress) fn starts_flawless(text: &str, language: Language) -> bool {
    let starts_well = |grammar: &mut Grammar| {
        let is_long = text.len() > PROBE_BYTES;
        let mut starts = is_long.then_some(PROBE_BYTES).into_iter().chain([TRIAL_BYTES]);
        starts.all(|bytes| mistakes_in(grammar, text, bytes) == Some(0))
    };
    grammar::with(language, |grammar| Some(starts_well(grammar))) == Some(true)
}

/// Whether what follows these lines is in the same block as they are, or in an outer one.
fn keeps_indent(text: &str, view: &Lines, bytes: &Range<usize>) -> bool {
    let indent = |line: &Line| {
        let body = line.body(text);
        (!body.trim().is_empty()).then(|| body.len() - body.trim_start().len())
    };
    let lines = |from: usize| {
        let first = view.lines.partition_point(|line| (line.start as usize) < from);
        view.lines.get(first..).unwrap_or_default().iter()
    };
    let own = lines(bytes.start).take_while(|line| (line.start as usize) < bytes.end).find_map(indent);
    let next = lines(bytes.end).find_map(indent);
    next.is_none_or(|next| own.is_some_and(|own| next <= own))
}
