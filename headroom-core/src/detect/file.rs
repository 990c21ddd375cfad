//! Decides what a file read brings: lines that may be edited, or the output of a machine.
//!
//! Source code, documents and configuration keep the lines of a file read, because an agent edits them by their exact
//! text. A saved log, data and what a client stored of a long output are read like the output itself.

use std::borrow::Cow;

use headroom_json::{
    document::{ArrayLengths, Document, DocumentNodeKind, Sequence},
    is_plausible,
};

use super::{Guess, parts, structure};
use crate::{
    ContentKind,
    text::lines::{self, Lines},
    tuning::tuning,
};

/// Endings of files that machines write.
const WRITTEN: [&str; 18] = [
    ".csv",
    ".err",
    ".geojson",
    ".har",
    ".ipynb",
    ".json",
    ".jsonl",
    ".lock",
    ".log",
    ".ndjson",
    ".out",
    ".sarif",
    ".tmp",
    ".topojson",
    ".trace",
    ".tsv",
    ".txt",
    ".xml",
];
/// Files that package managers write, in which nobody edits.
const LOCKS: [&str; 4] = ["npm-shrinkwrap.json", "package-lock.json", "packages.lock.json", "pipfile.lock"];
/// Parts of the names of files that look like data and are configuration.
const CONFIGURATION: [&str; 9] =
    ["config", "manifest", "openapi", "package.json", "rc.json", "schema", "settings", "swagger", "tsconfig"];

/// Returns the kind of the content, if it is the output of a machine. `names` are those of the files, in lower case.
pub(super) fn machine_output<'t>(text: &'t str, names: &[String]) -> Option<Guess<'t>> {
    let is_written = |name: &String| {
        let ends = WRITTEN.iter().any(|end| name.ends_with(end));
        !name.contains('.') || ends || is_rotated(name)
    };
    let is_configuration = |name: &String| CONFIGURATION.iter().any(|word| name.contains(word));
    if text.len() < tuning().detect.file_min_bytes
        || !names.iter().all(is_written)
        || names.iter().any(is_configuration)
    {
        return None;
    }
    let body = unframed(text);
    let plain = without_numbers(body);
    let is_numbered = matches!(plain, Cow::Owned(_));
    if is_data(&plain, names) {
        return Some(ContentKind::Json.into());
    }
    if is_cut_data(&plain, names) {
        return Some(if is_numbered { ContentKind::Json } else { ContentKind::Text }.into());
    }
    let named_log =
        |name: &String| is_rotated(name) || [".log", ".out", ".err"].iter().any(|end| name.ends_with(end));
    let least =
        if names.iter().any(named_log) { tuning().detect.file_log } else { tuning().detect.file_most_log };
    if structure::log_share(&plain) >= least {
        return Some(ContentKind::Log.into());
    }
    if names.iter().any(|name| name.ends_with(".csv") || name.ends_with(".tsv")) && is_separated(&plain) {
        return Some(ContentKind::Text.into());
    }
    let guess = structure::guess(body);
    (guess.kind == ContentKind::Search && !is_numbered).then_some(guess)
}

/// Whether nearly all lines have as many separators as the first.
fn is_separated(text: &str) -> bool {
    let first = lines::split(text).next().unwrap_or_default();
    let Some(separator) = [',', '\t', ';'].into_iter().find(|separator| first.contains(*separator)) else {
        return false;
    };
    let width = first.matches(separator).count();
    let fits = lines::split(text).filter(|line| line.matches(separator).count() == width).count();
    fits > tuning().detect.file_min_values
        && fits * 100 >= lines::split(text).count() * tuning().detect.file_separated
}

/// Whether this is JSON data: many values of a kind, lines of JSON, a notebook, or the lock of a package manager.
fn is_data(body: &str, names: &[String]) -> bool {
    if is_plausible(body) {
        let by_name = |name: &String| name.ends_with(".ipynb") || LOCKS.contains(&name.as_str());
        return names.iter().any(by_name) || bulk(body).is_some_and(|bulk| bulk >= tuning().detect.file_bulk);
    }
    let lines = || lines::split(body).filter(|line| !line.trim().is_empty());
    let is_value = |line: &&str| line.starts_with('{') && line.trim_end().ends_with('}');
    let values = lines().filter(is_value).count();
    values >= tuning().detect.file_min_values && values * 100 >= lines().count() * tuning().detect.file_values
}

/// Returns the percentage of a JSON text that is in arrays of many values; `None` if the text is not JSON.
fn bulk(text: &str) -> Option<usize> {
    // Which arrays have rows does not matter here.
    let lengths = ArrayLengths { rows: usize::MAX, long: usize::MAX };
    let doc = Document::parse(text, Sequence::Values, lengths).ok()?;
    let whole: usize = doc.roots().iter().map(|root| doc.length(*root)).sum();
    let mut open = doc.roots().to_vec();
    let mut bulk = 0;
    while let Some(value) = open.pop() {
        let is_array = doc.node(value).is_some_and(|node| node.kind == DocumentNodeKind::Array);
        if is_array
            && doc.children(value).take(tuning().detect.file_min_bulk).count()
                == tuning().detect.file_min_bulk
        {
            bulk += doc.length(value);
        } else {
            open.extend(doc.children(value).map(|(child, _)| child));
        }
    }
    Some(bulk * 100 / whole.max(1))
}

/// Whether most of this is JSON records, of which some are cut.
fn is_cut_data(body: &str, names: &[String]) -> bool {
    let is_json = names.iter().any(|name| name.contains("json") || name.ends_with(".ipynb"));
    let records = || {
        let parts = parts::find(body, false).parts.into_iter();
        let runs = parts.filter(|part| part.sequence == Sequence::Elements);
        runs.map(|part| part.bytes.len()).sum::<usize>()
    };
    is_json && records() * 100 >= body.len() * tuning().detect.file_bulk
}

/// Whether this is the name of an older log: `app.log.1`, `app.log.2024-05-01`.
fn is_rotated(name: &str) -> bool {
    name.contains(".log.")
}

/// Returns the output within the frame of a command runner: `Chunk ID: …`, `Exit code: 0`, `Output:`.
fn unframed(text: &str) -> &str {
    let mut rest = text;
    for _ in 0..tuning().detect.file_frame_lines {
        let Some((line, behind)) = rest.split_once('\n') else { return text };
        if line.trim() == "Output:" {
            return behind;
        }
        rest = behind;
    }
    text
}

/// Returns the lines of a numbered view without their numbers and without the lines around it, or another text as it
/// is.
fn without_numbers(text: &str) -> Cow<'_, str> {
    match Lines::new(text).and_then(|lines| lines.main_view(text)) {
        Some((_, plain)) => Cow::Owned(plain),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str, name: &str) -> Option<ContentKind> {
        machine_output(text, &[name.to_owned()]).map(|guess| guess.kind)
    }

    fn records(count: usize) -> String {
        let rows: Vec<String> =
            (0..count).map(|n| format!("  {{\n    \"id\": {n},\n    \"name\": \"row {n}\"\n  }}")).collect();
        format!("[\n{}\n]\n", rows.join(",\n"))
    }

    fn log(lines: usize) -> String {
        (0..lines)
            .map(|n| format!("2026-05-01T10:00:{:02}Z INFO api: request {n} took {n} ms\n", n % 60))
            .collect()
    }

    fn numbered(text: &str) -> String {
        text.lines().zip(1..).map(|(line, n)| format!("{n:>6}\t{line}\n")).collect()
    }

    #[test]
    fn data_and_logs_are_what_they_are() {
        assert_eq!(kind(&records(80), "issues.json"), Some(ContentKind::Json));
        assert_eq!(kind(&records(80)[..2900], "issues.json"), Some(ContentKind::Text));
        assert_eq!(
            kind(&"{\"a\": 1, \"b\": \"some words\"}\n".repeat(100), "events.jsonl"),
            Some(ContentKind::Json)
        );
        assert_eq!(kind(&log(60), "app.log"), Some(ContentKind::Log));
        assert_eq!(kind(&log(60), "app.log.2"), Some(ContentKind::Log));
        assert_eq!(kind(&log(60), "syslog"), Some(ContentKind::Log));
        assert_eq!(kind(&log(60), "out.txt"), Some(ContentKind::Log));
        assert_eq!(kind(&numbered(&log(60)), "app.log"), Some(ContentKind::Log));
        let framed = format!(
            "Chunk ID: 7\nWall time: 0.1 seconds\nProcess exited with code 0\nOutput:\n{}",
            records(80)
        );
        assert_eq!(kind(&framed, "issues.json"), Some(ContentKind::Json));
        let rows: String = (0..200).map(|n| format!("{n},svc-{n},{}\n", n * 3)).collect();
        assert_eq!(kind(&format!("id,name,ms\n{rows}"), "times.csv"), Some(ContentKind::Text));
        assert_eq!(kind(&rows, "times.py"), None);
        let hits = (0..60)
            .map(|n| format!("src/a{n}.rs:{}:    let x = spawn({n});\n", n * 7 + 1))
            .collect::<String>();
        assert_eq!(kind(&hits, "hits.txt"), Some(ContentKind::Search));
    }

    #[test]
    fn what_agents_edit_keeps_the_lines_of_a_file_read() {
        let code = "fn main() {\n    println!(\"INFO ready\");\n}\n".repeat(80);
        for name in ["main.rs", "a.py", "app.log.ts", "out.txt", "makefile", "x.json"] {
            assert_eq!(kind(&code, name), None, "{name}");
        }
        for name in [
            "package.json",
            "tsconfig.build.json",
            "settings.json",
            "api.schema.json",
            ".eslintrc.json",
            "a.yaml",
        ] {
            assert_eq!(kind(&records(80), name), None, "{name}");
        }
        assert_eq!(kind(&log(60), "test_log.py"), None);
        assert_eq!(kind(&records(3), "small.json"), None);
        let options: String = (0..90).map(|n| format!("  \"option{n}\": {{\"on\": true}},\n")).collect();
        assert_eq!(
            kind(&format!("{{\n{options}  \"last\": 1\n}}"), "x.json"),
            None,
            "configuration by its form"
        );
        assert!(machine_output(&log(60), &["app.log".to_owned(), "main.rs".to_owned()]).is_none());
    }
}
