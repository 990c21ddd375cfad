//! Recognises the lines of test runners that say that one test passed, or only that one began.

use memchr::{memchr, memmem};

/// What a line of a test runner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestResult {
    /// One test, or one suite without failures, passed.
    Passed,
    /// A test began, paused or continued.
    Began,
}

impl TestResult {
    /// Parses a line without its indentation and line end.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii_end();
        let first = line.first()?;
        // Most lines of other texts are dismissed by their first and last bytes.
        let passed = match first {
            b'-' => starts(line, b"--- PASS: "),
            b'o' => starts(line, b"ok ") && is_ok(line),
            0xe2 => has_check(line),
            b'P' => starts(line, b"PASS ") || starts(line, b"Passed ") || starts(line, b"PASSED "),
            b'[' => {
                starts(line, b"[       OK ]")
                    || starts(line, b"[  PASSED  ]")
                    || is_clean_suite(line)
                    || starts(line, b"[gw") && find(line, b" PASSED ")
            }
            b'T' => ends(line, b" seconds).") && find(line, b"' passed ("),
            b'0'..=b'9' => has(line, b'T') && find(line, b" Test ") && find(line, b"   Passed "),
            _ => false,
        };
        if passed || is_passed_at_end(line) {
            return Some(Self::Passed);
        }
        let began = match first {
            b'=' => [&b"=== RUN "[..], b"=== PAUSE ", b"=== CONT "].iter().any(|start| starts(line, start)),
            b'[' => starts(line, b"[ RUN      ]"),
            b'S' => is_ctest_start(line) && find(line, b": "),
            b'#' => starts(line, b"# Subtest: "),
            b't' => is_unittest_name(line),
            _ => false,
        };
        began.then_some(Self::Began)
    }
}

/// Whether a line that says that something passed is about a suite, a file or a package of tests, given without its indentation.
pub(crate) fn is_suite(line: &[u8]) -> bool {
    let counts_tests = || {
        let count = line.strip_suffix(b" tests)").or_else(|| line.strip_suffix(b" test)"));
        let behind_time = || find(line, b" tests) ") || find(line, b" test) ");
        count.is_some() || behind_time()
    };
    starts(line, b"PASS ")
        || starts(line, b"ok  \t")
        || starts(line, b"[INFO] Tests run: ")
        || has_check(line) && counts_tests()
}

fn starts(line: &[u8], start: &[u8]) -> bool {
    line.starts_with(start)
}

fn ends(line: &[u8], end: &[u8]) -> bool {
    line.ends_with(end)
}

fn find(line: &[u8], what: &[u8]) -> bool {
    memmem::find(line, what).is_some()
}

/// Whether a line has this byte, which is faster to see than what it is a part of.
fn has(line: &[u8], byte: u8) -> bool {
    memchr(byte, line).is_some()
}

/// `ok 12 - name`, and not `ok 12 - name # SKIP reason`; `ok`, a package and its time
fn is_ok(line: &[u8]) -> bool {
    let rest = line.get(3..).unwrap_or_default().trim_ascii_start();
    let numbered = rest.first().is_some_and(u8::is_ascii_digit);
    let package = line.get(..4) == Some(b"ok  ") && line.contains(&b'\t');
    (numbered || package) && !find(line, b"# SKIP") && !find(line, b"# skip") && !find(line, b"# TODO")
}

/// `✓ name (5 ms)`, `✔ name`, `√ name`
fn has_check(line: &[u8]) -> bool {
    ["✓ ", "✔ ", "√ "].iter().any(|mark| line.starts_with(mark.as_bytes()))
}

/// `[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: ...`
fn is_clean_suite(line: &[u8]) -> bool {
    starts(line, b"[INFO] Tests run: ") && find(line, b"Failures: 0, Errors: 0, Skipped: 0, Time")
}

/// `name ... ok`, `path::name PASSED [ 12%]`, `Class > name PASSED`
fn is_passed_at_end(line: &[u8]) -> bool {
    match line.last() {
        Some(b'k') => ends(line, b" ... ok"),
        Some(b'D') => ends(line, b" PASSED"),
        Some(b']') => {
            let percent = line.iter().rposition(|byte| *byte == b'[').and_then(|at| line.get(..at));
            ends(line, b"%]") && percent.is_some_and(|name| ends(name.trim_ascii_end(), b" PASSED"))
        }
        _ => false,
    }
}

/// `test_name (module.Case.test_name)`, above the description of a test and its result
fn is_unittest_name(line: &[u8]) -> bool {
    let Some(end) = line.iter().position(|byte| *byte == b' ') else { return false };
    let (name, rest) = line.split_at(end);
    let inner = rest.strip_prefix(b" (").and_then(|rest| rest.strip_suffix(b")"));
    starts(line, b"test")
        && inner.is_some_and(|inner| !inner.contains(&b' ') && (ends(inner, name) || inner.contains(&b'.')))
}

/// `      Start  1: name`, `1/5 Test #1: ...` begins otherwise
fn is_ctest_start(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"Start ") else { return false };
    rest.trim_ascii_start().first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_of_many_runners_are_known() {
        for line in [
            "test_a (tests.b.C.test_a) ... ok",
            "tests/test_a.py::test_b PASSED                  [ 12%]",
            "tests/test_a.py::test_b[1-x] PASSED",
            "[gw3] [ 12%] PASSED tests/test_a.py::test_b ",
            "--- PASS: TestA (0.00s)",
            "ok  \texample.org/a/b\t0.012s",
            "ok 12 - parses a header",
            "test a::b ... ok",
            "✓ adds items (5 ms)",
            "✔ adds items (0.3ms)",
            "PASS src/cart.test.ts (6.1 s)",
            "[       OK ] Suite.Name (0 ms)",
            "[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in org.a.B",
            "12/50 Test #12: name .............   Passed    0.01 sec",
            "CartTest > adds items PASSED",
            "Passed Cart.Adds [5 ms]",
            "Test Case '-[Cart adds]' passed (0.001 seconds).",
        ] {
            assert_eq!(TestResult::parse(line.as_bytes()), Some(TestResult::Passed), "{line}");
        }
        for line in [
            "=== RUN   TestA",
            "=== PAUSE TestA",
            "[ RUN      ] Suite.Name",
            "# Subtest: adds",
            "test_a (b.C.test_a)",
        ] {
            assert_eq!(TestResult::parse(line.as_bytes()), Some(TestResult::Began), "{line}");
        }
    }

    #[test]
    fn other_results_are_not_passed() {
        for line in [
            "",
            "test_a (b.C) ... FAIL",
            "test_a (b.C) ... skipped 'no disk'",
            "test_a (b.C) ... expected failure",
            "tests/test_a.py::test_b FAILED [ 12%]",
            "tests/test_a.py::test_b XPASS [ 12%]",
            "ok 12 - parses # SKIP no net",
            "ok then",
            "not ok 3 - x",
            "✕ adds items",
            "[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 2, Time elapsed: 0.1 s",
            "[  FAILED  ] Suite.Name (0 ms)",
            "is everything ok",
            "Passwords are kept",
        ] {
            assert_eq!(TestResult::parse(line.as_bytes()), None, "{line}");
        }
    }
}
