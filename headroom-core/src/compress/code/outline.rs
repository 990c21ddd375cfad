//! Walks a tree once for its functions, long values and comments, and the lines that must stay.

use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::{
    bindings::{self, Binding},
    kinds::{Kinds, role},
};
use crate::compress::language::Language;
use crate::tuning::tuning;

/// Comments with one of these words are about obligations, and stay.
const DUTIES: [&str; 12] = [
    "bug",
    "caution",
    "danger",
    "deprecated",
    "fixme",
    "hack",
    "nosec",
    "safety",
    "todo",
    "unsafe",
    "warning",
    "xxx",
];
const LICENCES: [&str; 5] = ["copyright", "licence", "license", "licensed", "spdx"];
/// Names of calls that end a program or a test, or raise an error.
const FAILURES: [&str; 22] = [
    "Err",
    "_exit",
    "abort",
    "anyhow",
    "bail",
    "confess",
    "croak",
    "die",
    "ensure",
    "err",
    "errx",
    "exit",
    "fail",
    "fatal",
    "panic",
    "perror",
    "raise",
    "reject",
    "throw",
    "todo",
    "unimplemented",
    "unreachable",
];

/// A function with a body of several lines.
#[derive(Debug)]
pub(super) struct Function<'t> {
    pub(super) body: Node<'t>,
    /// The lines up to the body.
    pub(super) head: Range<usize>,
    /// The lines of the body that hold nothing else.
    pub(super) rows: Range<usize>,
}

/// The outline of a tree.
#[derive(Debug, Default)]
pub(super) struct Outline<'t> {
    /// Outer functions before inner ones.
    pub(super) functions: Vec<Function<'t>>,
    pub(super) data: Vec<Node<'t>>,
    pub(super) comments: Vec<Node<'t>>,
    /// The names declared within functions, by their lines.
    pub(super) bindings: Vec<Binding<'t>>,
    /// Whether each line must stay.
    pub(super) kept: Vec<bool>,
    /// The end of the lines of all functions so far.
    functions_end: usize,
    /// Number of bytes that do not parse.
    pub(super) broken: usize,
}

impl<'t> Outline<'t> {
    pub(super) fn from_tree(
        tree: &'t Tree,
        kinds: &Kinds,
        source: &'t str,
        rows: &[&str],
        language: Language,
    ) -> Self {
        let mut outline = Self { kept: vec![false; rows.len()], ..Self::default() };
        let mut broken_to = 0;
        let mut scopes: Vec<Node<'t>> = Vec::new();
        let is_scope =
            if language.has_function_scope() { role::FUNCTION } else { role::FUNCTION | role::BLOCK };
        let mut cursor = tree.walk();
        loop {
            let node = cursor.node();
            if node.is_error() && node.start_byte() >= broken_to {
                broken_to = node.end_byte();
                outline.broken += node.end_byte() - node.start_byte();
                outline.keep(lines(node));
            } else if node.is_missing() {
                outline.keep(lines(node));
            }
            while scopes.pop_if(|scope| scope.end_byte() <= node.start_byte()).is_some() {}
            outline.declare(node, kinds, source, scopes.last());
            outline.visit(node, kinds, source, rows);
            if kinds.is(node, is_scope) {
                scopes.push(node);
            }
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    outline.keep_licences(source);
                    outline.bindings.sort_by_key(|binding| binding.row);
                    return outline;
                }
            }
        }
    }

    fn keep(&mut self, rows: Range<usize>) {
        self.kept.get_mut(rows).unwrap_or_default().fill(true);
    }

    /// Collects the names that a node declares, if it is in a function whose lines may be elided.
    fn declare(&mut self, node: Node<'t>, kinds: &Kinds, source: &'t str, scope: Option<&Node<'t>>) {
        let row = node.start_position().row;
        if row < self.functions_end
            && let Some(scope) = scope
        {
            for field in kinds.declared(node) {
                bindings::collect(node, field, kinds, source, &lines(*scope), &mut self.bindings);
            }
        }
    }

    fn visit(&mut self, node: Node<'t>, kinds: &Kinds, source: &str, rows: &[&str]) {
        let roles = kinds.roles(node);
        if roles == 0 {
            return;
        }
        let at = lines(node);
        if roles & role::FUNCTION != 0
            && at.len() > tuning().code.min_body_lines
            && let Some(body) = kinds.body(node)
        {
            let inside = interior(body, rows);
            if inside.len() >= tuning().code.min_body_lines {
                self.functions_end = self.functions_end.max(inside.end);
                self.functions.push(Function { body, head: at.start..inside.start, rows: inside });
            }
        }
        if roles & role::ERROR != 0 {
            self.keep(at.start..at.start + 1);
        }
        if roles & role::CALL != 0 && fails(node, kinds, source) {
            self.keep(at.start..at.start + 1);
        }
        if roles & role::COMMENT != 0 {
            for (row, line) in at.clone().zip(rows.get(at).unwrap_or_default()) {
                if has_word(line, &DUTIES) {
                    self.keep(row..row + 1);
                }
            }
            self.comments.push(node);
        } else if roles & role::DATA != 0 && at.len() >= tuning().code.min_data_lines {
            self.data.push(node);
        }
    }

    /// Keeps adjacent comments if one of them names a licence.
    fn keep_licences(&mut self, source: &str) {
        let mut licences = Vec::new();
        for run in runs(&self.comments) {
            let is_licence =
                |node: &Node<'_>| source.get(node.byte_range()).is_some_and(|text| has_word(text, &LICENCES));
            if run.iter().any(is_licence) {
                licences.extend(run.iter().map(|node| lines(*node)));
            }
        }
        licences.into_iter().for_each(|rows| self.keep(rows));
    }
}

/// Groups comments with nothing between them, not even an empty line.
pub(super) fn runs<'a, 't>(comments: &'a [Node<'t>]) -> impl Iterator<Item = &'a [Node<'t>]> {
    comments.chunk_by(|a, b| lines(*a).end == lines(*b).start)
}

/// Returns the lines of a node.
pub(super) fn lines(node: Node<'_>) -> Range<usize> {
    let (start, end) = (node.start_position(), node.end_position());
    // Some nodes include the line end after them.
    let last = if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row };
    start.row..last + 1
}

/// Returns the lines that hold only contents of this block.
pub(super) fn interior(block: Node<'_>, rows: &[&str]) -> Range<usize> {
    let at = lines(block);
    let count = u32::try_from(block.child_count()).unwrap_or(u32::MAX);
    let token = |child: u32| block.child(child).filter(|child| !child.is_named());
    let start = match token(0) {
        Some(token) => lines(token).end,
        None => {
            let before = rows.get(at.start).and_then(|row| row.get(..block.start_position().column));
            at.start + usize::from(before.is_none_or(|before| !before.trim().is_empty()))
        }
    };
    let end = count.checked_sub(1).and_then(token).map_or(at.end, |token| lines(token).start);
    start..end.max(start)
}

/// Whether a call ends the program or test, or raises an error.
fn fails(call: Node<'_>, kinds: &Kinds, source: &str) -> bool {
    let Some(text) = kinds.callee(call).and_then(|callee| source.get(callee.byte_range())) else {
        return false;
    };
    let name = text.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(text);
    FAILURES.binary_search(&name).is_ok() || text == "errors.New" || text == "log.Fatal"
}

/// Whether the text contains one of these words, which are sorted and in lower case.
fn has_word(text: &str, words: &[&str]) -> bool {
    text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| {
        (3..=10).contains(&word.len()) && words.iter().any(|known| word.eq_ignore_ascii_case(known))
    })
}
