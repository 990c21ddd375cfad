//! Classifies one line.

use memchr::{memchr, memchr_iter};

use super::{
    code_line::is_code,
    runner::{is_diagnostic, is_of_a_run},
};
use crate::{
    text::{starts::Starts, tally::Tally},
    tuning::tuning,
};

/// The class of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineClass {
    Other,
    /// One JSON object or array.
    Json,
    /// Part of a diff's header.
    Diff,
    /// `path:12:text` and similar.
    Hit,
    /// A line with a time, a level, or the result of a test or a compiler.
    Log,
    /// A frame of a stack trace.
    Frame,
    /// A path only.
    Path,
    /// A row of `ls -l`.
    Perms,
    /// Cells separated by runs of spaces, tabs or bars.
    Rows,
    /// A tag.
    Tag,
    /// A statement, a declaration or a closing bracket.
    Code,
    /// A heading, a list item or a table of a document.
    Mark,
    /// A sentence.
    Prose,
    /// Dense data.
    Blob,
}

impl LineClass {
    pub(super) const COUNT: usize = Self::Blob as usize + 1;
}

/// Limit on the bytes of a line that are examined.
const MAX_BYTES: usize = 240;
const LEVEL_NAMES: [&str; 17] = [
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "SEVERE", "FATAL", "CRITICAL", "PANIC",
    "debug", "info", "warn", "warning", "error", "fatal",
];
pub(super) fn class(line: &str) -> LineClass {
    let blob = line.len() >= tuning().detect.min_blob_bytes && is_blob(line);
    let end = (0..=MAX_BYTES.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let cut = line.get(..end).unwrap_or_default();
    let text = cut.trim();
    let whole = cut.len() == line.len();
    let indent = cut.len() - cut.trim_start().len();
    if blob {
        LineClass::Blob
    } else if is_json(line.trim()) {
        LineClass::Json
    } else if is_diff_head(cut) {
        LineClass::Diff
    } else if is_frame(text) {
        LineClass::Frame
    } else if is_hit(cut) {
        if is_diagnostic(text) { LineClass::Log } else { LineClass::Hit }
    } else if is_perms(text) {
        LineClass::Perms
    } else if is_log(cut, text) {
        LineClass::Log
    } else if is_tag(text) {
        LineClass::Tag
    } else if whole && indent == 0 && is_path(text) {
        LineClass::Path
    } else if is_mark(text) {
        LineClass::Mark
    } else if is_code(text) {
        LineClass::Code
    } else if is_row(cut) {
        LineClass::Rows
    } else if is_prose(text) {
        LineClass::Prose
    } else {
        LineClass::Other
    }
}

fn is_json(line: &str) -> bool {
    line.len() > 1
        && ((line.starts_with("{\"") && line.ends_with('}'))
            || ((line.starts_with("[{") || line.starts_with("[\"")) && line.ends_with(']')))
}

pub(super) fn is_diff_head(line: &str) -> bool {
    static HEADS: Starts<14> = Starts::new([
        "diff --",
        "index ",
        "--- ",
        "+++ ",
        "@@ ",
        "@@@ ",
        "rename ",
        "similarity index ",
        "new file mode ",
        "deleted file mode ",
        "old mode ",
        "new mode ",
        "Binary files ",
        "Index: ",
    ]);
    HEADS.are_at(line)
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether the line starts with `path:12:`, `path-12-`, `12:` or `12-`.
fn is_hit(line: &str) -> bool {
    let bytes = line.as_bytes();
    let number = |at: usize, mark: u8| {
        let rest = bytes.get(at..).unwrap_or_default();
        let count = digits(rest);
        (1..=7).contains(&count) && rest.get(count) == Some(&mark)
    };
    // A time of day has two digits and a colon, twice.
    let time = bytes.get(2) == Some(&b':') && bytes.get(5).is_some_and(|byte| matches!(byte, b':' | b' '));
    if number(0, b':') || number(0, b'-') {
        let date = bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
        return !time && !date;
    }
    let mut pathlike = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'/' | b'.' | b'_' => pathlike = true,
            b':' | b'-' if number(at + 1, *byte) => return pathlike,
            b':' if at > 1 => {
                // `http://` and `tests/a.py::name` are not hits.
                let rest = bytes.get(at + 1..).unwrap_or_default();
                return pathlike && !rest.starts_with(b"//") && !rest.starts_with(b":");
            }
            b' ' | b'(' | b'"' | b'<' | b'=' | b'{' | b'\t' => return false,
            _ => {}
        }
    }
    false
}

fn is_frame(text: &str) -> bool {
    static STARTS: Starts<5> = Starts::new(["File \"", "Caused by:", "Traceback (", "goroutine ", "... "]);
    text.starts_with("at ") && text.contains(['(', '/', ':']) || STARTS.are_at(text)
}

/// Whether this is a line like `-rw-r--r-- 1 root` or `total 12`.
fn is_perms(text: &str) -> bool {
    let mode = text.get(..10).is_some_and(|mode| {
        mode.starts_with(['-', 'd', 'l', 'c', 'b', 's', 'p'])
            && mode
                .bytes()
                .skip(1)
                .all(|byte| matches!(byte, b'r' | b'w' | b'x' | b'-' | b's' | b't' | b'S' | b'T'))
    });
    mode || text.strip_prefix("total ").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_log(line: &str, text: &str) -> bool {
    let head = line.get(..line.len().min(100)).unwrap_or(text);
    has_time(head) || has_level(head) || has_logfmt(text) || is_placed(head) || is_of_a_run(text)
}

/// Whether there is a date or a time of day near the start.
fn has_time(head: &str) -> bool {
    let bytes = head.as_bytes();
    let at = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    let clock = |from: usize| {
        bytes.get(from..from + 5).is_some_and(|part| {
            matches!(part, [a, b, b':', c, d] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
        })
    };
    let date = |from: usize| {
        digits(bytes.get(from..).unwrap_or_default()) == 4
            && (at(from + 4, b'-') && at(from + 7, b'-')
                || at(from + 4, b'/') && at(from + 7, b'/')
                || at(from + 4, b'.') && at(from + 7, b'.'))
    };
    let starts =
        |from: usize| from == 0 || bytes.get(from - 1).is_some_and(|byte| !byte.is_ascii_alphanumeric());
    let digit = |(_, byte): &(usize, &u8)| byte.is_ascii_digit();
    bytes
        .iter()
        .take(40)
        .enumerate()
        .filter(digit)
        .any(|(from, _)| starts(from) && (clock(from) || from < 24 && date(from)))
        || digits(bytes) >= 6 && at(digits(bytes), b' ')
        || matches!(bytes, [b'I' | b'W' | b'E' | b'F', a, b, c, d, b' ', ..]
            if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
}

/// Whether one of the first words is a level.
fn has_level(head: &str) -> bool {
    let words = head.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
    let mut words = words.filter(|word| !word.is_empty()).take(5);
    let is_name = |word: &[u8]| {
        // No name is shorter than `INFO` or longer than `CRITICAL`.
        (4..=8).contains(&word.len())
            && word.first().is_some_and(u8::is_ascii_uppercase)
            && LEVEL_NAMES.iter().take(11).any(|level| level.as_bytes() == word)
    };
    let start = head.trim_start().trim_start_matches(['[', '<']);
    words.any(is_name)
        || start.starts_with(['d', 'i', 'w', 'e', 'f'])
            && LEVEL_NAMES.iter().skip(11).any(|level| {
                start
                    .strip_prefix(level)
                    .is_some_and(|rest| rest.starts_with([':', ']', '[', '>', '(']) || rest.starts_with("  "))
            })
}

/// Whether the line starts with `path(12): ` or `path(12,5): `, as printed by compilers and linters on Windows.
fn is_placed(head: &str) -> bool {
    let Some((path, rest)) = head.split_once('(') else { return false };
    let Some((place, rest)) = rest.split_once(')') else { return false };
    path.contains('.')
        && !path.contains([' ', '"', '\'', '='])
        && !place.is_empty()
        && place.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
        && rest.starts_with(": ")
}

fn has_logfmt(text: &str) -> bool {
    if memchr_iter(b'=', text.as_bytes()).count() < 3 {
        return false;
    }
    let pairs = text.split(' ').filter(|word| {
        word.split_once('=').is_some_and(|(key, value)| {
            !value.is_empty()
                && !key.is_empty()
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        })
    });
    pairs.count() >= 3 && !text.contains('(')
}

fn is_tag(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('<') else { return false };
    let name = rest.trim_start_matches(['/', '!']);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && text.contains('>')
}

fn is_path(text: &str) -> bool {
    let plain = |c: char| {
        c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '@' | '+' | '~' | '*' | '\\' | '[' | ']')
    };
    let pathlike = text.contains('/') || text.contains('.') || text.ends_with(':');
    pathlike && text.trim_end_matches(':').chars().all(plain) && !text.ends_with(';') && !text.ends_with('.')
}

fn is_mark(text: &str) -> bool {
    let heading = text.trim_start_matches('#');
    (heading.len() < text.len() && heading.starts_with(' ') && text.len() - heading.len() < 7)
        || ["- ", "* ", "> ", "```", "[!["].iter().any(|mark| text.starts_with(mark))
        || match digits(text.as_bytes()) {
            number @ 1..=3 => text.get(number..).is_some_and(|rest| rest.starts_with(". ")),
            _ => false,
        }
}

fn is_row(line: &str) -> bool {
    let text = line.trim().as_bytes();
    text.windows(2).any(|pair| pair == b"  ")
        || memchr(b'\t', text).is_some()
        || memchr_iter(b'|', text).nth(1).is_some()
}

fn is_prose(text: &str) -> bool {
    let tally = Tally::of(text);
    let detect = &tuning().detect;
    let reach = |percent: usize| (tally.letters + tally.spaces) * 100 >= tally.chars * percent;
    tally.words >= detect.line_words && reach(detect.line_letters)
        || tally.words >= detect.sentence_words
            && text.ends_with(['.', '?', '!'])
            && reach(detect.sentence_letters)
}

/// Whether this is base64, hex or minified data: long, with hardly any spaces.
fn is_blob(line: &str) -> bool {
    let spaces = line.bytes().filter(|byte| *byte == b' ').count();
    let plain = line
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_'));
    spaces * 60 < line.len() && plain.count() * 100 >= line.len() * 95
}
