//! Labels that follow others: an answer its question, a dose its name, a licence its files.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::compress::prose::{
    outline::{ProseUnit, ProseUnitKind},
    shape::{LineKind, LineShape, label},
};

/// A label depends on another if at most one in this many of its occurrences has none of the other since the last.
const EXCEPTIONS: usize = 5;

/// The labels of a document.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// The label of each unit, and the unit on which it depends.
    found: FxHashMap<usize, Label>,
}

#[derive(Clone, Copy, Debug)]
struct Label {
    name: usize,
    owner: Option<usize>,
}

/// What is known of a label.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The label before its first occurrence.
    head: Option<usize>,
    /// Its last occurrence.
    last: usize,
    count: usize,
    exceptions: usize,
}

impl Labels {
    /// Finds the labels of these units.
    pub(super) fn of(units: &[ProseUnit], shapes: &[LineShape<'_>]) -> Self {
        let mut names: FxHashMap<&str, usize> = FxHashMap::default();
        let mut order: Vec<(usize, usize)> = Vec::new();
        let mut line = None;
        for (at, unit) in units.iter().enumerate() {
            let shape = shapes.get(unit.lines.0 as usize);
            let starts = line.is_none_or(|line| line < unit.lines.0);
            line = Some(unit.lines.1);
            let Some(shape) = shape.filter(|shape| starts && shape.kind == LineKind::Label) else { continue };
            if !matches!(unit.kind, ProseUnitKind::Sentence | ProseUnitKind::Turn | ProseUnitKind::Code) {
                continue;
            }
            let Some(name) = label(shape.line.trim())
                .map(|name| name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' '))
            else {
                continue;
            };
            let count = names.len();
            order.push((at, *names.entry(name).or_insert(count)));
        }
        let known = known(&order, names.len());
        let mut last: Vec<Option<usize>> = vec![None; names.len()];
        let mut found = FxHashMap::default();
        for (at, name) in order {
            let known = known.get(name).copied().flatten();
            let depends = known.filter(|known| known.exceptions * EXCEPTIONS <= known.count);
            let owner = depends.and_then(|known| last.get(known.head?).copied().flatten());
            found.insert(at, Label { name, owner });
            if let Some(last) = last.get_mut(name) {
                *last = Some(at);
            }
        }
        Self { found }
    }

    pub(super) fn is_label(&self, unit: usize) -> bool {
        self.found.contains_key(&unit)
    }

    /// Returns the unit with the label on which the label of this unit depends.
    pub(super) fn owner(&self, unit: usize) -> Option<usize> {
        self.found.get(&unit).and_then(|label| label.owner)
    }

    /// Whether no label comes twice in these units.
    pub(super) fn are_different(&self, units: Range<usize>) -> bool {
        let mut seen = FxHashSet::default();
        units.filter_map(|unit| self.found.get(&unit)).all(|label| seen.insert(label.name))
    }
}

/// Finds for each label the one that precedes its first occurrence, and how often that precedes the others.
fn known(order: &[(usize, usize)], names: usize) -> Vec<Option<Known>> {
    let mut known: Vec<Option<Known>> = vec![None; names];
    let mut before = None;
    for (place, (_, name)) in order.iter().enumerate() {
        let own = known.get(*name).copied().flatten();
        let mut own = own.unwrap_or(Known { head: before, last: place, count: 0, exceptions: 0 });
        let head = own.head.and_then(|head| known.get(head).copied().flatten());
        if own.count > 0 && head.is_none_or(|head| head.last < own.last) {
            own.exceptions += 1;
        }
        (own.count, own.last) = (own.count + 1, place);
        if let Some(known) = known.get_mut(*name) {
            *known = Some(own);
        }
        before = Some(*name);
    }
    known
}
