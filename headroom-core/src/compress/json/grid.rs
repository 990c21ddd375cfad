//! Represents the rows of any array as cells in columns.

use std::ops::Range;

use headroom_json::document::{Document, DocumentNodeKind};

use super::columns::Columns;

/// Maximum length of arrays that are split into cells.
const MAX_WIDTH: usize = 64;

/// The cells of an array's elements.
#[derive(Debug)]
pub(super) struct Grid<'a> {
    /// Column and node of each cell, row by row.
    pub(super) cells: &'a [(u32, u32)],
    /// The end of each row's cells.
    pub(super) ends: &'a [usize],
    /// The last step of each column's name; empty for unnamed columns.
    pub(super) names: Vec<&'a str>,
}

/// The cells of rows without keys.
#[derive(Debug, Default)]
pub(super) struct Plain {
    cells: Vec<(u32, u32)>,
    ends: Vec<usize>,
    width: usize,
}

impl Plain {
    /// Collects elements that are all scalars, or all arrays of scalars of equal length; otherwise no cells.
    pub(super) fn from_rows(doc: &Document<'_>, rows: &[u32]) -> Self {
        let mut found = Self::default();
        let width = rows.first().map_or(0, |row| Self::width(doc, *row));
        let same = width <= MAX_WIDTH && rows.iter().all(|row| Self::width(doc, *row) == width);
        for row in rows {
            match doc.node(*row).map(|node| node.kind) {
                _ if !same => {}
                Some(DocumentNodeKind::Array) => {
                    found.cells.extend((0..).zip(doc.children(*row).map(|(cell, _)| cell)));
                }
                Some(DocumentNodeKind::Object) | None => {}
                Some(_) => found.cells.push((0, *row)),
            }
            found.ends.push(found.cells.len());
        }
        found.width = width;
        found
    }

    fn width(doc: &Document<'_>, row: u32) -> usize {
        match doc.node(row).map(|node| node.kind) {
            Some(DocumentNodeKind::Array) => doc.children(row).take(MAX_WIDTH + 1).count(),
            Some(DocumentNodeKind::Object) | None => 0,
            Some(_) => 1,
        }
    }
}

impl<'a> Grid<'a> {
    pub(super) fn plain(plain: &'a Plain) -> Self {
        Self { cells: &plain.cells, ends: &plain.ends, names: vec![""; plain.width] }
    }

    pub(super) fn table(columns: &'a Columns<'_>) -> Self {
        let names = columns.paths.iter().map(|path| path.step).collect();
        Self { cells: &columns.cells, ends: &columns.ends, names }
    }

    /// Iterates over the cells of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'a [(u32, u32)]> {
        let cells = self.cells;
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let row = cells.get(start..*end).unwrap_or_default();
            start = *end;
            row
        })
    }

    /// Returns the range of one row's cells.
    pub(super) fn range(&self, row: usize) -> Range<usize> {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        start..self.ends.get(row).copied().unwrap_or(start)
    }

    /// Returns the cells of one row.
    pub(super) fn row(&self, row: usize) -> &'a [(u32, u32)] {
        self.cells.get(self.range(row)).unwrap_or_default()
    }
}
