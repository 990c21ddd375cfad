//! Elides parts of long strings inside JSON, according to the content of each.

use std::{borrow::Cow, fmt::Write};

use rustc_hash::FxHashMap;

use super::{Selection, scan::Document, selected};
use crate::{
    ContentKind, Handle, Original, compress::log, detect, json::tape::Text, relevance::Query,
    text::marker::Elision,
};

/// Shorter strings are left alone.
const MIN_BYTES: usize = 4096;
/// Parts of a string are elided if that saves at least one byte in this many.
const MIN_SAVING_RATIO: usize = 5;

/// Returns the document with long strings shortened, if any can be.
pub(super) fn shorten(doc: &Document<'_>, query: &Query<'_>, folder: Option<&str>) -> Option<Selection> {
    let mut shorter: FxHashMap<&str, Option<String>> = FxHashMap::default();
    let mut originals = Vec::new();
    let strings = doc.long_strings(MIN_BYTES);
    for lexeme in strings.iter().map(|index| doc.lexeme(*index)) {
        shorter.entry(lexeme).or_insert_with(|| {
            let found = one(&decode(lexeme)?, query, folder)?;
            let with = encode(&found.text);
            let worthwhile = with.len() + lexeme.len() / MIN_SAVING_RATIO <= lexeme.len();
            worthwhile.then(|| {
                originals.extend(found.originals);
                with
            })
        });
    }
    let with: Vec<(u32, &str)> = strings
        .iter()
        .filter_map(|index| Some((*index, shorter.get(doc.lexeme(*index))?.as_deref()?)))
        .collect();
    (!with.is_empty()).then(|| Selection { text: doc.with(&with), originals })
}

/// Elides parts of one text. [`selected`] handles JSON within a string, but does not descend into its strings.
fn one(text: &str, query: &Query<'_>, folder: Option<&str>) -> Option<Selection> {
    let kind = detect::kind(text, None, None);
    if kind == ContentKind::Json {
        return selected(text, query, folder);
    }
    let query = Query { file_read: kind == ContentKind::FileRead, ..*query };
    let gaps = log::gaps(text, &query);
    if gaps.is_empty() {
        return None;
    }
    let handle = Handle::from_content(text);
    let mut out = String::with_capacity(text.len() / 2);
    let mut from = 0;
    for gap in gaps {
        out.push_str(text.get(from..gap.range.start)?);
        let elision = Elision { handle, lines: (gap.first, gap.last), summary: &gap.summary, folder };
        // Writing to a string cannot fail.
        _ = write!(out, "{elision}");
        from = gap.range.end;
    }
    out.push_str(text.get(from..)?);
    Some(Selection { text: out, originals: vec![Original { handle, content: text.to_owned() }] })
}

/// Decodes a JSON string; `None` if it is not valid Unicode.
fn decode(lexeme: &str) -> Option<String> {
    let body = lexeme.get(1..lexeme.len().checked_sub(1)?)?;
    Text { raw: body, start: 0, escaped: true }.decode().map(Cow::into_owned)
}

/// Encodes a text as a JSON string.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
