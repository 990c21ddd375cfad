//! Elides parts of long strings inside JSON, according to the content of each.

use std::{borrow::Cow, fmt::Write};

use headroom_json::document::{Document, Sequence};
use rustc_hash::FxHashMap;

use super::{JsonText, Selection};
use headroom_json::Text;

use crate::{
    ContentKind, Handle, Original,
    compress::{
        self, FramedOmission,
        embedded::{self, Embedded},
        html,
    },
    detect,
    relevance::Query,
    text::marker::{self, Elision},
    tuning::tuning,
};

/// Returns the document with long strings shortened, if any can be.
pub(super) fn shorten(doc: &Document<'_>, query: &Query<'_>, folder: Option<&str>) -> Option<Selection> {
    let mut shorter: FxHashMap<&str, Option<String>> = FxHashMap::default();
    let mut originals = Vec::new();
    let strings = doc.long_strings(tuning().json.string_min_data_bytes);
    for lexeme in strings.iter().map(|index| doc.lexeme(*index)) {
        shorter.entry(lexeme).or_insert_with(|| {
            let text = decode(lexeme)?;
            let whole = lexeme.len() >= tuning().json.string_min_bytes;
            let found =
                data(&text, folder).or_else(|| if whole { one(&text, query, folder) } else { None })?;
            let with = encode(&found.text);
            let worthwhile = with.len() + lexeme.len() / tuning().json.string_bytes_per_saved <= lexeme.len();
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
    (!with.is_empty()).then(|| Selection { text: doc.with_lexemes(&with), originals })
}

/// Elides parts of one text. [`JsonText::selected`] handles JSON within a string, but does not descend into its strings.
fn one(text: &str, query: &Query<'_>, folder: Option<&str>) -> Option<Selection> {
    let kind = detect::kind(text, None, None);
    if kind == ContentKind::Json {
        return JsonText::parse(text, Sequence::Values)?.selected(query, folder);
    }
    if kind == ContentKind::Html {
        let page = html::selected(text, query, folder)?;
        return Some(Selection { text: page.text, originals: vec![page.original] });
    }
    let gaps = compress::framed_in_string(text, query);
    if gaps.is_empty() {
        return None;
    }
    let handle = Handle::from_content(text);
    let mut out = String::with_capacity(text.len() / 2);
    let mut from = 0;
    for FramedOmission { omission: gap, opening } in gaps {
        out.push_str(text.get(from..gap.range.start)?);
        let elision = Elision { handle, lines: (gap.first, gap.last), summary: &gap.summary, folder };
        // Writing to a string cannot fail.
        _ = write!(out, "{opening}{elision}");
        from = gap.range.end;
    }
    out.push_str(text.get(from..)?);
    Some(Selection { text: out, originals: vec![Original::with_handle(handle, text.to_owned())] })
}

/// Omits data in base64.
fn data(text: &str, folder: Option<&str>) -> Option<Selection> {
    let found = embedded::find(text);
    if found.is_empty() || marker::is_in(text) {
        return None;
    }
    let mut out = String::new();
    let mut originals = Vec::new();
    let mut from = 0;
    for Embedded { range, summary } in found {
        let content = text.get(range.clone())?;
        let handle = Handle::from_content(content);
        let lines = u32::try_from(content.split('\n').count()).ok()?;
        out.push_str(text.get(from..range.start)?);
        // Writing to a string cannot fail.
        _ = write!(out, "{}", Elision { handle, lines: (1, lines), summary: &summary, folder });
        originals.push(Original::with_handle(handle, content.to_owned()));
        from = range.end;
    }
    out.push_str(text.get(from..)?);
    Some(Selection { text: out, originals })
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
