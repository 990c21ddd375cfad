//! Writes an array of objects as a table: one line that names the columns, then one line per row.

use std::borrow::Cow;

use headroom_json::document::{Document, DocumentNodeKind};
use rustc_hash::FxHashMap;

use super::{
    cell::{bare, write_cell, write_key},
    columns::Columns,
    derive::{self, Pattern},
    grid::Grid,
};

/// Delimiters by token cost, cheapest first.
const DELIMITERS: [u8; 4] = *b",|\t;";

/// Follows the number of rows shown, if some are elided.
pub(super) const BY_NUMBER: &str = " here by number";

struct Column {
    path: u32,
    /// The value, if it is the same in all rows.
    constant: Option<u32>,
    /// How its cells follow from another column.
    pattern: Option<Pattern>,
    filled: usize,
    /// Length in bytes of all its cells as JSON.
    bytes: usize,
}

impl Column {
    /// Whether lines hold its cells.
    const fn has_cells(&self) -> bool {
        self.constant.is_none() && self.pattern.is_none()
    }
}

/// An array of objects as a table.
pub(super) struct JsonTable<'a> {
    doc: &'a Document<'a>,
    columns: Columns<'a>,
    order: Vec<Column>,
    /// For each path, its index among the columns that are not constant.
    position: Vec<Option<usize>>,
    delimiter: u8,
    rows: usize,
}

/// The description of the rows in a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// What the rows are called.
    pub(super) what: &'a str,
    /// The number of rows shown, each after its number, if some are elided.
    pub(super) shown: Option<usize>,
}

impl<'a> JsonTable<'a> {
    /// Returns `None` if the keys of the rows do not fit into columns, or if there are none.
    pub(super) fn from_rows(doc: &'a Document<'a>, rows: &[u32]) -> Option<Self> {
        let mut columns = Columns::from_rows(doc, rows)?;
        let paths = columns.order(rows).filter(|order| !order.is_empty())?;
        let (order, position, delimiter) = features(doc, &columns, &paths, rows.len())?;
        Some(Self { doc, columns, order, position, delimiter, rows: rows.len() })
    }

    /// Whether rows differ at all, and so need lines.
    pub(super) fn has_lines(&self) -> bool {
        self.order.iter().any(Column::has_cells)
    }

    /// Writes the lines of the rows in order, each with its line end.
    pub(super) fn lines(&self, out: &mut String) -> Option<()> {
        let mut start = 0;
        for end in &self.columns.ends {
            let mut at = 0;
            for (path, value) in self.columns.cells.get(start..*end)? {
                let Some(place) = self.position.get(*path as usize).copied().flatten() else { continue };
                while at < place {
                    out.push(char::from(self.delimiter));
                    at += 1;
                }
                let kind = self.doc.node(*value)?.kind;
                write_cell(&self.doc.slice(*value), kind, &[self.delimiter], out);
            }
            out.push('\n');
            start = *end;
        }
        Some(())
    }

    /// Returns an upper bound of the length of all lines in bytes.
    pub(super) fn most_bytes(&self) -> usize {
        let varying = || self.order.iter().filter(|column| column.has_cells());
        varying().map(|column| column.bytes).sum::<usize>() + varying().count().max(1) * self.rows
    }

    pub(super) fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    pub(super) fn grid(&self) -> Grid<'_> {
        Grid::table(&self.columns)
    }

    /// Writes the header line, which gives the number of rows and the names of the columns.
    pub(super) fn header(&self, head: Head<'_>, out: &mut String) {
        out.push_str(&self.rows.to_string());
        out.push_str(head.what);
        if let Some(shown) = head.shown {
            out.push_str(", ");
            out.push_str(&shown.to_string());
            out.push_str(BY_NUMBER);
        }
        if self.order.iter().any(|column| column.constant.is_some()) {
            out.push_str("; name=value: same in every row");
        }
        if self.order.iter().any(|column| column.pattern.is_some()) {
            out.push_str("; name~value: with the (column) of the row");
        }
        if self.order.iter().any(|column| column.filled < self.rows) {
            out.push_str("; blank: no such key");
        }
        out.push_str(": ");
        if head.shown.is_some() {
            out.push('#');
            out.push(char::from(self.delimiter));
        }
        for (n, column) in self.order.iter().enumerate() {
            if n > 0 {
                out.push(char::from(self.delimiter));
            }
            name(&self.columns, column.path, out);
            if let Some(Pattern { before, part, behind }) = &column.pattern {
                out.push('~');
                out.push_str(before);
                out.push('(');
                name(&self.columns, *part, out);
                out.push(')');
                out.push_str(behind);
            }
            if let Some(value) = column.constant {
                out.push('=');
                let kind = self.doc.node(value).map_or(DocumentNodeKind::Scalar, |node| node.kind);
                // The reader of the first constant value does not know the delimiter yet.
                write_cell(&self.doc.slice(value), kind, &DELIMITERS, out);
            }
        }
        out.push('\n');
    }
}

/// Statistics on the cells of one path.
#[derive(Clone, Default)]
struct Cells<'a> {
    count: usize,
    bytes: usize,
    /// The first cell, as long as all others equal it.
    first: Option<(u32, Cow<'a, str>)>,
    varies: bool,
    /// For each delimiter, the number of strings that would need quotes.
    quotes: [usize; DELIMITERS.len()],
}

impl<'a> Cells<'a> {
    fn add(&mut self, doc: &'a Document<'_>, cell: u32) -> Option<()> {
        let node = doc.node(cell)?;
        self.count += 1;
        self.bytes += doc.length(cell);
        if !self.varies {
            let text = doc.slice(cell);
            match &self.first {
                Some((_, first)) => self.varies = *first != text,
                None => self.first = Some((cell, text)),
            }
        }
        if matches!(node.kind, DocumentNodeKind::Plain | DocumentNodeKind::Escaped) {
            let lexeme = doc.lexeme(cell);
            let bits = lexeme.bytes().fold(0, |bits, byte| bits | bit(byte));
            if bits != 0 && bare(lexeme, node.kind).is_some() {
                for (at, quotes) in self.quotes.iter_mut().enumerate() {
                    *quotes += usize::from(bits >> at & 1 == 1);
                }
            }
        }
        Some(())
    }
}

/// Returns the columns in order; for each path its index among the columns that are not constant; and the delimiter
/// with the fewest strings in need of quotes.
fn features(
    doc: &Document<'_>,
    columns: &Columns<'_>,
    paths: &[u32],
    rows: usize,
) -> Option<(Vec<Column>, Vec<Option<usize>>, u8)> {
    let mut cells = vec![Cells::default(); columns.paths.len()];
    for (path, value) in &columns.cells {
        cells.get_mut(*path as usize)?.add(doc, *value)?;
    }
    let is_full =
        |path: &u32| cells.get(*path as usize).is_some_and(|cells| cells.count == rows && cells.varies);
    let full: Vec<u32> = paths.iter().copied().filter(is_full).collect();
    let mut patterns: FxHashMap<u32, Pattern> =
        derive::patterns(doc, columns, &full, rows).into_iter().collect();
    patterns.retain(|_, pattern| is_simple(columns, pattern.part));
    let mut order = Vec::new();
    let mut position = vec![None; columns.paths.len()];
    let mut quotes = [0_usize; DELIMITERS.len()];
    let mut places = 0;
    for path in paths {
        let at = *path as usize;
        let cells = cells.get(at)?;
        let same = cells.count == rows && !cells.varies;
        let constant = cells.first.as_ref().filter(|_| same).map(|(value, _)| *value);
        let pattern = patterns.remove(path);
        if constant.is_none() && pattern.is_none() {
            *position.get_mut(at)? = Some(places);
            places += 1;
            quotes.iter_mut().zip(cells.quotes).for_each(|(all, here)| *all += here);
        }
        order.push(Column { path: *path, constant, pattern, filled: cells.count, bytes: cells.bytes });
    }
    let best = DELIMITERS.iter().zip(quotes).min_by_key(|(_, quotes)| *quotes);
    Some((order, position, best.map_or(b'|', |(delimiter, _)| *delimiter)))
}

/// Returns a bit for each delimiter.
fn bit(byte: u8) -> u8 {
    const BITS: [u8; 256] = {
        let mut bits = [0; 256];
        let mut at = 0;
        while at < DELIMITERS.len() {
            #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
            {
                bits[DELIMITERS[at] as usize] = 1 << at;
            }
            at += 1;
        }
        bits
    };
    BITS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Whether the name of a column can stand in a pattern.
fn is_simple(columns: &Columns<'_>, path: u32) -> bool {
    let mut text = String::new();
    name(columns, path, &mut text);
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn name(columns: &Columns<'_>, path: u32, out: &mut String) {
    let mut steps = Vec::new();
    let mut at = columns.paths.get(path as usize);
    // The first path is the row itself.
    while let Some(path) = at.filter(|path| !path.step.is_empty()) {
        steps.push(path.step);
        at = columns.paths.get(path.parent as usize);
    }
    for (n, step) in steps.iter().rev().enumerate() {
        if step.starts_with('"') {
            if n > 0 {
                out.push('.');
            }
            write_key(step, out);
        } else {
            out.push_str(step);
        }
    }
}
