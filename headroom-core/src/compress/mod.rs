//! Compressors, one module per technique. Each is pure: text in, text or ranges out.

#[cfg(feature = "__code")]
mod code;
pub(crate) mod diff;
pub(crate) mod embedded;
pub(crate) mod fold;
pub(crate) mod frame;
pub(crate) mod html;
pub(crate) mod json;
mod json_lines;
mod language;
pub(crate) mod line_numbers;
pub(crate) mod listing;
pub(crate) mod log;
pub(crate) mod prose;
pub(crate) mod reference;
pub(crate) mod search;
pub(crate) mod source;
mod straddle;
pub(crate) mod table;
#[cfg(test)]
mod trial;

use std::ops::Range;

use frame::{Frame, SETTINGS_COMMENT};
use listing::recursive;
use source::{Source, SourceScan};
use straddle::Structures;

use crate::{
    ContentKind, Transform, detect,
    records::{RecordScan, has_quoted_rows},
    relevance::Query,
    text::{marker, replace::replace},
};

/// Rewrites a text of this kind losslessly in fewer bytes, and returns the transform used.
pub(crate) fn render(kind: ContentKind, text: &str) -> Option<(String, Transform)> {
    match kind {
        ContentKind::Search => search::render(text).map(|text| (text, Transform::Search)),
        ContentKind::Listing => listing::render(text).map(|text| (text, Transform::CommonPrefix)),
        ContentKind::Table => table::render(text).map(|text| (text, Transform::ColumnPadding)),
        ContentKind::Json
        | ContentKind::FileRead
        | ContentKind::Diff
        | ContentKind::Log
        | ContentKind::Html
        | ContentKind::Code
        | ContentKind::Prose
        | ContentKind::Blob
        | ContentKind::Text => None,
    }
}

/// Returns, for each line of such a rendering, its first and last source line, counted from zero. A line that the
/// rendering adds has the source of the next one. `None` if lines correspond one to one.
pub(crate) fn source_lines(kind: ContentKind, form: &str) -> Option<Vec<(u32, u32)>> {
    match kind {
        ContentKind::Search => Some(behind(form, |line, number| number == 0 && search::is_header(line))),
        ContentKind::Listing if recursive::is_in(form) => Some(recursive::source_lines(form)),
        ContentKind::Listing => Some(behind(form, |_, number| number == 0)),
        ContentKind::Table => Some(behind(form, |line, _| table::is_header(line))),
        _ => None,
    }
}

/// Returns the source lines of a rendering whose added lines pass the test.
fn behind(form: &str, is_added: impl Fn(&str, usize) -> bool) -> Vec<(u32, u32)> {
    let mut source = 0;
    let number = |(number, line): (usize, &str)| {
        let own = source;
        source += u32::from(!is_added(line, number));
        (own, own)
    };
    form.split('\n').enumerate().map(number).collect()
}

/// Returns the lines of a text of this kind that may be elided; in prose, the sentences.
#[cfg(test)]
pub(crate) fn gaps(kind: ContentKind, text: &str, query: &Query<'_>) -> Vec<Omission> {
    scanned_gaps(kind, text, query, None)
}

/// Returns the lines of a text of this kind that may be elided; in prose, the sentences. `scan` is what is already known of
/// the text.
fn scanned_gaps<'t>(
    kind: ContentKind,
    text: &'t str,
    query: &Query<'_>,
    scan: Option<RecordScan<'t>>,
) -> Vec<Omission> {
    match kind {
        ContentKind::Json => Vec::new(),
        ContentKind::Search => search::gaps(text, query),
        ContentKind::Listing => {
            let gaps = listing::gaps(text, query);
            if gaps.is_empty() { log::scanned_gaps(text, query, scan) } else { gaps }
        }
        ContentKind::Diff => diff::gaps(text, query),
        // Sentences in the cells of a table are no prose.
        ContentKind::Prose if has_quoted_rows(text) => log::scanned_gaps(text, query, scan),
        ContentKind::Prose => prose::gaps(text, query),
        ContentKind::Table => table::gaps(text, query),
        ContentKind::FileRead => log::gaps(text, query),
        ContentKind::Log | ContentKind::Html | ContentKind::Code | ContentKind::Blob | ContentKind::Text => {
            json_lines::gaps(text, query).unwrap_or_else(|| log::scanned_gaps(text, query, scan))
        }
    }
}

/// Lines that may be elided, and the frame of the marker that replaces them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FramedOmission {
    pub(crate) omission: Omission,
    /// The text that opens a comment before the marker; empty if the marker has its line to itself.
    pub(crate) opening: String,
}

/// Returns the lines of a text of this kind that may be elided; code with the markers is still code. `source` is what source
/// code the text is, `scan` what is already known of its records.
pub(crate) fn framed<'t>(
    kind: ContentKind,
    text: &'t str,
    query: &Query<'_>,
    source: Option<Source>,
    scan: Option<RecordScan<'t>>,
) -> Vec<FramedOmission> {
    if let Some(source) = source {
        return source.gaps(text, query);
    }
    let Some(opening) = Frame::new(kind, text, query).opening() else { return Vec::new() };
    in_comments(text, whole(kind, text, scanned_gaps(kind, text, query, scan), opening), opening)
}

/// Takes from each gap what would part what opens and closes.
fn whole(kind: ContentKind, text: &str, gaps: Vec<Omission>, opening: &str) -> Vec<Omission> {
    if gaps.is_empty() || !kind.traits().may_be_nested {
        return gaps;
    }
    let structures = Structures::of(text, opening == SETTINGS_COMMENT);
    gaps.into_iter().flat_map(|gap| straddle::within(text, gap, structures)).collect()
}

/// Puts what opens a comment before the marker of each gap.
fn in_comments(text: &str, gaps: Vec<Omission>, opening: &str) -> Vec<FramedOmission> {
    // Settings with one end of a pair of brackets are none.
    let is_whole = |gap: &Omission| opening.is_empty() || !source::cuts_pairs(text, &gap.range);
    let framed = |gap| FramedOmission { omission: gap, opening: opening.to_owned() };
    gaps.into_iter().filter(is_whole).map(framed).collect()
}

/// Returns the lines of a text within a string that may be elided. Code with the markers is still code.
pub(crate) fn framed_in_string(text: &str, query: &Query<'_>) -> Vec<FramedOmission> {
    let guess = detect::guess(text, None, None, &|_| false);
    let code = SourceScan::new(text, None);
    let kind = code.settled(guess.kind, guess.has_groups);
    let query = Query { file_read: kind == ContentKind::FileRead, ..*query };
    let gaps = match code.source(kind, || None) {
        Some(source) => source.gaps(text, &query),
        None => match Frame::new(kind, text, &query).opening() {
            Some(opening) => in_comments(text, whole(kind, text, log::gaps(text, &query), opening), opening),
            None => return Vec::new(),
        },
    };
    let mark =
        |gap: &FramedOmission| (gap.omission.range.clone(), format!("{}{}]", gap.opening, marker::OPENING));
    let marks: Vec<_> = gaps.iter().map(mark).collect();
    let after = replace(text, marks.iter().map(|(range, mark)| (range.clone(), mark.as_str())));
    if code.is_broken(kind, &after) { Vec::new() } else { gaps }
}

/// Returns a part of the recorded data. Tests that need it are ignored by default.
#[cfg(test)]
pub(crate) fn shared(part: &str) -> std::path::PathBuf {
    let shared = std::env::var("HEADROOM_SHARED").unwrap_or_else(|_| "../../shared".to_owned());
    let path = std::path::Path::new(&shared).join(part);
    assert!(path.exists(), "{} is absent; HEADROOM_SHARED names the folder of recorded data", path.display());
    path
}

/// Reads the texts under a directory of the recorded data, with their paths.
#[cfg(test)]
pub(crate) fn shared_texts(directory: &str) -> Vec<(std::path::PathBuf, String)> {
    let mut texts = Vec::new();
    let mut directories = vec![shared(directory)];
    while let Some(directory) = directories.pop() {
        for path in std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                directories.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                texts.push((path, text));
            }
        }
    }
    assert!(!texts.is_empty(), "no texts in {directory}");
    texts
}

/// Lines that may be elided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Omission {
    /// Their bytes, without the last line end.
    pub(crate) range: Range<usize>,
    /// The number of the first line: as printed in a numbered view of a file, otherwise counted from one.
    pub(crate) first: u32,
    /// The number of the last line.
    pub(crate) last: u32,
    /// A short summary of the lines; may be empty.
    pub(crate) summary: String,
}
