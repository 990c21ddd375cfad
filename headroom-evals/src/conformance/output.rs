//! Generates tool output as agents see it, of any size, with a fact planted in one row.
//!
//! Plain text, with enough rows that parts are elided.

use std::fmt;

use crate::conformance::rng::Rng;

const WORDS: [&str; 8] = ["harbour", "lantern", "quill", "meadow", "tide", "granite", "ember", "orchard"];

/// A kind of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// An array of records, indented.
    Records,
    /// One record per line.
    JsonLines,
    /// A server's log.
    ServerLog,
    /// A test run with stack traces.
    TestRun,
    /// Search hits with path and line.
    Search,
    /// Paths of files.
    Listing,
    /// A diff of many files.
    Diff,
    /// Aligned columns, as from `kubectl get`.
    Table,
    /// Records after the header of a command runner, followed by text.
    Mixed,
    /// A file with line numbers.
    FileRead,
}

/// A planted fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planted<'a> {
    /// The index of the row.
    pub at: usize,
    /// A word that occurs nowhere else.
    pub word: &'a str,
    /// Whether the row also stands out by its values: an error, a rare category, an outlier.
    pub stands_out: bool,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Output {
    /// Every output.
    pub const ALL: [Self; 10] = [
        Self::Records,
        Self::JsonLines,
        Self::ServerLog,
        Self::TestRun,
        Self::Search,
        Self::Listing,
        Self::Diff,
        Self::Table,
        Self::Mixed,
        Self::FileRead,
    ];

    /// Whether a row can stand out by its values.
    #[must_use]
    pub const fn has_outliers(self) -> bool {
        !matches!(self, Self::Search | Self::Listing | Self::Diff | Self::FileRead)
    }

    /// Returns the tool and the arguments of the call, which name `word` if there is one.
    #[must_use]
    pub fn call(self, word: Option<&str>) -> (&'static str, serde_json::Value) {
        let word = word.unwrap_or_default();
        let command = match self {
            Self::FileRead => {
                return (
                    "read_file",
                    serde_json::json!({"file_path": "/app/src/harbour.rs", "symbol": word}),
                );
            }
            Self::Search => {
                return (
                    "search_files",
                    serde_json::json!({"pattern": format!("pub fn {word}"), "path": "src"}),
                );
            }
            Self::Records | Self::Mixed => format!("curl -s 'http://api.local/orders?near={word}'"),
            Self::JsonLines => format!("docker logs billing # {word}"),
            Self::ServerLog => format!("journalctl -u shipd # {word}"),
            Self::TestRun => format!("make test TEST={word}"),
            Self::Listing => format!("find . -newer {word}"),
            Self::Diff => format!("git diff main # {word}"),
            Self::Table => format!("kubectl get pods -A # {word}"),
        };
        ("run_command", serde_json::json!({"command": command}))
    }

    /// Generates this many rows. The same seed gives the same rows, regardless of their count.
    #[must_use]
    pub fn text(self, rows: usize, seed: u64, planted: Option<Planted<'_>>) -> String {
        let mut rng = Rng::new(seed);
        let rows: Vec<String> =
            (0..rows).map(|n| self.row(n, &mut rng, planted.filter(|planted| planted.at == n))).collect();
        self.joined(&rows)
    }

    /// Joins rows into one output.
    #[must_use]
    pub fn joined(self, rows: &[String]) -> String {
        match self {
            Self::Records => format!("[\n  {}\n]\n", rows.join(",\n  ")),
            Self::Mixed => format!(
                "Exit code: 0\nWall time: 0.4 seconds\nOutput:\n[\n  {}\n]\n\n{} orders in all\n",
                rows.join(",\n  "),
                rows.len()
            ),
            Self::Table => format!(
                "{:12} {:32} {:7} {:16} {:10} {}\n{}\n",
                "NAMESPACE",
                "NAME",
                "READY",
                "STATUS",
                "RESTARTS",
                "AGE",
                rows.join("\n")
            ),
            Self::TestRun => format!("running {} tests\n{}\n\ntest run done\n", rows.len(), rows.join("\n")),
            _ => rows.join("\n") + "\n",
        }
    }

    /// Generates one row, with the planted fact if it belongs there.
    pub fn row(self, n: usize, rng: &mut Rng, planted: Option<Planted<'_>>) -> String {
        let place = rng.pick(&WORDS);
        let id = rng.below(90_000) + 10_000;
        let out = planted.is_some_and(|planted| planted.stands_out);
        let own = format!("{}{id}", rng.pick(&WORDS));
        let word = planted.map_or(own.as_str(), |planted| planted.word);
        let amount = if out { 9_000_000 } else { 900 + id % 100 };
        match self {
            Self::Records | Self::Mixed | Self::JsonLines => {
                let status = if out { "payment failed" } else { rng.pick(&["paid", "paid", "open"]) };
                let gap = if self == Self::JsonLines { "" } else { " " };
                format!(
                    "{{\"id\":{gap}{},\"customer\":{gap}\"{word}\",\"port\":{gap}\"{place}\",\"status\":{gap}\"{status}\",\"cents\":{gap}{amount},\"at\":{gap}\"{}\"}}",
                    1000 + n,
                    clock(n)
                )
            }
            Self::ServerLog if out => {
                format!("{} ERROR shipd::{place}: cannot load ship {word}: connection refused", clock(n))
            }
            Self::ServerLog => {
                let message = match rng.below(4) {
                    0 => format!("INFO  shipd::{place}: ship {word} left after {amount} ms"),
                    1 => format!("DEBUG shipd::pool: {} of 40 in use for {word}", id % 40),
                    _ => format!("INFO  shipd::http: GET /ships/{word} 200 {} ms {amount} bytes", id % 70),
                };
                format!("{} {message}", clock(n))
            }
            Self::TestRun if out => format!(
                "test {place}::{word} ... FAILED\n\nthread '{place}::{word}' panicked at src/{place}.rs:{n}:5:\nassertion `left == right` failed\n  left: {id}\n right: 0\nstack backtrace:\n   0: std::panicking::begin_panic\n   1: {place}::{word}\n             at ./src/{place}.rs:{n}:5\n"
            ),
            Self::TestRun => format!("test {place}::{word} ... ok"),
            Self::Search => {
                let (file, line) = (n / 120, n % 120 * 31 + 12);
                let (folder, file) = (WORDS[file % 8], file / 8);
                format!("src/{folder}/{file}.rs:{line}:    ship = {place}.find(\"{word}\", {id})?;")
            }
            Self::Listing => format!("./src/{}/{}/{word}.rs", WORDS[n / 40 % 8], WORDS[n / 9 % 8]),
            Self::Diff => format!(
                "diff --git a/src/f{n}.rs b/src/f{n}.rs\nindex 1a2b3c4..5d6e7f8 100644\n--- a/src/f{n}.rs\n+++ b/src/f{n}.rs\n@@ -10,5 +10,5 @@ fn f{n}()\n let mut all = Vec::new();\n let {place} = {id};\n-    all.push(load(\"{place}\", {id}));\n+    all.push(load(\"{word}\", {amount}));\n all.sort();\n all"
            ),
            Self::Table => {
                let status = if out { "CrashLoopBackOff" } else { "Running" };
                let (restarts, ready) = if out { (412, "0/1") } else { (0, "1/1") };
                let pod = format!("{word}-{}", id % 97);
                format!("{place:12} {pod:32} {ready:7} {status:16} {restarts:<10} {}d", id % 90)
            }
            Self::FileRead => match n % 70 {
                0 => format!("{:6}\tfn {word}(ship: &Ship) -> u32 {{", n + 1),
                69 => format!("{:6}\t}} // {word}", n + 1),
                _ => format!("{:6}\t    let {place} = ship.load(\"{word}\") + {id};", n + 1),
            },
        }
    }
}

fn clock(n: usize) -> String {
    format!("2031-04-09T{:02}:{:02}:{:02}Z", n / 3600 % 24, n / 60 % 60, n % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_word_stands_once_or_in_its_trace() {
        for output in Output::ALL {
            for stands_out in [false, output.has_outliers()] {
                let planted = Planted { at: 30, word: "kestrel5417", stands_out };
                let text = output.text(90, 4, Some(planted));
                let found = text.matches(planted.word).count();
                assert!(found == 1 || stands_out && output == Output::TestRun, "{output} {found}");
                assert_eq!(output.text(90, 4, None).matches(planted.word).count(), 0);
            }
        }
    }
}
