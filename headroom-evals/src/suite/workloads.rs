//! Measures single requests that others published, with facts that the answer needs.

use headroom_core::Api;
use serde_json::Value;

use super::{EvalError, Progress, Suite, sent, tokens};
use crate::{
    compressor::Turn,
    conformance::ask::texts,
    report::{Bar, Cell, Plot, Section, Table, change},
};

/// The name of its files, what it is, the minimum share of tokens to remove, and the publisher's own claim.
type Workload = (&'static str, &'static str, f64, &'static str);

const WORKLOADS: [Workload; 5] = [
    ("headline_code_search_100", "code search, 100 results", 0.92, "-92 %"),
    ("headline_sre_incident", "SRE incident", 0.92, "-92 %"),
    ("headline_issue_triage", "issue triage", 0.73, "-73 %"),
    ("headline_codebase_exploration", "codebase exploration", 0.50, "-47 %"),
    ("headline_fatal_logs_100", "fatal log, 100 entries", 0.88, "-88 %"),
];

const FORMS: [(&str, Api); 2] = [("anthropic", Api::Anthropic), ("openai", Api::OpenAiChat)];

pub(super) fn run(suite: &mut Suite, progress: &dyn Progress) -> Result<Section, EvalError> {
    let mut section = Section {
        id: "workloads",
        title: "Published workloads",
        about: "Five requests that another tool published its ratios for, in two wire formats. Tokens are those of all \
                texts of the request, with what is added to it. A needle is visible if all of its parts stand in what \
                is sent, and retrievable if they do with what was set aside."
            .to_owned(),
        data: "`workloads`, five requests in the formats of Anthropic and OpenAI".to_owned(),
        command: suite.command("workloads"),
        ..Section::default()
    };
    let mut table = Table::new(
        "",
        &[
            ("workload", "workload"),
            ("form", "form"),
            ("compressor", "compressor"),
            ("before", "tokens"),
            ("after", "sent"),
            ("change", "change"),
            ("visible", "needles visible"),
            ("retrievable", "visible or retrievable"),
            ("published", "published by its authors"),
        ],
    );
    let mut plot = Plot { title: "Tokens of the request (OpenAI form)".to_owned(), bars: Vec::new() };
    progress.begin("workloads", WORKLOADS.len() * FORMS.len());
    for workload in WORKLOADS {
        let (_, name, least, _) = workload;
        if let Some((less, seen, all)) = compare(suite, workload, (&mut table, &mut plot), progress)? {
            suite.goal(
                "workloads",
                &format!("tokens of the workload {name}, all needles visible"),
                &format!("-{:.0} % or less, {all}/{all}", least * 100.0),
                format!("{}, {seen}/{all}", crate::report::signed(less)),
                less <= -least && seen == all,
            );
        }
    }
    if table.rows.is_empty() {
        section.skipped = Some("there is no folder `workloads` in the data; see `--data`".to_owned());
        return Ok(section);
    }
    (section.tables, section.plots) = (vec![table], vec![plot]);
    Ok(section)
}

/// Sends one workload to every compressor. Returns the worst change of our own, the fewest needles that were visible then,
/// and how many there are.
fn compare(
    suite: &mut Suite,
    (file, name, _, published): Workload,
    (table, plot): (&mut Table, &mut Plot),
    progress: &dyn Progress,
) -> Result<Option<(f64, usize, usize)>, EvalError> {
    let mut worst: Option<(f64, usize, usize)> = None;
    for (form, api) in FORMS {
        let body = suite.data.file("workloads", &format!("{file}.{form}.json"))?;
        let meta = suite.data.json("workloads", &format!("{file}.meta.json"))?;
        progress.step();
        let (Some(body), Some(meta)) = (body, meta) else { continue };
        let needles = needles(&meta);
        let Some((_, before)) = read(&body.content) else { continue };
        for compressor in &mut suite.compressors {
            let turn = Turn { api, conversation: name, body: &body.content, answer: None };
            let (sent, _) = sent(&mut **compressor, &turn);
            let Some((shown, after)) = read(&sent.body) else { continue };
            let aside =
                sent.originals.iter().fold(shown.clone(), |all, original| all + "\n" + original.content());
            let count = |text: &str| needles.iter().filter(|parts| has(text, parts)).count();
            let (visible, retrievable) = (count(&shown), count(&aside));
            let less = change(before as u64, after as u64);
            if compressor.is_own() {
                let (worst, seen, _) = worst.get_or_insert((less, visible, needles.len()));
                (*worst, *seen) = (worst.max(less), visible.min(*seen));
            }
            if api == Api::OpenAiChat {
                plot.bars.push(Bar {
                    label: format!("{name}, {}", compressor.name()),
                    value: less,
                    interval: None,
                    other: !compressor.is_own(),
                });
            }
            table.row([
                Cell::text(name),
                Cell::text(form),
                Cell::text(compressor.name()),
                Cell::count(before),
                Cell::count(after),
                Cell::Change(less),
                Cell::ratio(visible, needles.len()),
                Cell::ratio(retrievable, needles.len()),
                Cell::text(if compressor.is_own() { "" } else { published }),
            ]);
        }
    }
    Ok(worst)
}

/// Returns every text of a request, and its tokens.
fn read(body: &[u8]) -> Option<(String, usize)> {
    let mut all = String::new();
    texts(&serde_json::from_slice(body).ok()?, &mut all);
    let tokens = tokens(&all);
    Some((all, tokens))
}

/// Returns the parts of each needle.
fn needles(meta: &Value) -> Vec<Vec<String>> {
    let items = meta.get("needles").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let parts = |needle: &Value| {
        let all = needle.get("all").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    items.iter().map(parts).collect()
}

fn has(text: &str, parts: &[String]) -> bool {
    parts.iter().all(|part| {
        // In a table, a text with a quote is written as JSON.
        let spelled = Value::from(part.as_str()).to_string();
        text.contains(part) || text.contains(spelled.trim_matches('"'))
    })
}
