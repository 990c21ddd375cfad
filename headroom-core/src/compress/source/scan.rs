//! What is known of one text as source code. Detection asks, and whatever selects or replaces its lines has the answers.

use std::{borrow::Cow, cell::OnceCell, fmt, ops::Range};

use super::{
    Source,
    identity::Identity,
    is_even, parser,
    shape::{self, comment_in, is_framed, is_here_document, is_program},
};
use crate::{
    Classification, ContentKind,
    compress::language::{FileNames, Language},
    formats::html,
    text::{
        lines::{self, Line, Lines},
        numbered,
        replace::replace,
    },
};

/// Bytes at the start of a text whose cues count by themselves, because data may follow.
const START_BYTES: usize = 4 << 10;
/// How many times as long the text may be.
const MOST_DATA: usize = 8;
/// The least weight of its cues, in percent of the lines, in a script. Notes on how to use a program have fewer.
const SOME_CUES: usize = 10;
/// Lines at the start of a text that a tool may put above a script.
const HEAD_LINES: usize = 6;
/// Lines at the start of which some are numbered in every view of a file with line numbers.
const NUMBERED_LINES: usize = 64;
/// Languages whose parsers refuse what is in no language.
const STRICT: [Language; 10] = [
    Language::C,
    Language::Cpp,
    Language::CSharp,
    Language::Go,
    Language::Java,
    Language::JavaScript,
    Language::Python,
    Language::Rust,
    Language::Tsx,
    Language::TypeScript,
];

/// A text that may be source code. Its parsers are asked when the answer matters, and once.
pub(crate) struct SourceScan<'t> {
    text: &'t str,
    /// The arguments of the call that brought it.
    arguments: Option<&'t str>,
    names: OnceCell<FileNames>,
    /// The text without the line numbers of a view of a file, if it has some.
    bare: OnceCell<Option<String>>,
    /// The languages of which the text has cues.
    candidates: OnceCell<Vec<(Language, usize)>>,
    identity: OnceCell<Option<Identity>>,
    /// The languages in which it has no mistake: of those that refuse most texts, and of those that it has cues of.
    strict: OnceCell<Vec<Language>>,
    lenient: OnceCell<Vec<Language>>,
}

impl<'t> SourceScan<'t> {
    pub(crate) const fn new(text: &'t str, arguments: Option<&'t str>) -> Self {
        Self {
            text,
            arguments,
            names: OnceCell::new(),
            bare: OnceCell::new(),
            candidates: OnceCell::new(),
            identity: OnceCell::new(),
            strict: OnceCell::new(),
            lenient: OnceCell::new(),
        }
    }

    /// Whether this is the scan of this very text.
    pub(crate) fn is_of(&self, text: &str) -> bool {
        std::ptr::eq(self.text, text)
    }

    /// Corrects the kind of code that looks like something else: a file with long comments reads like prose.
    ///
    /// `has_groups` says that the text consists of groups under heads, as dumps of threads do. Of those, only a file that
    /// the call names is code, and what a parser reads.
    pub(crate) fn settled(&self, kind: ContentKind, has_groups: bool) -> ContentKind {
        use ContentKind::{Code, Diff, Html, Search};
        let is_code = match kind {
            Diff | Search => shebang(self.text).is_some(),
            Html => self.is_code(kind, has_groups),
            _ => kind.traits().may_be_code && self.is_code(kind, has_groups),
        };
        if is_code { Code } else { kind }
    }

    /// Returns what source code a text of this kind is; `None` if it is something else. The classifier is asked only if
    /// nothing else decides.
    pub(crate) fn source(
        &self,
        kind: ContentKind,
        verdict: impl FnOnce() -> Option<Classification>,
    ) -> Option<Source> {
        if !matches!(kind, ContentKind::Code | ContentKind::FileRead) {
            return None;
        }
        match self.names() {
            FileNames::One(language) => return Some(Source::Known(language.or_header(self.bare()))),
            FileNames::Code => return Some(Source::Unknown(comment_in(self.bare()))),
            FileNames::Document if kind == ContentKind::FileRead => return None,
            FileNames::Document | FileNames::Nothing => {}
        }
        let text = self.bare();
        let by_content = || self.identity().map(|found| found.language);
        let by_classifier = || match verdict()? {
            Classification::Code(extension) => Language::from_extension(extension),
            Classification::Prose => None,
        };
        match shebang(text).or_else(by_content).or_else(by_classifier) {
            Some(language) => Some(Source::Guessed(language)),
            None => {
                let is_code = is_program(text) || is_framed(text) || is_here_document(text);
                is_code.then(|| Source::Unknown(comment_in(text).filter(|_| is_program(text))))
            }
        }
    }

    /// Whether the text, which is this source code, still parses with these replacements of whole lines, in order.
    pub(crate) fn still_parses(&self, source: Source, changes: &[(Range<usize>, &str)]) -> bool {
        let text = self.text;
        let is_whole =
            || changes.iter().any(|(bytes, _)| bytes.start == 0 && bytes.end >= text.trim_end().len());
        let is_even = || is_whole() || changes.iter().all(|(bytes, _)| is_even(text, bytes));
        let breaks = || self.breaks(self.strict(), &replace(text, changes.iter().cloned()));
        let parses = |language, is_whole_file| parser::still_parses(text, language, changes, is_whole_file);
        match source {
            Source::Known(language) if parser::IS_COMPILED_IN => {
                parses(language, shape::is_balanced(text)).unwrap_or(true)
            }
            // What has mistakes in this language may have none in its own.
            Source::Guessed(language) if parser::IS_COMPILED_IN => parses(language, false)
                .unwrap_or_else(|| (!shape::is_balanced(text) || is_even()) && !breaks()),
            _ => is_even() && !breaks(),
        }
    }

    /// Whether the text, which is of this kind and may be code, parses, and would not if this were its rendering. What is too
    /// long to be parsed counts as broken if it starts like code.
    pub(crate) fn is_broken(&self, kind: ContentKind, after: &str) -> bool {
        use ContentKind::{Code, FileRead};
        let breaks_lenient = || self.breaks(self.lenient(), after);
        let breaks_strict = || self.breaks(self.strict(), after);
        match (kind, self.names()) {
            (Code, FileNames::One(_)) | (FileRead, FileNames::One(_) | FileNames::Document) => false,
            (Code, _) => breaks_lenient() || breaks_strict(),
            (FileRead, _) => shape::may_be_code(self.bare()) && breaks_strict(),
            _ => {
                kind.traits().may_be_code
                    && (self.is_long_code()
                        || breaks_lenient()
                        || shape::may_be_code(self.text) && breaks_strict())
            }
        }
    }

    /// Whether this rendering of the text no longer parses in one of the languages in which the text has no mistake.
    fn breaks(&self, languages: &[Language], after: &str) -> bool {
        let is_numbered = self.bare().len() < self.text.len();
        let after = if is_numbered { without_numbers(after) } else { Cow::Borrowed(after) };
        !languages.iter().all(|language| parser::is_flawless(&after, *language))
    }

    /// Whether the text is too long to be parsed, looks like code at both ends, and its start parses.
    fn is_long_code(&self) -> bool {
        self.text.len() > parser::MAX_BYTES
            && shape::is_between_signs(self.text)
            && STRICT.iter().any(|language| parser::starts_flawless(self.text, *language))
    }

    /// Whether the call names one file by its path or address, and none that programs print into.
    pub(crate) fn is_file(&self) -> bool {
        let printed = |arguments: &str| [".log", ".out", ".txt"].iter().any(|end| arguments.contains(end));
        FileNames::of_addresses(self.arguments) != FileNames::Nothing && !self.arguments.is_some_and(printed)
    }

    /// Whether the text, which is of this kind, is code for certain: by the name of its file, or as a parser says.
    pub(crate) fn is_certain(&self, kind: ContentKind) -> bool {
        match (kind, self.names()) {
            (ContentKind::Code, FileNames::One(_) | FileNames::Code) => true,
            (ContentKind::Code, _) => !self.strict().is_empty(),
            _ => kind.traits().may_be_code && shape::may_be_code(self.text) && !self.strict().is_empty(),
        }
    }

    /// Returns the languages of the files that the call names.
    fn names(&self) -> FileNames {
        *self.names.get_or_init(|| FileNames::of(self.arguments))
    }

    /// Returns the text, without the line numbers of a view of a file.
    fn bare(&self) -> &str {
        self.bare.get_or_init(|| bare(self.text)).as_deref().unwrap_or(self.text)
    }

    /// Returns the language that the content shows.
    fn identity(&self) -> Option<Identity> {
        *self.identity.get_or_init(|| match self.bare() {
            bare if bare.len() == self.text.len() => Identity::new(bare, self.candidates()),
            bare => Identity::new(bare, &Language::candidates(bare)),
        })
    }

    /// Returns the languages of which the text has cues.
    fn candidates(&self) -> &[(Language, usize)] {
        self.candidates.get_or_init(|| Language::candidates(self.text))
    }

    fn is_code(&self, kind: ContentKind, has_groups: bool) -> bool {
        let text = self.text;
        let names = self.names();
        if has_groups && names == FileNames::Document {
            return false;
        }
        if shebang(text).is_some() {
            return true;
        }
        match FileNames::of_addresses(self.arguments) {
            FileNames::One(language) => return is_file(kind, text, language),
            FileNames::Document => return false,
            FileNames::Code | FileNames::Nothing => {}
        }
        match names {
            // Output of a program may name the file that it is about.
            FileNames::One(language) => {
                language.is_like(text)
                    && is_parsed(text, language.or_header(text)).unwrap_or_else(|| is_program(text))
            }
            FileNames::Nothing if has_groups => {
                self.identity().is_some_and(|found| found.is_nearly_flawless())
            }
            // Scripts of a page are part of it.
            _ if kind == ContentKind::Html && html::is_page(text) => false,
            // What strings of JSON hold says nothing about the text.
            _ if shape::is_json_lines(text) => false,
            _ => self.identity().is_some() || shape::is_like_code(kind, text),
        }
    }

    /// Returns the languages that refuse most texts, and take this one.
    fn strict(&self) -> &[Language] {
        self.strict.get_or_init(|| {
            let text = self.bare();
            let may_be = |language: &Language| shape::may_be_in(text, *language);
            let takes = |language: &Language| parser::is_flawless(text, *language);
            STRICT.into_iter().filter(may_be).filter(takes).collect()
        })
    }

    /// Returns the languages that take almost any text, of which this text has cues and in which it has no mistake.
    fn lenient(&self) -> &[Language] {
        self.lenient.get_or_init(|| {
            let text = self.text;
            if text.len() > parser::MAX_BYTES || shape::has_fences(text) {
                return Vec::new();
            }
            // Data may follow a script. What is much longer is no script with data.
            let starts = (START_BYTES + 1..=START_BYTES * MOST_DATA).contains(&text.len());
            let start = starts.then(|| (0..=START_BYTES).rev().find_map(|end| text.get(..end))).flatten();
            let of_start = start.map(Language::candidates).unwrap_or_default();
            let mut tried: Vec<Language> = Vec::new();
            for (language, weight) in self.candidates().iter().copied().chain(of_start) {
                if language.takes_anything() && weight >= SOME_CUES && !tried.contains(&language) {
                    tried.push(language);
                }
            }
            tried.retain(|language| parser::is_flawless(text, *language));
            tried
        })
    }
}

impl fmt::Debug for SourceScan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceScan").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// Returns the language that the first line of a script names, also below a few lines that a tool put above it.
fn shebang(text: &str) -> Option<Language> {
    let starts = text.match_indices('\n').map(|(at, _)| at + 1).take(HEAD_LINES);
    std::iter::once(0).chain(starts).find_map(|at| Language::from_shebang(text.get(at..)?))
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
    let has_cues = match kind {
        Log => language.is_like(text) || is_program(text),
        Listing | Table => language.takes_anything() || language.is_like(text) || is_program(text),
        _ => language.has_cues(text),
    };
    has_cues || is_framed(text) || is_parsed(text, language.or_header(text)).unwrap_or(false)
}

/// Whether the start of the text parses as code in this language. `None` if its parser cannot tell.
fn is_parsed(text: &str, language: Language) -> Option<bool> {
    let can_tell = parser::IS_COMPILED_IN && !language.takes_anything();
    can_tell.then(|| Identity::parsed(text, language).is_some())
}

/// Returns the numbered lines of a view of a file without their numbers.
fn without_numbers(text: &str) -> Cow<'_, str> {
    let Some(view) = Lines::new(text) else { return text.into() };
    let is_numbered = |line: &Line| line.run != 0;
    let (Some(first), Some(last)) =
        (view.lines.iter().position(is_numbered), view.lines.iter().rposition(is_numbered))
    else {
        return text.into();
    };
    let mut bare = String::with_capacity(text.len());
    for line in view.lines.get(first..=last).unwrap_or_default() {
        bare.push_str(line.body(text));
        bare.push('\n');
    }
    bare.into()
}

/// Returns a view of a file without its line numbers; `None` if it has none.
fn bare(text: &str) -> Option<String> {
    let start: Vec<&str> = lines::split(text).take(NUMBERED_LINES).collect();
    if numbered::runs(&start).is_empty() {
        return None;
    }
    let is_numbered =
        |view: &Lines| view.runs.iter().map(|run| run.lines.len()).sum::<usize>() * 2 > view.lines.len();
    let view = Lines::new(text).filter(is_numbered)?;
    let mut bare = String::with_capacity(text.len());
    for line in view.lines.iter().filter(|line| line.run != 0) {
        bare.push_str(line.body(text));
        bare.push('\n');
    }
    Some(bare)
}
