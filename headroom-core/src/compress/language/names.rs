//! Reads the languages of the files that a call names.

use super::Language;
use crate::detect;

/// Extensions of documents, data and settings, whatever they look like.
const DOCUMENTS: [&str; 25] = [
    "adoc", "cfg", "conf", "csv", "diff", "htm", "html", "ini", "ipynb", "json", "jsonl", "lock", "log",
    "md", "out", "patch", "rst", "svg", "tex", "toml", "tsv", "txt", "xml", "yaml", "yml",
];
/// Extensions of code in other languages.
const OTHER_CODE: [&str; 28] = [
    "asm", "clj", "css", "dart", "elm", "erl", "ex", "exs", "f90", "fs", "groovy", "hs", "jl", "kt", "kts",
    "less", "lua", "ml", "nim", "proto", "scala", "scss", "sql", "svelte", "swift", "vb", "vue", "zig",
];
/// Files whose markers are comments, by extension or by name, and what opens a comment there.
const COMMENTS: [(&str, &[&str]); 5] = [
    (
        "# ",
        &[
            "toml",
            "yaml",
            "yml",
            "cfg",
            "conf",
            "properties",
            "env",
            "tf",
            "tfvars",
            "hcl",
            "nix",
            "r",
            "jl",
            "ex",
            "exs",
            "cmake",
            "mk",
            "graphql",
            "dockerfile",
            "containerfile",
            "makefile",
            "s",
        ],
    ),
    ("-- ", &["sql", "lua", "hs", "elm"]),
    ("; ", &["ini", "asm", "nasm"]),
    (";; ", &["clj", "el", "lisp", "scm"]),
    ("% ", &["tex", "erl"]),
];

/// Returns what opens a comment in the files that the call names: those that a tool was given, or with `shows_files` also
/// those of a command. `None` if it is not known or differs.
pub(in crate::compress) fn comment_by_name(
    arguments: Option<&str>,
    shows_files: bool,
) -> Option<&'static str> {
    let words = words(arguments, if shows_files { &detect::named } else { &detect::addresses });
    let mut found = None;
    for word in words.split(|c: char| c.is_whitespace() || "\"'`,;()[]{}<>|=&*?\\".contains(c)) {
        let name = word.rsplit('/').next().unwrap_or(word).to_ascii_lowercase();
        let (has_end, end) = name.rsplit_once('.').map_or((false, &*name), |(_, end)| (true, end));
        let is_known = |ends: &[&str]| ends.contains(&end) && (has_end || end.ends_with("file"));
        let comment = COMMENTS.iter().find(|(_, ends)| is_known(ends)).map(|(comment, _)| *comment);
        match (found, comment) {
            (_, None) => {}
            (None, comment) => found = comment,
            (Some(before), Some(comment)) if before == comment => {}
            _ => return None,
        }
    }
    found
}

/// Passes on words of the arguments of a call.
type Visit = dyn Fn(&str, &mut dyn FnMut(&str));

/// Collects what `visit` finds in the arguments of a call.
fn words(arguments: Option<&str>, visit: &Visit) -> String {
    let mut words = String::new();
    if let Some(arguments) = arguments {
        visit(arguments, &mut |word| {
            words.push_str(word);
            words.push('\n');
        });
    }
    words
}

/// The languages of the files that a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compress) enum FileNames {
    Nothing,
    One(Language),
    /// Code in several languages, in one that cannot be parsed, or beside something else.
    Code,
    /// Documents or data.
    Document,
}

impl FileNames {
    /// Reads the names that the call asks for: paths and addresses that a tool was given, or that a command fetches.
    pub(in crate::compress) fn of_addresses(arguments: Option<&str>) -> Self {
        Self::in_words(&words(arguments, &detect::addresses))
    }

    /// Reads all names in paths, addresses and commands.
    pub(in crate::compress) fn of(arguments: Option<&str>) -> Self {
        Self::in_words(&words(arguments, &detect::named))
    }

    fn in_words(words: &str) -> Self {
        let ends = |c: char| c.is_whitespace() || "\"'`,;()[]{}<>|=&*\\".contains(c);
        let mut found = Self::Nothing;
        for word in words.split(ends) {
            // The end of a host's name is no extension.
            let is_host = word.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
            if is_host {
                continue;
            }
            let name = word.rsplit('/').next().unwrap_or(word);
            // The name may be followed by a line number or a range of lines, or by the query of an address.
            let name = name.split([':', '#', '@', '?']).next().unwrap_or(name);
            let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
            let Some((_, extension)) = extension else { continue };
            let one = match Language::from_extension(extension) {
                Some(language) => Self::One(language),
                None if OTHER_CODE.contains(&extension) => Self::Code,
                None if DOCUMENTS.contains(&extension) => Self::Document,
                None => continue,
            };
            found = match (found, one) {
                (Self::Nothing, one) => one,
                (found, one) if found == one => found,
                _ => Self::Code,
            };
        }
        found
    }
}
