//! Checks whether compressed requests agree with the originals, and whether elided content can be retrieved.

use std::collections::BTreeMap;

use headroom_core::{Api, Engine, Handle, Language, Original, Outcome, Retrieval};
use headroom_store::{MemoryStore, OriginalStore, RetrieveQuery};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{EvalError, Progress, Suite};
use crate::{
    File,
    checks::{Applied, apply, edits, judged, mistakes, of_view, view},
    conformance::{
        ask::Ask,
        laws::{Forms, Run, every},
        output::Output,
    },
    report::{Cell, Section, Table},
};

/// Folders of recorded results, and the tool by which an agent would get them.
const FOLDERS: [(&str, &str); 7] = [
    ("json", "run"),
    ("logs", "run"),
    ("search", "run"),
    ("diffs", "run"),
    ("code", "fetch"),
    ("html", "fetch"),
    ("prose", "fetch"),
];

/// One check.
#[derive(Default)]
struct Check {
    done: usize,
    held: usize,
    note: usize,
}

impl Check {
    /// Counts what was found. Returns why it did not hold, if it did not.
    fn add(&mut self, found: Result<Held, String>) -> Option<String> {
        match found {
            Ok(Held { done, held, note }) => {
                self.done += done;
                self.held += held;
                self.note += note;
                (held < done).then(|| format!("{held} of {done}"))
            }
            Err(why) => {
                self.done += 1;
                Some(why.chars().take(200).collect())
            }
        }
    }
}

/// A tool result.
struct FidelityCase {
    kind: String,
    name: String,
    text: String,
    tool: &'static str,
    arguments: Value,
}

pub(super) fn run(suite: &mut Suite, progress: &dyn Progress) -> Result<Section, EvalError> {
    let mut section = Section {
        id: "fidelity",
        title: "Fidelity",
        about: "Every text as the one result of a call, judged from outside by its bytes. *Readable alone*: with \
                nothing to fetch back with, what is sent is a form that can be read back, and reads as the original. \
                *Every line true*: with parts set aside, each line is a line of the original, an exact decode of a \
                declared form, or a marked gap, in order; numbers of JSON are those of the original. *Retrieved*: what \
                was set aside is in a store byte for byte, and by lines. *Parses*: code that lost bodies of functions \
                has no more mistakes than before. *Applies*: `git apply` makes of a forwarded diff what it makes of \
                the original, in every file without a marker. *Edits*: each run of three lines of a file that was \
                read, taken from what is shown, is found in the file by its exact text."
            .replace('*', ""),
        data: "output that is made here from fixed seeds".to_owned(),
        command: suite.command("fidelity"),
        ..Section::default()
    };
    let cases = cases(suite)?;
    if suite.data.is_there() {
        section.data = format!("`corpora`: {} recorded results, and output that is made here", cases.len());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(EvalError::Runtime)?;
    let mut checks = Checks::new();
    progress.begin("fidelity", cases.len());
    let has_git = std::process::Command::new("git").arg("--version").output().is_ok();
    let mut judge = Judge { runtime, forms: Forms::default(), engine: Engine::new(), has_git };
    for case in &cases {
        for (order, what, held) in judge.case(suite, case) {
            let check = checks.entry((order, what, case.kind.clone())).or_default();
            if let Some(why) = check.add(held) {
                section.failures.push(format!("{what}: {}: {why}", case.name));
            }
        }
        progress.step();
    }
    if !has_git {
        section.failures.push("applies: left out, since there is no git".to_owned());
    }
    section.tables.push(table(suite, &checks));
    Ok(section)
}

type Checks = BTreeMap<(usize, &'static str, String), Check>;

/// Lists the checks by kind, and states as goals that all of a check hold.
fn table(suite: &mut Suite, checks: &Checks) -> Table {
    let mut table =
        Table::new("", &[("check", "check"), ("kind", "kind"), ("held", "held"), ("other", "not judged")]);
    let mut sums: BTreeMap<(usize, &'static str), (usize, usize)> = BTreeMap::new();
    for ((order, what, kind), check) in checks {
        table.row([
            Cell::text(*what),
            Cell::text(kind),
            Cell::ratio(check.held, check.done),
            Cell::count(check.note),
        ]);
        let sum = sums.entry((*order, *what)).or_default();
        (sum.0, sum.1) = (sum.0 + check.held, sum.1 + check.done);
    }
    for ((_, what), (held, done)) in sums {
        let what = format!("fidelity: {what}");
        suite.goal("fidelity", &what, "all", format!("{held}/{done}"), held == done && done > 0);
    }
    table
}

/// Counts of checks that held; `note` counts those that could not be judged.
#[derive(Default)]
struct Held {
    done: usize,
    held: usize,
    note: usize,
}

impl Held {
    fn one() -> Self {
        Self { done: 1, held: 1, note: 0 }
    }
}

type FidelityFinding = (usize, &'static str, Result<Held, String>);

struct Judge {
    runtime: Runtime,
    forms: Forms,
    engine: Engine,
    has_git: bool,
}

impl Judge {
    fn case(&mut self, suite: &Suite, case: &FidelityCase) -> Vec<FidelityFinding> {
        let ask = Ask {
            question: "Look at it.",
            tool: case.tool,
            arguments: case.arguments.clone(),
            result: &case.text,
        };
        let body = ask.body(Api::OpenAiChat);
        let options =
            |retrieval| headroom_core::CompressOptions::new().tier(suite.options.tier).retrieval(retrieval);
        let law = |retrieval| {
            judged(|| {
                let options = options(retrieval);
                let run = Run::new(&self.engine, Api::OpenAiChat, &body, &options)
                    .map_err(|broken| broken.to_string())?;
                every(&run, &options, &self.forms).map_err(|broken| broken.to_string())
            })
            .map(|()| Held::one())
        };
        let mut found = vec![
            (0, "readable alone", law(Retrieval::Disabled)),
            (1, "every line true", law(Retrieval::ServerTool)),
        ];
        let outcome = self.engine.compress(Api::OpenAiChat, &body, &options(Retrieval::ServerTool));
        let shown = outcome.body().and_then(|body| Ask::result_of(Api::OpenAiChat, body));
        let shown = shown.unwrap_or_else(|| case.text.clone());
        if let Outcome::Rewritten { originals, .. } = outcome
            && !originals.is_empty()
        {
            found.push((2, "retrieved", self.retrieved(originals)));
        }
        if let Some(language) =
            Language::from_file_name(&case.name).filter(|_| case.kind == "code" && shown != case.text)
        {
            let (before, after) = (mistakes(language, &case.text), mistakes(language, &shown));
            let held = match (before, after) {
                (Some(before), Some(after)) if after <= before => Ok(Held::one()),
                (before, after) => Err(format!("mistakes {before:?}, now {after:?}")),
            };
            found.push((3, "parses", held));
        }
        if self.has_git && case.kind == "diffs" {
            let held = match apply(&case.text, &shown) {
                Ok(Applied::Same { files, marked }) => Ok(Held { done: files, held: files, note: marked }),
                Ok(Applied::NotWhole) => Ok(Held { note: 1, ..Held::default() }),
                Ok(Applied::Other) => Err("makes other files than the original".to_owned()),
                Err(error) => Err(error.to_string()),
            };
            found.push((4, "applies", held));
        }
        if case.kind == "file reads" {
            let edits = edits(&of_view(&case.text), &shown, 3);
            found.push((5, "edits", Ok(Held { done: edits.tried, held: edits.made, note: 0 })));
        }
        found
    }

    /// Checks that a store returns the originals put into it.
    fn retrieved(&self, originals: Vec<Original>) -> Result<Held, String> {
        const TENANT: &str = "evals";
        let wanted: Vec<(Handle, String)> =
            originals.iter().map(|original| (original.handle(), original.content().to_owned())).collect();
        self.runtime.block_on(async {
            let store = MemoryStore::new();
            store.put_many(TENANT, originals).await.map_err(|error| error.to_string())?;
            let mut held = Held::default();
            for (handle, content) in wanted {
                held.done += 1;
                let whole = store.get(TENANT, &handle).await.map_err(|error| error.to_string())?;
                let query = RetrieveQuery::new().lines("1-").max_bytes(usize::MAX);
                let lines = whole.as_deref().map(|whole| query.answer(whole));
                let same = whole.as_deref() == Some(&*content)
                    && lines.is_some_and(|lines| lines.ends_with(&content));
                held.held += usize::from(same);
            }
            Ok(held)
        })
    }
}

fn cases(suite: &mut Suite) -> Result<Vec<FidelityCase>, EvalError> {
    let mut all = Vec::new();
    for output in Output::ALL {
        for (seed, rows) in [60, 300, 1_500].into_iter().enumerate() {
            let (tool, arguments) = output.call(None);
            let kind = match output {
                Output::FileRead => "file reads",
                Output::Diff => "diffs",
                Output::Records | Output::JsonLines | Output::Mixed => "json",
                Output::Search => "search",
                Output::ServerLog | Output::TestRun => "logs",
                Output::Listing | Output::Table => "listings and tables",
            };
            let name = format!("{output}, {rows} rows");
            let text = output.text(rows, seed as u64 + 7, None);
            all.push(FidelityCase { kind: kind.to_owned(), name, text, tool, arguments });
        }
    }
    // Our own sources, in the kinds of views that agents have, with both styles of line ends.
    for (name, text) in [
        ("laws.rs", include_str!("../conformance/laws/truthful.rs")),
        ("spans.rs", include_str!("../conformance/spans.rs")),
    ] {
        let code = |kind: &str, name: String, text, tool| FidelityCase {
            kind: kind.to_owned(),
            arguments: json!({"file_path": format!("src/{name}")}),
            name,
            text,
            tool,
        };
        all.push(code("code", name.to_owned(), text.to_owned(), "fetch"));
        all.push(code("file reads", format!("{name}, numbered"), view(text), "read_file"));
        all.push(code("file reads", format!("{name}, plain"), text.to_owned(), "read_file"));
        all.push(code("file reads", format!("{name}, CRLF"), text.replace('\n', "\r\n"), "read_file"));
    }
    for (folder, tool) in FOLDERS {
        let files = suite.data.files(&format!("corpora/{folder}"))?;
        let files = suite.sample(files, 6);
        all.extend(files.into_iter().filter(|file| !is_no_json(file)).map(|file| {
            let is_read = folder == "code" && file.base().starts_with("read-");
            let kind = if is_read { "file reads" } else { folder };
            let arguments = match (tool, is_read) {
                (_, true) => json!({"file_path": "/work/file"}),
                ("fetch", _) => json!({"path": file.base().replace("__", "/")}),
                _ => json!({}),
            };
            let tool = if is_read { "read_file" } else { tool };
            FidelityCase { kind: kind.to_owned(), text: file.text(), name: file.name, tool, arguments }
        }));
    }
    Ok(all)
}

/// Whether JSON parsers must, or may, reject the file.
fn is_no_json(file: &File) -> bool {
    file.name.contains("/robustness/") && (file.base().starts_with("n_") || file.base().starts_with("i_"))
}
