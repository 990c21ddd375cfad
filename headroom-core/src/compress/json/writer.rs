//! Writes a document compactly, with tables for its arrays of records.

use headroom_json::document::{Document, DocumentNodeKind, Sequence};

use super::{
    MAX_WORK,
    elide::{PathStep, Selector},
    table::{Head, JsonTable},
};

use crate::tuning::tuning;

/// Writes the top-level values, one per line or separated by commas.
pub(super) fn compact(doc: &Document<'_>, sequence: Sequence) -> String {
    let mut out = String::with_capacity(compact_length(doc));
    for (n, root) in doc.roots().iter().enumerate() {
        if n > 0 {
            out.push(separator(sequence));
        }
        doc.write(*root, &mut out);
    }
    out.push_str(end_of(sequence, doc));
    out
}

fn compact_length(doc: &Document<'_>) -> usize {
    let values: usize = doc.roots().iter().map(|root| doc.length(*root)).sum();
    values + doc.roots().len().saturating_sub(1)
}

const fn separator(sequence: Sequence) -> char {
    match sequence {
        Sequence::Values => '\n',
        Sequence::Elements => ',',
    }
}

/// Returns what the rows of a table are called.
const fn noun(sequence: Sequence) -> &'static str {
    match sequence {
        Sequence::Values => " JSON values",
        Sequence::Elements => " rows",
    }
}

/// Returns what follows the last value.
fn end_of(sequence: Sequence, doc: &Document<'_>) -> &'static str {
    match sequence {
        Sequence::Values => "",
        Sequence::Elements if doc.ends_with_comma() => ",\n",
        Sequence::Elements => "\n",
    }
}

pub(super) struct TableWriter<'a> {
    doc: &'a Document<'a>,
    sequence: Sequence,
    /// Bytes that may still be tried as tables.
    work: usize,
    /// Chooses the rows that stay, if rows may be elided.
    selector: Option<Selector<'a>>,
}

impl<'a> TableWriter<'a> {
    pub(super) fn new(doc: &'a Document<'a>, length: usize, sequence: Sequence) -> Self {
        Self { doc, sequence, work: length.saturating_mul(MAX_WORK), selector: None }
    }

    /// Elides rows of long arrays too.
    pub(super) fn selecting(self, selector: Selector<'a>) -> Self {
        Self { selector: Some(selector), ..self }
    }

    /// Writes all values.
    pub(super) fn stream(&mut self) -> String {
        let doc = self.doc;
        let nested = doc.roots().iter().any(|root| doc.node(*root).is_some_and(|node| node.has_rows));
        if !nested {
            let table = self.stream_rows(compact_length(doc));
            return table.unwrap_or_else(|| compact(doc, self.sequence));
        }
        let mut plain = String::new();
        for (n, root) in doc.roots().iter().enumerate() {
            if n > 0 {
                plain.push(separator(self.sequence));
            }
            self.enter(PathStep::Index(n), doc.roots().len() > 1);
            self.value(*root, &mut plain);
            self.leave(doc.roots().len() > 1);
        }
        plain.push_str(end_of(self.sequence, doc));
        self.stream_rows(plain.len()).unwrap_or(plain)
    }

    fn stream_rows(&mut self, length: usize) -> Option<String> {
        let mut table = self.rows(self.doc.roots(), noun(self.sequence), length)?;
        // What follows the elements of a cut array begins on a new line.
        if self.sequence == Sequence::Values {
            table.pop();
        }
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
                    self.enter(PathStep::Key(key), true);
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
                self.enter(PathStep::Index(n), true);
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

    fn enter(&mut self, step: PathStep<'a>, really: bool) {
        if really && let Some(selector) = &mut self.selector {
            selector.enter(step);
        }
    }

    fn leave(&mut self, really: bool) {
        if really && let Some(selector) = &mut self.selector {
            selector.leave();
        }
    }

    /// Writes the rows as a table with all or some of them, if that has fewer bytes than `length`.
    fn rows(&mut self, rows: &[u32], what: &str, length: usize) -> Option<String> {
        let doc = self.doc;
        if rows.len() < tuning().json.min_table_rows {
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
        let json = &tuning().json;
        let least = if bytes < json.large_bytes { json.min_elements } else { json.min_large_elements };
        let few = rows.len() < least || bytes < json.min_array_bytes;
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

pub(super) fn all_objects(doc: &Document<'_>, rows: &[u32]) -> bool {
    rows.iter().all(|row| doc.node(*row).is_some_and(|node| node.kind == DocumentNodeKind::Object))
}
