use std::fmt::Write;

use proptest::prelude::*;
use serde_json::Value;

use super::super::{
    Selection,
    tests::{candidates, covers, decode, minify, selected},
};
use crate::{Handle, Vocabulary, compress::shared_texts, relevance::Query, tuning::tuning};

/// Selects, and checks what holds for all selections.
#[track_caller]
fn select(text: &str, query: &Query<'_>) -> Option<Selection> {
    let found = selected(text, query, None)?;
    let again = selected(text, query, None).unwrap();
    assert_eq!(found.text, again.text, "the same again");
    let decoded = decode(&found.text).unwrap_or_else(|error| panic!("{error}\n{}", found.text));
    covers(&decoded, &minify(text)).unwrap_or_else(|error| panic!("{error}\n{}", found.text));
    assert!(!found.originals.is_empty());
    for original in &found.originals {
        assert_eq!(original.handle(), Handle::from_content(original.content()));
        assert!(found.text.contains(&original.handle().to_string()));
    }
    Some(found)
}

#[track_caller]
fn shown(text: &str, query: &Query<'_>) -> String {
    select(text, query).map_or_else(|| text.to_owned(), |found| found.text)
}

const SIZES: [usize; 9] = [5, 12, 39, 40, 55, 100, 350, 1000, 5000];

/// A number that looks like chance.
fn chance(n: usize, salt: usize) -> usize {
    let mut x = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (salt as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 29;
    x = x.wrapping_mul(0x94d0_49bb_1331_11eb);
    (x >> 33) as usize
}

/// What a row may be planted with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fact {
    /// Stands in nothing but a name.
    Plain,
    Error,
    Category,
    Outlier,
    Key,
}

const FACTS: [Fact; 5] = [Fact::Plain, Fact::Error, Fact::Category, Fact::Outlier, Fact::Key];

type Shape = fn(usize, Option<Fact>) -> String;

/// Arrays of records as tools give them. The planted row has the number 99077.
const SHAPES: [(&str, &str, Shape); 6] = [
    ("log", "job-99077", log),
    ("users", "user_99077", users),
    ("pods", "web-99077", pods),
    ("hits", "module_99077", hits),
    ("lists", "sensor99077", lists),
    ("lines", "user99077", lines),
];

fn log(n: usize, fact: Option<Fact>) -> String {
    let level = if fact == Some(Fact::Error) { "FATAL" } else { ["INFO", "INFO", "DEBUG"][chance(n, 1) % 3] };
    let service = match fact {
        Some(Fact::Category) => "billing-archive",
        _ => ["api", "auth", "cart", "mail"][chance(n, 2) % 4],
    };
    let name = if fact.is_some() { "job-99077".to_owned() } else { format!("job-{}", chance(n, 3) % 9000) };
    let ms = if fact == Some(Fact::Outlier) { 98_000 } else { 20 + chance(n, 4) % 60 };
    let key = if fact == Some(Fact::Key) { r#","panic_backtrace":"frame 1""# } else { "" };
    format!(
        r#"{{"ts":"2024-03-01T{:02}:{:02}:{:02}Z","level":"{level}","service":"{service}","message":"finished {name} in time","error":null,"ms":{ms},"meta":{{"region":"eu-1","pod":"p{}"}}{key}}}"#,
        n / 3600 % 24,
        n / 60 % 60,
        n % 60,
        chance(n, 5) % 7
    )
}

fn users(n: usize, fact: Option<Fact>) -> String {
    let name = if fact.is_some() { "user_99077".to_owned() } else { format!("user_{}", 10_000 + n) };
    let status = match fact {
        Some(Fact::Error) => "failed",
        Some(Fact::Category) => "grandfathered",
        _ => ["active", "inactive"][chance(n, 1) % 2],
    };
    let spent =
        if fact == Some(Fact::Outlier) { 9_876_543.5 } else { (chance(n, 2) % 900_000) as f64 / 100.0 };
    let key = if fact == Some(Fact::Key) { r#","merged_into":"user_3""# } else { "" };
    format!(
        r#"{{"id":{n},"name":"{name}","status":"{status}","spent":{spent},"errors":0,"country":"{}"{key}}}"#,
        ["US", "DE", "FR"][chance(n, 3) % 3]
    )
}

fn pods(n: usize, fact: Option<Fact>) -> String {
    let name = if fact.is_some() { "web-99077".to_owned() } else { format!("web-{}", chance(n, 1) % 90_000) };
    let phase = match fact {
        Some(Fact::Error) => "Error: OOMKilled",
        Some(Fact::Category) => "Terminating",
        _ => "Running",
    };
    let restarts = if fact == Some(Fact::Outlier) { 4200 } else { chance(n, 2) % 3 };
    let key = if fact == Some(Fact::Key) { r#","deletionTimestamp":"2024-03-01T00:00:00Z""# } else { "" };
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"shop"{key}}},"status":{{"phase":"{phase}","restarts":{restarts},"conditions":[{{"type":"Ready","status":"True"}}]}}}}"#
    )
}

fn hits(n: usize, fact: Option<Fact>) -> String {
    let name = if fact.is_some() { "module_99077".to_owned() } else { format!("module_{n}") };
    let kind = if fact == Some(Fact::Category) { "symlink" } else { "file" };
    let line = if fact == Some(Fact::Outlier) { 900_000 } else { 1 + chance(n, 2) % 500 };
    let text = if fact == Some(Fact::Error) {
        "Traceback (most recent call last)"
    } else {
        "return self.handler(data)"
    };
    let key = if fact == Some(Fact::Key) { r#","submodule":true"# } else { "" };
    format!(
        r#"{{"path":"src/{name}.py","type":"{kind}","matches":[{{"line":{line},"content":"    {text}"}}]{key}}}"#
    )
}

fn lists(n: usize, fact: Option<Fact>) -> String {
    let name = if fact.is_some() { "sensor99077".to_owned() } else { format!("sensor{n}") };
    let state = match fact {
        Some(Fact::Error) => "failed",
        Some(Fact::Category) => "recalibrated",
        _ => "ok",
    };
    let value = if fact == Some(Fact::Outlier) { 77_000 } else { 300 + chance(n, 1) % 40 };
    let more = if fact == Some(Fact::Key) { "{}" } else { "0" };
    format!(r#"["{name}","{state}",{value},{more}]"#)
}

fn lines(n: usize, fact: Option<Fact>) -> String {
    let name = if fact.is_some() { "user99077".to_owned() } else { format!("user{}", chance(n, 1) % 5000) };
    let text = match fact {
        Some(Fact::Error) => format!("ERROR could not open session of {name}"),
        Some(Fact::Category | Fact::Key) => format!("config reloaded for {name}"),
        Some(Fact::Outlier) => format!("INFO session of {name} took 98000 ms"),
        _ => format!("INFO session of {name} took {} ms", 10 + chance(n, 2) % 50),
    };
    serde_json::to_string(&text).unwrap()
}

fn array(shape: Shape, count: usize, at: usize, fact: Fact) -> String {
    let rows: Vec<String> = (0..count).map(|n| shape(n, (n == at).then_some(fact))).collect();
    format!("[{}]", rows.join(","))
}

/// Whether the planted row is visible, given what is wanted.
#[track_caller]
fn planted(name: &str, text: &str, query: &Query<'_>) -> bool {
    let found = select(text, query);
    let Some(found) = found else { return true };
    assert!(found.originals.iter().any(|original| original.content() == text), "{name}: the original");
    found.text.contains("99077")
}

#[test]
fn what_stands_out_or_was_named_stays() {
    let nothing = Query::default();
    let (mut visible, mut hidden) = (0, 0);
    for (name, needle, shape) in SHAPES {
        let question = format!("What happened to {needle} last night?");
        let asked = Query { question: Some(&question), ..nothing };
        let arguments = format!(r#"{{"query":"{needle}","limit":5000}}"#);
        let called = Query { arguments: Some(&arguments), ..nothing };
        for count in SIZES {
            for at in [0, count / 3, count / 2, count - 1] {
                for fact in FACTS {
                    let text = array(shape, count, at, fact);
                    let name = format!("{name} {fact:?} at {at} of {count}");
                    assert!(planted(&name, &text, &asked), "{name}, in the question");
                    assert!(planted(&name, &text, &called), "{name}, in the arguments");
                    let seen = planted(&name, &text, &nothing);
                    let edge = at == 0 || at == count - 1 || count < tuning().json.min_elements;
                    assert!(seen || fact == Fact::Plain, "{name}, standing out");
                    assert!(seen || !edge, "{name}, at the edge");
                    visible += usize::from(seen);
                    hidden += usize::from(!seen);
                }
            }
        }
    }
    println!("{visible} visible, {hidden} in the originals only");
    assert!(hidden > 0, "nothing was set aside");
}

#[test]
fn arrays_shrink_to_a_share_that_falls_with_their_length() {
    for (name, _, shape) in SHAPES {
        for (count, least) in [(100, 50), (350, 75), (1000, 90), (5000, 97)] {
            let text = array(shape, count, count / 2, Fact::Plain);
            if text.len() < tuning().json.min_bytes {
                continue;
            }
            let out = shown(&text, &Query::default());
            let saved = 100 - 100 * out.len() / text.len();
            println!("{name} {count}: {saved} %");
            assert!(saved >= least, "{name} {count}: {saved} %\n{out}");
        }
    }
}

#[test]
fn rows_stand_as_in_the_lossless_table() {
    for (name, _, shape) in SHAPES.into_iter().take(4) {
        let text = array(shape, 400, 99, Fact::Outlier);
        let table = candidates(&text).pop().unwrap();
        let lines: Vec<&str> = table.lines().collect();
        let out = shown(&text, &Query::default());
        for line in out.lines().skip(2).filter(|line| *line != "]") {
            let at = line.find(|c: char| !c.is_ascii_digit()).unwrap();
            let number: usize = line[..at].parse().unwrap();
            assert_eq!(line[at + 1..], *lines[number], "{name}");
        }
    }
}

#[test]
fn small_results_stay_whole() {
    for (name, _, shape) in SHAPES {
        let text = array(shape, tuning().json.min_elements - 1, 3, Fact::Plain);
        assert!(selected(&text, &Query::default(), None).is_none(), "{name}");
    }
    let numbers: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    assert!(selected(&format!("[{}]", numbers.join(",")), &Query::default(), None).is_none());
}

#[test]
fn keys_that_speak_of_errors_are_no_errors() {
    let row = |n: usize| {
        format!(
            r#"{{"id":{n},"error":null,"errors":0,"failed":false,"exception":"","failures":[],"has_error":false,"name":"thing {n}","note":"item of the list"}}"#
        )
    };
    let text = format!("[{}]", (0..300).map(row).collect::<Vec<_>>().join(","));
    let out =
        shown(&text, &Query { question: Some("Were there any errors or failures?"), ..Query::default() });
    assert!(out.lines().count() < 30, "{out}");
}

#[test]
fn a_term_that_is_everywhere_selects_nothing() {
    let text = array(hits, 400, 7, Fact::Plain);
    let query = Query { question: Some("Which file has the handler?"), ..Query::default() };
    assert!(shown(&text, &query).lines().count() < 60);
}

#[test]
fn the_highest_stay_where_they_were_asked_for() {
    let row = |n: usize| {
        format!(
            r#"{{"repo":"group/project{n}","open":{},"wall_seconds":{},"owner":"team {}"}}"#,
            n.is_multiple_of(2),
            100 + chance(n, 1) % 9000,
            chance(n, 2) % 9
        )
    };
    let rows: Vec<String> = (0..400).map(row).collect();
    let text = format!("[{}]", rows.join(","));
    let query = Query { question: Some("Which five projects are the slowest?"), ..Query::default() };
    let out = shown(&text, &query);
    let mut order: Vec<usize> = (0..400).collect();
    order.sort_by_key(|n| std::cmp::Reverse(chance(*n, 1) % 9000));
    for n in &order[..5] {
        assert!(out.contains(&format!("project{n},")), "project{n}\n{out}");
    }
}

#[test]
fn a_change_of_level_stays() {
    let row = |n: usize| {
        let base = if n < 311 { 120 } else { 900 };
        format!(r#"{{"minute":{n},"latency":{},"host":"web"}}"#, base + chance(n, 1) % 30)
    };
    let text = format!("[{}]", (0..600).map(row).collect::<Vec<_>>().join(","));
    let out = shown(&text, &Query::default());
    assert!(out.contains("\n311,") && out.contains("\n312,"), "{out}");
}

#[test]
fn the_marker_says_what_is_missing() {
    let text = array(log, 300, 100, Fact::Plain);
    let out = shown(&format!(r#"{{"total": 300, "entries": {text}}}"#), &Query::default());
    let marker = out.lines().nth(1).unwrap();
    assert!(marker.contains(" of 300 rows stored: "), "{marker}");
    assert!(marker.contains(" INFO, ") && marker.contains(" DEBUG; ms "), "{marker}");
    assert!(marker.ends_with("; headroom_retrieve]"), "{marker}");
}

#[test]
fn markers_name_their_arrays_where_there_are_more_than_one() {
    let (pods, users) = (array(pods, 80, 3, Fact::Plain), array(users, 90, 3, Fact::Plain));
    let text = format!(r#"{{"a b":{{"pods":{pods}}},"x.y":[{users},1]}}"#);
    let out = shown(&text, &Query::default());
    assert!(out.contains(" of 80 rows in a b.pods stored"), "{out}");
    assert!(out.contains(r#" of 90 rows in "x.y"[0] stored"#), "{out}");
}

#[test]
fn streams_are_rows() {
    for shape in [log as Shape, users, pods] {
        let rows: Vec<String> = (0..300).map(|n| shape(n, None)).collect();
        let out = shown(&rows.join("\n"), &Query::default());
        assert!(out.starts_with("300 JSON values, ") && out.lines().count() < 80, "{out}");
    }
    // Keys in another order make no table.
    let rows: Vec<String> = (0..300)
        .map(|n| {
            if n % 2 == 0 {
                format!(r#"{{"a":{n},"b":"some text"}}"#)
            } else {
                format!(r#"{{"b":"other text","a":{n}}}"#)
            }
        })
        .collect();
    let out = shown(&rows.join("\n"), &Query::default());
    assert!(out.starts_with("300 JSON values, ") && out.lines().count() < 80, "{out}");
}

#[test]
fn text_with_markers_stays() {
    let text = array(log, 300, 100, Fact::Plain).replacen("finished", "[headroom:abc 3 of 4 rows", 1);
    assert!(selected(&text, &Query::default(), None).is_none());
}

#[test]
fn long_strings_are_treated_as_the_texts_that_they_are() {
    let mut log = String::new();
    for n in 0..400 {
        writeln!(
            log,
            "2024-03-01T10:{:02}:{:02}Z INFO session {} \"opened\"\tby ada",
            n / 60,
            n % 60,
            chance(n, 1)
        )
        .unwrap();
    }
    log.push_str("2024-03-01T11:00:00Z ERROR disk full on é\n");
    let records: Value = serde_json::from_str(&array(users, 200, 7, Fact::Outlier)).unwrap();
    let inner = serde_json::to_string_pretty(&records).unwrap();
    let text = serde_json::json!({ "stdout": log, "stderr": "", "json": inner, "code": 0 }).to_string();
    let found = selected(&text, &Query::default(), None).unwrap();
    assert!(found.text.len() * 4 < text.len(), "{}", found.text);
    let contents: Vec<&str> = found.originals.iter().map(|original| original.content()).collect();
    assert!(contents.contains(&log.as_str()) && contents.contains(&inner.as_str()));
    let body: Value = serde_json::from_str(&found.text).unwrap();
    assert!(body["stdout"].as_str().unwrap().contains("\n2024-03-01T11:00:00Z ERROR disk full on é\n"));
    let table = body["json"].as_str().unwrap();
    assert!(table.contains("99077") && table.contains(" of 200 rows stored"), "{table}");
    covers(&decode(table).unwrap(), &minify(&inner)).unwrap();
}

#[test]
fn files_are_named_where_they_are_kept() {
    let text = array(log, 300, 100, Fact::Plain);
    let found = selected(&text, &Query::default(), Some("/spool")).unwrap();
    assert!(found.text.contains(&format!("; /spool/{}]\n", Handle::from_content(&text))));
}

/// Arrays long enough that rows are set aside, of all sorts of elements.
fn arrays() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<i16>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        "[ -~]{0,60}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        "\\PC{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        prop::sample::select(vec![
            r#""ERROR""#,
            r#""INFO""#,
            r#""a\nb""#,
            "true",
            "[1,2]",
            "{}",
            r##""#1""##,
            r#"{"x":1}"#
        ])
        .prop_map(str::to_owned),
    ];
    let keys = prop::collection::vec("[a-c.#]{1,2}", 1..5);
    let element = (scalar, any::<u8>());
    let padding = "[a-z ]{40}";
    (keys, prop::collection::vec(prop::collection::vec(element, 4), 40..90), 0..5_u8, padding).prop_map(
        |(keys, rows, kind, padding)| {
            let row = |row: &Vec<(String, u8)>| match kind {
                0 => row[0].0.clone(),
                1 => format!("[{},{},{}]", row[0].0, row[1].0, row[2].0),
                _ => {
                    let mut members = vec![format!(r#""pad":"{padding}""#)];
                    for (n, key) in keys.iter().enumerate().take(4) {
                        if kind == 2 || row[n].1 & 7 > 0 {
                            members.push(format!("{}:{}", serde_json::to_string(key).unwrap(), row[n].0));
                        }
                    }
                    if kind == 4 && row[0].1 & 1 > 0 {
                        members.reverse();
                    }
                    format!("{{{}}}", members.join(" , "))
                }
            };
            format!("[{}]", rows.iter().map(row).collect::<Vec<_>>().join(",\n  "))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_selection_covers_its_text(array in arrays(), question in "[ -~]{0,40}", nested in any::<bool>()) {
        let text = if nested { format!(r#"{{"items":{array},"more":[{array}],"n":1}}"#) } else { array };
        let _ = select(&text, &Query { question: Some(&question), ..Query::default() });
        let _ = select(&text, &Query { arguments: Some(&question), ..Query::default() });
    }
}

/// The tool results of a published workload in the form of one API, with the question and the arguments of each.
fn results(body: &Value) -> Vec<(String, Option<String>, Option<String>)> {
    let text = |content: &Value| {
        let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
        content.as_str().map_or_else(|| parts.collect(), str::to_owned)
    };
    let (mut question, mut arguments, mut found) = (None, None, Vec::new());
    for message in body["messages"].as_array().unwrap() {
        let none = Vec::new();
        for part in message["content"].as_array().unwrap_or(&none) {
            match part["type"].as_str().unwrap() {
                "tool_use" => arguments = Some(part["input"].to_string()),
                "tool_result" => found.push((text(&part["content"]), question.clone(), arguments.clone())),
                _ => {}
            }
        }
        if let Some(call) = message["tool_calls"][0]["function"]["arguments"].as_str() {
            arguments = Some(call.to_owned());
        }
        match message["role"].as_str().unwrap() {
            "tool" => found.push((text(&message["content"]), question.clone(), arguments.clone())),
            "user" if message["content"].is_string() => question = Some(text(&message["content"])),
            _ => {}
        }
    }
    found
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn published_workloads_shrink_and_show_every_needle() {
    let tokens = |text: &str| Vocabulary::O200kBase.count(text);
    for (name, least) in [
        ("headline_code_search_100", 930),
        ("headline_sre_incident", 930),
        ("headline_issue_triage", 800),
        ("headline_codebase_exploration", 650),
        ("headline_fatal_logs_100", 930),
    ] {
        let texts = shared_texts("workloads");
        let file = |end: &str| texts.iter().find(|(path, _)| path.ends_with(format!("{name}.{end}.json")));
        let (_, meta) = file("meta").unwrap();
        let meta: Value = serde_json::from_str(meta).unwrap();
        for form in ["anthropic", "openai"] {
            let body: Value = serde_json::from_str(&file(form).unwrap().1).unwrap();
            let (mut before, mut after, mut visible) = (0, 0, String::new());
            for (text, question, arguments) in results(&body) {
                let (question, arguments) = (question.as_deref(), arguments.as_deref());
                let query = Query { question, arguments, ..Query::default() };
                let out = select(&text, &query).map(|found| found.text);
                let out = out.or_else(|| candidates(&text).pop()).unwrap_or_else(|| text.clone());
                before += tokens(&text);
                after += tokens(&out);
                visible.push_str(&out);
            }
            let saved = 1000 - 1000 * after / before;
            println!("{name} {form}: {before} -> {after} tokens, {} % saved", saved as f64 / 10.0);
            assert!(saved >= least, "{name} {form}: {before} -> {after}");
            for needle in meta["needles"].as_array().unwrap() {
                for part in needle["all"].as_array().unwrap().iter().filter_map(Value::as_str) {
                    assert!(visible.contains(part), "{name} {form}: {part}");
                }
            }
        }
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_json_keeps_its_needles() {
    let tokens = |text: &str| Vocabulary::O200kBase.count(text);
    let texts = shared_texts("corpora");
    let file = |name: &str| texts.iter().find(|(path, _)| path.ends_with(name)).map(|(_, text)| text);
    let all = file("needles.json").unwrap();
    let all: Value = serde_json::from_str(all).unwrap();
    let (mut needles, mut visible) = (0, 0);
    for (name, spec) in all.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("json/")) {
        let Some(text) = file(name) else { continue };
        let found = select(text, &Query::default());
        for needle in
            spec["needles"].as_array().unwrap().iter().filter_map(|needle| needle["needle"].as_str())
        {
            let seen =
                found.as_ref().is_none_or(|found| found.text.contains(needle) || !text.contains(needle));
            needles += 1;
            visible += usize::from(seen);
            let kept =
                |found: &Selection| found.originals.iter().any(|original| original.content() == &**text);
            assert!(seen || found.as_ref().is_some_and(kept), "{name}: {needle}");
        }
    }
    println!("{visible} of {needles} needles");
    assert!(visible * 100 >= needles * 97, "{visible} of {needles}");
    let (mut before, mut after) = (0, 0);
    for (path, text) in
        texts.iter().filter(|(path, _)| path.components().any(|part| part.as_os_str() == "json"))
    {
        if let Some(found) = select(text, &Query::default()) {
            let counts = (tokens(text), tokens(&found.text));
            println!("{:>7} -> {:>6} tokens  {}", counts.0, counts.1, path.display());
            before += counts.0;
            after += counts.1;
        }
    }
    assert!(after * 100 <= before * 30, "{before} -> {after}");
}
