//! Tells source code from other text, by the file that the call names and by the text itself.
//!
//! Code is code whichever tool brings it. A text that is code is shown as code or not at all: what cannot be parsed is
//! not cut, because a marker in the wrong place changes what the rest means.

mod shape;

use std::ops::Range;

use shape::{
    comment_in, has_pod, is_balanced, is_bracketed, is_framed, is_here_document, is_json_lines, is_program,
    lists_changes, program_share,
};

use super::{
    FramedOmission,
    language::{FileNames, Language},
    prose,
};
use crate::{Classification, ContentKind, formats::html, relevance::Query, text::lines::Lines};

/// Percentages of lines that only a program has: in what is one, and in what is nothing else.
const MOSTLY_PROGRAM: usize = 45;
const NOTHING_ELSE: usize = 60;
/// Mistakes in the start of a text that code may have, most of them macros.
const MAX_MISTAKES: usize = 24;
/// Weight of its cues, in percent of the lines, of a language whose parser takes anything.
const MOSTLY_CUES: usize = 35;
/// Bytes at the start of a text whose cues count by themselves, because data may follow.
#[cfg(feature = "__code")]
const START_BYTES: usize = 4 << 10;

/// Source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In one language that can be parsed, if its grammar is compiled in.
    Known(Language),
    /// In a language that its content shows, and no name.
    Guessed(Language),
    /// In another language, or in several, with comments like this.
    Unknown(Option<Comment>),
}

/// Languages whose parsers refuse what is in no language, without those that others include.
#[cfg(feature = "__code")]
const STRICT: [Language; 8] = [
    Language::Cpp,
    Language::CSharp,
    Language::Go,
    Language::Java,
    Language::Python,
    Language::Rust,
    Language::Tsx,
    Language::TypeScript,
];

/// How a comment starts and ends.
type Comment = (&'static str, &'static str);

impl Source {
    /// Returns the lines that may be elided, with the frame for each marker.
    pub(crate) fn gaps(self, text: &str, query: &Query<'_>) -> Vec<FramedOmission> {
        match self {
            #[cfg(feature = "__code")]
            Self::Known(language) | Self::Guessed(language) => super::code::gaps(text, language, query),
            _ => {
                _ = (text, query);
                Vec::new()
            }
        }
    }

    /// Puts a marker that replaces whole lines into a comment of the language. `None` if it is not known how.
    pub(crate) fn comment(self, marker: &str) -> Option<String> {
        let (open, close) = match self {
            Self::Known(language) | Self::Guessed(language) => (language.comment(), ""),
            Self::Unknown(comment) => comment?,
        };
        let bare = marker.trim_end_matches(['\r', '\n']);
        let end = marker.get(bare.len()..).unwrap_or_default();
        Some(format!("{open}{bare}{close}{end}"))
    }

    /// Whether what opens in these lines also closes in them, as far as a glance tells.
    pub(crate) fn is_even(text: &str, bytes: &Range<usize>) -> bool {
        text.get(bytes.clone()).is_none_or(is_balanced)
    }

    /// Whether the text still parses with these replacements of whole lines, in order.
    pub(crate) fn still_parses(self, text: &str, changes: &[(Range<usize>, &str)]) -> bool {
        let is_whole =
            || changes.iter().any(|(bytes, _)| bytes.start == 0 && bytes.end >= text.trim_end().len());
        let is_even = || is_whole() || changes.iter().all(|(bytes, _)| Self::is_even(text, bytes));
        match self {
            #[cfg(feature = "__code")]
            Self::Known(language) => {
                super::code::still_parses(text, language, changes, is_balanced(text)).unwrap_or(true)
            }
            // What has mistakes in this language may have none in its own.
            #[cfg(feature = "__code")]
            Self::Guessed(language) => super::code::still_parses(text, language, changes, false)
                .unwrap_or_else(|| (!is_balanced(text) || is_even()) && !breaks(text, changes)),
            _ => is_even() && !breaks(text, changes),
        }
    }
}

/// Corrects the kind of code that looks like something else: a file with long comments reads like prose.
pub(crate) fn settled(kind: ContentKind, text: &str, arguments: Option<&str>) -> ContentKind {
    use ContentKind::{Diff, Html, Search};
    if matches!(kind, Diff | Search) && shebang(text).is_some() {
        return ContentKind::Code;
    }
    if kind != Html && !is_plain(kind) {
        return kind;
    }
    let is_code = shebang(text).is_some()
        || match FileNames::of_addresses(arguments) {
            FileNames::One(language) => is_file(kind, text, language),
            FileNames::Document => false,
            _ => match FileNames::of(arguments) {
                // Output of a program may name the file that it is about.
                FileNames::One(language) => {
                    language.is_like(text)
                        && is_parsed(text, language.or_header(text)).unwrap_or_else(|| is_program(text))
                }
                // Scripts of a page are part of it.
                _ => (kind != Html || !html::is_page(text)) && is_code(kind, text),
            },
        };
    if is_code { ContentKind::Code } else { kind }
}

/// Corrects the kind of a text that consists of groups under heads, as dumps of threads do: only a file of code that the
/// call names is code, and what a parser reads.
pub(crate) fn settled_groups(kind: ContentKind, text: &str, arguments: Option<&str>) -> ContentKind {
    match FileNames::of(arguments) {
        FileNames::One(_) | FileNames::Code => settled(kind, text, arguments),
        FileNames::Document => kind,
        FileNames::Nothing if shebang(text).is_some() || is_read(text) => ContentKind::Code,
        FileNames::Nothing => kind,
    }
}

/// Whether a parser takes the text for code, but for a few lines that a tool put around it. It takes plans and dumps too, with
/// more mistakes.
fn is_read(text: &str) -> bool {
    const FEW_MISTAKES: usize = 3;
    judged(text).is_some_and(|(count, _)| count <= FEW_MISTAKES || cfg!(not(feature = "__code")))
}

/// Returns the language that the first line of a script names, also below a few lines that a tool put above it.
fn shebang(text: &str) -> Option<Language> {
    const HEAD_LINES: usize = 6;
    let starts = text.match_indices('\n').map(|(at, _)| at + 1).take(HEAD_LINES);
    std::iter::once(0).chain(starts).find_map(|at| Language::from_shebang(text.get(at..)?))
}

/// Whether a text of this kind may be a file in an unknown language.
const fn is_plain(kind: ContentKind) -> bool {
    use ContentKind::{Blob, Listing, Log, Prose, Table, Text};
    matches!(kind, Blob | Listing | Log | Prose | Table | Text)
}

/// Whether a text that was asked for by the name of a file is that file, and not a page or a report about it.
fn is_file(kind: ContentKind, text: &str, language: Language) -> bool {
    use ContentKind::{Html, Listing, Log, Table};
    if language == Language::Php {
        return language.has_cues(text);
    }
    if kind == Html && html::is_page(text) {
        return false;
    }
    let has_cues = || match kind {
        Log => language.is_like(text) || is_program(text),
        Listing | Table => language.takes_anything() || language.is_like(text) || is_program(text),
        _ => language.has_cues(text),
    };
    has_cues() || is_framed(text) || is_parsed(text, language.or_header(text)).unwrap_or(false)
}

/// Whether a text that nothing names is code.
fn is_code(kind: ContentKind, text: &str) -> bool {
    use ContentKind::{Listing, Log, Prose, Table, Text};
    let is_framed_log = kind == Log && is_framed(text) && !lists_changes(text);
    let least = if kind == Log && !is_framed_log { NOTHING_ELSE } else { MOSTLY_PROGRAM };
    if is_json_lines(text) {
        return false;
    }
    identified(text).is_some()
        || program_share(text) >= least
        || is_here_document(text)
        || match kind {
            Listing | Table => is_framed(text) || is_bracketed(text),
            // Output of commands may hold JSON below headings.
            Text => is_framed(text) && !text.lines().any(|line| line.starts_with(['{', '['])),
            Prose => is_framed(text) && !prose::is_prose(text),
            Log => is_framed_log && is_program(text),
            _ => false,
        }
}

/// Whether a text parses in a language that nobody expected, and would not with these replacements of whole lines.
#[cfg(feature = "__code")]
fn breaks(text: &str, changes: &[(Range<usize>, &str)]) -> bool {
    let mut after = String::with_capacity(text.len());
    let mut from = 0;
    for (bytes, with) in changes {
        after.push_str(text.get(from..bytes.start).unwrap_or_default());
        after.push_str(with);
        from = bytes.end;
    }
    after.push_str(text.get(from..).unwrap_or_default());
    STRICT.iter().any(|language| super::code::is_broken(text, &after, *language))
}

#[cfg(not(feature = "__code"))]
const fn breaks(_: &str, _: &[(Range<usize>, &str)]) -> bool {
    false
}

/// Whether every bracket and comment of a text closes in it, while these lines hold only one end of some.
pub(crate) fn cuts_pairs(text: &str, bytes: &Range<usize>) -> bool {
    text.get(bytes.clone()).is_some_and(|lines| !shape::is_paired(lines)) && shape::is_paired(text)
}

/// Identifies the language of a text by its content alone: cues say which to try, and the parser decides.
fn identified(text: &str) -> Option<Language> {
    judged(text).map(|(_, language)| language)
}

/// Identifies the language, with the mistakes of the text in it; `usize::MAX` if no parser has counted them.
fn judged(text: &str) -> Option<(usize, Language)> {
    if has_pod(text) {
        return Some((usize::MAX, Language::Perl));
    }
    let candidates = Language::candidates(text);
    let mistakes = |language: Language| {
        #[cfg(feature = "__code")]
        return super::code::mistakes(text, language);
        #[cfg(not(feature = "__code"))]
        return None::<usize>.filter(|_| language.takes_anything());
    };
    let tried = |language: &Language| {
        Some((mistakes(*language)?, *language)).filter(|(count, _)| *count <= MAX_MISTAKES)
    };
    let best = candidates.iter().filter_map(|(language, _)| tried(language)).min_by_key(|(count, _)| *count);
    // Languages with braces have many lines in common.
    let best = match best {
        Some((1.., found)) if found != Language::Python => {
            let all = std::iter::once(found).chain(Language::WITH_BRACES);
            all.filter_map(|language| tried(&language)).min_by_key(|(count, _)| *count)
        }
        best => best,
    };
    best.or_else(|| {
        // Where the parser cannot tell, cues must be everywhere.
        let ((first, weight), rest) = candidates.split_first()?;
        let is_alone = rest.iter().all(|(_, other)| other * 3 <= weight * 2);
        let first = Some(*first)
            .filter(|language| language.takes_anything() && is_alone && *weight >= MOSTLY_CUES)?;
        // Code without functions has few cues, and those of other languages.
        let others = [Language::Go, Language::Java, Language::Rust, Language::TypeScript];
        let other = others.into_iter().find(|language| mistakes(*language) == Some(0));
        Some(other.map_or((usize::MAX, first), |other| (0, other)))
    })
}

/// Whether the start of the text parses as code in this language. `None` if its parser cannot tell.
fn is_parsed(text: &str, language: Language) -> Option<bool> {
    #[cfg(feature = "__code")]
    if !language.takes_anything() {
        return Some(super::code::mistakes(text, language).is_some_and(|count| count <= MAX_MISTAKES));
    }
    _ = (text, language);
    None
}

/// Whether a text that may be code, and parses, would not parse with these words instead. Only languages whose parsers
/// take almost anything need this, because their texts look like anything.
pub(crate) fn is_broken(kind: ContentKind, arguments: Option<&str>, (before, after): (&str, &str)) -> bool {
    #[cfg(feature = "__code")]
    if is_plain(kind) || kind == ContentKind::Code && !matches!(FileNames::of(arguments), FileNames::One(_)) {
        let start = (0..=START_BYTES.min(before.len())).rev().find_map(|end| before.get(..end));
        let all = [before, start.unwrap_or_default()].into_iter().flat_map(Language::candidates);
        let mut tried: Vec<Language> = Vec::new();
        for (language, _) in all {
            if language.takes_anything() && !tried.contains(&language) {
                tried.push(language);
                if super::code::is_broken(before, after, language) {
                    return true;
                }
            }
        }
    }
    #[cfg(feature = "__code")]
    if is_plain(kind) && shape::may_be_code(before) {
        return STRICT.iter().any(|language| super::code::is_broken(before, after, *language));
    }
    _ = (kind, arguments, before, after);
    false
}

/// Returns what source code a text of this kind is; `None` if it is something else. The classifier is asked only if
/// nothing else decides.
pub(crate) fn of(
    kind: ContentKind,
    text: &str,
    arguments: Option<&str>,
    verdict: impl FnOnce() -> Option<Classification>,
) -> Option<Source> {
    if !matches!(kind, ContentKind::Code | ContentKind::FileRead) {
        return None;
    }
    let names = FileNames::of(arguments);
    match names {
        FileNames::One(language) => return Some(Source::Known(language.or_header(&bare(text)))),
        FileNames::Code => return Some(Source::Unknown(comment_in(&bare(text)))),
        FileNames::Document if kind == ContentKind::FileRead => return None,
        FileNames::Document | FileNames::Nothing => {}
    }
    let text = bare(text);
    let by_classifier = || match verdict()? {
        Classification::Code(extension) => Language::from_extension(extension),
        Classification::Prose => None,
    };
    match shebang(&text).or_else(|| identified(&text)).or_else(by_classifier) {
        Some(language) => Some(Source::Guessed(language)),
        None => {
            let is_code = is_program(&text) || is_framed(&text) || is_here_document(&text);
            is_code.then(|| Source::Unknown(comment_in(&text).filter(|_| is_program(&text))))
        }
    }
}

/// Strips the line numbers of a view of a file.
fn bare(text: &str) -> std::borrow::Cow<'_, str> {
    let is_numbered =
        |view: &Lines| view.runs.iter().map(|run| run.lines.len()).sum::<usize>() * 2 > view.lines.len();
    let Some(view) = Lines::new(text).filter(is_numbered) else { return text.into() };
    let mut bare = String::with_capacity(text.len());
    for line in view.lines.iter().filter(|line| line.run != 0) {
        bare.push_str(line.body(text));
        bare.push('\n');
    }
    bare.into()
}

#[cfg(test)]
mod tests;
