//! Detects the content kind of a tool result: from the tool and the call first, then from the structure of the text.
//!
//! When in doubt, a text is a file read, because its lines are never altered. A file read that brings the output of a
//! machine is what its content is.

mod arguments;
mod edits;
mod file;
pub(crate) mod instructions;
pub(crate) mod parts;
mod precompressed;
mod shell;
mod structure;

pub(crate) use edits::edited_names;
pub(crate) use structure::Guess;

use headroom_json::is_plausible;

use crate::{
    ContentKind,
    text::{lines, numbered},
};

/// Tools that return files. Names are in lower case without `_`, `-` and server prefix.
const READERS: [&str; 17] = [
    "cat",
    "fetchfile",
    "fileview",
    "getfile",
    "goto",
    "notebookread",
    "open",
    "read",
    "readlines",
    "readmanyfiles",
    "readmultiplefiles",
    "readnotebook",
    "scrolldown",
    "scrollup",
    "view",
    "viewcodeitem",
    "viewlines",
];
/// Endings of the names of such tools, for servers that prefix their own name.
const READER_ENDS: [&str; 9] = [
    "filecontent",
    "filecontents",
    "fileread",
    "fsread",
    "openfile",
    "readfile",
    "readfiles",
    "readtextfile",
    "viewfile",
];
/// Tools that edit files; their argument `command` selects the action.
const EDITORS: [&str; 5] =
    ["editor", "fileeditor", "strreplacebasededittool", "strreplaceeditor", "texteditor"];
/// Beginnings of the names of tools that list or search: numbered lines in their results are hits.
const SEARCHERS: [&str; 7] = ["find", "glob", "grep", "list", "ls", "ripgrep", "search"];

/// Returns the content kind without asking a classifier.
pub(crate) fn kind(text: &str, tool: Option<&str>, arguments: Option<&str>) -> ContentKind {
    guess(text, tool, arguments, &|_| false).kind
}

/// Detects the content kind, and whether a classifier may know better.
///
/// `tool` is the name of the tool that returned the text, `arguments` those of the call: JSON, or a raw string.
///
/// `is_edited` tells whether the agent edits a file of this name.
pub(crate) fn guess<'t>(
    text: &'t str,
    tool: Option<&str>,
    arguments: Option<&str>,
    is_edited: &dyn Fn(&str) -> bool,
) -> Guess<'t> {
    let searches = tool.map(bare).is_some_and(|tool| searches(&tool));
    if is_reader(tool, arguments) || arguments.is_some_and(arguments::read_a_file) {
        let names = arguments.map(edits::read_names).unwrap_or_default();
        let machine =
            if names.iter().any(|name| is_edited(name)) { None } else { file::machine_output(text, &names) };
        machine.unwrap_or_else(|| ContentKind::FileRead.into())
    } else if is_plausible(text) {
        ContentKind::Json.into()
    } else if !searches && is_numbered(text) {
        ContentKind::FileRead.into()
    } else {
        structure::guess(text)
    }
}

/// Whether a tool of this name lists or searches.
fn searches(tool: &str) -> bool {
    SEARCHERS.iter().any(|start| tool.starts_with(start)) || tool.ends_with("search")
}

/// Whether the tool shows files.
pub(crate) fn is_reader(tool: Option<&str>, arguments: Option<&str>) -> bool {
    let Some(tool) = tool.map(bare) else { return false };
    let tool = tool.as_str();
    let reads = READERS.contains(&tool) || READER_ENDS.iter().any(|end| tool.ends_with(end));
    let views =
        || EDITORS.contains(&tool) && arguments.is_some_and(|text| arguments::command_is(text, "view"));
    reads && !searches(tool) || views()
}

/// Whether a call ran a shell command. What it prints has numbers because the command asked for them.
pub(crate) fn runs_a_command(arguments: &str) -> bool {
    arguments::run_a_command(arguments)
}

/// Passes on the paths and addresses of files that the call asks for.
pub(crate) fn addresses(arguments: &str, visit: &mut dyn FnMut(&str)) {
    arguments::addresses(arguments, visit);
}

/// Passes on the paths, addresses and commands in a call, and not what it writes or looks for.
pub(crate) fn named(arguments: &str, visit: &mut dyn FnMut(&str)) {
    arguments::named(arguments, visit);
}

/// Whether another tool already condensed the text.
pub(crate) fn is_condensed(text: &str, arguments: Option<&str>) -> bool {
    precompressed::is_precompressed(text, arguments)
}

/// Detects the content kind from the structure alone.
pub(crate) fn structure(text: &str) -> ContentKind {
    if is_plausible(text) { ContentKind::Json } else { structure::guess(text).kind }
}

/// Normalises the name of a tool, without its server's: `mcp__fs__read_file` becomes `readfile`.
fn bare(tool: &str) -> String {
    let name = tool.rsplit("__").next().unwrap_or(tool);
    let name = name.rsplit(['.', '/', ':']).next().unwrap_or(name);
    name.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

/// Whether most lines at the start belong to numbered file views.
fn is_numbered(text: &str) -> bool {
    let lines: Vec<&str> = lines::split(structure::first_lines(text)).collect();
    let numbered: usize = numbered::runs(&lines).iter().map(|run| run.lines.len()).sum();
    numbered * 2 > lines.len()
}

#[cfg(test)]
mod tests;
