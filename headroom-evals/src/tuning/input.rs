//! The requests on which numbers are tried: a fixed part of the evaluation's data, by kind.

use headroom_core::{Api, Outcome};
use serde_json::{Value, json};

use super::{Judged, fact::fates};
use crate::{
    Data, EvalError, File,
    conformance::{
        ask::{Ask, texts},
        output::{Output, Planted},
    },
    replay::Trace,
};

/// Folders of recorded results, with the tool by which an agent would get them.
const FOLDERS: [(&str, &str); 7] = [
    ("json", "run"),
    ("logs", "run"),
    ("search", "run"),
    ("diffs", "run"),
    ("code", "fetch"),
    ("html", "fetch"),
    ("prose", "fetch"),
];
/// Questions of a set that are asked of one file.
const ASKED: usize = 6;
/// One file of a folder in this many is tried, so that all numbers take minutes.
const FILES_PER_TRIED: usize = 5;
/// Rows of generated output.
const ROWS: [usize; 2] = [60, 300];
/// Where a fact is planted in it, in percent of its height.
const HEIGHT: usize = 40;

/// One request, and the facts that its results hold.
#[derive(Debug)]
pub struct Input {
    /// What it is of: the folder of its file, or what is generated.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The wire format.
    pub api: Api,
    /// The request.
    pub body: Vec<u8>,
    /// Tokens of its results.
    pub tokens: u64,
    facts: Vec<String>,
    /// Its results.
    before: String,
}

impl Input {
    fn new(
        kind: &'static str,
        name: String,
        (api, body): (Api, Vec<u8>),
        facts: Vec<String>,
    ) -> Option<Self> {
        let before = results(&body)?;
        let tokens = count(&before);
        Some(Self { kind, name, api, body, tokens, facts, before })
    }

    /// Returns the tokens that are sent of the results, and the fate of each fact.
    pub(super) fn judge(&self, outcome: &Outcome) -> Judged {
        let after = outcome.body().and_then(results);
        let after = after.as_deref().unwrap_or(&self.before);
        let originals = match outcome {
            Outcome::Rewritten { originals, .. } => originals.as_slice(),
            Outcome::Unchanged { .. } => &[],
        };
        (count(after), fates(&self.facts, (&self.before, after), originals))
    }
}

fn count(text: &str) -> u64 {
    headroom_core::Vocabulary::O200kBase.count(text) as u64
}

/// Returns the texts that neither the model nor, in what is generated here, the user wrote: a fact that the question names
/// is none that was found.
fn results(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut all = String::new();
    for message in body.get("messages")?.as_array()?.iter().skip(1) {
        if message.get("role").and_then(Value::as_str) != Some("assistant")
            && let Some(content) = message.get("content")
        {
            texts(content, &mut all);
        }
    }
    Some(all)
}

/// Returns all inputs, in a fixed order.
pub(super) fn inputs(data: &mut Data) -> Result<Vec<Input>, EvalError> {
    let mut all = generated();
    let facts = data.json("corpora", "needles.json")?.unwrap_or(Value::Null);
    for (folder, tool) in FOLDERS {
        let files = data.files(&format!("corpora/{folder}"))?;
        // The JSON parsing suite is for robustness: short texts, most of them no JSON.
        let files = files.iter().filter(|file| !file.name.contains("/robustness/") && !is_answer(file));
        for file in files.step_by(FILES_PER_TRIED) {
            all.extend(recorded(folder, tool, file, &facts));
        }
    }
    for file in data.files("corpora/agent-traces")?.into_iter().step_by(FILES_PER_TRIED) {
        let Some(trace) = Trace::read(&file, &facts) else { continue };
        let Some(last) = trace.conversation.turns.last() else { continue };
        let Ok(body) = trace.conversation.request(*last) else { continue };
        let facts = trace.needles.iter().filter(|needle| needle.used <= *last);
        let facts = facts.map(|needle| needle.text.clone()).collect();
        all.extend(Input::new("agents", trace.name, (trace.api, body), facts));
    }
    for file in data.files("workloads")? {
        let Some(name) = file.base().strip_suffix(".openai.json") else { continue };
        let meta = data.json("workloads", &format!("{name}.meta.json"))?.unwrap_or(Value::Null);
        let request = (Api::OpenAiChat, file.content.clone());
        all.extend(Input::new("workloads", name.to_owned(), request, parts(&meta)));
    }
    Ok(all)
}

/// Whether this is what a file of a page should become.
fn is_answer(file: &File) -> bool {
    file.name.ends_with(".expected.txt")
}

/// Returns a recorded result as the only one of a request that asks for nothing, and of some that ask for one of its facts.
fn recorded(kind: &'static str, tool: &str, file: &File, facts: &Value) -> Vec<Input> {
    let name = file.name.strip_prefix("corpora/").unwrap_or(&file.name);
    let is_read = kind == "code" && file.base().starts_with("read-");
    let (tool, arguments) = match (tool, is_read) {
        (_, true) => ("read_file", json!({"file_path": "/work/file"})),
        // A path that ends in `.html` would ask for the source of a page.
        ("fetch", _) if kind == "html" => (tool, json!({"url": "https://example.org/"})),
        ("fetch", _) => (tool, json!({"path": file.base().replace("__", "/")})),
        _ => (tool, json!({})),
    };
    let strong = facts.get(name).and_then(|entry| entry.get("needles")).and_then(Value::as_array);
    let strong =
        strong.into_iter().flatten().filter(|fact| fact.get("strength") != Some(&Value::from("weak")));
    let word = |fact: &Value, key: &str| fact.get(key).and_then(Value::as_str).map(str::to_owned);
    let strong: Vec<(String, Option<String>)> = strong
        .filter_map(|fact| {
            Some((word(fact, "needle")?, word(fact, "question").or_else(|| word(fact, "query"))))
        })
        .collect();
    let text = file.text();
    let input = |question: &str, facts: Vec<String>| {
        let ask = Ask { question, tool, arguments: arguments.clone(), result: &text };
        Input::new(kind, name.to_owned(), (Api::OpenAiChat, ask.body(Api::OpenAiChat)), facts)
    };
    let all = || strong.iter().map(|(fact, _)| fact.clone()).collect();
    let step = strong.len().div_ceil(ASKED).max(1);
    let asked = strong.iter().step_by(step).filter_map(|(fact, question)| {
        // The answer alone is what such a question is about.
        input(question.as_ref()?, vec![fact.clone()])
    });
    let first = strong.first().filter(|(_, question)| question.is_none());
    let named = first.and_then(|(fact, _)| input(&format!("What about {fact}?"), all()));
    asked.chain(named).chain(input("Look at it.", all())).collect()
}

/// Returns all parts of the facts of a workload.
fn parts(meta: &Value) -> Vec<String> {
    let facts = meta.get("needles").and_then(Value::as_array).into_iter().flatten();
    let parts = facts.filter_map(|fact| fact.get("all")?.as_array()).flatten();
    parts.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns generated output with one fact each: that the question names, that the call names, that stands out, or that is
/// like all others.
fn generated() -> Vec<Input> {
    let places = |output: Output| {
        ["named by the user", "named by the call", "an error or outlier", "like all others"]
            .into_iter()
            .filter(move |place| *place != "an error or outlier" || output.has_outliers())
    };
    let mut all = Vec::new();
    for output in Output::ALL {
        for place in places(output) {
            all.extend(ROWS.into_iter().filter_map(|rows| planted(output, place, rows, rows * HEIGHT / 100)));
        }
    }
    all
}

fn planted(output: Output, place: &str, rows: usize, at: usize) -> Option<Input> {
    let word = format!("kestrel{}", 1_000 + (rows * 7 + at) % 9_000);
    let planted = Planted { at, word: &word, stands_out: place == "an error or outlier" };
    let text = output.text(rows, (rows + at) as u64, Some(planted));
    let (tool, arguments) = output.call((place == "named by the call").then_some(word.as_str()));
    let asked = format!("What happened to {word}?");
    let question = if place == "named by the user" { &asked } else { "Look at it." };
    let ask = Ask { question, tool, arguments, result: &text };
    let name = format!("{output}, {rows} rows, {place}");
    Input::new("planted", name, (Api::OpenAiChat, ask.body(Api::OpenAiChat)), vec![word])
}
