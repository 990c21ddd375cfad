//! One module per way to make a text smaller. Each is pure: text in, text or ranges out.

#[cfg(feature = "__code")]
mod code;

pub(crate) mod diff;
pub(crate) mod fold;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod listing;
pub(crate) mod log;
pub(crate) mod prose;
pub(crate) mod search;
pub(crate) mod table;
#[cfg(test)]
mod trial;

use std::ops::Range;
pub(crate) mod line_numbers;
pub(crate) mod reference;

use listing::recursive;

use crate::{ContentKind, Transform, relevance::Query};

/// A text of this kind in a form that says the same in fewer bytes, and what was done for it.
pub(crate) fn render(kind: ContentKind, text: &str) -> Option<(String, Transform)> {
    match kind {
        ContentKind::Search => search::render(text).map(|text| (text, Transform::Search)),
        ContentKind::Listing => listing::render(text).map(|text| (text, Transform::CommonPrefix)),
        ContentKind::Table => table::render(text).map(|text| (text, Transform::ColumnPadding)),
        _ => None,
    }
}

/// The first and last line of the source that each line of such a form was made of, counted from zero. A line that the
/// form adds has the lines of the one behind it. `None` where the lines of the form are those of its source.
pub(crate) fn source_lines(kind: ContentKind, form: &str) -> Option<Vec<(u32, u32)>> {
    match kind {
        ContentKind::Search => Some(behind(form, |line, number| number == 0 && search::is_header(line))),
        ContentKind::Listing if recursive::is_in(form) => Some(recursive::source_lines(form)),
        ContentKind::Listing => Some(behind(form, |_, number| number == 0)),
        ContentKind::Table => Some(behind(form, |line, _| table::is_header(line))),
        _ => None,
    }
}

/// The lines of the source of a form that has added those that pass the test.
fn behind(form: &str, is_added: impl Fn(&str, usize) -> bool) -> Vec<(u32, u32)> {
    let mut source = 0;
    let number = |(number, line): (usize, &str)| {
        let own = source;
        source += u32::from(!is_added(line, number));
        (own, own)
    };
    form.split('\n').enumerate().map(number).collect()
}

/// The lines of a text of this kind that may be set aside; of prose, the sentences.
pub(crate) fn gaps(kind: ContentKind, text: &str, query: &Query<'_>) -> Vec<Omission> {
    match kind {
        ContentKind::Json => Vec::new(),
        ContentKind::Search => search::gaps(text, query),
        ContentKind::Listing => {
            let gaps = listing::gaps(text, query);
            if gaps.is_empty() { log::gaps(text, query) } else { gaps }
        }
        ContentKind::Diff => diff::gaps(text, query),
        ContentKind::Prose => prose::gaps(text, query),
        ContentKind::Table => table::gaps(text, query),
        _ => log::gaps(text, query),
    }
}

/// Lines that may be set aside, and what the marker in their place stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FramedOmission {
    pub(crate) omission: Omission,
    /// What opens a comment on the marker's line; empty where the line is the marker's alone.
    pub(crate) opening: String,
}

/// The lines of a text of this kind that may be set aside; code is code again around the markers.
pub(crate) fn framed(kind: ContentKind, text: &str, query: &Query<'_>) -> Vec<FramedOmission> {
    #[cfg(feature = "__code")]
    if matches!(kind, ContentKind::Code | ContentKind::FileRead)
        && let Some(gaps) = code::gaps(text, query)
    {
        return gaps;
    }
    gaps(kind, text, query)
        .into_iter()
        .map(|gap| FramedOmission { omission: gap, opening: String::new() })
        .collect()
}

/// A part of the recorded data. Tests that need it are ignored unless they are asked for.
#[cfg(test)]
pub(crate) fn shared(part: &str) -> std::path::PathBuf {
    let shared = std::env::var("HEADROOM_SHARED").unwrap_or_else(|_| "../../shared".to_owned());
    let path = std::path::Path::new(&shared).join(part);
    assert!(path.exists(), "{} is absent; HEADROOM_SHARED names the folder of recorded data", path.display());
    path
}

/// The texts under a directory of the recorded data, with their paths.
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

/// Lines that may be set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Omission {
    /// Their bytes, without the last line end.
    pub(crate) range: Range<usize>,
    /// The number of the first line: in a numbered view of a file the one printed there, else counted from one.
    pub(crate) first: u32,
    /// The number of the last line.
    pub(crate) last: u32,
    /// A few words on what the lines are; may be empty.
    pub(crate) summary: String,
}
