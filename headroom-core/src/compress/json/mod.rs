//! JSON, one value or a stream of them: without insignificant white space, and with tables for arrays of records.
//!
//! ```text
//! {"total":300,"entries":[300 rows; name=value: same in every row: time,level,service,meta.region=us-west-2
//! 2024-01-15T10:00:00Z,INFO,api
//! 2024-01-15T10:01:00Z,ERROR,auth
//! ...
//! ]}
//! ```
//!
//! A table stands where the array stood, so nothing has to be named and looked up. It cannot be mistaken: compact
//! JSON has no line end, and no array starts with `[300 rows`. What gives the value back:
//!
//! - The header names the columns in the order of the keys. `a.b` is the key `b` in the object `a`, `a[0].b` the
//!   same in the only element of the array `a`. Keys with other characters than letters, digits and a few signs
//!   are JSON strings, so `"a.b"` is one key.
//! - `name=value` is in every row, and in no line.
//! - A line has the other columns' cells, with the character between the header's columns between them. Nothing at
//!   all is a missing key; at the end of a line the delimiter is missing too.
//! - A cell is JSON. A string stands without its quotes and without `\"` and `\\` where it could be nothing else.
//!
//! A stream of objects is a table with `300 JSON values` in the place of `[300 rows`, and no `]`.

mod cell;
mod columns;
#[cfg(test)]
mod decode;
mod scan;
mod table;
#[cfg(test)]
mod tests;

use scan::{Document, Kind};
use table::table;

/// Fewer rows are no table.
const MIN_ROWS: usize = 2;
/// Tables that are written and dropped again for a shorter form may cost this many times the text.
const MAX_WORK: usize = 8;

/// The renderings of a text that is JSON: compact, and compact with tables.
///
/// Empty where the text is not JSON by RFC 8259 or is nested deeper than 128, and where nothing gets shorter. All
/// but insignificant white space can be read back from each: the lexemes of numbers and strings, the order of keys,
/// keys that are there twice.
pub(crate) fn candidates(text: &str) -> Vec<String> {
    let Some(doc) = Document::parse(text) else { return Vec::new() };
    let compact = doc.roots.iter().map(|root| doc.slice(*root)).collect::<Vec<_>>().join("\n");
    let mut writer = Writer { doc: &doc, work: text.len().saturating_mul(MAX_WORK) };
    let tables = writer.stream();
    let mut shortest = text.trim().len();
    let mut found = Vec::new();
    for candidate in [compact, tables] {
        if candidate.len() < shortest {
            shortest = candidate.len();
            found.push(candidate);
        }
    }
    found
}

/// A rendering from which parts were set aside.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) text: String,
    /// What its markers point into.
    pub(crate) originals: Vec<crate::Original>,
}

pub(crate) fn selected(_: &str, _: &super::elide::Wanted<'_>, _: Option<&str>) -> Option<Selection> {
    None
}

struct Writer<'a> {
    doc: &'a Document,
    /// Bytes that may still be tried as tables.
    work: usize,
}

impl Writer<'_> {
    fn stream(&mut self) -> String {
        let mut plain = String::new();
        for (n, root) in self.doc.roots.iter().enumerate() {
            if n > 0 {
                plain.push('\n');
            }
            self.value(*root, &mut plain);
        }
        if self.doc.roots.len() > 1
            && let Some(mut table) = self.table(&self.doc.roots, " JSON values")
            && table.len() < plain.len()
        {
            table.pop();
            return table;
        }
        plain
    }

    /// Recursion is bounded by the depth of the document.
    fn value(&mut self, index: u32, out: &mut String) {
        let doc = self.doc;
        match doc.node(index).map(|node| node.kind) {
            Some(Kind::Array) => self.array(index, out),
            Some(Kind::Object) => {
                out.push('{');
                for (n, (key, value, _)) in doc.members(index).enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    out.push_str(doc.slice(key));
                    out.push(':');
                    self.value(value, out);
                }
                out.push('}');
            }
            _ => out.push_str(doc.slice(index)),
        }
    }

    fn array(&mut self, index: u32, out: &mut String) {
        let doc = self.doc;
        let start = out.len();
        out.push('[');
        for (n, (element, _)) in doc.children(index).enumerate() {
            if n > 0 {
                out.push(',');
            }
            self.value(element, out);
        }
        out.push(']');
        let rows: Vec<_> = doc.children(index).map(|(element, _)| element).collect();
        if let Some(table) = self.table(&rows, " rows")
            && table.len() + 2 < out.len() - start
        {
            out.truncate(start);
            out.push('[');
            out.push_str(&table);
            out.push(']');
        }
    }

    fn table(&mut self, rows: &[u32], what: &str) -> Option<String> {
        let doc = self.doc;
        let is_object = |row: &u32| doc.node(*row).is_some_and(|node| node.kind == Kind::Object);
        if rows.len() < MIN_ROWS || !rows.iter().all(is_object) {
            return None;
        }
        let bytes: usize = rows.iter().map(|row| doc.slice(*row).len()).sum();
        self.work = self.work.checked_sub(bytes)?;
        table(doc, rows, what)
    }
}
