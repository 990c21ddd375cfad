//! Finds what each unit of a document needs to mean what it says: its heading, the line that introduces its list, its
//! question, its speaker, its term, the header of its table, and the start of its paragraph.
//!
//! Every owner precedes what it governs, so one walk from the end to the start completes a selection. In doubt a unit
//! needs more than it would have to.

mod closure;
mod labels;
mod levels;

use super::{
    outline::{ProseUnit, ProseUnitKind},
    shape::{LineKind, LineShape},
};
use crate::{text::starts::Starts, tuning::tuning};
use labels::Labels;
use levels::Levels;

/// What the units of a document need.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// The owners of all units, in the order of the units.
    owners: Vec<usize>,
    /// The end of each unit's owners.
    ends: Vec<usize>,
    /// Whether a unit stays or goes with the one before.
    joined: Vec<bool>,
    /// Whether a unit stays regardless of its relevance.
    always: Vec<bool>,
    /// The bytes of each unit.
    bytes: Vec<usize>,
}

/// Starts of sentences that qualify or retract what precedes them.
static TURNS: Starts<16> = Starts::new([
    "Although ",
    "But ",
    "Except ",
    "However",
    "Instead",
    "Nevertheless",
    "Nonetheless",
    "Nor ",
    "Not ",
    "Only ",
    "Otherwise",
    "Provided ",
    "Still,",
    "Subject to ",
    "Unless ",
    "Yet ",
]);
/// Starts of sentences that say more of what the one before is about.
static BACKWARD: Starts<27> = Starts::new([
    "Also",
    "And ",
    "Both ",
    "Each ",
    "Either ",
    "He ",
    "Hence",
    "Her ",
    "His ",
    "In that case",
    "In this case",
    "It ",
    "Its ",
    "Neither ",
    "Or ",
    "She ",
    "So ",
    "Such ",
    "That ",
    "Their ",
    "Then ",
    "Therefore",
    "These ",
    "They ",
    "This ",
    "Those ",
    "Thus",
]);
/// Starts of lines that tell who wrote what precedes them.
const SIGNS: [&str; 3] = ["—", "-- ", "― "];
/// Bytes of a question between empty lines that stays as a heading does.
const MAX_QUESTION: usize = 300;
/// Bytes of a block of labels that stays or goes as a whole.
const MAX_STANZA: usize = 1200;

impl Owners {
    /// Finds the owners of these units of the text with lines of these shapes.
    pub(super) fn of(text: &str, units: &[ProseUnit], shapes: &[LineShape<'_>]) -> Self {
        let mut finder = Finder {
            text,
            units,
            shapes,
            owners: Self::default(),
            labels: Labels::of(units, shapes),
            levels: Levels::default(),
            block: 0,
            record: 0,
            label: None,
            numbered: None,
            item: None,
            term: None,
            header: None,
            group: None,
        };
        for at in 0..units.len() {
            finder.unit(at);
        }
        finder.join_blocks();
        finder.owners
    }
}

struct Finder<'a> {
    text: &'a str,
    units: &'a [ProseUnit],
    shapes: &'a [LineShape<'a>],
    owners: Owners,
    labels: Labels,
    levels: Levels,
    /// The first unit of the block between empty lines.
    block: usize,
    /// The first unit of the record: the lines of a block that one line starts.
    record: usize,
    /// The last unit with a label, to which what has none belongs.
    label: Option<usize>,
    /// The last item with a number below the label, to which text belongs.
    numbered: Option<usize>,
    /// The last item of the block.
    item: Option<usize>,
    /// The last unit that a definition may explain.
    term: Option<usize>,
    /// The first row of the table.
    header: Option<usize>,
    /// The line between rows that tells what the rows below it are of.
    group: Option<usize>,
}

impl<'a> Finder<'a> {
    fn said(&self, at: usize) -> &'a str {
        let bytes = self.units.get(at).map(|unit| unit.bytes.clone()).unwrap_or_default();
        self.text.get(bytes).unwrap_or_default().trim()
    }

    fn shape(&self, line: u32) -> Option<&'a LineShape<'a>> {
        self.shapes.get(line as usize)
    }

    fn kind(&self, at: usize) -> Option<ProseUnitKind> {
        self.units.get(at).map(|unit| unit.kind)
    }

    fn needs(&mut self, owner: Option<usize>) {
        let at = self.owners.ends.len();
        self.owners.owners.extend(owner.filter(|owner| *owner < at));
    }

    /// Whether a unit is the first on its line.
    fn starts_line(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.units.get(before));
        before.is_none_or(|before| self.units.get(at).is_some_and(|unit| before.lines.1 < unit.lines.0))
    }

    fn unit(&mut self, at: usize) {
        let (Some(unit), said) = (self.units.get(at), self.said(at)) else { return };
        let Some(shape) = self.shape(unit.lines.0) else { return };
        let before = at.checked_sub(1);
        let mut joined = false;
        if self.starts_line(at) && (shape.is_first || shape.is_hard) {
            self.start(at, shape);
        } else {
            self.needs(Some(self.record));
            joined = starts(said, &TURNS);
            if starts(said, &BACKWARD) {
                self.needs(before);
            }
        }
        // The start of a line within a sentence starts a record too.
        let is_sentence = matches!(unit.kind, ProseUnitKind::Sentence);
        if is_sentence
            && (unit.lines.0 + 1..=unit.lines.1).any(|line| self.shape(line).is_some_and(|line| line.is_hard))
        {
            self.record = at;
        }
        self.owners.ends.push(self.owners.owners.len());
        self.owners.joined.push(joined && at > 0);
        self.owners.always.push(self.is_always(at, unit, said));
        self.owners.bytes.push(unit.bytes.len());
    }

    /// Finds the owners of a unit that starts a record.
    fn start(&mut self, at: usize, shape: &LineShape<'_>) {
        let said = self.said(at);
        let before = at.checked_sub(1);
        let before_kind = before.and_then(|before| self.kind(before));
        let last_block = self.block;
        self.record = at;
        if shape.is_first {
            self.block = at;
            self.item = None;
        } else {
            self.needs(Some(self.block));
            self.needs(self.item.filter(|_| !matches!(shape.kind, LineKind::Item(_))));
        }
        if shape.kind == LineKind::Heading {
            self.levels.clear();
            (self.label, self.numbered, self.term) = (None, None, None);
            (self.header, self.group) = (None, None);
            return;
        }
        let is_question = before.is_some_and(|before| ends_question(self.said(before)));
        // A quote below an answer to another quote is no part of what was answered.
        let is_led = match (self.kind(at), before_kind) {
            (Some(ProseUnitKind::Table), Some(ProseUnitKind::Row)) => true,
            (
                Some(ProseUnitKind::Code | ProseUnitKind::Table | ProseUnitKind::Row),
                Some(ProseUnitKind::Sentence | ProseUnitKind::Item),
            ) => true,
            (Some(ProseUnitKind::Quote), Some(ProseUnitKind::Sentence | ProseUnitKind::Item)) => {
                last_block.checked_sub(1).and_then(|quote| self.kind(quote)) != Some(ProseUnitKind::Quote)
            }
            _ => false,
        };
        if is_question
            || is_led
            || before_kind == Some(ProseUnitKind::Quote)
            || starts(said, &TURNS)
            || !shape.is_first && starts(said, &BACKWARD)
        {
            self.needs(before);
        }
        let (parent, lead) = self.levels.place(at, self.levelled(at, shape), shape.kind);
        self.needs(parent);
        self.needs(lead);
        self.labelled(at, shape);
        self.rows(at);
        if shape.kind == LineKind::Definition {
            self.needs(self.term);
        } else {
            self.term = Some(at);
        }
        if matches!(shape.kind, LineKind::Item(_)) {
            self.item = Some(at);
        }
    }

    /// The indentation of a paragraph: a first line may have more than the rest.
    fn levelled(&self, at: usize, shape: &LineShape<'_>) -> u8 {
        let line = self.units.get(at).map_or(0, |unit| unit.lines.0);
        let next = self
            .shape(line + 1)
            .filter(|next| next.kind == LineKind::Text && !next.is_first && shape.kind == LineKind::Text);
        next.map_or(shape.indent, |next| next.indent.min(shape.indent))
    }

    /// Text without a label belongs to the last one.
    fn labelled(&mut self, at: usize, shape: &LineShape<'_>) {
        match shape.kind {
            LineKind::Label => {
                self.needs(self.labels.owner(at));
                (self.label, self.numbered) = (Some(at), None);
            }
            LineKind::Item(mark) => {
                self.needs(self.label);
                if mark.is_number() {
                    self.numbered = Some(at);
                }
            }
            LineKind::Rule => {}
            _ => self.needs(self.numbered.or(self.label)),
        }
    }

    /// A row needs the header of its table, and the line above it that names its group.
    fn rows(&mut self, at: usize) {
        if !matches!(self.kind(at), Some(ProseUnitKind::Row | ProseUnitKind::Table)) {
            self.group = Some(at);
            if self.block == at {
                self.header = None;
            }
            return;
        }
        match self.header {
            Some(header) => {
                self.needs(Some(header));
                self.needs(self.group.filter(|group| *group > header));
            }
            None => self.header = Some(at),
        }
    }

    fn is_always(&self, at: usize, unit: &ProseUnit, said: &str) -> bool {
        let is_end = at == 0 || at + 1 == self.units.len();
        let next = self.units.get(at + 1).and_then(|next| self.shape(next.lines.0));
        let is_alone = self.block == at && next.is_none_or(|next| next.is_first);
        let is_text = matches!(unit.kind, ProseUnitKind::Sentence | ProseUnitKind::Item);
        unit.kind == ProseUnitKind::Heading
            || is_end
            || said.starts_with(crate::text::marker::OPENING)
            || is_text && said.ends_with(':')
            || is_text && SIGNS.iter().any(|sign| said.starts_with(sign))
            || is_text && is_alone && said.len() <= MAX_QUESTION && ends_question(said)
    }

    /// Joins the lines of blocks that are settings of one thing, and what a speaker says in few words.
    fn join_blocks(&mut self) {
        let mut from = 0;
        while from < self.units.len() {
            let is_first = |at: usize| {
                self.units
                    .get(at)
                    .and_then(|unit| self.shape(unit.lines.0))
                    .is_none_or(|shape| shape.is_first)
                    && self.starts_line(at)
            };
            let end = (from + 1..self.units.len()).find(|at| is_first(*at)).unwrap_or(self.units.len());
            let bytes: usize = self.owners.bytes.get(from..end).unwrap_or_default().iter().sum();
            let labels = (from..end).filter(|at| self.labels.is_label(*at)).count();
            let is_turn = self.kind(from) == Some(ProseUnitKind::Turn);
            let is_short =
                labels == 1 && self.labels.is_label(from) && bytes <= tuning().genre.long_turn_bytes;
            let is_stanza = labels > 1 && bytes <= MAX_STANZA && self.labels.are_different(from..end);
            if !is_turn && (is_short || is_stanza) {
                self.owners.joined.get_mut(from + 1..end).unwrap_or_default().fill(true);
            }
            from = end;
        }
    }
}

fn starts<const N: usize>(said: &str, words: &Starts<N>) -> bool {
    words.are_at(said.trim_start_matches(['"', '“', '(', '*', '_']))
}

/// Whether a text ends with a question.
fn ends_question(said: &str) -> bool {
    said.trim_end_matches(['*', '_', '"', '”', ')']).ends_with(['?', '？'])
}

#[cfg(test)]
mod tests;
