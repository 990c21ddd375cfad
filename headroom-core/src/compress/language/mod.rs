//! Detects the programming language of a text by its file name, its first line, and its structure.
//!
//! An ambiguous text has no language, and is not parsed.

mod cues;
mod names;

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use cues::CUES;
pub(super) use names::{FileNames, comment_by_name};

pub(crate) use crate::content::Language;
use crate::text::lines;

/// Number of lines whose structure is examined, evenly spread.
const SAMPLE: usize = 160;
/// Bytes examined of each line.
const MAX_WIDTH: usize = 160;
/// How many languages are tried.
const MAX_CANDIDATES: usize = 3;
/// Minimum number of typical lines; fewer may be chance.
const MIN_CUES: usize = 3;

impl Language {
    /// Languages that are taken for one another.
    pub(super) const WITH_BRACES: [Self; 5] =
        [Self::Cpp, Self::CSharp, Self::Java, Self::JavaScript, Self::TypeScript];

    /// Returns the languages that the text may be in, the likeliest first, each with the weight of its cues in percent
    /// of the lines.
    pub(in crate::compress) fn candidates(text: &str) -> Vec<(Self, usize)> {
        let lines = lines(text);
        let mut scores = scores(&lines);
        scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let best = scores.first().map_or(0, |(score, _)| *score);
        let likely = scores.into_iter().filter(|(score, _)| *score >= 2 * MIN_CUES && *score * 2 >= best);
        let sample = lines.len().clamp(1, SAMPLE);
        let found = likely
            .take(MAX_CANDIDATES)
            .map(|(score, language)| (language.or_header(text).or_typed(&lines), score * 100 / sample));
        found.collect()
    }

    /// Whether a text has the cues of this language, and more of them than of any other.
    pub(super) fn is_like(self, text: &str) -> bool {
        let scores = scores(&lines(text));
        let own = self.score_in(&scores);
        own >= 2 * MIN_CUES && scores.iter().all(|(score, _)| *score <= own)
    }

    /// Whether a text has any cue of this language.
    pub(super) fn has_cues(self, text: &str) -> bool {
        match self {
            Self::Php => text.contains("<?"),
            _ => self.score_in(&scores(&lines(text))) > 1,
        }
    }

    fn score_in(self, scores: &[(usize, Self)]) -> usize {
        let typed = match self {
            Self::Cpp => Self::C,
            Self::Tsx | Self::TypeScript => Self::JavaScript,
            other => other,
        };
        scores.iter().find(|(_, language)| *language == typed).map_or(0, |(score, _)| *score)
    }

    /// The token that starts a line comment.
    pub(super) const fn comment(self) -> &'static str {
        match self {
            Self::Bash | Self::Perl | Self::Python | Self::Ruby => "# ",
            _ => "// ",
        }
    }

    /// Whether its grammar takes almost any text.
    pub(super) const fn takes_anything(self) -> bool {
        matches!(self, Self::Bash | Self::Perl | Self::Php | Self::Ruby)
    }

    /// Returns C++ if a text that may be C, such as a header, contains constructs that only C++ has.
    pub(super) fn or_header(self, text: &str) -> Self {
        const CPP: [&str; 7] =
            ["class ", "namespace ", "template<", "template <", "public:", "private:", "using "];
        let is = |line: &str| CPP.iter().any(|cue| line.starts_with(cue)) || line.contains("std::");
        if self == Self::C
            && lines::split(text).map(bounded).take(4 * SAMPLE).filter(|line| is(line)).count() > 1
        {
            return Self::Cpp;
        }
        self
    }

    /// Returns TypeScript if the lines have type annotations.
    fn or_typed(self, lines: &[&str]) -> Self {
        const STARTS: [&str; 6] =
            ["interface ", "export interface ", "type ", "export type ", "import type ", "private "];
        const HOLDS: [&str; 6] = [": string", ": number", ": boolean", ": void", "): Promise<", " as const"];
        let is = |line: &&&str| {
            STARTS.iter().any(|cue| line.starts_with(cue)) || HOLDS.iter().any(|cue| line.contains(cue))
        };
        if self == Self::JavaScript && lines.iter().take(4 * SAMPLE).filter(is).count() > 1 {
            return Self::TypeScript;
        }
        self
    }
}

/// Returns the lines of a text that are neither empty nor comments, as far as they are examined.
fn lines(text: &str) -> Vec<&str> {
    let is_comment = |line: &str| {
        ["* ", "# ", "// "].iter().any(|start| line.starts_with(start)) || matches!(line, "*" | "#" | "//")
    };
    lines::split(text).map(bounded).filter(|line| !line.is_empty() && !is_comment(line)).collect()
}

/// Whether a line starts with a cue, and a cue that is a word is a whole word there: `fix/login` is no `fi`.
fn starts_with(line: &str, cue: &str) -> bool {
    let is_in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    line.strip_prefix(cue)
        .is_some_and(|rest| !(cue.ends_with(char::is_alphanumeric) && rest.starts_with(is_in_word)))
}

/// Scores each language by the lines that its cues match.
fn scores(lines: &[&str]) -> [(usize, Language); CUES.len()] {
    let mut scores = CUES.map(|cues| (0_usize, cues.language));
    let step = lines.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<&str> = lines.iter().step_by(step).copied().collect();
    for (line, holds) in sample.iter().zip(holds(&sample)) {
        let bytes = line.as_bytes();
        let may_start = EDGES.first(bytes.first());
        let may_end = EDGES.last(bytes.last());
        for ((number, cues), (score, _)) in CUES.iter().enumerate().zip(&mut scores) {
            let is_in = |languages: Languages| languages >> number & 1 == 1;
            // The start of a line is stronger evidence than its contents.
            *score += match is_in(may_start) && cues.starts.iter().any(|cue| starts_with(line, cue)) {
                true => 2,
                false => usize::from(
                    is_in(holds) || is_in(may_end) && cues.ends.iter().any(|cue| line.ends_with(cue)),
                ),
            };
        }
    }
    scores
}

/// Languages as bits, in the order of [`CUES`].
type Languages = u16;

/// Returns the languages that have a cue in each line.
///
/// The lines are searched as one text and for all cues at once: to search many short lines for many cues takes longer than
/// all else that detection does.
fn holds(sample: &[&str]) -> Vec<Languages> {
    let mut holds = vec![0; sample.len()];
    let Some(finder) = HELD.finder.as_ref() else { return holds };
    let text = sample.join("\n");
    let mut ends = sample.iter().zip(&mut holds).scan(0, |end, (line, holds)| {
        *end += line.len() + 1;
        Some((*end, holds))
    });
    let mut line = ends.next();
    for found in finder.find_overlapping_iter(&text) {
        while line.as_ref().is_some_and(|(end, _)| *end < found.end()) {
            line = ends.next();
        }
        if let (Some((_, holds)), Some(languages)) =
            (&mut line, HELD.languages.get(found.pattern().as_usize()))
        {
            **holds |= languages;
        }
    }
    holds
}

/// A search for what lines hold in each language.
struct Held {
    finder: Option<AhoCorasick>,
    /// The language of each pattern.
    languages: Vec<Languages>,
}

static HELD: LazyLock<Held> = LazyLock::new(|| {
    let cues = || (0..).zip(&CUES).flat_map(|(number, cues)| cues.holds.iter().map(move |cue| (number, cue)));
    Held {
        finder: AhoCorasick::new(cues().map(|(_, cue)| cue)).ok(),
        languages: cues().map(|(number, _)| 1 << number).collect(),
    }
});

/// The languages with a cue that begins or ends with a byte, since most lines have no such byte there.
struct Edges {
    first: [Languages; 256],
    last: [Languages; 256],
}

static EDGES: LazyLock<Edges> = LazyLock::new(|| {
    let mut edges = Edges { first: [0; 256], last: [0; 256] };
    let mut add = |number: u32, edge: Option<u8>, of: fn(&mut Edges) -> &mut [Languages; 256]| {
        if let Some(languages) = edge.and_then(|byte| of(&mut edges).get_mut(usize::from(byte))) {
            *languages |= 1 << number;
        }
    };
    for (number, cues) in (0..).zip(&CUES) {
        cues.starts.iter().for_each(|cue| add(number, cue.bytes().next(), |edges| &mut edges.first));
        cues.ends.iter().for_each(|cue| add(number, cue.bytes().next_back(), |edges| &mut edges.last));
    }
    edges
});

impl Edges {
    fn first(&self, byte: Option<&u8>) -> Languages {
        byte.and_then(|byte| self.first.get(usize::from(*byte))).copied().unwrap_or_default()
    }

    fn last(&self, byte: Option<&u8>) -> Languages {
        byte.and_then(|byte| self.last.get(usize::from(*byte))).copied().unwrap_or_default()
    }
}

/// Strips a line's indentation and cuts it to the examined width.
fn bounded(line: &str) -> &str {
    let line = line.trim();
    let mut ends = (MAX_WIDTH.saturating_sub(3)..=MAX_WIDTH).rev();
    if line.len() <= MAX_WIDTH {
        return line;
    }
    ends.find_map(|end| line.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_decide_first() {
        let of = |arguments| FileNames::of(Some(arguments));
        assert_eq!(of(r#"{"file_path": "/app/src/parse.rs"}"#), FileNames::One(Language::Rust));
        assert_eq!(of("sed -n 1,80p lib/Foo/Bar.pm"), FileNames::One(Language::Perl));
        assert_eq!(of(r#"{"command":"cat a/b.test.tsx | head -50"}"#), FileNames::One(Language::Tsx));
        assert_eq!(of("src/main.c:12-80"), FileNames::One(Language::C));
        assert_eq!(of(r#"{"url":"https://example.org/raw/a.go?ref=main"}"#), FileNames::One(Language::Go));
        assert_eq!(of("cat a.py b.sh"), FileNames::Code, "two languages");
        assert_eq!(of("cat style.css"), FileNames::Code);
        assert_eq!(of("cat notes.md"), FileNames::Document);
        assert_eq!(of("cat a.py notes.md"), FileNames::Code);
        assert_eq!(of("echo .rs 1.2"), FileNames::Nothing);
    }

    #[test]
    fn headers_of_both_languages_are_told_apart() {
        assert_eq!(Language::C.or_header("#pragma once\nint f(void);\n"), Language::C);
        let classes = "namespace a {\nclass B {\npublic:\n  int c();\n};\n}\n";
        assert_eq!(Language::C.or_header(classes), Language::Cpp);
    }

    #[test]
    fn structure_decides_next() {
        for (text, language) in [
            (
                "import os\n\ndef f(self):\n    if x is None:\n        raise E()\n    else:\n        return self.y\n",
                Language::Python,
            ),
            (
                "package a\n\nfunc F() error {\n\tx, err := g()\n\tif err != nil {\n\t\treturn err\n\t}\n}\n",
                Language::Go,
            ),
            (
                "use a::b;\n\nimpl A {\n    pub fn f(&self) -> u8 {\n        let mut x = 1;\n        x\n    }\n}\n",
                Language::Rust,
            ),
            (
                "use strict;\nmy $x = shift;\nsub f {\n  my ($self) = @_;\n  return $self->{x};\n}\n",
                Language::Perl,
            ),
            (
                "const a = require('b');\nexport const f = () => {\n  return a === 1;\n};\nexport default f;\n",
                Language::JavaScript,
            ),
            (
                "import b from 'b';\nexport interface A {\n  a: string;\n}\nexport const f = (a: number): void => {\n};\n",
                Language::TypeScript,
            ),
            (
                "#include <a.h>\n#define B 1\nstatic int f(char *a)\n{\n  return a->b == NULL;\n}\n",
                Language::C,
            ),
        ] {
            assert_eq!(Language::candidates(text).first().map(|(first, _)| *first), Some(language), "{text}");
        }
    }

    #[test]
    fn what_says_little_is_no_language() {
        for text in ["", "x = 1\ny = 2\n", "Once upon a time.\nThere was a harbour.\n"] {
            assert_eq!(Language::candidates(text), [], "{text}");
        }
    }
}
