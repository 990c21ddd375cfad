//! Runs line compressors on recorded tool results, for their tests.

use std::{fmt::Write, fs};

use serde_json::Value;

use super::shared;
use crate::{Vocabulary, compress::Omission, relevance::Query};

/// Replaces each gap by a marker line, as the engine may write it.
pub(super) fn elided(text: &str, gaps: &[Omission]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for Omission { range, first, last, summary } in gaps {
        out.push_str(&text[at..range.start]);
        write!(out, "[headroom:k3v9q2x7m4tzabcd lines {first}-{last} stored: {summary}; headroom_retrieve]")
            .unwrap();
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Checks invariants of gaps in any text.
pub(super) fn check(text: &str, gaps: &[Omission]) {
    let mut end = 0;
    for gap in gaps {
        let (start, stop) = (gap.range.start, gap.range.end);
        assert!(start < stop && (end == 0 || start > end), "{gap:?}");
        assert!(start == 0 || text[..start].ends_with('\n'), "starts a line: {gap:?}");
        let rest = &text[stop..];
        assert!(
            rest.is_empty() || rest.starts_with('\n') || rest.starts_with("\r\n"),
            "ends a line: {gap:?}"
        );
        assert_eq!(text[start..stop].matches('\n').count() as u32, gap.last - gap.first, "{gap:?}");
        assert_eq!(text[..start].matches('\n').count() as u32 + 1, gap.first, "{gap:?}");
        assert!(gap.summary.len() < 2000 && !gap.summary.contains(['\n', '\r', '[', ']']), "{gap:?}");
        end = stop;
    }
    assert!(gaps.is_empty() || !text.contains("[headroom:"), "gaps beside markers");
}

pub(super) fn tokens(text: &str) -> usize {
    Vocabulary::O200kBase.count(text)
}

pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read_json(path: &std::path::Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Totals over several texts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) before: usize,
    pub(super) after: usize,
    pub(super) needles: usize,
    pub(super) visible: usize,
}

impl Tally {
    /// Counts a text, its compressed form, and the needles visible in that.
    pub(super) fn add(&mut self, name: &str, text: &str, out: &str, needles: &[String]) {
        let (before, after) = (tokens(text), tokens(out));
        let out = self::folded(out);
        let lost: Vec<&String> = needles.iter().filter(|needle| !out.contains(&folded(needle))).collect();
        self.before += before;
        self.after += after;
        self.needles += needles.len();
        self.visible += needles.len() - lost.len();
        if before != after || !lost.is_empty() {
            println!(
                "{before:>7} -> {after:>7}  {:>3}/{:<3} {name}",
                needles.len() - lost.len(),
                needles.len()
            );
        }
        for needle in lost {
            println!("    lost {}", needle.chars().take(110).collect::<String>());
        }
    }
}

/// Runs `form` over a folder of the corpora and counts the needles that stay visible.
pub(super) fn corpus(folder: &str, form: impl Fn(&str, &str, &Query<'_>) -> Option<String>) -> Tally {
    let corpora = shared("corpora");
    let all = read_json(&corpora.join("needles.json"));
    let mut tally = Tally::default();
    for (file, spec) in all.as_object().unwrap().iter().filter(|(file, _)| file.starts_with(folder)) {
        let text = String::from_utf8_lossy(&fs::read(corpora.join(file)).unwrap()).into_owned();
        let of_file = spec["needles"].as_array().unwrap().iter();
        let needles: Vec<String> = of_file
            .map(|needle| needle["needle"].as_str().unwrap().to_owned())
            .filter(|needle| folded(&text).contains(&folded(needle)))
            .collect();
        let out = form(file, &text, &Query::default()).unwrap_or_else(|| text.clone());
        tally.add(file, &text, &out, &needles);
    }
    println!("{folder}: {tally:?}");
    tally
}

/// Runs `form` over the tool results of recorded conversations.
pub(super) fn conversations(form: impl Fn(&str, &Query<'_>) -> Option<String>) -> Tally {
    let corpora = shared("corpora");
    let all = read_json(&corpora.join("needles.json"));
    let mut tally = Tally::default();
    for (file, spec) in all.as_object().unwrap().iter().filter(|(file, _)| file.starts_with("agent-traces")) {
        let trace = read_json(&corpora.join(file));
        visit_results(trace["request"]["messages"].as_array().unwrap(), |at, text, arguments, question| {
            let query = Query { question, arguments: Some(arguments), ..Query::default() };
            let Some(out) = form(text, &query) else { return };
            let whole = folded(text);
            let of_this =
                spec["needles"].as_array().unwrap().iter().filter(|needle| needle["source_msg"] == at);
            let needles = of_this.map(|needle| needle["needle"].as_str().unwrap().to_owned());
            let needles: Vec<String> = needles.filter(|needle| whole.contains(&folded(needle))).collect();
            tally.add(
                &format!("{file} {at} {}", arguments.chars().take(80).collect::<String>()),
                text,
                &out,
                &needles,
            );
        });
    }
    println!("conversations: {tally:?}");
    tally
}

fn plain(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    content.as_str().map_or_else(|| parts.collect::<Vec<_>>().join("\n"), str::to_owned)
}

/// Calls `visit` with the message index, text, arguments and question of each tool result.
fn visit_results(messages: &[Value], mut visit: impl FnMut(usize, &str, &str, Option<&str>)) {
    let none = Vec::new();
    let mut question: Option<String> = None;
    let mut calls: Vec<(&str, String)> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let parts = message["content"].as_array().unwrap_or(&none);
        for call in message["tool_calls"].as_array().unwrap_or(&none) {
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            calls.push((call["id"].as_str().unwrap_or_default(), arguments.to_owned()));
        }
        for part in parts.iter().filter(|part| part["type"] == "tool_use") {
            calls.push((part["id"].as_str().unwrap_or_default(), part["input"].to_string()));
        }
        let openai = (message["role"] == "tool").then_some((&message["tool_call_id"], &message["content"]));
        let results = parts.iter().filter(|part| part["type"] == "tool_result");
        for (id, content) in
            openai.into_iter().chain(results.map(|part| (&part["tool_use_id"], &part["content"])))
        {
            let call = calls.iter().rev().find(|(call, _)| id == call);
            visit(at, &plain(content), call.map_or("", |(_, arguments)| arguments), question.as_deref());
        }
        let asked = plain(&message["content"]);
        if message["role"] == "user" && !asked.is_empty() {
            question = Some(asked);
        }
    }
}
