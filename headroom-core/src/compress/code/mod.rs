//! Elides function bodies from source code, except those that the query needs.
//!
//! The text is parsed once. These stay: imports, types, signatures, decorators; the bodies of functions that the query
//! names, and of those that these call; statements about errors; comments about obligations and licences; the ends of
//! long lists and comments. Whole statements are elided in whole lines, in place, so that the rest is still code. The
//! same parser verifies this; a text that fails the check is left unchanged.
//!
//! Nothing is elided if the language is unknown or much of the text does not parse.

mod bindings;
mod envelope;
mod grammar;
mod kinds;
mod outline;
mod reparse;
mod select;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, ops::Range};

use grammar::Grammar;
use outline::{Function, Outline};
pub(super) use reparse::{is_flawless, starts_flawless, still_parses};
use rustc_hash::FxHashSet;
use select::{Hole, HolePlace, Least, holes};
use tree_sitter::Tree;

use super::{FramedOmission, language::Language, log::is_partial};
use crate::{
    compress::Omission,
    relevance::{Query, features::LineFeatures, query::Hits},
    text::{
        lines::{self, Lines},
        marker,
    },
    tuning::tuning,
};

/// Longer lines are not written by people.
const MAX_LINE_BYTES: usize = 1000;
/// Maximum size of a text: its tree takes some twenty times its memory.
pub(super) const MAX_BYTES: usize = 256 << 10;
/// Size of the start of a text that is parsed to see whether the whole is worth it.
const TRIAL_BYTES: usize = 8 << 10;
/// Less of a start says nothing.
const MIN_START_BYTES: usize = 512;

/// Returns the lines of code that may be elided, with the frame for each marker.
///
/// Returns none if the text cannot be parsed, or if it was read from a file and the query names nothing in it.
pub(super) fn gaps(text: &str, language: Language, query: &Query<'_>) -> Vec<FramedOmission> {
    found(text, language, query).unwrap_or_default()
}

fn found(text: &str, language: Language, query: &Query<'_>) -> Option<Vec<FramedOmission>> {
    let code = &tuning().code;
    if !(code.min_bytes..=MAX_BYTES).contains(&text.len()) || marker::is_in(text) || is_dense(text) {
        return None;
    }
    let view = Lines::new(text)?;
    if query.file_read && (view.lines.len() < code.min_file_lines || is_partial(query)) {
        return None;
    }
    let features = LineFeatures::from_text(text);
    let hits = Hits::new(&features, query);
    let named: Vec<usize> = hits.named().collect();
    if features.rows.len() != view.lines.len() || query.file_read && named.is_empty() {
        return None;
    }
    let related = hits.best((view.lines.len() / code.lines_per_match).max(code.min_best_matches));
    drop((hits, features));
    let source = source(text, &view);
    let rows: Vec<&str> = source.split_terminator('\n').collect();
    let holes = grammar::with(language, |grammar| {
        if is_hopeless(grammar, &source) {
            return None;
        }
        let (tree, source, rows) = parsed(grammar, &source, &rows, language)?;
        let before = errors(&tree);
        let mut outline = Outline::from_tree(&tree, &grammar.kinds, source, rows, language);
        if outline.broken * code.bytes_per_broken > source.len() {
            return None;
        }
        keep_named(&mut outline, rows, (&named, &related), language, query);
        let least = if query.file_read {
            Least { rows: code.file_min_gap_lines, bytes: code.file_min_gap_bytes }
        } else {
            Least { rows: code.min_gap_lines, bytes: code.min_gap_bytes }
        };
        let holes = holes(&mut outline, &grammar.kinds, rows, least);
        let holes: Vec<Hole> = holes.into_iter().filter(|hole| is_one(&view, &hole.rows)).collect();
        let is_code = holes.is_empty()
            || reparse::parse(grammar, tree, source, rows, &holes, language)
                .is_some_and(|after| errors(&after) <= before);
        Some(if is_code { holes } else { Vec::new() })
    })?;
    let is_numbered = is_numbered(&view);
    let number_of = |row: usize| if is_numbered { view.number_of(row) } else { u32::try_from(row + 1).ok() };
    let framed = |hole: Hole| {
        let first = view.lines.get(hole.rows.start)?;
        let end = view.lines.get(hole.rows.end.checked_sub(1)?)?.range().end;
        let end = end - usize::from(text.get(..end)?.ends_with('\r'));
        let gap = Omission {
            range: first.range().start..end,
            first: number_of(hole.rows.start)?,
            last: number_of(hole.rows.end - 1)?,
            summary: String::new(),
        };
        Some(FramedOmission { omission: gap, opening: opening(&rows, &hole, language) })
    };
    Some(holes.into_iter().filter_map(framed).collect())
}

/// Parses a text, without the definition at its end if that is cut off, as in a view of the first lines of a file.
fn parsed<'s, 'r>(
    grammar: &mut Grammar,
    source: &'s str,
    rows: &'r [&'s str],
    language: Language,
) -> Option<(Tree, &'s str, &'r [&'s str])> {
    let tree = grammar.parse(source)?;
    let mistakes = errors(&tree);
    if mistakes == 0 {
        return Some((tree, source, rows));
    }
    let whole = rows.get(..whole_rows(rows, language))?;
    let length: usize = whole.iter().map(|row| row.len() + 1).sum();
    let start = source.get(..length.min(source.len())).filter(|_| length * 2 > source.len());
    let shorter = start.and_then(|start| Some((grammar.parse(start)?, start, whole)));
    let shorter = shorter.filter(|(tree, ..)| errors(tree) < mistakes);
    Some(shorter.unwrap_or((tree, source, rows)))
}

/// Counts the rows up to the end of the last definition that is whole, as far as indentation tells.
fn whole_rows(rows: &[&str], language: Language) -> usize {
    if language == Language::Python {
        let starts = |row: &&str| row.starts_with(|c: char| c.is_alphabetic() || c == '@');
        return rows.iter().rposition(starts).unwrap_or(0);
    }
    let closes = |row: &&str| row.starts_with(['}', ')', ']']) || row.trim_end() == "end";
    rows.iter().rposition(closes).map_or(0, |at| at + 1)
}

/// Whether most of the text is in lines that people do not write, which hold nothing that could be cut as lines.
fn is_dense(text: &str) -> bool {
    let long: usize = lines::split(text).map(str::len).filter(|length| *length > MAX_LINE_BYTES).sum();
    long * 2 > text.len()
}

/// Counts the mistakes in the start of a text as code in this language. `None` if its grammar is not compiled in, or
/// takes anything, or if the parser gave up.
pub(super) fn mistakes(text: &str, language: Language) -> Option<usize> {
    if language.takes_anything() {
        return None;
    }
    grammar::with(language, |grammar| mistakes_in_start(grammar, text))
}

/// Whether the start of a long text shows that it is broken, or in another language. Parsing it whole would take long.
fn is_hopeless(grammar: &mut Grammar, text: &str) -> bool {
    text.len() > 4 * TRIAL_BYTES
        && mistakes_in_start(grammar, text).is_none_or(|count| count > tuning().code.max_mistakes)
}

/// Counts the mistakes in the first whole lines, some [`TRIAL_BYTES`] long.
fn mistakes_in_start(grammar: &mut Grammar, text: &str) -> Option<usize> {
    mistakes_in(grammar, text, TRIAL_BYTES)
}

/// Counts the mistakes in the first whole lines, some `bytes` long.
fn mistakes_in(grammar: &mut Grammar, text: &str, bytes: usize) -> Option<usize> {
    let line_end = text.as_bytes().get(bytes..).and_then(|rest| memchr::memchr(b'\n', rest));
    let end = line_end.filter(|end| *end < TRIAL_BYTES).map_or(text.len(), |end| bytes + end + 1);
    let start = text.get(..end.min(MAX_BYTES))?;
    // The start of a comment that ends later is no code.
    let open = start
        .rfind("/*")
        .filter(|open| *open >= MIN_START_BYTES && start.rfind("*/").is_none_or(|close| close < *open));
    let start = start.get(..open.unwrap_or(start.len()))?;
    let count = grammar.parse(start).map(|tree| errors(&tree))?;
    // An end within something is a mistake of ours.
    Some(count.saturating_sub(usize::from(start.len() < text.len())))
}

/// Whether this is a numbered view of a file. Code may hold some lines that only look like it.
fn is_numbered(view: &Lines) -> bool {
    let numbered: usize = view.runs.iter().map(|run| run.lines.len()).sum();
    numbered * 2 > view.lines.len()
}

/// Strips line numbers from the code, line by line.
fn source<'t>(text: &'t str, view: &Lines) -> Cow<'t, str> {
    if !is_numbered(view) {
        return Cow::Borrowed(text);
    }
    let mut source = String::with_capacity(text.len());
    for line in &view.lines {
        // Text between the parts of a numbered view is not the file's.
        if line.run != 0 {
            source.push_str(line.body(text));
        }
        source.push('\n');
    }
    Cow::Owned(source)
}

/// Returns the first lines of the functions whose own names the question has, however often the text has them: all of them call
/// a helper, and the question is about it. A name of many functions tells none of them from the others.
fn asked_functions(outline: &Outline<'_>, rows: &[&str], query: &Query<'_>) -> Vec<usize> {
    let words: FxHashSet<&str> = query.question.into_iter().flat_map(words).collect();
    let is_asked = |function: &&Function<'_>| {
        let name = function.body.parent().and_then(|whole| whole.child_by_field_name("name"));
        let name = name.and_then(|name| {
            let (start, end) = (name.start_position(), name.end_position());
            rows.get(start.row).filter(|_| start.row == end.row)?.get(start.column..end.column)
        });
        match name {
            Some(name) => words.contains(name),
            // In C and C++ the name is within a declarator.
            None => rows
                .get(function.head.clone())
                .unwrap_or_default()
                .iter()
                .flat_map(|row| calls(row))
                .any(|name| words.contains(name)),
        }
    };
    if words.is_empty() {
        return Vec::new();
    }
    let asked: Vec<usize> =
        outline.functions.iter().filter(is_asked).map(|function| function.head.start).collect();
    if asked.len() <= tuning().code.max_asked_functions { asked } else { Vec::new() }
}

/// Keeps what the query names: the matching lines, whole functions that it names, and the functions that these call.
fn keep_named(
    outline: &mut Outline<'_>,
    rows: &[&str],
    (named, related): (&[usize], &[usize]),
    language: Language,
    query: &Query<'_>,
) {
    let count = outline.kept.len();
    let around = if query.file_read { tuning().code.context_lines } else { 0 };
    for row in named.iter().chain(related) {
        let rows = row.saturating_sub(around)..(row + around + 1).min(count);
        outline.kept.get_mut(rows).unwrap_or_default().fill(true);
    }
    let is_named = |head: &Range<usize>| {
        let next = named.partition_point(|row| *row < head.start);
        named.get(next).is_some_and(|row| *row < head.end)
    };
    let mut called = FxHashSet::default();
    let mut bodies = Vec::new();
    let asked = asked_functions(outline, rows, query);
    for function in outline
        .functions
        .iter()
        .filter(|function| is_named(&function.head) || asked.contains(&function.head.start))
    {
        bodies.push(function.rows.clone());
        let lines = rows.get(function.rows.clone()).unwrap_or_default();
        match language {
            // Commands are called without brackets.
            Language::Bash => called.extend(lines.iter().flat_map(|line| words(line))),
            _ => called.extend(lines.iter().flat_map(|line| calls(line))),
        }
    }
    if !called.is_empty() {
        let is_called = |head: &Range<usize>| {
            let lines = rows.get(head.clone()).unwrap_or_default();
            lines.iter().flat_map(|line| words(line)).any(|word| called.contains(word))
        };
        let functions = outline.functions.iter().filter(|function| is_called(&function.head));
        bodies.extend(functions.map(|function| function.rows.clone()));
    }
    for body in bodies {
        outline.kept.get_mut(body).unwrap_or_default().fill(true);
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| word.len() > 2)
}

/// Returns the names before opening brackets.
fn calls(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices('(').filter_map(|(at, _)| {
        let before = line.get(..at)?.trim_end_matches(['!', ' ']);
        before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| name.len() > 2)
    })
}

/// Whether the lines are all in one numbered part, or all in none.
fn is_one(view: &Lines, rows: &Range<usize>) -> bool {
    let mut lines = view.lines.get(rows.clone()).unwrap_or_default().iter();
    if !is_numbered(view) {
        return true;
    }
    lines.next().is_some_and(|first| first.run != 0 && lines.all(|line| line.run == first.run))
}

/// Returns the text before the marker in a hole.
fn opening(rows: &[&str], hole: &Hole, language: Language) -> String {
    let row = rows.get(hole.rows.start).copied().unwrap_or_default();
    let indent = row.get(..row.len() - row.trim_start().len()).unwrap_or_default();
    match hole.place {
        HolePlace::Statements => format!("{indent}{}", language.comment()),
        HolePlace::Alone => format!("{indent}{}{}", language.nothing(), language.comment()),
        HolePlace::Prose if row.trim_start().starts_with("* ") => format!("{indent}* "),
        HolePlace::Prose => indent.to_owned(),
    }
}

/// Counts a tree's error nodes and missing nodes.
fn errors(tree: &Tree) -> usize {
    let mut count = 0;
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        count += usize::from(node.is_error() || node.is_missing());
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return count;
            }
        }
    }
}
