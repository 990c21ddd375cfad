/// A programming language that can be parsed, if the feature of its grammar is enabled.
///
/// ```
/// use headroom_core::Language;
///
/// assert_eq!(Language::from_file_name("src/main.rs"), Some(Language::Rust));
/// assert_eq!(Language::from_shebang("#!/usr/bin/env python3\n"), Some(Language::Python));
/// assert_eq!(Language::from_file_name("notes.md"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Language {
    /// Bash and other shells.
    Bash,
    /// C.
    C,
    /// C++.
    Cpp,
    /// C#.
    CSharp,
    /// Go.
    Go,
    /// Java.
    Java,
    /// JavaScript and JSX.
    JavaScript,
    /// Perl.
    Perl,
    /// PHP.
    Php,
    /// Python.
    Python,
    /// Ruby.
    Ruby,
    /// Rust.
    Rust,
    /// TypeScript with JSX.
    Tsx,
    /// TypeScript.
    TypeScript,
}

impl Language {
    /// Returns the language of files with this extension. A `.h` file is taken for C.
    ///
    /// ```
    /// use headroom_core::Language;
    ///
    /// assert_eq!(Language::from_extension("mts"), Some(Language::TypeScript));
    /// ```
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
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

    /// Returns the language for a file name, by its extension.
    #[must_use]
    pub fn from_file_name(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        Self::from_extension(name.rsplit_once('.')?.1)
    }

    /// Returns the language that the first line of a script names.
    #[must_use]
    pub fn from_shebang(text: &str) -> Option<Self> {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_decide() {
        for (line, language) in [
            ("#!/bin/sh", Language::Bash),
            ("#!/usr/bin/env python3.11", Language::Python),
            ("#!/usr/bin/perl -w", Language::Perl),
            ("#!/usr/bin/env -S node --harmony", Language::JavaScript),
            ("<?php", Language::Php),
        ] {
            assert_eq!(Language::from_shebang(&format!("{line}\nx\n")), Some(language));
        }
    }

    #[test]
    fn names_without_an_extension_say_nothing() {
        for name in ["Makefile", "v1.2/build", "rs", ""] {
            assert_eq!(Language::from_file_name(name), None, "{name}");
        }
        assert_eq!(Language::from_file_name("C:\\src\\a.test.tsx"), Some(Language::Tsx));
    }
}
