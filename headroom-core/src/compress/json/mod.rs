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
//! - `name~a(b)c` applies to every row: the row's cell of the column `b`, between `a` and `c`.
//! - A line has the cells of the other columns, separated by the character between the columns in the header. An empty
//!   cell is a missing key; at the end of a line the delimiter is omitted too.
//! - A cell is JSON. An unambiguous string is written without its quotes and without `\"` and `\\`.
//!
//! A stream of objects is a table with `300 JSON values` in place of `[300 rows`, and no `]`. Elements of an array whose
//! brackets are elsewhere, because the JSON is cut, are a table with `300 rows` and no brackets.
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
mod derive;
mod elide;
mod grid;
mod select;
mod strings;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::borrow::Cow;

use headroom_json::document::{ArrayLengths, Document, Sequence};
use memchr::memmem;
use rustc_hash::FxHashSet;

use crate::{Handle, Original, relevance::Query, text::marker, tuning::tuning};
use elide::{Selector, chosen_rows};
use writer::{TableWriter, compact};

/// Maximum work on tables that are discarded for a shorter form, as a multiple of the text's length.
const MAX_WORK: usize = 8;

/// Returns which arrays a table or a selection may shorten.
fn lengths() -> ArrayLengths {
    ArrayLengths { rows: tuning().json.min_table_rows, long: tuning().json.min_elements }
}

/// A JSON text, parsed once for all of its renderings.
#[derive(Debug)]
pub(crate) struct JsonText<'t> {
    text: &'t str,
    sequence: Sequence,
    doc: Document<'t>,
}

/// A rendering with elided parts.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) text: String,
    /// The originals that its markers refer to.
    pub(crate) originals: Vec<Original>,
}

impl<'t> JsonText<'t> {
    /// Parses values in this sequence; `None` if the text is not JSON by RFC 8259 or is nested deeper than 128.
    pub(crate) fn parse(text: &'t str, sequence: Sequence) -> Option<Self> {
        let doc = Document::parse(text, sequence, lengths()).ok()?;
        Some(Self { text, sequence, doc })
    }

    /// Returns the renderings that are shorter than the text: compact, and compact with tables. Elements end with a line
    /// end.
    ///
    /// Each preserves everything except insignificant white space: the lexemes of numbers and strings, the order of keys,
    /// duplicate keys.
    pub(crate) fn candidates(&self) -> Vec<String> {
        let Self { text, sequence, doc } = self;
        let tables = TableWriter::new(doc, text.len(), *sequence).stream();
        // Tables that are this much shorter have fewer tokens too.
        let whole: usize = doc.roots().iter().map(|root| doc.length(*root)).sum();
        let clear = tables.len() * 100 < whole * tuning().json.clear_tables;
        let compact = (!clear).then(|| compact(doc, *sequence));
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

    /// Returns the rendering without the rows and parts of strings that are least likely to matter. Elements end with a
    /// line end.
    ///
    /// `folder` is the folder of plain-text originals, if any. Returns `None` if nothing can be elided, or if the text
    /// already holds something like a marker, which would be indistinguishable from ours.
    pub(crate) fn selected(&self, query: &Query<'_>, folder: Option<&str>) -> Option<Selection> {
        let Self { text, sequence, doc } = self;
        if text.len() < tuning().json.min_bytes || marker::is_in(text) {
            return None;
        }
        let (mut originals, shorter, parsed);
        let doc = match strings::shorten(doc, query, folder) {
            Some(found) => {
                originals = found.originals;
                shorter = found.text;
                parsed = Document::parse(&shorter, *sequence, lengths()).ok()?;
                &parsed
            }
            None => {
                originals = Vec::new();
                doc
            }
        };
        // Elements without their brackets are stored as an array, so that rows can be retrieved by number.
        let content = match sequence {
            Sequence::Values => Cow::Borrowed(*text),
            Sequence::Elements => Cow::Owned(as_array(text)),
        };
        let handle = Handle::from_content(&content);
        let selector = Selector::new(query, handle, folder, doc.long_arrays() > 1);
        let text_after = TableWriter::new(doc, text.len(), *sequence).selecting(selector).stream();
        originals.push(Original::with_handle(handle, content.into_owned()));
        let mut named = handles(&text_after);
        originals.retain(|original| named.remove(&original.handle()));
        (!originals.is_empty()).then_some(Selection { text: text_after, originals })
    }

    /// Returns whether each of these values at the top stays; `None` if there are too few to choose.
    pub(crate) fn chosen(&self, query: &Query<'_>) -> Option<Vec<bool>> {
        let roots = self.doc.roots();
        if roots.len() < tuning().json.min_elements {
            return None;
        }
        chosen_rows(&self.doc, roots, self.text, query).map(|chosen| chosen.kept)
    }
}

/// Puts brackets around elements. Only a comma after the last one goes, so that whole arrays are the bytes of the text.
fn as_array(elements: &str) -> String {
    let inner = elements.trim_end();
    let space = elements.get(inner.len()..).unwrap_or_default();
    format!("[{}{space}]", inner.strip_suffix(',').unwrap_or(inner))
}

/// Returns the handles of the markers in a text.
fn handles(text: &str) -> FxHashSet<Handle> {
    let markers = memmem::find_iter(text.as_bytes(), marker::OPENING);
    let handle = |at| text.get(at + marker::OPENING.len()..)?.split(' ').next()?.parse().ok();
    markers.filter_map(handle).collect()
}
