//! Finds the code in a result around which a tool put lines of its own: a status, a path, tags.

use std::ops::Range;

use super::{errors, grammar::Grammar, mistakes_in_start};

/// Lines that a tool puts before or behind the code, at most.
const MAX_HEAD_LINES: usize = 10;
const MAX_TAIL_LINES: usize = 6;
/// Places at which the code may start or end that are tried.
const MAX_TRIES: usize = 3;
/// Mistakes in the start of code because it ends within something.
const MAX_START_MISTAKES: usize = 24;

/// Returns the rows of a result that parse without a mistake, if only what a tool may have added stands around them.
pub(super) fn code_in(grammar: &mut Grammar, rows: &[&str]) -> Option<Range<usize>> {
    let heads = 1..=MAX_HEAD_LINES.min(rows.len());
    let heads = heads.filter(|end| rows.get(end - 1).is_some_and(|row| ends_head(row)));
    std::iter::once(0).chain(heads.take(MAX_TRIES)).find_map(|start| {
        let rest = rows.get(start..)?;
        // That the whole does not parse is known.
        let whole = (start > 0).then_some(rest.len());
        let mut ends = whole.into_iter().chain(tails(rest).rev().take(MAX_TRIES)).peekable();
        let is_like = |grammar: &mut Grammar, end: usize| {
            let code = joined(rest.get(..end)?);
            mistakes_in_start(grammar, &code).filter(|count| *count <= MAX_START_MISTAKES)
        };
        ends.peek().and_then(|end| is_like(grammar, *end))?;
        let end = ends.find(|end| {
            let code = joined(rest.get(..*end).unwrap_or_default());
            grammar.parse(&code).is_some_and(|tree| errors(&tree) == 0)
        })?;
        Some(start..start + end)
    })
}

/// Whether a line may be the last one before the code: `Output:`, `<content>`, or an empty one.
fn ends_head(row: &str) -> bool {
    let row = row.trim();
    row.is_empty()
        || row.ends_with(':')
        || row.starts_with("```")
        || row.starts_with('<') && row.ends_with('>')
}

/// Returns where lines start that a tool may have put behind the code, the first place first.
fn tails(rows: &[&str]) -> impl DoubleEndedIterator<Item = usize> {
    let is_tail = |row: &str| {
        let row = row.trim();
        let is_in = |open: char, close: char| row.starts_with(open) && row.ends_with(close);
        is_in('[', ']') || is_in('<', '>') || is_in('(', ')') || row.starts_with("```")
    };
    let from = rows.len().saturating_sub(MAX_TAIL_LINES);
    (from..rows.len()).filter(move |row| rows.get(*row).is_some_and(|row| is_tail(row)))
}

fn joined(rows: &[&str]) -> String {
    let mut text = rows.join("\n");
    text.push('\n');
    text
}
