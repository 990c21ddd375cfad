//! Chooses lines of a parsed text to elide so that the rest is still code.
//!
//! A hole is some statements of one block, some values of one list, or the middle of a comment: whole lines that hold
//! nothing else. Blocks are visited from outside in, each once.

use std::ops::Range;

use tree_sitter::Node;

use super::{
    bindings,
    kinds::{Kinds, role},
    outline::{Outline, interior, lines, runs},
};
use crate::tuning::tuning;

/// Rounds in which declarations are kept. What is not repaired then stays as it is.
const MAX_ROUNDS: usize = 6;

/// Lines that may be elided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) rows: Range<usize>,
    pub(super) place: HolePlace,
}

/// The context of a marker in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HolePlace {
    /// Between statements or values, where a comment is allowed.
    Statements,
    /// In a block that has nothing else left.
    Alone,
    /// Within a comment or a string.
    Prose,
}

/// The minimum size of a hole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Least {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

struct CodeSelector<'a> {
    kinds: &'a Kinds,
    rows: &'a [&'a str],
    kept: Sums,
    functions: Sums,
    /// Lines that may go although they are the last of their function.
    dropped: Sums,
    least: Least,
    holes: Vec<Hole>,
    /// Lines that stay only because they are the last of their function.
    loose: Vec<bool>,
}

/// Prefix sums over rows that have a property.
struct Sums(Vec<u32>);

impl Sums {
    fn new(rows: &[bool]) -> Self {
        let mut sum = 0;
        let count = |has: &bool| {
            sum += u32::from(*has);
            sum
        };
        Self(std::iter::once(0).chain(rows.iter().map(count)).collect())
    }

    fn any(&self, rows: &Range<usize>) -> bool {
        let at = |row: usize| self.0.get(row).or(self.0.last()).copied().unwrap_or_default();
        at(rows.end) > at(rows.start)
    }
}

/// Children of a block that share lines.
struct CodeUnit<'t> {
    rows: Range<usize>,
    nodes: Vec<Node<'t>>,
    stays: bool,
}

/// Returns the holes of a text, in order and disjoint. No name is used in sight of which only a hole has the declaration.
pub(super) fn holes(outline: &mut Outline<'_>, kinds: &Kinds, rows: &[&str], least: Least) -> Vec<Hole> {
    let mut dropped = vec![false; rows.len()];
    for round in 0..=MAX_ROUNDS {
        let (holes, loose) = candidates(outline, kinds, rows, least, &dropped);
        let repairs = bindings::repairs(outline, &holes, rows, &loose);
        if repairs.is_empty() {
            return holes;
        }
        let mark = |rows: Range<usize>, lines: &mut Vec<bool>| {
            lines.get_mut(rows).unwrap_or_default().fill(true);
        };
        if round + 1 < MAX_ROUNDS {
            repairs.keep.into_iter().for_each(|row| mark(row..row + 1, &mut outline.kept));
            repairs.drop.into_iter().for_each(|row| mark(row..row + 1, &mut dropped));
        } else {
            repairs.functions.into_iter().for_each(|rows| mark(rows, &mut outline.kept));
        }
    }
    Vec::new()
}

/// Returns holes, and which lines stay only because they are the last of their function.
fn candidates(
    outline: &Outline<'_>,
    kinds: &Kinds,
    rows: &[&str],
    least: Least,
    dropped: &[bool],
) -> (Vec<Hole>, Vec<bool>) {
    let mut starts = vec![false; rows.len()];
    for function in &outline.functions {
        if let Some(start) = starts.get_mut(function.head.start) {
            *start = true;
        }
    }
    let functions = Sums::new(&starts);
    let mut chooser = CodeSelector {
        kinds,
        rows,
        kept: Sums::new(&outline.kept),
        functions,
        dropped: Sums::new(dropped),
        least,
        holes: Vec::new(),
        loose: vec![false; rows.len()],
    };
    let mut looked_at = 0;
    for function in &outline.functions {
        if function.rows.start >= looked_at {
            looked_at = function.rows.end;
            chooser.body(function.body);
        }
    }
    looked_at = 0;
    for data in &outline.data {
        if lines(*data).start >= looked_at {
            looked_at = lines(*data).end;
            chooser.data(*data);
        }
    }
    for run in runs(&outline.comments) {
        chooser.comments(run);
    }
    let mut holes = chooser.holes;
    holes.sort_by_key(|hole| (hole.rows.start, std::cmp::Reverse(hole.rows.end)));
    let mut end = 0;
    holes.retain(|hole| {
        let apart = hole.rows.start >= end;
        end = end.max(hole.rows.end);
        apart
    });
    (holes, chooser.loose)
}

impl<'t> CodeSelector<'_> {
    fn is_enough(&self, rows: &Range<usize>) -> bool {
        let bytes: usize =
            self.rows.get(rows.clone()).unwrap_or_default().iter().map(|row| row.len() + 1).sum();
        rows.len() >= self.least.rows && bytes >= self.least.bytes
    }

    /// Elides the statements of a function that are not kept, and descends into the blocks of those that are.
    fn body(&mut self, body: Node<'t>) {
        let long = interior(body, self.rows).len() > tuning().code.long_body_lines;
        let mut blocks = vec![body];
        while let Some(block) = blocks.pop() {
            let inside = interior(block, self.rows);
            let deep = long && inside.len() > tuning().code.long_body_lines;
            let mut units = self.units(block, &inside);
            for unit in &mut units {
                unit.stays |= self.kept.any(&unit.rows) || deep && self.functions.any(&unit.rows);
            }
            if block == body {
                self.frame(&mut units);
            }
            // In languages without brackets, a block of nothing but comments is an error.
            let kinds = self.kinds;
            self.close(&units, |unit| !unit.nodes.iter().all(|node| kinds.is(*node, role::COMMENT)));
            for unit in units.iter().filter(|unit| unit.stays && unit.rows.len() > self.least.rows) {
                unit.nodes.iter().for_each(|node| self.blocks_in(*node, &mut blocks));
            }
        }
    }

    /// Keeps the first and last statement of a function.
    fn frame(&mut self, units: &mut [CodeUnit<'t>]) {
        if let Some(last) = units.last_mut().filter(|last| !last.stays)
            && last.rows.len() <= tuning().code.short_lines
            && !self.dropped.any(&last.rows)
        {
            last.stays = true;
            self.loose.get_mut(last.rows.clone()).unwrap_or_default().fill(true);
        }
        let Some(first) = units.first_mut() else { return };
        let Some(string) = first.nodes.first().and_then(|node| node.child(0)) else { return };
        if first.nodes.len() == 1 && self.kinds.is(string, role::STRING) {
            first.stays = true;
            let rows = first.rows.clone();
            self.prose(rows, HolePlace::Prose);
        }
    }

    /// Elides the middle of a long list of values.
    fn data(&mut self, data: Node<'t>) {
        let inside = interior(data, self.rows);
        let mut units = self.units(data, &inside);
        let count = units.len();
        for (at, unit) in units.iter_mut().enumerate() {
            unit.stays |= at < tuning().code.data_head
                || at + tuning().code.data_tail >= count
                || self.kept.any(&unit.rows)
                || self.functions.any(&unit.rows);
        }
        self.close(&units, |_| true);
    }

    /// Elides the middle of a long comment, or of many short ones.
    fn comments(&mut self, run: &[Node<'t>]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        // A comment after code on the same line is about that line, and code may follow the end of one.
        let is_alone = |node: &Node<'_>| {
            let (start, end) = (node.start_position(), node.end_position());
            let part = |row: usize, columns: Range<usize>| self.rows.get(row)?.get(columns);
            let after = self.rows.get(end.row).map_or(0, |row| row.len());
            let is_blank = |part: Option<&str>| part.is_some_and(|part| part.trim().is_empty());
            // The end of some comments is the start of the next row.
            is_blank(part(start.row, 0..start.column))
                && (end.column == 0 || is_blank(part(end.row, end.column..after.max(end.column))))
        };
        if !run.iter().all(is_alone) {
            return;
        }
        if run.iter().all(|node| lines(*node).len() == 1) && run.len() > 1 {
            self.prose(lines(*first).start..lines(*last).end, HolePlace::Statements);
        } else {
            // A hole from one comment into the next would leave the first one open.
            run.iter().for_each(|node| self.prose(lines(*node), HolePlace::Prose));
        }
    }

    fn prose(&mut self, rows: Range<usize>, place: HolePlace) {
        let inside = rows.start + tuning().code.comment_head..rows.end.saturating_sub(1);
        let mut start = inside.start;
        for row in inside.clone() {
            if self.kept.any(&(row..row + 1)) {
                self.push(start..row, place);
                start = row + 1;
            }
        }
        self.push(start..inside.end, place);
    }

    fn push(&mut self, rows: Range<usize>, place: HolePlace) {
        if rows.start < rows.end && self.is_enough(&rows) {
            self.holes.push(Hole { rows, place });
        }
    }

    /// Makes holes of adjacent units that may be elided.
    fn close(&mut self, units: &[CodeUnit<'t>], counts: impl Fn(&CodeUnit<'t>) -> bool) {
        let before = self.holes.len();
        let mut gone = 0;
        for run in units.chunk_by(|a, b| a.stays == b.stays).filter(|run| !run.iter().any(|unit| unit.stays))
        {
            if let (Some(first), Some(last)) = (run.first(), run.last()) {
                let holes = self.holes.len();
                self.push(first.rows.start..last.rows.end, HolePlace::Statements);
                if self.holes.len() > holes {
                    gone += run.iter().filter(|unit| counts(unit)).count();
                }
            }
        }
        if gone == units.iter().filter(|unit| counts(unit)).count() {
            self.holes.iter_mut().skip(before).take(1).for_each(|hole| hole.place = HolePlace::Alone);
        }
    }

    /// Groups the children of a block into units with lines of their own.
    fn units(&self, block: Node<'t>, inside: &Range<usize>) -> Vec<CodeUnit<'t>> {
        let mut cursor = block.walk();
        let mut children: Vec<Node<'t>> = Vec::new();
        for child in block.named_children(&mut cursor) {
            if self.kinds.is(child, role::LIST) {
                let mut cursor = child.walk();
                children.extend(child.named_children(&mut cursor));
            } else {
                children.push(child);
            }
        }
        let mut units: Vec<CodeUnit<'t>> = Vec::new();
        for child in children {
            let rows = lines(child);
            match units.last_mut().filter(|unit| rows.start < unit.rows.end) {
                Some(unit) => {
                    unit.rows.end = unit.rows.end.max(rows.end);
                    unit.nodes.push(child);
                }
                None => units.push(CodeUnit { rows, nodes: vec![child], stays: false }),
            }
        }
        for unit in &mut units {
            unit.stays = unit.rows.start < inside.start || unit.rows.end > inside.end;
        }
        units
    }

    /// Collects the outermost blocks within a node.
    fn blocks_in(&self, node: Node<'t>, blocks: &mut Vec<Node<'t>>) {
        let mut cursor = node.walk();
        loop {
            let inner = cursor.node();
            let is_block = self.kinds.is(inner, role::BLOCK);
            if is_block {
                blocks.push(inner);
            }
            // Short nodes hold no block large enough for a hole.
            if !is_block && lines(inner).len() > self.least.rows && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }
}
