//! Recognises the lines of test runners, compilers and package managers.

use std::sync::LazyLock;

use memchr::{memchr, memmem::Finder};

use crate::text::starts::Starts;

/// Beginnings of lines.
static BEGINNINGS: Starts<53> = Starts::new([
    "=== RUN",
    "=== PAUSE",
    "=== CONT",
    "--- PASS",
    "--- FAIL",
    "--- SKIP",
    "PASS",
    "FAIL",
    "ok  \t",
    "ok ",
    "not ok ",
    "test ",
    "running ",
    "Compiling ",
    "Checking ",
    "Finished ",
    "Downloading ",
    "Downloaded ",
    "Collecting ",
    "Installing ",
    "Requirement already ",
    "Using cached ",
    "Building ",
    "Successfully ",
    "npm ",
    "yarn ",
    "> Task ",
    "> Configure ",
    "e: /",
    "w: /",
    "> Step ",
    "Step ",
    "#",
    "make[",
    "make: ",
    "make ",
    "gcc ",
    "g++ ",
    "cc ",
    "clang ",
    "[exec]",
    "[javac]",
    "[INFO]",
    "[ERROR]",
    "[WARNING]",
    "E   ",
    "rule ",
    "✓ ",
    "✔ ",
    "✕ ",
    "✗ ",
    "✘ ",
    "× ",
]);
/// Ends of lines from test runners; [`is_of_a_run`] knows their last letters.
const ENDS: [&str; 7] = ["PASSED", "FAILED", "SKIPPED", " ... ok", " ... FAILED", "... done", "...done"];
const RULES: [&str; 3] = ["====", "____", "----"];
/// The severities that compilers and linters name.
static SEVERITIES: LazyLock<[Finder<'static>; 4]> =
    LazyLock::new(|| [" error", " warning", ": note", "[-W"].map(Finder::new));
static PASSED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" PASSED "));

/// Whether this is a line of a test runner, a compiler or a package manager.
pub(super) fn is_of_a_run(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Hardly any line passes this look, which costs less than the search behind it.
    let may_end = matches!(bytes.last(), Some(b'D' | b'k' | b'e'));
    BEGINNINGS.are_at(text) && !text.starts_with("# ") && !text.starts_with("##")
        || may_end && ENDS.iter().any(|end| text.ends_with(end))
        || memchr(b'P', bytes).is_some() && PASSED.find(bytes).is_some()
        || text.len() > 30 && RULES.iter().any(|rule| text.starts_with(rule))
        || memchr(b':', bytes).is_some() && is_diagnostic(text)
}

/// Whether a line is a message of a compiler or linter: it names a severity, or a rule like `E501` or `TS2345`.
pub(super) fn is_diagnostic(text: &str) -> bool {
    let is_rule = |word: &str| {
        let word = word.trim_end_matches(':');
        let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = word.len() - letters;
        (1..=5).contains(&letters)
            && (3..=5).contains(&digits)
            && word.bytes().skip(letters).all(|byte| byte.is_ascii_digit())
    };
    SEVERITIES.iter().any(|sign| sign.find(text.as_bytes()).is_some())
        || text.split(' ').skip(1).take(3).any(is_rule)
}
