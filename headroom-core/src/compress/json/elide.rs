//! Writes an array with only some of its rows, each after its number, and a marker for the others.

use std::fmt::Write;

use headroom_json::document::{Document, DocumentNodeKind};
use memchr::memchr_iter;

use super::{
    cell::{write_cell, write_key},
    columns::Columns,
    grid::{Grid, Plain},
    select::{Choice, Rows, choose},
    table::{BY_NUMBER, Head, JsonTable},
    writer::all_objects,
};
use crate::{Handle, relevance::Query, text::marker::RowElision};

/// Chooses the rows of arrays that stay.
pub(super) struct Selector<'a> {
    query: &'a Query<'a>,
    handle: Handle,
    folder: Option<&'a str>,
    /// Whether markers name the array that they are in.
    named: bool,
    /// The current path: keys and indices.
    path: Vec<PathStep<'a>>,
}

/// A step of the path to an array.
#[derive(Clone, Copy, Debug)]
pub(super) enum PathStep<'a> {
    /// The exact lexeme.
    Key(&'a str),
    Index(usize),
}

/// Chooses among rows that make no table, given their lines.
pub(super) fn chosen_rows(
    doc: &Document<'_>,
    rows: &[u32],
    lines: &str,
    query: &Query<'_>,
) -> Option<Choice> {
    let (plain, columns);
    // They still have columns, without a common order.
    columns = if all_objects(doc, rows) { Columns::from_rows(doc, rows) } else { None };
    let grid = if let Some(columns) = &columns {
        Grid::table(columns)
    } else {
        plain = Plain::from_rows(doc, rows);
        Grid::plain(&plain)
    };
    choose(&Rows { doc, grid: &grid, lines, count: rows.len() }, query)
}

impl<'a> Selector<'a> {
    /// `handle` is that of the whole text. `named` says whether markers name the array that they are in.
    pub(super) const fn new(
        query: &'a Query<'a>,
        handle: Handle,
        folder: Option<&'a str>,
        named: bool,
    ) -> Self {
        Self { query, handle, folder, named, path: Vec::new() }
    }

    pub(super) fn enter(&mut self, step: PathStep<'a>) {
        self.path.push(step);
    }

    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// Writes a table, given its lines, with only the selected rows.
    pub(super) fn some_of_table(
        &self,
        doc: &Document<'_>,
        rows: &[u32],
        what: &str,
        table: &JsonTable<'_>,
        lines: &str,
    ) -> Option<String> {
        let chosen = choose(&Rows { doc, grid: &table.grid(), lines, count: rows.len() }, self.query)?;
        Some(self.write(doc, rows, what, Some(table), lines, &chosen))
    }

    /// Writes rows that make no table, with only the selected ones.
    pub(super) fn some(&self, doc: &Document<'_>, rows: &[u32], what: &str) -> Option<String> {
        let bytes = rows.iter().map(|row| doc.length(*row) + 1).sum();
        let mut lines = String::with_capacity(bytes);
        for row in rows {
            doc.write(*row, &mut lines);
            lines.push('\n');
        }
        let chosen = chosen_rows(doc, rows, &lines, self.query)?;
        Some(self.write(doc, rows, what, None, &lines, &chosen))
    }

    /// Writes the rows that stay, each after its number, with a marker for the others.
    fn write(
        &self,
        doc: &Document<'_>,
        rows: &[u32],
        what: &str,
        table: Option<&JsonTable<'_>>,
        lines: &str,
        chosen: &Choice,
    ) -> String {
        let shown = chosen.kept.iter().filter(|kept| **kept).count();
        let mut out = String::new();
        let (what, delimiter) = match table {
            Some(table) => {
                table.header(Head { what, shown: Some(shown) }, &mut out);
                (what, table.delimiter())
            }
            None => {
                let what = if what == " rows" { " elements" } else { what };
                // Writing to a string cannot fail.
                _ = writeln!(out, "{}{what}, {shown}{BY_NUMBER}", rows.len());
                (what, ':')
            }
        };
        let place = if self.named { self.place() } else { String::new() };
        let elision = RowElision {
            handle: self.handle,
            aside: rows.len().saturating_sub(shown),
            of: rows.len(),
            what: what.trim_start(),
            place: &place,
            summary: &chosen.summary,
            folder: self.folder,
        };
        _ = writeln!(out, "{elision}");
        let kept = lines_of(lines).zip(rows).zip(1..).zip(&chosen.kept);
        for (((line, row), number), _) in kept.filter(|(_, kept)| **kept) {
            _ = write!(out, "{number}{delimiter}");
            if table.is_some() {
                out.push_str(line);
            } else {
                let kind = doc.node(*row).map_or(DocumentNodeKind::Scalar, |node| node.kind);
                write_cell(&doc.slice(*row), kind, &[], &mut out);
            }
            out.push('\n');
        }
        out
    }

    /// Returns the key path of the current array.
    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            match step {
                PathStep::Key(key) => {
                    if !place.is_empty() {
                        place.push('.');
                    }
                    write_key(key, &mut place);
                }
                PathStep::Index(n) => _ = write!(place, "[{n}]"),
            }
        }
        place
    }
}

/// Splits a text whose lines all have line ends.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    memchr_iter(b'\n', text.as_bytes()).filter_map(move |end| {
        let line = text.get(start..end);
        start = end + 1;
        line
    })
}
