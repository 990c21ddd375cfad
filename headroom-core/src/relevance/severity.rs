//! Assigns a severity to a line from keywords.
//!
//! Context decides whether a word counts: `"error": null`, `errors=0`, `0 failed` and `src/error.rs` do not.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::relevance::features::hash;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    #[default]
    None,
    Warning,
    Error,
}

/// Names of levels, as printed in summaries.
pub(crate) const LEVELS: [&str; 6] = ["INFO", "DEBUG", "TRACE", "NOTICE", "WARN", "ERROR"];
const WARN: u8 = 5;
/// The level of an error in [`Row::level`](super::features::Row::level).
pub(crate) const ERROR: u8 = 6;

const LEVEL_WORDS: [(&str, u8); 6] =
    [("info", 1), ("information", 1), ("debug", 2), ("verbose", 2), ("trace", 3), ("notice", 4)];
const WARNINGS: [&str; 10] = [
    "warn",
    "warning",
    "warnings",
    "deprecated",
    "retry",
    "retrying",
    "degraded",
    "throttled",
    "slow",
    "suspicious",
];
const ERRORS: [&str; 63] = [
    "abort",
    "aborted",
    "alert",
    "assertion",
    "attack",
    "conflict",
    "core",
    "corrupt",
    "corrupted",
    "corruption",
    "crash",
    "crashed",
    "crit",
    "critical",
    "cve",
    "deadlock",
    "denied",
    "died",
    "eacces",
    "econnrefused",
    "econnreset",
    "emerg",
    "emergency",
    "enoent",
    "enomem",
    "enospc",
    "err",
    "error",
    "errored",
    "errors",
    "etimedout",
    "exception",
    "exceptions",
    "exhausted",
    "fail",
    "failed",
    "failing",
    "fails",
    "failure",
    "failures",
    "fatal",
    "forbidden",
    "illegal",
    "invalid",
    "killed",
    "mismatch",
    "oom",
    "overflow",
    "panic",
    "panicked",
    "refused",
    "rejected",
    "segfault",
    "severe",
    "sigabrt",
    "sigkill",
    "sigsegv",
    "timedout",
    "timeout",
    "traceback",
    "unauthorized",
    "undefined",
    "unhandled",
];

#[derive(Clone, Copy, Debug)]
pub(super) enum SeverityWord {
    Level(u8),
    Warning,
    Error,
}

/// The keywords, behind a filter that most words do not pass.
pub(super) struct SeverityWords {
    filter: [u64; 64],
    words: FxHashMap<u32, SeverityWord>,
}

impl SeverityWords {
    /// Returns the words, which are the same for every text.
    pub(super) fn all() -> &'static Self {
        static ALL: LazyLock<SeverityWords> = LazyLock::new(SeverityWords::new);
        &ALL
    }

    fn new() -> Self {
        let mut words = FxHashMap::default();
        words.extend(LEVEL_WORDS.iter().map(|(word, level)| (hash(word), SeverityWord::Level(*level))));
        words.extend(WARNINGS.iter().map(|word| (hash(word), SeverityWord::Warning)));
        words.extend(ERRORS.iter().map(|word| (hash(word), SeverityWord::Error)));
        let mut filter = [0; 64];
        for hash in words.keys() {
            if let Some(bits) = filter.get_mut((hash >> 6 & 63) as usize) {
                *bits |= 1 << (hash & 63);
            }
        }
        Self { filter, words }
    }

    pub(super) fn get(&self, hash: u32) -> Option<SeverityWord> {
        let bits = self.filter.get((hash >> 6 & 63) as usize)?;
        if bits >> (hash & 63) & 1 == 0 { None } else { self.words.get(&hash).copied() }
    }
}

/// Whether a word of a question names a severity, which says little about which lines are meant.
pub(super) fn is_word(words: &SeverityWords, hash: u32) -> bool {
    words.get(hash).is_some()
}

/// Returns the severity that the word at this position gives its line, and the level that it names, if any.
pub(super) fn severity_of_word(word: SeverityWord, bytes: &[u8], start: usize, end: usize) -> (Severity, u8) {
    let named = |names: &[&str], level| {
        let word = bytes.get(start..end).unwrap_or_default();
        if names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(word)) { level } else { 0 }
    };
    match word {
        SeverityWord::Level(level) => (Severity::None, level),
        _ if is_void(bytes, start, end) => (Severity::None, 0),
        SeverityWord::Warning => (Severity::Warning, named(&["warn", "warning"], WARN)),
        SeverityWord::Error => (Severity::Error, named(&["error", "err"], ERROR)),
    }
}

fn is_void(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let rest = bytes.get(end..).unwrap_or_default();
    let after = rest.first().copied().unwrap_or(b' ');
    let extension = after == b'.' && rest.get(1).is_some_and(u8::is_ascii_lowercase);
    if before == b'/' || after == b'/' || extension {
        return true;
    }
    let upper = bytes.get(start..end).is_some_and(|word| word.iter().all(u8::is_ascii_uppercase));
    if (before == b'_' || after == b'_') && !upper {
        return true;
    }
    negated(bytes.get(..start).unwrap_or_default()) || has_void_value(rest, after == b'_' || before == b'_')
}

/// Whether `0 `, `no ` or the like precedes.
fn negated(before: &[u8]) -> bool {
    const NONE: [&[u8]; 7] = [b"0", b"no", b"No", b"without", b"zero", b"any", b"allow"];
    let Some(before) = before.strip_suffix(b" ") else { return false };
    NONE.iter().any(|word| {
        before.strip_suffix(*word).is_some_and(|rest| {
            rest.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b':'))
        })
    })
}

/// Whether the word is a key with an empty or zero value.
fn has_void_value(rest: &[u8], named: bool) -> bool {
    const VOID: [&[u8]; 9] = [b"null", b"None", b"nil", b"false", b"False", b"\"\"", b"''", b"[]", b"{}"];
    let mut rest = rest.iter().take(48).copied().peekable();
    let mut skip = |pass: &dyn Fn(u8) -> bool| while rest.next_if(|byte| pass(*byte)).is_some() {};
    skip(&|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    skip(&|byte| matches!(byte, b'"' | b'\'' | b'\\'));
    skip(&|byte| byte == b' ');
    if !rest.next().is_some_and(|byte| matches!(byte, b':' | b'=')) {
        return false;
    }
    while rest.next_if(|byte| matches!(byte, b' ' | b'\\')).is_some() {}
    let value: Vec<u8> = rest.collect();
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let number = value.get(..digits).unwrap_or_default();
    let zero = digits > 0 && number.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let opens = matches!(value.as_slice(), [b'[' | b'{'] | [b'[' | b'{', b'\n' | b'\r', ..]);
    zero || opens || (named && digits > 0) || VOID.iter().any(|void| value.starts_with(void))
}

#[cfg(test)]
mod tests {
    use super::Severity::*;
    use crate::relevance::features::LineFeatures;

    #[test]
    fn words_count_by_what_they_say_of_the_line() {
        for (line, severity) in [
            ("ERROR: no such file", Error),
            ("java.lang.NullPointerException: x", Error),
            ("connect ECONNREFUSED 127.0.0.1:80", Error),
            (r#"{"level":"info","error":"disk full"}"#, Error),
            ("3 failed, 10 passed", Error),
            ("errno = E_FAILED", Error),
            ("thread 'main' panicked at src/a.rs:1:2:", Error),
            ("src/a.c:3:4: warning: unused", Warning),
            ("0 failed, 10 passed", None),
            ("no errors found", None),
            (r#"{"level":"info","error": null}"#, None),
            (r#"{"errors":[],"failed":0,"exception":""}"#, None),
            (r#"{\"error\": null}"#, None),
            ("errors=0 error_rate=0.25", None),
            ("Compiling src/error.rs", None),
            ("tests/test_errors.py::test_raises_error_twice PASSED", None),
            ("GET /error/page 200", None),
            ("terror and failover", None),
        ] {
            assert_eq!(LineFeatures::from_text(line).rows[0].severity, severity, "{line}");
        }
    }
}
