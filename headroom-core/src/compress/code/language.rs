//! Detects the programming language of a text by its file name, its first line, and its structure.
//!
//! An ambiguous text has no language, and is not parsed.

use crate::Classification;

/// Languages that can be parsed, whether or not their grammar is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Bash,
    C,
    Cpp,
    CSharp,
    Go,
    Java,
    JavaScript,
    Perl,
    Php,
    Python,
    Ruby,
    Rust,
    Tsx,
    TypeScript,
}

/// Number of lines whose structure is examined, evenly spread.
const SAMPLE: usize = 160;
/// Bytes examined of each line.
const MAX_WIDTH: usize = 160;
/// Extensions of files in none of the languages, whatever they look like.
const OTHERS: [&str; 36] = [
    "adoc", "cfg", "conf", "css", "csv", "dart", "diff", "ex", "exs", "hs", "htm", "html", "ini", "ipynb",
    "json", "jsonl", "kt", "kts", "lock", "log", "lua", "md", "patch", "rst", "scala", "sql", "svelte",
    "svg", "swift", "tex", "toml", "txt", "vue", "xml", "yaml", "yml",
];
/// Minimum number of typical lines; fewer may be chance.
const MIN_CUES: usize = 3;

/// Starts and contents of lines that are frequent in one language and rare in the others.
struct Cues {
    language: Language,
    starts: &'static [&'static str],
    holds: &'static [&'static str],
    ends: &'static [&'static str],
}

const CUES: [Cues; 10] = [
    Cues {
        language: Language::Python,
        starts: &[
            "def ",
            "async def ",
            "elif ",
            "except ",
            "except:",
            "self.",
            "@property",
            "\"\"\"",
            "raise ",
        ],
        holds: &["__init__", "(self", " is None", " not in ", "self."],
        ends: &["):", "else:", "try:"],
    },
    Cues {
        language: Language::JavaScript,
        starts: &["const {", "export ", "function ", "async function", "}, [", "describe(", "it(", "await "],
        holds: &[" => {", " === ", "require(", " from '", " from \"", "this.", "const "],
        ends: &["});", "})", "};"],
    },
    Cues {
        language: Language::Go,
        starts: &["func ", "package ", "type ", "defer ", "if err", "t.Run("],
        holds: &[" := ", "err != nil", "fmt.", "[]string", " *testing.T"],
        ends: &[" struct {", " interface {", "import ("],
    },
    Cues {
        language: Language::Rust,
        starts: &[
            "fn ",
            "pub fn ",
            "pub(",
            "impl ",
            "impl<",
            "use ",
            "let mut ",
            "#[",
            "///",
            "match ",
            "pub struct ",
        ],
        holds: &["::new(", ".unwrap()", "&mut ", "&self", "Some(", "Ok(", "let "],
        ends: &["=> {", "?;"],
    },
    Cues {
        language: Language::Java,
        starts: &[
            "import java",
            "import org.",
            "import com.",
            "@Override",
            "@Test",
            "package ",
            "public class ",
            "private final ",
        ],
        holds: &[" throws ", " final ", "public static ", " extends ", "new ArrayList"],
        ends: &[],
    },
    Cues {
        language: Language::C,
        starts: &[
            "#include",
            "#define",
            "#ifdef",
            "#ifndef",
            "#endif",
            "static ",
            "struct ",
            "typedef ",
            "template",
            "namespace ",
            "using namespace",
        ],
        holds: &["->", "NULL", "sizeof(", "(void)", "char *", "std::", "nullptr"],
        ends: &[],
    },
    Cues {
        language: Language::Perl,
        starts: &["use strict", "use warnings", "my ", "sub ", "package ", "our ", "=head", "=cut"],
        holds: &["my $", "my (", "my @", "my %", "$_", "@_", "=~", "$self->", "->{", " eq "],
        ends: &[],
    },
    Cues {
        language: Language::CSharp,
        starts: &[
            "using System",
            "using Microsoft",
            "namespace ",
            "public class ",
            "internal ",
            "/// <summary>",
            "private readonly ",
        ],
        holds: &["{ get;", "public async Task", " string ", " => _", "var ", ".ConfigureAwait("],
        ends: &[],
    },
    Cues {
        language: Language::Ruby,
        starts: &[
            "require '",
            "require_relative",
            "attr_",
            "module ",
            "def ",
            "end",
            "class ",
            "elsif ",
            "unless ",
            "let(:",
        ],
        holds: &[" do |", ".each ", ".nil?", "@", "#{"],
        ends: &[" do", "|"],
    },
    Cues {
        language: Language::Bash,
        starts: &[
            "fi", "done", "if [", "echo ", "esac", "for ", "set -", "local ", "elif [", "case ", "while ",
        ],
        holds: &["${", "\"$", "$(", "|| ", "$1"],
        ends: &["; then", "; do", "() {"],
    },
];

impl Language {
    /// Detects the language of a tool result, given the arguments of the call. The classifier is consulted only if
    /// nothing else decides.
    pub(super) fn detect(
        text: &str,
        arguments: Option<&str>,
        verdict: impl FnOnce() -> Option<Classification>,
    ) -> Option<Self> {
        match arguments.map_or(FileNames::Nothing, FileNames::from_arguments) {
            FileNames::One(language) => Some(language.or_header(text)),
            FileNames::Others => None,
            FileNames::Nothing => {
                Self::of_shebang(text).or_else(|| Self::of_structure(text)).or_else(|| match verdict()? {
                    Classification::Code(extension) => Self::of_extension(extension),
                    Classification::Prose => None,
                })
            }
        }
    }

    /// Returns the language of files with this extension.
    pub(super) fn of_extension(extension: &str) -> Option<Self> {
        Some(match extension {
            "bash" | "bats" | "sh" | "zsh" => Self::Bash,
            "c" | "h" => Self::C,
            "C" | "cc" | "cpp" | "cxx" | "hh" | "hpp" | "hxx" | "inl" | "ipp" => Self::Cpp,
            "cs" => Self::CSharp,
            "go" => Self::Go,
            "java" => Self::Java,
            "cjs" | "js" | "jsx" | "mjs" => Self::JavaScript,
            "PL" | "pl" | "pm" | "t" => Self::Perl,
            "php" | "phtml" => Self::Php,
            "py" | "pyi" | "pyw" => Self::Python,
            "gemspec" | "rake" | "rb" => Self::Ruby,
            "rs" => Self::Rust,
            "tsx" => Self::Tsx,
            "cts" | "mts" | "ts" => Self::TypeScript,
            _ => return None,
        })
    }

    pub(super) fn of_shebang(text: &str) -> Option<Self> {
        if text.starts_with("<?php") {
            return Some(Self::Php);
        }
        let line = text.strip_prefix("#!")?.lines().next()?;
        let mut words = line.split(['/', ' ']).filter(|word| !word.is_empty());
        words.find_map(|word| match word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
            "bash" | "dash" | "ksh" | "sh" | "zsh" => Some(Self::Bash),
            "node" | "nodejs" => Some(Self::JavaScript),
            "deno" | "ts-node" | "tsx" => Some(Self::TypeScript),
            "perl" => Some(Self::Perl),
            "php" => Some(Self::Php),
            "pypy" | "python" => Some(Self::Python),
            "ruby" => Some(Self::Ruby),
            _ => None,
        })
    }

    /// Returns the language whose cues match the most lines, and at least twice as many as those of the next.
    fn of_structure(text: &str) -> Option<Self> {
        let mut scores = CUES.map(|cues| (0_usize, cues.language));
        let lines: Vec<&str> = text.lines().map(bounded).filter(|line| !line.is_empty()).collect();
        let step = lines.len().div_ceil(SAMPLE).max(1);
        for line in lines.iter().step_by(step) {
            for (cues, (score, _)) in CUES.iter().zip(&mut scores) {
                let starts = cues.starts.iter().any(|cue| line.starts_with(cue));
                // The start of a line is stronger evidence than its contents.
                *score += match starts {
                    true => 2,
                    false => usize::from(
                        cues.ends.iter().any(|cue| line.ends_with(cue))
                            || cues.holds.iter().any(|cue| line.contains(cue)),
                    ),
                };
            }
        }
        scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let [(best, language), (next, _), ..] = scores;
        (best >= 2 * MIN_CUES && best >= 2 * next).then(|| language.or_header(text).or_typed(&lines))
    }

    /// Returns C++ if a text that may be C, such as a header, contains constructs that only C++ has.
    fn or_header(self, text: &str) -> Self {
        const CPP: [&str; 7] =
            ["class ", "namespace ", "template<", "template <", "public:", "private:", "using "];
        let is = |line: &str| CPP.iter().any(|cue| line.starts_with(cue)) || line.contains("std::");
        if self == Self::C && text.lines().map(bounded).take(4 * SAMPLE).filter(|line| is(line)).count() > 1 {
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

/// The languages of the files that a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileNames {
    Nothing,
    One(Language),
    /// Several languages, or an unsupported one.
    Others,
}

impl FileNames {
    fn from_arguments(arguments: &str) -> Self {
        let ends = |c: char| c.is_whitespace() || "\"'`,;()[]{}<>|=&*\\".contains(c);
        let mut found = Self::Nothing;
        for word in arguments.split(ends) {
            let name = word.rsplit('/').next().unwrap_or(word);
            // The name may be followed by a line number or a range of lines.
            let name = name.split([':', '#', '@']).next().unwrap_or(name);
            let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
            let Some((_, extension)) = extension else { continue };
            found = match (found, Language::of_extension(extension)) {
                (Self::Nothing, Some(language)) => Self::One(language),
                (Self::One(other), Some(language)) if other == language => found,
                (_, Some(_)) => return Self::Others,
                (_, None) if OTHERS.contains(&extension) => return Self::Others,
                (_, None) => found,
            };
        }
        found
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
        let of = |arguments| Language::detect("x = 1\n", Some(arguments), || None);
        assert_eq!(of(r#"{"file_path": "/app/src/parse.rs"}"#), Some(Language::Rust));
        assert_eq!(of("sed -n 1,80p lib/Foo/Bar.pm"), Some(Language::Perl));
        assert_eq!(of(r#"{"command":"cat a/b.test.tsx | head -50"}"#), Some(Language::Tsx));
        assert_eq!(of("src/main.c:12-80"), Some(Language::C));
        assert_eq!(of("cat a.py b.sh"), None, "two languages");
        assert_eq!(of("cat notes.md"), None);
        assert_eq!(of("echo .rs 1.2"), None);
    }

    #[test]
    fn headers_of_both_languages_are_told_apart() {
        let named = Some("inc/a.h");
        assert_eq!(Language::detect("#pragma once\nint f(void);\n", named, || None), Some(Language::C));
        let classes = "namespace a {\nclass B {\npublic:\n  int c();\n};\n}\n";
        assert_eq!(Language::detect(classes, named, || None), Some(Language::Cpp));
    }

    #[test]
    fn first_lines_decide_next() {
        for (line, language) in [
            ("#!/bin/sh", Language::Bash),
            ("#!/usr/bin/env python3.11", Language::Python),
            ("#!/usr/bin/perl -w", Language::Perl),
            ("#!/usr/bin/env -S node --harmony", Language::JavaScript),
            ("<?php", Language::Php),
        ] {
            assert_eq!(Language::detect(&format!("{line}\nx\n"), None, || None), Some(language));
        }
    }

    #[test]
    fn structure_decides_last() {
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
            assert_eq!(Language::detect(text, None, || None), Some(language), "{text}");
        }
    }

    #[test]
    fn what_says_little_is_no_language() {
        for text in ["", "x = 1\ny = 2\n", "Once upon a time.\nThere was a harbour.\n"] {
            assert_eq!(Language::detect(text, None, || None), None, "{text}");
        }
    }
}
