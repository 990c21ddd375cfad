//! Decides how a marker stands in a text that is no source code that can be parsed, but has a syntax.
//!
//! In settings, the marker is a comment, so that the text is still what it was. In what looks like code, and in a document
//! with fences, no lines are elided: a gap may begin in one part and end in another.

mod assembly;

use rustc_hash::FxHashSet;

use super::{
    language::{self, Language},
    source::shape,
};
use crate::{ContentKind, relevance::Query, text::lines};

/// Bytes at the start of a text that show its syntax.
const START_BYTES: usize = 64 << 10;
/// Lines of ten that have the form of settings.
const MOST_LINES: usize = 9;
/// The least weight of the cues of a language, in percent of the lines, in what may be code.
const SOME_CUES: usize = 15;
/// What opens a comment in settings.
pub(super) const SETTINGS_COMMENT: &str = "# ";
/// What begins a line of a Dockerfile.
const INSTRUCTIONS: [&str; 12] = [
    "ADD ",
    "ARG ",
    "CMD ",
    "COPY ",
    "ENTRYPOINT ",
    "ENV ",
    "EXPOSE ",
    "FROM ",
    "LABEL ",
    "RUN ",
    "USER ",
    "WORKDIR ",
];

/// How a marker stands in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// On a line of its own, as it is.
    Bare,
    /// On a line of its own, behind what opens a comment.
    Comment(&'static str),
    /// Not at all.
    Forbidden,
}

impl Frame {
    /// Returns the frame of the markers in a text of this kind that is no [`Source`](super::source::Source).
    pub(crate) fn new(kind: ContentKind, text: &str, query: &Query<'_>) -> Self {
        use ContentKind::{Code, FileRead, Table};
        if !kind.traits().may_need_comments {
            return Self::Bare;
        }
        if let Some(comment) =
            language::comment_by_name(query.arguments, kind == FileRead).filter(|_| kind != Table)
        {
            return Self::Comment(comment);
        }
        let start = (0..=START_BYTES.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or(text);
        if let Some(comment) = assembly::comment(start) {
            return Self::Comment(comment);
        }
        if matches!(kind, FileRead | Table) {
            return Self::Bare;
        }
        if has_fences(start) {
            return Self::Forbidden;
        }
        match comment_of_settings(start) {
            Some(comment) => Self::Comment(comment),
            None if kind == Code || may_be_code(text, start) => Self::Forbidden,
            None => Self::Bare,
        }
    }

    /// Returns the text before a marker; `None` if none may be written.
    pub(crate) const fn opening(self) -> Option<&'static str> {
        match self {
            Self::Bare => Some(""),
            Self::Comment(opening) => Some(opening),
            Self::Forbidden => None,
        }
    }
}

/// Whether lines of a text open and close fences of Markdown.
fn has_fences(text: &str) -> bool {
    let fences = lines::split(text).filter(|line| line.starts_with("```") || line.starts_with("~~~"));
    fences.take(2).count() > 1
}

/// Whether a text that no parser knows starts and ends like code, and has the lines or the words of some.
fn may_be_code(text: &str, start: &str) -> bool {
    let is_end = |line: &&str| line.trim() == "end";
    let has_cues = || Language::candidates(start).iter().any(|(_, weight)| *weight >= SOME_CUES);
    shape::is_framed(text)
        && !shape::lists_changes(start)
        && (shape::is_program(start)
            || lines::split(text).rev().take(3).any(|line| is_end(&line))
            || has_cues())
}

/// How many lines have which form.
#[derive(Debug, Default)]
struct Forms {
    all: usize,
    /// Comments, and what separates documents.
    comments: usize,
    sections: usize,
    settings: usize,
    /// `key: value`, `key:` and `- value`.
    entries: usize,
    /// Entries with columns of values, as commands describe something.
    aligned: usize,
    instructions: usize,
    signatures: usize,
    /// Lines that are indented, or go on with another line.
    inner: usize,
}

/// Returns what opens a comment, if a text looks like settings, a Dockerfile or Haskell.
fn comment_of_settings(text: &str) -> Option<&'static str> {
    let mut forms = Forms::default();
    for line in lines::split(text).filter(|line| !line.trim().is_empty()) {
        forms.count(line);
    }
    let most = |count: usize| count * 10 >= forms.all * MOST_LINES;
    let is_ini = most(forms.comments + forms.sections + forms.settings)
        && forms.settings > forms.sections
        && (forms.sections > 1 || forms.comments > 0 && forms.settings > 2);
    let is_yaml =
        most(forms.comments + forms.entries) && forms.inner > 0 && forms.aligned == 0 && is_mapping(text);
    let is_dockerfile = forms.instructions > 3
        && most(forms.instructions + forms.comments + forms.inner)
        && lines::split(text).any(|line| line.starts_with("FROM "));
    let is_haskell = forms.signatures > 2 && forms.signatures * 10 >= forms.all && forms.inner > 0;
    if is_ini || is_yaml || is_dockerfile {
        Some(SETTINGS_COMMENT)
    } else if is_haskell {
        Some("-- ")
    } else {
        None
    }
}

/// Whether entries are those of mappings of YAML: no key is twice at the margin of a document, and nothing is below a value.
/// In reports, a word before each name repeats: `Package: harbor`.
fn is_mapping(text: &str) -> bool {
    let mut keys = FxHashSet::default();
    // The indent of the line before, if it ends with a value.
    let mut valued = None;
    lines::split(text).filter(|line| !line.trim().is_empty()).all(|line| {
        let inner = line.trim_start_matches([' ', '-']);
        let indent = line.len() - inner.len();
        let is_below = valued.take().is_some_and(|before| indent > before);
        if line == "---" {
            keys.clear();
            return true;
        }
        let Some((key, value)) = inner.split_once(':') else { return true };
        let value = value.trim();
        valued =
            (!value.is_empty() && !value.starts_with(['|', '>', '&', '!', '"', '\'', '#'])).then_some(indent);
        !is_below && (indent > 0 || keys.insert(key))
    })
}

impl Forms {
    fn count(&mut self, line: &str) {
        let inner = line.trim();
        self.all += 1;
        self.comments += usize::from(inner.starts_with('#') || matches!(line, "---" | "..."));
        self.sections += usize::from(line.starts_with('[') && is_section(inner));
        self.settings += usize::from(inner.split_once('=').is_some_and(|(key, _)| is_key(key.trim_end())));
        self.instructions += usize::from(INSTRUCTIONS.iter().any(|word| line.starts_with(word)));
        self.inner += usize::from(line.starts_with([' ', '\t']) || line.ends_with('\\'));
        let is_signature = line.starts_with(|c: char| c.is_ascii_lowercase())
            && line.split_once(" :: ").is_some_and(|(name, _)| is_key(name));
        self.signatures += usize::from(is_signature);
        let item = inner.strip_prefix("- ");
        let value =
            item.unwrap_or(inner).split_once(':').filter(|(key, _)| is_key(key)).map(|(_, value)| value);
        let is_entry = value.is_some_and(|value| value.is_empty() || value.starts_with(' '));
        self.entries += usize::from(is_entry || item.is_some());
        self.aligned +=
            usize::from(value.is_some_and(|value| value.starts_with("  ") || value.starts_with('\t')));
    }
}

/// Whether this is the head of a section: `[server.http]`, `[[bin]]`.
fn is_section(line: &str) -> bool {
    let name = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    name.is_some_and(|name| is_key(name.trim_start_matches('[').trim_end_matches(']')))
}

/// Whether this is the name of a setting.
fn is_key(key: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_-./\"'".contains(c);
    !key.is_empty() && key.chars().all(is_part)
}
