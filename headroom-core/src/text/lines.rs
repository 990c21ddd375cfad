//! Splits a text into lines that can be compared across numbering styles.

use std::{
    hash::{Hash, Hasher},
    mem,
    ops::Range,
};

use memchr::{memchr, memchr_iter, memrchr};
use rustc_hash::FxHasher;

use crate::text::{
    marker,
    numbered::{self, Run},
};

/// One line. Offsets are into the text; the line end is not part of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Hash of the line without its number. Equal lines have equal hashes; the reverse is checked.
    pub(crate) hash: u32,
    /// Length of the line's number with its separator.
    pub(crate) prefix: u16,
    /// Index of the line's numbered run plus one; zero if there is none.
    pub(crate) run: u16,
}

/// The lines of a text.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<Line>,
    pub(crate) runs: Vec<Run>,
}

impl Line {
    pub(crate) fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the line without its number.
    pub(crate) fn body<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start as usize + usize::from(self.prefix)..self.end as usize).unwrap_or_default()
    }
}

impl Lines {
    /// Splits a text. Returns `None` if it is too long for 32-bit offsets.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let length = u32::try_from(text.len()).ok()?;
        let mut lines = Vec::new();
        let mut start = 0;
        for end in memchr_iter(b'\n', text.as_bytes()).filter_map(|end| u32::try_from(end).ok()) {
            lines.push(Line { start, end, hash: 0, prefix: 0, run: 0 });
            start = end + 1;
        }
        if start < length {
            lines.push(Line { start, end: length, hash: 0, prefix: 0, run: 0 });
        }
        let mut found = Self { lines, runs: Vec::new() };
        found.number(text);
        for line in &mut found.lines {
            line.hash = hash(line.body(text));
        }
        Some(found)
    }

    fn number(&mut self, text: &str) {
        let lines: Vec<&str> =
            self.lines.iter().map(|line| text.get(line.range()).unwrap_or_default()).collect();
        let mut runs = numbered::thin::runs(&lines).unwrap_or_else(|| numbered::runs(&lines));
        runs.truncate(usize::from(u16::MAX));
        for (run, id) in runs.iter().zip(1..) {
            for (number, line) in (run.first..).zip(self.lines.get_mut(run.lines.clone()).unwrap_or_default())
            {
                line.run = id;
                if run.shows(number) {
                    line.prefix = u16::try_from(run.prefix(number).len()).unwrap_or_default();
                }
            }
        }
        self.runs = runs;
    }

    /// Returns the number of a line in its file, or else its position in the text, counted from one.
    pub(crate) fn number_of(&self, line: usize) -> Option<u32> {
        match self.lines.get(line).and_then(|at| self.run(at)) {
            Some(run) => run.first.checked_add(u32::try_from(line.checked_sub(run.lines.start)?).ok()?),
            None => u32::try_from(line + 1).ok(),
        }
    }

    /// Returns the lines of the one numbered view that is most of the text, and their text without numbers.
    pub(crate) fn main_view(&self, text: &str) -> Option<(Range<usize>, String)> {
        let run = self.runs.iter().max_by_key(|run| run.lines.len())?;
        let range = run.lines.clone();
        if range.len() * 2 <= self.lines.len() {
            return None;
        }
        let mut plain = String::with_capacity(text.len());
        for line in self.lines.get(range.clone())? {
            plain.push_str(line.body(text));
            plain.push('\n');
        }
        Some((range, plain))
    }

    pub(crate) fn run(&self, line: &Line) -> Option<&Run> {
        self.runs.get(usize::from(line.run).checked_sub(1)?)
    }
}

/// Splits a text like [`str::lines`], with a vectorised search.
pub(crate) const fn split(text: &str) -> Split<'_> {
    Split { rest: text }
}

/// The lines of a text, without their ends.
#[derive(Clone, Debug)]
pub(crate) struct Split<'t> {
    rest: &'t str,
}

impl<'t> Split<'t> {
    /// Returns the lines that are left, as one text.
    pub(crate) const fn rest(&self) -> &'t str {
        self.rest
    }
}

impl<'t> Iterator for Split<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        if self.rest.is_empty() {
            return None;
        }
        let Some(end) = memchr(b'\n', self.rest.as_bytes()) else { return Some(mem::take(&mut self.rest)) };
        let (line, behind) = self.rest.split_at_checked(end)?;
        self.rest = behind.get(1..)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

impl<'t> DoubleEndedIterator for Split<'t> {
    fn next_back(&mut self) -> Option<&'t str> {
        let whole = self.rest.strip_suffix('\n');
        let text = whole.unwrap_or(self.rest);
        if self.rest.is_empty() {
            return None;
        }
        let start = memrchr(b'\n', text.as_bytes()).map_or(0, |at| at + 1);
        let (before, line) = text.split_at_checked(start)?;
        self.rest = before;
        Some(whole.and_then(|_| line.strip_suffix('\r')).unwrap_or(line))
    }
}

/// Whether a line is a marker, so that no reference may point to it.
pub(crate) fn is_gap(line: &str) -> bool {
    marker::is_in(line)
}

/// Hashes a line. 32 bits suffice, because hits are compared.
fn hash(text: &str) -> u32 {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_split_as_the_standard_library_does(text in "[a\u{e9}\r\n]{0,12}", ends in any::<u16>()) {
            let (mut own, mut expected) = (split(&text), text.lines());
            for turn in 0..16 {
                if ends >> turn & 1 == 0 {
                    prop_assert_eq!(own.next(), expected.next());
                } else {
                    prop_assert_eq!(own.next_back(), expected.next_back());
                }
            }
        }
    }
}
