//! Code that people wrote stays code, whichever tool brings it: what parsed before parses after.
//!
//! The judge parses both texts from nothing. `HEADROOM_SOURCES` names folders, between colons;
//! `HEADROOM_SOURCES_MOST` says how many files of each language are read, and `HEADROOM_SOURCES_FORMS` by how many tools each.
//! `HEADROOM_SOURCES_OUT` names a folder for the texts before and after, so that other parsers can judge them too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may"
)]

#[path = "code/forms.rs"]
mod forms;
#[path = "code/sources.rs"]
mod sources;

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

use forms::{FORMS, Form};
use headroom_core::{Api, CompressOptions, Engine, Language, Retrieval};
use headroom_evals::checks::mistakes;
use serde_json::{Value, json};
use sources::{files, hash, languages, name_in};

/// Where nothing names the file, one output in so many may fail: its language is a guess.
const LEAST_OF_UNNAMED: usize = 300;
/// Files of each extension.
const MOST: usize = 25;

/// What the model sees of the last result, with its kind. `before` is an earlier result.
fn shown(
    engine: &Engine,
    before: Option<&str>,
    call: &(&str, Value),
    text: &str,
    question: &str,
) -> (String, String) {
    let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
    let mut messages = vec![json!({"role": "user", "content": question})];
    let earlier = before.map(|text| ("Bash", json!({"command": "sed -n 1,200p x"}), text));
    for (n, (name, arguments, text)) in
        earlier.into_iter().chain([(call.0, call.1.clone(), text)]).enumerate()
    {
        let id = format!("t{n}");
        messages.extend([
            json!({"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": name, "input": arguments}]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]}),
        ]);
    }
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 9, "tools": [tool("Bash"), tool("Read")], "messages": messages});
    let body = serde_json::to_vec(&body).unwrap();
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let outcome = engine.compress(Api::Anthropic, &body, &options);
    let after: Value = serde_json::from_slice(outcome.body().unwrap_or(&body)).unwrap();
    let shown = after["messages"].as_array().unwrap().last().unwrap()["content"][0]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    (shown, outcome.report().blocks.last().unwrap().kind.to_string())
}

#[derive(Default)]
struct Count {
    files: usize,
    shown: usize,
    cut: usize,
    worse: usize,
    before: usize,
    after: usize,
    kinds: BTreeMap<String, usize>,
}

#[derive(Default)]
struct Result {
    counts: BTreeMap<String, Count>,
    failed: Vec<String>,
}

/// A file with the languages that it may be in.
struct Source {
    path: PathBuf,
    text: String,
    languages: Vec<Language>,
    name: String,
}

impl Source {
    /// The fewest mistakes of a text as code of this file.
    fn mistakes(&self, text: &str) -> usize {
        self.languages.iter().map(|language| mistakes(*language, text).unwrap()).min().unwrap_or_default()
    }

    fn label(&self) -> String {
        match self.languages.first() {
            Some(first) => format!("{first:?}"),
            None => self.path.extension().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

/// The sources that are judged: of each language the first ones.
fn selected(most: usize, others: bool) -> Vec<Source> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut selected = Vec::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let languages = languages(&path, &text);
        if languages.is_empty() && !others {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let source = Source { path, text, languages, name };
        let count = counts.entry(source.label()).or_default();
        *count += 1;
        if *count <= most {
            selected.push(source);
        }
    }
    selected
}

/// What is known of one file: its mistakes as shown by each form, and the outputs that were judged.
#[derive(Default)]
struct Known {
    before: BTreeMap<usize, usize>,
    after: BTreeMap<(u64, usize), usize>,
}

/// Sends a file in a form, and judges what the model sees.
fn judge(engine: &Engine, source: &Source, form: &Form, known: &mut Known, out: Option<&Path>) -> Result {
    let mut result = Result::default();
    let lines = form.lines(&source.text);
    let view = form.text(lines);
    let call = form.call(&source.name);
    let third = source.text.lines().count() / 3;
    let third: usize = source.text.split_inclusive('\n').take(third).map(str::len).sum();
    let named = format!("What does `{}` do?", name_in(&source.text));
    let (question, earlier) = match hash((&source.path, form.name)) % 3 {
        0 => ("Look at it.", None),
        1 => (named.as_str(), None),
        _ => (named.as_str(), Some(&source.text[..third])),
    };
    let (shown, kind) = shown(engine, earlier, &call, &view, question);
    let count = result.counts.entry(source.label()).or_default();
    *count.kinds.entry(format!("{} {kind}", form.name)).or_default() += 1;
    count.shown += 1;
    count.before += view.len();
    count.after += shown.len();
    if shown == view {
        return result;
    }
    count.cut += 1;
    let code = form.code(&shown);
    let key = (hash(&code), lines.len());
    let is_new = !known.after.contains_key(&key);
    let before = *known.before.entry(lines.len()).or_insert_with(|| source.mistakes(lines));
    let after = *known.after.entry(key).or_insert_with(|| source.mistakes(&code));
    // A text that did not parse before is not code to its parser.
    count.worse += usize::from(before > 0 && after > before);
    let place = format!("{} {} {kind} {question} {}", source.path.display(), form.name, earlier.is_some());
    if before == 0 && after > 0 {
        result.failed.push(format!("{place}: {after}"));
    }
    if let Some(out) = out.filter(|_| is_new) {
        let folder = out.join(source.label()).join(format!("{:016x}", hash((&source.path, key))));
        for (side, text) in [("before", lines), ("after", &code)] {
            fs::create_dir_all(folder.join(side)).unwrap();
            fs::write(folder.join(side).join(&source.name), text).unwrap();
        }
        let (label, folder) = (source.label(), folder.display());
        let row = format!("{label}\t{folder}\t{}\t{}\t{before}\t{after}\t{place}\n", source.name, form.name);
        let index = fs::OpenOptions::new().append(true).create(true).open(out.join("index.tsv"));
        index.unwrap().write_all(row.as_bytes()).unwrap();
    }
    result
}

fn merge(all: &mut Result, one: Result) {
    for (language, count) in one.counts {
        let sum = all.counts.entry(language).or_default();
        sum.files += count.files;
        sum.shown += count.shown;
        sum.cut += count.cut;
        sum.worse += count.worse;
        sum.before += count.before;
        sum.after += count.after;
        for (kind, count) in count.kinds {
            *sum.kinds.entry(kind).or_default() += count;
        }
    }
    all.failed.extend(one.failed);
}

#[test]
#[ignore = "takes minutes, and sources of many languages"]
fn code_stays_code_through_every_tool() {
    let number = |name: &str| std::env::var(name).ok().and_then(|most| most.parse().ok());
    let most = number("HEADROOM_SOURCES_MOST").unwrap_or(MOST);
    let most_forms = number("HEADROOM_SOURCES_FORMS").unwrap_or(FORMS.len());
    let out = std::env::var_os("HEADROOM_SOURCES_OUT").map(PathBuf::from);
    let left = Mutex::new(selected(most, out.is_some()));
    let all = Mutex::new(Result::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(source) = left.lock().unwrap().pop() else { break };
                    let (engine, mut known) = (Engine::new(), Known::default());
                    let mut forms: Vec<&Form> = FORMS.iter().collect();
                    forms.sort_by_key(|form| hash((form.name, &source.path)));
                    for form in forms.into_iter().take(most_forms) {
                        let one = judge(&engine, &source, form, &mut known, out.as_deref());
                        merge(&mut all.lock().unwrap(), one);
                    }
                    all.lock().unwrap().counts.entry(source.label()).or_default().files += 1;
                }
            });
        }
    });
    let Result { counts, mut failed } = all.into_inner().unwrap();
    for (language, count) in &counts {
        println!(
            "{language:11} {:4} files, {:5} shown, {:5} cut, {:3} worse of those with errors before, {:.1} % less; {:?}",
            count.files,
            count.shown,
            count.cut,
            count.worse,
            100.0 - 100.0 * count.after as f64 / count.before.max(1) as f64,
            count.kinds
        );
    }
    assert!(counts.values().map(|count| count.cut).sum::<usize>() > counts.len(), "hardly anything was cut");
    println!("{} files, {} failed", counts.values().map(|count| count.files).sum::<usize>(), failed.len());
    failed.sort();
    let (unnamed, named): (Vec<&String>, Vec<&String>) = failed.iter().partition(|failed| {
        FORMS.iter().any(|form| !form.names() && failed.contains(&format!(" {} ", form.name)))
    });
    assert!(named.is_empty(), "{named:#?}");
    let shown = counts.values().map(|count| count.shown).sum::<usize>();
    let shown = shown * FORMS.iter().filter(|form| !form.names()).count() / FORMS.len();
    assert!(unnamed.len() * LEAST_OF_UNNAMED <= shown, "{unnamed:#?}");
}
