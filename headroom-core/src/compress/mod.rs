//! One module per way to make a text smaller. Each is pure: text in, text or ranges out.

#[cfg(feature = "__code")]
mod code;
pub(crate) mod columns;
pub(crate) mod diff;
pub(crate) mod elide;
pub(crate) mod fold;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod listing;
mod path;
pub(crate) mod prose;
mod room;
pub(crate) mod search;
pub(crate) mod terminal;
#[cfg(test)]
mod trial;

use listing::recursive;

use crate::{ContentKind, Step};

/// A text of this kind in a form that says the same in fewer bytes, and what was done for it.
pub(crate) fn render(kind: ContentKind, text: &str) -> Option<(String, Step)> {
    match kind {
        ContentKind::Search => search::render(text).map(|text| (text, Step::Search)),
        ContentKind::Listing => listing::render(text).map(|text| (text, Step::Listing)),
        ContentKind::Table => columns::render(text).map(|text| (text, Step::Columns)),
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
        ContentKind::Table => Some(behind(form, |line, _| columns::is_header(line))),
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
pub(crate) fn gaps(kind: ContentKind, text: &str, wanted: &elide::Wanted<'_>) -> Vec<elide::Gap> {
    match kind {
        ContentKind::Json => Vec::new(),
        ContentKind::Search => search::gaps(text, wanted),
        ContentKind::Listing => {
            let gaps = listing::gaps(text, wanted);
            if gaps.is_empty() { elide::gaps(text, wanted) } else { gaps }
        }
        ContentKind::Diff => diff::gaps(text, wanted),
        ContentKind::Prose => prose::gaps(text, wanted),
        ContentKind::Table => columns::gaps(text, wanted),
        _ => elide::gaps(text, wanted),
    }
}

/// Lines that may be set aside, and what the marker in their place stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Framed {
    pub(crate) gap: elide::Gap,
    /// What opens a comment on the marker's line; empty where the line is the marker's alone.
    pub(crate) opening: String,
}

/// The lines of a text of this kind that may be set aside; code is code again around the markers.
pub(crate) fn framed(kind: ContentKind, text: &str, wanted: &elide::Wanted<'_>) -> Vec<Framed> {
    #[cfg(feature = "__code")]
    if matches!(kind, ContentKind::Code | ContentKind::FileRead)
        && let Some(gaps) = code::gaps(text, wanted)
    {
        return gaps;
    }
    gaps(kind, text, wanted).into_iter().map(|gap| Framed { gap, opening: String::new() }).collect()
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
