//! What goes and what stays of real texts.

use std::fs;

use serde_json::Value;

use super::*;
use crate::{
    ContentKind, Vocabulary,
    compress::{json, shared},
    detect,
};

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tokens(text: &str) -> usize {
    Vocabulary::O200kBase.count(text)
}

#[derive(Default)]
struct Tally {
    before: usize,
    after: usize,
    needles: usize,
    visible: usize,
}

/// Elides a text and looks for the needles.
fn tally(name: &str, text: &str, query: &Query<'_>, needles: &[String], total: &mut Tally) {
    let out = elided(text, &gaps(text, query));
    let (before, after) = (tokens(text), tokens(&out));
    let folded = folded(&out);
    let lost: Vec<&String> =
        needles.iter().filter(|needle| !folded.contains(&self::folded(needle))).collect();
    total.before += before;
    total.after += after;
    total.needles += needles.len();
    total.visible += needles.len() - lost.len();
    if before != after || !lost.is_empty() {
        println!("{before:>7} -> {after:>7}  {:>3}/{:<3} {name}", needles.len() - lost.len(), needles.len());
    }
    for needle in lost {
        println!("    lost {}", needle.chars().take(110).collect::<String>());
    }
}

fn corpus(kind: &str, file_read: impl Fn(&str) -> bool) -> Tally {
    let corpora = shared("corpora");
    let all = read_json(&corpora.join("needles.json"));
    let mut total = Tally::default();
    for (file, spec) in all.as_object().unwrap().iter().filter(|(file, _)| file.starts_with(kind)) {
        let text = String::from_utf8_lossy(&fs::read(corpora.join(file)).unwrap()).into_owned();
        let needles: Vec<String> = spec["needles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|needle| needle["needle"].as_str().unwrap().to_owned())
            .filter(|needle| folded(&text).contains(&folded(needle)))
            .collect();
        tally(file, &text, &Query { file_read: file_read(file), ..Query::default() }, &needles, &mut total);
    }
    println!(
        "{kind}: {} -> {} tokens, {}/{} needles",
        total.before, total.after, total.visible, total.needles
    );
    total
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_logs_shrink_and_keep_their_needles() {
    let Tally { before, after, needles, visible } = corpus("logs/", |_| false);
    assert!(after * 2 < before, "{after} of {before} tokens");
    assert!(visible * 100 >= needles * 97, "{visible} of {needles}");
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn files_keep_their_needles() {
    let Tally { needles, visible, .. } = corpus("code/", |_| true);
    assert!(visible * 100 >= needles * 97, "{visible} of {needles}");
}

fn workload(name: &str) -> Tally {
    let workloads = shared("workloads");
    let body = read_json(&workloads.join(format!("{name}.openai.json")));
    let meta = read_json(&workloads.join(format!("{name}.meta.json")));
    let messages = body["messages"].as_array().unwrap();
    let question = messages.iter().find(|message| message["role"] == "user").unwrap()["content"].as_str();
    let mut total = Tally::default();
    for (at, message) in messages.iter().enumerate().filter(|(_, message)| message["role"] == "tool") {
        let original = message["content"].as_str().unwrap();
        let table = json::tests::candidates(original).pop().unwrap_or_else(|| original.to_owned());
        let needles: Vec<String> = meta["needles"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|needle| needle["all"].as_array().unwrap())
            .map(|needle| needle.as_str().unwrap().to_owned())
            .filter(|needle| table.contains(needle.as_str()))
            .collect();
        let call = messages[..at].iter().rev().find_map(|message| message["tool_calls"].get(0));
        let arguments = call.and_then(|call| call["function"]["arguments"].as_str());
        println!("{} tokens of JSON", tokens(original));
        tally(name, &table, &Query { question, arguments, ..Query::default() }, &needles, &mut total);
    }
    total
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn published_workloads_shrink_and_keep_all_needles() {
    for (name, of_ten) in
        [("headline_fatal_logs_100", 2), ("headline_sre_incident", 3), ("headline_code_search_100", 10)]
    {
        let Tally { before, after, needles, visible } = workload(name);
        println!("{name}: {before} -> {after}, {visible}/{needles}");
        assert_eq!(visible, needles, "{name}");
        assert!(after * 10 <= before * of_ten, "{name}: {after} of {before}");
    }
}

/// The text of a message or of a tool result.
fn plain(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
    content.as_str().map_or_else(|| parts.collect::<Vec<_>>().join("\n"), str::to_owned)
}

/// Calls `visit` with each tool result of a conversation: the number of its message, its text, the name of the
/// tool, the arguments, and the user's text before it.
fn visit_results(messages: &[Value], mut visit: impl FnMut(usize, &str, &str, &str, Option<&str>)) {
    let none = Vec::new();
    let mut question: Option<String> = None;
    let mut calls: Vec<(&str, &str, String)> = Vec::new();
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    for (at, message) in messages.iter().enumerate() {
        let parts = message["content"].as_array().unwrap_or(&none);
        for call in message["tool_calls"].as_array().unwrap_or(&none) {
            let function = &call["function"];
            let (Some(id), Some(name)) = (call["id"].as_str(), function["name"].as_str()) else { continue };
            calls.push((id, name, text(&function["arguments"])));
        }
        for part in parts.iter().filter(|part| part["type"] == "tool_use") {
            let (Some(id), Some(name)) = (part["id"].as_str(), part["name"].as_str()) else { continue };
            calls.push((id, name, part["input"].to_string()));
        }
        let openai = (message["role"] == "tool").then_some((&message["tool_call_id"], &message["content"]));
        let anthropic = parts.iter().filter(|part| part["type"] == "tool_result");
        for (id, content) in
            openai.into_iter().chain(anthropic.map(|part| (&part["tool_use_id"], &part["content"])))
        {
            let call = calls.iter().rev().find(|(call, ..)| id == call);
            let (tool, arguments) = call.map_or(("", ""), |(_, name, arguments)| (*name, arguments.as_str()));
            visit(at, &plain(content), tool, arguments, question.as_deref());
        }
        let asked = plain(&message["content"]);
        if message["role"] == "user" && !asked.is_empty() {
            question = Some(asked);
        }
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn what_agents_used_later_stays_visible() {
    let corpora = shared("corpora");
    let all = read_json(&corpora.join("needles.json"));
    let (mut before, mut after, mut needles, mut visible) = (0, 0, 0, 0);
    for (file, spec) in all.as_object().unwrap().iter().filter(|(file, _)| file.starts_with("agent-traces")) {
        let trace = read_json(&corpora.join(file));
        visit_results(
            trace["request"]["messages"].as_array().unwrap(),
            |at, text, tool, arguments, question| {
                let kind = detect::kind(text, Some(tool), Some(arguments));
                let file_read = kind == ContentKind::FileRead;
                let out =
                    elided(text, &check(text, &Query { question, arguments: Some(arguments), file_read }));
                before += text.len();
                after += out.len();
                let (text, out) = (folded(text), folded(&out));
                let of_this =
                    spec["needles"].as_array().unwrap().iter().filter(|needle| needle["source_msg"] == at);
                for needle in of_this.map(|needle| folded(needle["needle"].as_str().unwrap())) {
                    if text.contains(&needle) {
                        needles += 1;
                        visible += usize::from(out.contains(&needle));
                    }
                }
            },
        );
    }
    println!("conversations: {before} -> {after} bytes, {visible}/{needles} needles");
    assert!(visible * 1000 >= needles * 995, "{visible} of {needles}");
}
