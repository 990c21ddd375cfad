//! Rewrites JSON, one value or a stream of them, without insignificant white space and with tables for arrays of
//! records.
//!
//! ```text
//! {"total":300,"entries":[300 rows; name=value: same in every row: time,level,service,meta.region=us-west-2
//! 2024-01-15T10:00:00Z,INFO,api
//! 2024-01-15T10:01:00Z,ERROR,auth
//! ...
//! ]}
//! ```
//!
//! A table replaces the array in place, so nothing has to be named and looked up. It is unambiguous: compact JSON has
//! no line end, and no array starts with `[300 rows`. To restore the value:
//!
//! - The header names the columns in the order of the keys. `a.b` is the key `b` in the object `a`, `a[0].b` the same
//!   in the only element of the array `a`. Keys with characters other than letters, digits and a few signs are JSON
//!   strings, so `"a.b"` is one key.
//! - `name=value` applies to every row and is written in no line.
//! - A line has the cells of the other columns, separated by the character between the columns in the header. An empty
//!   cell is a missing key; at the end of a line the delimiter is omitted too.
//! - A cell is JSON. An unambiguous string is written without its quotes and without `\"` and `\\`.
//!
//! A stream of objects is a table with `300 JSON values` in place of `[300 rows`, and no `]`.
//!
//! If most rows are elided, a marker follows the header, and each remaining row is preceded by its number, counted from
//! one. Elements that make no table are written as JSON, or as strings without quotes, each after its number:
//!
//! ```text
//! [300 rows, 12 here by number; name=value: same in every row: #,time,level,meta.region=us-west-2
//! [headroom:k3v9q2x7m4tzabcd 288 of 300 rows omitted: 250 INFO, 38 WARN; headroom_retrieve]
//! 1,2024-01-15T10:00:00Z,INFO
//! 17,2024-01-15T10:16:00Z,ERROR
//! ```

mod cell;
mod columns;
#[cfg(test)]
mod decode;
mod grid;
mod scan;
mod select;
mod strings;
mod table;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use memchr::{memchr_iter, memmem};
use rustc_hash::FxHashSet;

use cell::{write_cell, write_key};
use columns::Columns;
use grid::{Grid, Plain};
use scan::{Document, DocumentNodeKind};
use select::{Choice, Rows, choose};
use table::{BY_NUMBER, Head, JsonTable};

use crate::{
    Handle, Original,
    relevance::Query,
    text::marker::{self, RowElision},
};

/// Minimum number of rows in a table.
const MIN_ROWS: usize = 2;
/// Maximum work on tables that are discarded for a shorter form, as a multiple of the text's length.
const MAX_WORK: usize = 8;
/// Minimum number of elements in an array that is reduced, and minimum sizes of texts and arrays: agents use any part
/// of smaller ones.
const MIN_ELEMENTS: usize = 40;
/// In an array of this many bytes, the minimum number of elements is lower.
const LARGE_BYTES: usize = 24 << 10;
const MIN_LARGE_ELEMENTS: usize = 24;
const MIN_BYTES: usize = 4096;
const MIN_ARRAY_BYTES: usize = 2048;

/// Returns the renderings of a JSON text: compact, and compact with tables.
///
/// Returns none if the text is not JSON by RFC 8259 or is nested deeper than 128, or if nothing gets shorter. Each
/// rendering preserves everything except insignificant white space: the lexemes of numbers and strings, the order of
/// keys, duplicate keys.
pub(crate) fn candidates(text: &str) -> Vec<String> {
    let Some(doc) = Document::parse(text) else { return Vec::new() };
    let tables = TableWriter::new(&doc, text.len()).stream();
    // Tables that are this much shorter have fewer tokens too.
    let clear = tables.len() * 4 < doc.roots.iter().map(|root| doc.length(*root)).sum::<usize>() * 3;
    let compact = (!clear).then(|| compact(&doc));
    drop(doc);
    let mut shortest = text.trim().len();
    let mut found = Vec::new();
    for candidate in compact.into_iter().chain([tables]) {
        if candidate.len() < shortest {
            shortest = candidate.len();
            found.push(candidate);
        }
    }
    found
}

/// Writes the top-level values, one per line.
fn compact(doc: &Document<'_>) -> String {
    let mut out = String::with_capacity(compact_length(doc));
    for (n, root) in doc.roots.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        doc.write(*root, &mut out);
    }
    out
}

fn compact_length(doc: &Document<'_>) -> usize {
    let values: usize = doc.roots.iter().map(|root| doc.length(*root)).sum();
    values + doc.roots.len().saturating_sub(1)
}

/// A rendering with elided parts.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) text: String,
    /// The originals that its markers refer to.
    pub(crate) originals: Vec<Original>,
}

/// Returns the rendering of a JSON text without the rows and parts of strings that are least likely to matter.
///
/// `folder` is the folder of plain-text originals, if any. Returns `None` if nothing can be elided, or if the text
/// already holds something like a marker, which would be indistinguishable from ours.
pub(crate) fn selected(text: &str, query: &Query<'_>, folder: Option<&str>) -> Option<Selection> {
    if text.len() < MIN_BYTES || marker::is_in(text) {
        return None;
    }
    let doc = Document::parse(text)?;
    let shortened = strings::shorten(&doc, query, folder);
    let mut originals = Vec::new();
    let shorter;
    let doc = match shortened {
        Some(found) => {
            drop(doc);
            originals = found.originals;
            shorter = found.text;
            Document::parse(&shorter)?
        }
        None => doc,
    };
    let handle = Handle::from_content(text);
    let selector = Selector { query, handle, folder, named: doc.long_arrays > 1, path: Vec::new() };
    let text_after = TableWriter { selector: Some(selector), ..TableWriter::new(&doc, text.len()) }.stream();
    drop(doc);
    originals.push(Original { handle, content: text.to_owned() });
    let mut named = handles(&text_after);
    originals.retain(|original| named.remove(&original.handle));
    (!originals.is_empty()).then_some(Selection { text: text_after, originals })
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

/// Returns the handles of the markers in a text.
fn handles(text: &str) -> FxHashSet<Handle> {
    let markers = memmem::find_iter(text.as_bytes(), marker::OPENING);
    let handle = |at| text.get(at + marker::OPENING.len()..)?.split(' ').next()?.parse().ok();
    markers.filter_map(handle).collect()
}

struct TableWriter<'a> {
    doc: &'a Document<'a>,
    /// Bytes that may still be tried as tables.
    work: usize,
    /// Chooses the rows that stay, if rows may be elided.
    selector: Option<Selector<'a>>,
}

struct Selector<'a> {
    query: &'a Query<'a>,
    handle: Handle,
    folder: Option<&'a str>,
    /// Whether markers name the array that they are in.
    named: bool,
    /// The current path: keys and indices.
    path: Vec<PendingValue<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum PendingValue<'a> {
    /// The exact lexeme.
    Key(&'a str),
    Index(usize),
}

impl<'a> TableWriter<'a> {
    fn new(doc: &'a Document<'a>, length: usize) -> Self {
        Self { doc, work: length.saturating_mul(MAX_WORK), selector: None }
    }

    fn stream(&mut self) -> String {
        let doc = self.doc;
        let nested = doc.roots.iter().any(|root| doc.node(*root).is_some_and(|node| node.has_rows));
        if !nested {
            let table = self.stream_rows(compact_length(doc));
            return table.unwrap_or_else(|| compact(doc));
        }
        let mut plain = String::new();
        for (n, root) in doc.roots.iter().enumerate() {
            if n > 0 {
                plain.push('\n');
            }
            self.enter(PendingValue::Index(n), doc.roots.len() > 1);
            self.value(*root, &mut plain);
            self.leave(doc.roots.len() > 1);
        }
        self.stream_rows(plain.len()).unwrap_or(plain)
    }

    fn stream_rows(&mut self, length: usize) -> Option<String> {
        let mut table = self.rows(&self.doc.roots, " JSON values", length)?;
        table.pop();
        Some(table)
    }

    /// Recursion is bounded by the document's depth.
    fn value(&mut self, index: u32, out: &mut String) {
        let doc = self.doc;
        match doc.node(index).filter(|node| node.has_rows).map(|node| node.kind) {
            Some(DocumentNodeKind::Array) => self.array(index, out),
            Some(DocumentNodeKind::Object) => {
                out.push('{');
                for (n, (key, value, _)) in doc.members(index).enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    out.push_str(key);
                    out.push(':');
                    self.enter(PendingValue::Key(key), true);
                    self.value(value, out);
                    self.leave(true);
                }
                out.push('}');
            }
            _ => doc.write(index, out),
        }
    }

    fn array(&mut self, index: u32, out: &mut String) {
        let doc = self.doc;
        let start = out.len();
        let nested = doc.children(index).any(|(_, node)| node.has_rows);
        if nested {
            out.push('[');
            for (n, (element, _)) in doc.children(index).enumerate() {
                if n > 0 {
                    out.push(',');
                }
                self.enter(PendingValue::Index(n), true);
                self.value(element, out);
                self.leave(true);
            }
            out.push(']');
        }
        let length = if nested { out.len() - start } else { doc.length(index) };
        let rows: Vec<_> = doc.children(index).map(|(element, _)| element).collect();
        if let Some(table) = self.rows(&rows, " rows", length.saturating_sub(2)) {
            out.truncate(start);
            out.push('[');
            out.push_str(&table);
            out.push(']');
        } else if !nested {
            doc.write(index, out);
        }
    }

    fn enter(&mut self, step: PendingValue<'a>, really: bool) {
        if really && let Some(selector) = &mut self.selector {
            selector.path.push(step);
        }
    }

    fn leave(&mut self, really: bool) {
        if really && let Some(selector) = &mut self.selector {
            selector.path.pop();
        }
    }

    /// Writes the rows as a table with all or some of them, if that has fewer bytes than `length`.
    fn rows(&mut self, rows: &[u32], what: &str, length: usize) -> Option<String> {
        let doc = self.doc;
        if rows.len() < MIN_ROWS {
            return None;
        }
        let bytes: usize = rows.iter().map(|row| doc.length(*row)).sum();
        self.work = self.work.checked_sub(bytes)?;
        let table = if all_objects(doc, rows) { JsonTable::from_rows(doc, rows) } else { None };
        // The header and the lines.
        let mut whole = String::new();
        let mut header = 0;
        if let Some(table) = &table {
            table.header(Head { what, shown: None }, &mut whole);
            header = whole.len();
            if table.has_lines() {
                whole.reserve_exact(table.most_bytes());
                table.lines(&mut whole)?;
            }
        }
        let is_shorter = table.is_some() && whole.len() < length;
        let alike = table.as_ref().is_some_and(|table| !table.has_lines());
        let least = if bytes < LARGE_BYTES { MIN_ELEMENTS } else { MIN_LARGE_ELEMENTS };
        let few = rows.len() < least || bytes < MIN_ARRAY_BYTES;
        if let Some(selector) = self.selector.as_ref().filter(|_| !few && !alike) {
            let some = match &table {
                Some(table) => {
                    let lines = whole.get(header..).unwrap_or_default();
                    selector.some_of_table(doc, rows, what, table, lines)
                }
                None => selector.some(doc, rows, what),
            };
            let shortest = if is_shorter { whole.len() } else { length };
            if let Some(some) = some.filter(|some| some.len() < shortest) {
                return Some(some);
            }
        }
        is_shorter.then_some(whole)
    }
}

fn all_objects(doc: &Document<'_>, rows: &[u32]) -> bool {
    rows.iter().all(|row| doc.node(*row).is_some_and(|node| node.kind == DocumentNodeKind::Object))
}

impl Selector<'_> {
    /// Writes a table, given its lines, with only the selected rows.
    fn some_of_table(
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
    fn some(&self, doc: &Document<'_>, rows: &[u32], what: &str) -> Option<String> {
        let bytes = rows.iter().map(|row| doc.length(*row) + 1).sum();
        let mut lines = String::with_capacity(bytes);
        for row in rows {
            doc.write(*row, &mut lines);
            lines.push('\n');
        }
        let (plain, columns);
        // They still have columns, without a common order.
        columns = if all_objects(doc, rows) { Columns::from_rows(doc, rows) } else { None };
        let grid = if let Some(columns) = &columns {
            Grid::table(columns)
        } else {
            plain = Plain::from_rows(doc, rows);
            Grid::plain(&plain)
        };
        let chosen = choose(&Rows { doc, grid: &grid, lines: &lines, count: rows.len() }, self.query)?;
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
                PendingValue::Key(key) => {
                    if !place.is_empty() {
                        place.push('.');
                    }
                    write_key(key, &mut place);
                }
                PendingValue::Index(n) => _ = write!(place, "[{n}]"),
            }
        }
        place
    }
}
