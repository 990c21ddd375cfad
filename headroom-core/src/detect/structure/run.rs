//! Recognises the output of test runners and build tools, which only a few lines show.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr_iter, memrchr, memrchr_iter};

use super::MAX_LINES;
use crate::text::lines;

/// Bytes of a line that are examined.
const MAX_WIDTH: usize = 200;
/// What test runners and build tools print once. Those that begin with a letter and end with a space begin a line.
const SIGNS: [&str; 24] = [
    "=== test session starts ===",
    " passed in ",
    " failed in ",
    " passed, ",
    " failed, ",
    "test result: ",
    "running ",
    "--- FAIL: ",
    "--- PASS: ",
    "BUILD SUCCESS",
    "BUILD FAILED",
    "Tests: ",
    " Test Files  ",
    "Ran ",
    "FAILED (",
    "Traceback (most recent call last):",
    "make: ",
    "npm ERR!",
    "npm error",
    "Successfully installed ",
    "Collecting ",
    "tests finished: ",
    "build succeeded",
    " warnings generated.",
];
/// Looks for all signs in many lines at once, since hardly any line has one.
static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(SIGNS).ok());

/// Whether a test runner or a build tool printed this: a line among the first or the last has a sign.
pub(super) fn is_run(text: &str) -> bool {
    const SIDE: usize = MAX_LINES / 2 - 1;
    let bytes = text.as_bytes();
    let inner = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let first = memchr_iter(b'\n', bytes).nth(SIDE).map_or(text.len(), |end| end + 1);
    let last = memrchr_iter(b'\n', inner).nth(SIDE).map_or(0, |end| end + 1);
    if last <= first {
        return has_sign(text);
    }
    [text.get(..first), text.get(last..)].into_iter().flatten().any(has_sign)
}

/// Whether one of these lines has a sign.
fn has_sign(lines: &str) -> bool {
    let Some(finder) = FINDER.as_ref() else { return lines::split(lines).any(is_sign) };
    let mut rest = lines;
    while let Some(found) = finder.find(rest) {
        let before = rest.as_bytes().get(..found.start()).unwrap_or_default();
        let start = memrchr(b'\n', before).map_or(0, |end| end + 1);
        let mut lines = lines::split(rest.get(start..).unwrap_or_default());
        if lines.next().is_some_and(is_sign) {
            return true;
        }
        rest = lines.rest();
    }
    false
}

/// Whether a line has a sign.
fn is_sign(line: &str) -> bool {
    let start: &str = line.get(..line.len().min(MAX_WIDTH)).unwrap_or_default();
    SIGNS.iter().any(|sign| match sign.strip_suffix(' ') {
        Some(word) if !sign.starts_with(' ') => {
            start.strip_prefix(word).is_some_and(|rest| rest.starts_with(' '))
        }
        _ => start.contains(sign),
    })
}
