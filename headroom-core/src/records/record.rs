//! Records: lines that belong together and have a name.

use std::ops::Range;

/// What a record is, in the text's own terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// A commit in the log of a version control system.
    Commit,
    /// A row of a database, one line per column.
    Row,
    /// A paragraph of `key: value` lines.
    Entry,
    /// An item of a YAML list.
    Item,
    /// A document of a YAML stream.
    Document,
    /// A resource in the plan of an infrastructure tool.
    Resource,
    /// Lines under a head, such as a thread of a dump or an interface.
    Group,
}

impl RecordKind {
    /// Returns the noun for this many records.
    pub(crate) const fn noun(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Commit, 1) => "commit",
            (Self::Commit, _) => "commits",
            (Self::Row, 1) => "row",
            (Self::Row, _) => "rows",
            (Self::Entry, 1) => "entry",
            (Self::Entry, _) => "entries",
            (Self::Item, 1) => "item",
            (Self::Item, _) => "items",
            (Self::Document, 1) => "document",
            (Self::Document, _) => "documents",
            (Self::Resource, 1) => "resource",
            (Self::Resource, _) => "resources",
            (Self::Group, 1) => "group",
            (Self::Group, _) => "groups",
        }
    }
}

/// A part of a line that names a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'t> {
    pub(crate) line: usize,
    pub(crate) text: &'t str,
    /// Whether the line goes on in a way that may change what the name says.
    pub(super) is_cut: bool,
}

/// Lines that belong together. The first is its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record<'t> {
    pub(crate) kind: RecordKind,
    pub(crate) lines: Range<usize>,
    /// What names it, most telling first. The lines of names stay with any line of the record.
    pub(crate) names: Vec<Name<'t>>,
    /// The line outside the record that tells what it belongs to.
    pub(crate) context: Option<usize>,
    /// The lines of an earlier record that tell once what both have in common, such as the author of a commit.
    pub(super) explained: Option<Range<usize>>,
    /// Whether its lines start with their kind, which tells what they belong to.
    pub(super) is_typed: bool,
}

impl<'t> Record<'t> {
    /// Returns a record without a name.
    pub(super) const fn new(kind: RecordKind, lines: Range<usize>) -> Self {
        Self { kind, lines, names: Vec::new(), context: None, explained: None, is_typed: false }
    }

    /// Returns the text that identifies the record.
    pub(crate) fn label(&self) -> String {
        let mut label = String::new();
        for name in &self.names {
            if !label.is_empty() {
                label.push(' ');
            }
            label.push_str(name.text);
            if name.is_cut {
                label.push('…');
            }
        }
        label
    }

    /// Returns the record of a text before which this many more lines stand.
    pub(super) fn behind(mut self, lines: usize) -> Self {
        let moved = |range: Range<usize>| range.start + lines..range.end + lines;
        self.names.iter_mut().for_each(|name| name.line += lines);
        let (context, explained) = (self.context.map(|line| line + lines), self.explained.map(moved));
        Self { lines: moved(self.lines), context, explained, ..self }
    }

    /// Sets the end of the record: behind its last line that is not blank.
    pub(super) fn end_at(&mut self, end: usize, is_blank: impl Fn(usize) -> bool) {
        let last = (self.lines.start + 1..end).rev().find(|line| !is_blank(*line));
        self.lines.end = last.unwrap_or(self.lines.start) + 1;
    }

    /// Adds a name that is part of this line.
    pub(super) fn named(&mut self, line: usize, text: &'t str) {
        self.names.push(Name { line, text, is_cut: false });
    }
}
