use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

use super::{
    candidates,
    decode::{decode, minify},
};

fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("HEADROOM_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    if !path.is_dir() {
        println!("skipped: no shared data at {}", path.display());
        return None;
    }
    Some(path)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Every string below a tool result.
fn tool_results(value: &serde_json::Value, inside: bool, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if inside => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| tool_results(item, inside, found)),
        serde_json::Value::Object(members) => {
            let kind = |key: &str| members.get(key).and_then(|value| value.as_str()).unwrap_or_default();
            let inside = inside || kind("type") == "tool_result" || kind("role") == "tool";
            members.values().for_each(|member| tool_results(member, inside, found));
        }
        _ => {}
    }
}

/// The JSON of the corpora and the workloads, with its name.
fn samples(shared: &Path) -> Vec<(String, String)> {
    let mut samples = Vec::new();
    for path in files(&shared.join("corpora/json")) {
        if let Ok(text) = fs::read_to_string(&path) {
            samples.push((path.strip_prefix(shared).unwrap().display().to_string(), text));
        }
    }
    for path in files(&shared.join("workloads")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let body = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut found = Vec::new();
        tool_results(&body, false, &mut found);
        samples.extend(found.into_iter().enumerate().map(|(n, text)| (format!("{name}#{n}"), text)));
    }
    samples
}

#[track_caller]
fn round_trip(text: &str) -> Vec<String> {
    let renderings = candidates(text);
    for rendering in &renderings {
        assert!(rendering.len() < text.len());
        let decoded = decode(rendering).unwrap_or_else(|error| panic!("{error}\n{rendering}"));
        assert_eq!(decoded.replace('\n', ""), minify(text), "{rendering}");
    }
    renderings
}

/// The table of a text that has one.
#[track_caller]
fn tabled(text: &str) -> String {
    round_trip(text).pop().expect("a candidate")
}

#[test]
fn real_json_survives_the_round_trip() {
    let Some(shared) = shared() else { return };
    for (name, text) in samples(&shared) {
        println!("{name}");
        round_trip(&text);
    }
}

#[test]
fn invalid_json_has_no_candidates() {
    let Some(shared) = shared() else { return };
    let mut seen = 0;
    for path in files(&shared.join("corpora/json/robustness")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if name.starts_with("n_") {
            assert_eq!(candidates(&format!("  {text}  ")), Vec::<String>::new(), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
#[ignore]
fn measure() {
    let shared = shared().unwrap();
    let bpe = bpe_openai::o200k_base();
    let mut groups = std::collections::BTreeMap::<String, [usize; 4]>::new();
    for (name, text) in samples(&shared) {
        if name.contains("robustness") || name.contains("openai") {
            continue;
        }
        let found = candidates(&text);
        let before = bpe.count(&text);
        let compact = bpe.count(&minify(&text));
        let table = found.last().map_or(before, |t| bpe.count(t));
        let wire = |t: &str| serde_json::to_string(t).unwrap().len();
        let w0 = wire(&text);
        let w1 = found.last().map_or(w0, |t| wire(t));
        println!("{before:7} {compact:7} {table:7}  {w0:7} {w1:7} {name}");
        let group = if name.contains('#') { "workloads" } else { "corpora" };
        let sum = groups.entry(group.into()).or_default();
        for (s, n) in sum.iter_mut().zip([before, compact, compact.min(table), w1]) {
            *s += n
        }
        if let Ok(dir) = std::env::var("DUMP") {
            fs::write(Path::new(&dir).join(name.replace('/', "_")), found.last().unwrap_or(&text)).unwrap();
        }
    }
    println!("{groups:?}");
}
