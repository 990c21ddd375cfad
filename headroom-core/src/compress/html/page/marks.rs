//! Text that is struck out or inserted: `~~120 EUR~~ 90 EUR`, `<ins>90 EUR</ins>`.

use std::ops::Range;

/// How many open elements are searched for the one that an end tag closes.
const REACH: usize = 64;
/// Elements whose end tags are optional: the next one ends them.
const SELF_ENDING: [&[u8]; 8] = [b"p", b"li", b"td", b"th", b"tr", b"dt", b"dd", b"option"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Struck,
    Inserted,
}

impl Mark {
    const ALL: [Self; 2] = [Self::Struck, Self::Inserted];

    const fn opening(self) -> &'static str {
        match self {
            Self::Struck => "~~",
            Self::Inserted => "<ins>",
        }
    }

    const fn closing(self) -> &'static str {
        match self {
            Self::Struck => "~~",
            Self::Inserted => "</ins>",
        }
    }
}

/// Returns a range of a text without a mark at its start or end whose other half is outside.
pub(super) fn without_halves(text: &str, range: Range<usize>) -> (usize, usize) {
    let (mut start, mut end) = (range.start, range.end);
    for mark in Mark::ALL {
        let (opening, closing) = (mark.opening(), mark.closing());
        let inside = text.get(start..end).unwrap_or_default();
        if let Some(rest) = inside.strip_prefix(opening)
            && !rest.contains(closing)
        {
            start += opening.len();
        } else if let Some(rest) = inside.strip_suffix(closing)
            && !rest.contains(opening)
        {
            end -= closing.len();
        }
    }
    (start, end)
}

/// The open elements that mark their text, and the marks written so far.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Names of open elements with their marks; an element without one has a name that another has.
    open: Vec<([u8; 8], Option<Mark>)>,
    /// The marks that are open in the text, in order.
    written: Vec<Mark>,
}

impl Marks {
    /// Returns the mark of an element by its name.
    pub(super) fn of(name: &str) -> Option<Mark> {
        let is = |known: &[&str]| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        if is(&["del", "s", "strike"]) {
            Some(Mark::Struck)
        } else if is(&["ins"]) {
            Some(Mark::Inserted)
        } else {
            None
        }
    }

    pub(super) fn enter(&mut self, name: [u8; 8], mark: Option<Mark>) {
        let ends_itself =
            SELF_ENDING.iter().any(|known| name.starts_with(known) && name.get(known.len()) == Some(&0));
        if ends_itself {
            self.leave(name);
        }
        let counts = mark.is_some() || self.open.iter().rev().take(REACH).any(|(open, _)| *open == name);
        if counts && !ends_itself || mark.is_some() {
            self.open.push((name, mark));
        }
    }

    pub(super) fn leave(&mut self, name: [u8; 8]) {
        let at = self.open.iter().rev().take(REACH).position(|(open, _)| *open == name);
        if let Some(at) = at {
            self.open.remove(self.open.len() - 1 - at);
        }
    }

    /// Whether no element marks text, and no mark is open.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.written.is_empty()
    }

    fn is_on(&self, mark: Mark) -> bool {
        self.open.iter().rev().take(REACH).any(|(_, open)| *open == Some(mark))
    }

    /// Ends the marks whose elements have ended; all if `all`. `start` is the start of the block.
    pub(super) fn close(&mut self, all: bool, start: usize, text: &mut String) {
        while self.written.last().is_some_and(|mark| all || !self.is_on(*mark)) {
            let Some(mark) = self.written.pop() else { return };
            let end = text.trim_end_matches([' ', '\n']).len().max(start);
            let behind = text.split_off(end);
            text.push_str(mark.closing());
            text.push_str(&behind);
        }
    }

    /// Begins the marks of the open elements.
    pub(super) fn begin(&mut self, text: &mut String) {
        for mark in Mark::ALL {
            if self.is_on(mark) && !self.written.contains(&mark) {
                self.written.push(mark);
                text.push_str(mark.opening());
            }
        }
    }
}
