//! Finds shell commands in the arguments of a tool call, in any shape: JSON with a string or an argument vector,
//! JavaScript that calls a shell tool, or the command itself.

use memchr::{memchr2, memchr3};

use super::shell;

/// Limit on the nesting of code inside arguments.
const MAX_DEPTH: usize = 3;

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
