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
