//! Finds shell commands in the arguments of a tool call, in any shape: JSON with a string or an argument vector,
//! JavaScript that calls a shell tool, or the command itself.

use memchr::{memchr2, memchr3};

use super::shell;

/// Limit on the nesting of code inside arguments.
const MAX_DEPTH: usize = 3;

/// Keys of paths, in lower case and without `_`.
const FILE_KEYS: [&str; 12] = [
    "absolutepath",
    "file",
    "filename",
    "filepath",
    "filepaths",
    "files",
    "notebookpath",
    "path",
    "paths",
    "relativepath",
    "targetfile",
    "uri",
];

/// What the argument `command` of a tool that edits files may be.
const EDITOR_ACTIONS: [&str; 5] = ["create", "insert", "str_replace", "undo_edit", "view"];

/// The value of a key: a string, or an array of strings.
enum ArgumentValue {
    One(String),
    Many(Vec<String>),
}

/// Whether the call ran a shell command that shows a file.
pub(super) fn read_a_file(arguments: &str) -> bool {
    reads(arguments, 0)
}

/// Whether the call ran one of these programs.
pub(super) fn run(arguments: &str, programs: &[&str]) -> bool {
    let trimmed = arguments.trim_start();
    if trimmed.starts_with('[') {
        return strings(trimmed, 1).is_some_and(|(argv, _)| shell::argv_runs(&argv, programs));
    }
    if !trimmed.starts_with('{') {
        return shell::runs(arguments, programs);
    }
    any_entry(trimmed, &mut |key, value| match (is_command(&key.to_ascii_lowercase()), value) {
        (true, ArgumentValue::One(command)) => shell::runs(&command, programs),
        (true, ArgumentValue::Many(argv)) => shell::argv_runs(&argv, programs),
        (false, _) => false,
    })
}

/// Whether the value of such a key is a command line, or its words.
fn is_command(key: &str) -> bool {
    matches!(key, "command" | "cmd" | "commandline" | "shell_command" | "bash_command" | "script")
}

/// Returns the names of the files that arguments name by a key, in lower case and without directories.
pub(super) fn file_names(arguments: &str) -> Vec<String> {
    let mut names = Vec::new();
    any_entry(arguments, &mut |key, value| {
        let key: String = key.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
        let is_file = FILE_KEYS.contains(&key.as_str());
        match value {
            ArgumentValue::One(path) if is_file => names.extend(base_name(&path)),
            ArgumentValue::Many(paths) if is_file => {
                names.extend(paths.iter().filter_map(|path| base_name(path)));
            }
            _ => {}
        }
        false
    });
    names
}

/// Returns the words of the shell commands in arguments that may name files, like [`file_names`].
pub(super) fn command_names(arguments: &str) -> Vec<String> {
    let mut names = Vec::new();
    each_command(arguments, &mut |command| {
        names.extend(shell::operands(command).iter().filter_map(|word| base_name(word)));
    });
    names
}

/// Returns the files that shell commands edit in place or write from a here-document, like [`file_names`].
pub(super) fn edited_by_shell(arguments: &str) -> Vec<String> {
    let mut names = Vec::new();
    each_command(arguments, &mut |command| {
        names.extend(shell::edited(command).iter().filter_map(|word| base_name(word)));
    });
    names
}

/// Whether the call ran a shell command.
pub(super) fn run_a_command(arguments: &str) -> bool {
    let mut is_any = false;
    each_command(arguments, &mut |command| is_any |= !EDITOR_ACTIONS.contains(&command));
    is_any
}

/// Calls `visit` with each shell command in the arguments.
fn each_command(arguments: &str, visit: &mut dyn FnMut(&str)) {
    let trimmed = arguments.trim_start();
    if trimmed.starts_with('[') {
        if let Some((argv, _)) = strings(trimmed, 1) {
            visit(&argv.join(" "));
        }
        return;
    }
    if !trimmed.starts_with('{') && !is_script(trimmed) {
        return visit(arguments);
    }
    let mut scripts = Vec::new();
    any_entry(trimmed, &mut |key, value| {
        let key = key.to_ascii_lowercase();
        match value {
            ArgumentValue::One(command) if is_command(&key) => visit(&command),
            ArgumentValue::Many(argv) if is_command(&key) => visit(&argv.join(" ")),
            ArgumentValue::Many(commands) if matches!(key.as_str(), "commands" | "cmds") => {
                commands.iter().for_each(|command| visit(command));
            }
            ArgumentValue::One(code)
                if matches!(key.as_str(), "code" | "input" | "js") && is_script(&code) =>
            {
                scripts.push(code);
            }
            _ => {}
        }
        false
    });
    for script in scripts {
        any_entry(&script, &mut |key, value| {
            if let (true, ArgumentValue::One(command)) = (is_command(&key.to_ascii_lowercase()), value) {
                visit(&command);
            }
            false
        });
    }
}

/// Returns the last part of a path, in lower case.
pub(super) fn base_name(path: &str) -> Option<String> {
    let name = path.trim().trim_end_matches(['"', '\'']).rsplit(['/', '\\']).next()?;
    (!name.is_empty()).then(|| name.to_ascii_lowercase())
}

/// Whether the call shows a file whose name passes the test: a tool that was given its path, or a shell command that
/// prints it. Patterns that a call searches for are no names.
pub(super) fn shows(arguments: &str, is_file: &dyn Fn(&str) -> bool) -> bool {
    shows_at(arguments, is_file, 0)
}

fn shows_at(arguments: &str, is_file: &dyn Fn(&str) -> bool, depth: usize) -> bool {
    let trimmed = arguments.trim_start();
    if trimmed.starts_with('[') {
        return strings(trimmed, 1).is_some_and(|(argv, _)| shell::argv_shows(&argv, is_file));
    }
    if !trimmed.starts_with('{') && !is_script(trimmed) {
        return shell::shows(arguments, is_file);
    }
    any_entry(trimmed, &mut |key, value| {
        let key = key.to_ascii_lowercase();
        let is_line = is_command(&key) || matches!(key.as_str(), "commands" | "cmds");
        match value {
            ArgumentValue::One(line) if is_line => shell::shows(&line, is_file),
            ArgumentValue::Many(lines) if key.ends_with("mds") || key.ends_with("mands") => {
                lines.iter().any(|line| shell::shows(line, is_file))
            }
            ArgumentValue::Many(argv) if is_line => shell::argv_shows(&argv, is_file),
            ArgumentValue::One(path) if is_path(&key) => is_file(&path),
            ArgumentValue::Many(paths) if is_path(&key) => paths.iter().any(|path| is_file(path)),
            ArgumentValue::One(code) if matches!(key.as_str(), "code" | "input" | "js") => {
                depth < MAX_DEPTH && is_script(&code) && shows_at(&code, is_file, depth + 1)
            }
            _ => false,
        }
    })
}

/// Passes on the values that are paths and addresses, and the arguments of commands that fetch.
pub(super) fn addresses(arguments: &str, visit: &mut dyn FnMut(&str)) {
    let trimmed = arguments.trim_start();
    if !trimmed.starts_with('{') {
        shell::fetched(arguments, visit);
        return;
    }
    any_entry(trimmed, &mut |key, value| {
        let key = key.to_ascii_lowercase();
        match value {
            ArgumentValue::One(line) if is_command(&key) => shell::fetched(&line, visit),
            ArgumentValue::One(path) if is_path(&key) => visit(&path),
            ArgumentValue::Many(paths) if is_path(&key) => paths.iter().for_each(|path| visit(path)),
            _ => {}
        }
        false
    });
}

/// Passes on the values that are paths, addresses or commands. Arguments that are no JSON are passed on whole.
pub(super) fn named(arguments: &str, visit: &mut dyn FnMut(&str)) {
    let trimmed = arguments.trim_start();
    if !trimmed.starts_with('{') {
        visit(arguments);
        return;
    }
    any_entry(trimmed, &mut |key, value| {
        let key = key.to_ascii_lowercase();
        let names = is_path(&key)
            || is_command(&key)
            || matches!(key.as_str(), "cmds" | "code" | "commands" | "input" | "js");
        match value {
            ArgumentValue::One(value) if names => visit(&value),
            ArgumentValue::Many(values) if names => values.iter().for_each(|value| visit(value)),
            _ => {}
        }
        false
    });
}

/// Whether the value of such a key is a path or an address.
fn is_path(key: &str) -> bool {
    const PARTS: [&str; 8] = ["document", "file", "glob", "path", "resource", "target", "uri", "url"];
    PARTS.iter().any(|part| key.contains(part))
}

/// Whether the argument `command` has this value.
pub(super) fn command_is(arguments: &str, value: &str) -> bool {
    any_entry(arguments, &mut |key, found| {
        key == "command" && matches!(found, ArgumentValue::One(found) if found == value)
    })
}

fn reads(arguments: &str, depth: usize) -> bool {
    let trimmed = arguments.trim_start();
    if trimmed.starts_with('[') {
        return strings(trimmed, 1).is_some_and(|(argv, _)| shell::argv_reads_file(&argv));
    }
    if trimmed.starts_with('{') || is_script(trimmed) {
        return any_entry(trimmed, &mut |key, value| entry_reads(key, value, depth));
    }
    shell::reads_file(arguments)
}

/// Whether this is JavaScript that may call a shell tool.
fn is_script(text: &str) -> bool {
    ["tools.", "await ", "exec_command("].iter().any(|call| text.contains(call))
}

fn entry_reads(key: &str, value: ArgumentValue, depth: usize) -> bool {
    match (key.to_ascii_lowercase().as_str(), value) {
        (key, value) if is_command(key) => match value {
            ArgumentValue::One(command) => shell::reads_file(&command),
            ArgumentValue::Many(argv) => shell::argv_reads_file(&argv),
        },
        ("commands" | "cmds", ArgumentValue::One(command)) => shell::reads_file(&command),
        ("commands" | "cmds", ArgumentValue::Many(commands)) => {
            commands.iter().any(|one| shell::reads_file(one))
        }
        ("code" | "input" | "js", ArgumentValue::One(code)) => {
            depth < MAX_DEPTH && is_script(&code) && reads(&code, depth + 1)
        }
        _ => false,
    }
}

/// Whether `query` holds for any key of JSON or JavaScript text, at any depth, with a string or an array of
/// strings as value. Assignments count as keys.
fn any_entry(text: &str, query: &mut dyn FnMut(&str, ArgumentValue) -> bool) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (key, end) = match byte {
            b'"' | b'\'' | b'`' => match string(text, at) {
                Some(found) => found,
                None => ("", at + 1),
            },
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'$' => {
                let end = at
                    + length(bytes, at, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
                (text.get(at..end).unwrap_or_default(), end)
            }
            b'\\' => ("", at + 2),
            b'/' if bytes.get(at + 1) == Some(&b'/') => ("", at + length(bytes, at, |byte| byte != b'\n')),
            _ => ("", at + 1),
        };
        at = end;
        if key.is_empty() {
            continue;
        }
        let after = skip_space(bytes, at);
        if !matches!(bytes.get(after), Some(b':' | b'=')) {
            continue;
        }
        let start = skip_space(bytes, after + 1);
        let value = match bytes.get(start) {
            Some(b'"' | b'\'' | b'`') => {
                string(text, start).map(|(raw, end)| (ArgumentValue::One(unescape(raw)), end))
            }
            Some(b'[') => strings(text, start + 1).map(|(all, end)| (ArgumentValue::Many(all), end)),
            _ => None,
        };
        at = after + 1;
        if let Some((value, end)) = value {
            if query(key, value) {
                return true;
            }
            at = end;
        }
    }
    false
}

/// Returns the strings of an array whose inside starts at `at`, and the offset after it; `None` if it has other values.
fn strings(text: &str, mut at: usize) -> Option<(Vec<String>, usize)> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    loop {
        at = skip_space(bytes, at);
        match bytes.get(at)? {
            b']' => return Some((all, at + 1)),
            b',' => at += 1,
            _ => {
                let (raw, end) = string(text, at)?;
                all.push(unescape(raw));
                at = end;
            }
        }
    }
}

/// Returns the inside of the string literal that starts at `at`, and the offset after it.
fn string(text: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let mut end = at + 1;
    loop {
        let rest = bytes.get(end..)?;
        end += match quote {
            b'`' => memchr2(quote, b'\\', rest)?,
            _ => memchr3(quote, b'\\', b'\n', rest)?,
        };
        match bytes.get(end)? {
            b'\\' => end += 2,
            byte if *byte == quote => return Some((text.get(at + 1..end)?, end + 1)),
            _ => return None,
        }
    }
}

fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let mut chars = after.chars();
        let escaped = chars.next();
        rest = chars.as_str();
        let digits = match escaped {
            Some('u') => 4,
            Some('x') => 2,
            _ => 0,
        };
        let code =
            rest.get(..digits).filter(|_| digits > 0).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match (escaped, code) {
            (Some(_), Some(code)) => {
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = rest.get(digits..).unwrap_or_default();
            }
            (Some('n'), _) => text.push('\n'),
            (Some('t'), _) => text.push('\t'),
            (Some('r'), _) => text.push('\r'),
            (Some(other), _) => text.push(other),
            (None, _) => {}
        }
    }
    text.push_str(rest);
    text
}

fn length(bytes: &[u8], at: usize, pass: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(at).take_while(|byte| pass(**byte)).count()
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    at + length(bytes, at, |byte| byte.is_ascii_whitespace())
}
