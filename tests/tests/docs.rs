//! The documents say what is: samples are what the engine makes today, links lead somewhere, commands exist.
//!
//! `HEADROOM_BLESS=1 cargo test -p headroom-tests --test docs` writes the samples anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use headroom_core::{Api, CompressOptions, Engine, Retrieval, Vocabulary};
use headroom_tests::{ask::Ask, output::Output};
use serde_json::{Value, json};

/// Most lines of a sample that are shown.
const LINES: usize = 20;
/// Most characters of a line that are shown.
const WIDTH: usize = 500;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The result of a call, and what was asked.
struct Sample {
    question: &'static str,
    tool: &'static str,
    arguments: Value,
    text: String,
    /// How often the call was made: of the second one it is shown what became.
    times: usize,
    /// Whether what is set aside can be fetched back.
    served: bool,
}

fn made(output: Output, rows: usize, question: &'static str) -> Sample {
    let (tool, arguments) = output.call(None);
    Sample { question, tool, arguments, text: output.text(rows, 5, None), times: 1, served: true }
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/samples").join(file)).unwrap()
}

fn sample(name: &str) -> Sample {
    let run = |question, command: &str, text: String| Sample {
        question,
        tool: "run_command",
        arguments: json!({"command": command}),
        text,
        times: 1,
        served: true,
    };
    match name {
        "json-lossless" => Sample { served: false, ..made(Output::Records, 40, "Look at it.") },
        "json" => made(Output::Records, 400, "Why did the order of 9:01 not go through?"),
        "log" => made(Output::ServerLog, 300, "Why is ship quill12345 late?"),
        "test-run" => run("Do the tests pass?", "cargo test", read("tests.txt")),
        "search" => Sample {
            tool: "search_files",
            arguments: json!({"pattern": "tide_at", "path": ".", "-C": 2}),
            ..run("Who calls tide_at?", "", read("hits.txt"))
        },
        "listing" => made(Output::Listing, 60, "Where is the code?"),
        "table" => made(Output::Table, 40, "Which pods run?"),
        "repeat" => Sample { times: 2, ..made(Output::FileRead, 120, "Mend harbour.rs.") },
        "fold" => run("Is it up?", "./wait-for-it", "waiting for the database\n".repeat(60) + "connected\n"),
        "terminal" => run(
            "Is it here?",
            "git clone https://example.org/tides.git && make -C tides",
            (0..40).map(|n| format!("\rReceiving objects: {:3}% ({n}/39)", n * 100 / 39)).collect::<String>()
                + ", done.\n\u{1b}[32mbuilt\u{1b}[0m in 4 s\n",
        ),
        "page" => Sample {
            tool: "fetch",
            arguments: json!({"url": "https://example.org/tides"}),
            ..run("When is high tide?", "", read("page.html"))
        },
        "prose" => Sample {
            tool: "search_documents",
            arguments: json!({"query": "height of the tower"}),
            ..run("How high is the tower?", "", read("prose.md"))
        },
        "code" => Sample {
            tool: "fetch",
            arguments: json!({"path": "src/ledger.py"}),
            ..run("Why does settle() charge twice?", "", read("ledger.py"))
        },
        "diff" => run("Is this safe to merge?", "git diff main", read("change.diff")),
        _ => panic!("no sample is called {name}"),
    }
}

impl Sample {
    /// The text of the last result, as it is sent.
    fn sent(&self) -> String {
        let ask = Ask {
            question: self.question,
            tool: self.tool,
            arguments: self.arguments.clone(),
            result: &self.text,
        };
        let mut body: Value = serde_json::from_slice(&ask.body(Api::Anthropic)).unwrap();
        for n in 1..self.times {
            let more: Vec<Value> = body["messages"].as_array().unwrap()[1..3].to_vec();
            let more = json!(more).to_string().replace("\"t1\"", &format!("\"t{}\"", n + 1));
            let more: Vec<Value> = serde_json::from_str(&more).unwrap();
            body["messages"].as_array_mut().unwrap().extend(more);
        }
        let retrieval = if self.served { Retrieval::ServerTool } else { Retrieval::Disabled };
        let outcome = Engine::new().compress(
            Api::Anthropic,
            body.to_string().as_bytes(),
            &CompressOptions::new().retrieval(retrieval),
        );
        let body: Value = serde_json::from_slice(outcome.body().unwrap()).unwrap();
        let last = body["messages"].as_array().unwrap().last().unwrap();
        last["content"][0]["content"].as_str().unwrap().to_owned()
    }

    fn shown(&self) -> String {
        let after = self.sent();
        let count = |text: &str| Vocabulary::O200kBase.count(text);
        let (before, now) = (count(&self.text), count(&after));
        assert!(now < before, "a sample that saves nothing: {after}");
        // Where the first part is missing, if that is not at the start.
        let gap = after.lines().position(|line| line.contains("[headroom:")).unwrap_or_default();
        let from = if gap > LINES - 6 { gap - 6 } else { 0 };
        let less = 100.0 - 100.0 * now as f64 / before as f64;
        format!(
            "Before, {before} tokens:\n\n```text\n{}\n```\n\nSent, {now} tokens ({less:.0} % fewer):\n\n```text\n{}\n```\n",
            short(&self.text, from),
            short(&after, from)
        )
    }
}

/// A part of a text from a line on, and its end, and what was left out of it here.
fn short(text: &str, from: usize) -> String {
    let cut = |line: &str| {
        let line = line.replace('\u{1b}', "␛").replace('\r', "␍");
        if line.chars().count() <= WIDTH {
            line
        } else {
            line.chars().take(WIDTH).collect::<String>() + " …"
        }
    };
    let lines: Vec<String> = text.lines().map(cut).collect();
    if lines.len() <= LINES {
        return lines.join("\n");
    }
    let gap = |count: usize| format!("  ⋮  {count} lines of this sample are not shown here");
    let mut out = Vec::new();
    if from > 0 {
        out.push(gap(from));
    }
    let (end, tail) = ((from + LINES - 5).min(lines.len()), lines.len() - 4);
    out.extend_from_slice(&lines[from..end]);
    if end < tail {
        out.push(gap(tail - end));
    }
    out.extend_from_slice(&lines[tail.max(end)..]);
    out.join("\n")
}

#[test]
fn samples_are_what_the_engine_makes() {
    let path = docs().join("compressors.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut out = String::new();
    let mut rest = text.as_str();
    let mut count = 0;
    while let Some((before, after)) = rest.split_once("<!-- sample: ") {
        let (name, after) = after.split_once(" -->\n").unwrap();
        let (_, after) = after.split_once("<!-- end -->").unwrap();
        out.push_str(&format!("{before}<!-- sample: {name} -->\n\n{}\n<!-- end -->", sample(name).shown()));
        (rest, count) = (after, count + 1);
    }
    out.push_str(rest);
    assert!(count >= 12, "{count} samples");
    if std::env::var_os("HEADROOM_BLESS").is_some() {
        fs::write(&path, out).unwrap();
    } else {
        assert!(
            out == text,
            "docs/compressors.md is stale; HEADROOM_BLESS=1 cargo test -p headroom-tests --test docs writes it anew"
        );
    }
}

fn documents() -> Vec<PathBuf> {
    let root = docs().join("..");
    let mut all = vec![root.join("README.md")];
    let entries = fs::read_dir(docs()).unwrap().map(|entry| entry.unwrap().path());
    all.extend(entries.filter(|path| path.extension().is_some_and(|end| end == "md")));
    all.sort();
    all
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        // What stands in a fence is no link of the document.
        let text: String = text.split("```").step_by(2).collect();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            let file = target.split('#').next().unwrap();
            if file.is_empty() || target.contains("://") {
                continue;
            }
            if !path.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Each number of the README stands behind or above a command that gives it: a table in it is followed by a fenced
/// block of commands before the next heading.
#[test]
fn every_table_of_numbers_in_the_readme_has_its_command() {
    let text = fs::read_to_string(docs().join("../README.md")).unwrap();
    let mut bare = Vec::new();
    for section in text.split("\n## ") {
        let heading = section.lines().next().unwrap_or_default();
        let has_numbers = section.lines().any(|line| {
            line.starts_with('|') && (line.contains(" % |") || line.contains("MB/s") || line.contains(" µs"))
        });
        let last_table = section.rfind("\n|").unwrap_or_default();
        let commands = section.rfind("```sh\n").filter(|at| *at > last_table);
        if has_numbers && commands.is_none() {
            bare.push(heading);
        }
    }
    assert!(bare.is_empty(), "no command behind the numbers of: {bare:?}");
}
