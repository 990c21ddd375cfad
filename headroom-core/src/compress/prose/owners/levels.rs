//! The indentation of paragraphs and the nesting of lists.

use crate::compress::prose::shape::{LineKind, Mark};

/// A paragraph or an item to which more indented text may belong.
#[derive(Clone, Copy, Debug)]
struct Level {
    indent: u8,
    unit: usize,
    mark: Option<Mark>,
    /// What introduces its list or its indented text.
    lead: Option<usize>,
}

/// The paragraphs and items to which the next line may belong, outermost first.
#[derive(Debug, Default)]
pub(super) struct Levels {
    open: Vec<Level>,
}

impl Levels {
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// Adds a unit, and returns what it is part of and what introduces its list.
    pub(super) fn place(
        &mut self,
        unit: usize,
        indent: u8,
        kind: LineKind,
    ) -> (Option<usize>, Option<usize>) {
        let mark = match kind {
            LineKind::Item(mark) => Some(mark),
            _ => None,
        };
        let mut was: Option<Level> = None;
        while let Some(level) = self.open.last().copied().filter(|level| level.indent > indent) {
            was = Some(level);
            self.open.pop();
        }
        let sibling = self.open.iter().rposition(|level| level.indent == indent && level.mark == mark);
        let mut lead = unit.checked_sub(1).filter(|_| mark.is_some() || self.is_deeper(indent));
        if let Some(at) = sibling {
            // Items of one list have one introduction; so have indented paragraphs in a row.
            let level = self.open.get(at).copied();
            lead = level.and_then(|level| level.lead);
            self.open.truncate(at);
        } else if mark.is_none() {
            while self.open.last().is_some_and(|level| level.indent == indent) {
                self.open.pop();
            }
        } else {
            // Text of the same indentation introduces a list; an item with another mark has it as a part.
            while self.open.last().is_some_and(|level| level.indent == indent && level.mark.is_none()) {
                self.open.pop();
            }
            // A list that is less indented than its other items goes on.
            if let Some(was) = was.filter(|was| was.mark == mark && self.open.is_empty()) {
                self.open.push(Level { indent, unit, mark, lead: was.lead });
                return (was.lead, lead);
            }
        }
        let parent = self.open.last().map(|level| level.unit);
        self.open.push(Level { indent, unit, mark, lead });
        (parent, lead)
    }

    fn is_deeper(&self, indent: u8) -> bool {
        self.open.last().is_some_and(|level| level.indent < indent)
    }
}
