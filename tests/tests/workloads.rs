//! The published workloads get smaller and show every fact that the answer needs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may")]

use headroom_core::{Api, Headroom, Options};
use headroom_tests::data;
use serde_json::Value;

/// The least share of tokens that must go, in percent. What is reached stands in the README.
const WORKLOADS: [(&str, usize); 5] = [
    ("headline_code_search_100", 77),
    ("headline_sre_incident", 59),
    ("headline_issue_triage", 49),
    ("headline_codebase_exploration", 59),
    ("headline_fatal_logs_100", 46),
];

fn texts(value: &Value, all: &mut String) {
    match value {
        Value::String(text) => {
            all.push_str(text);
            all.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(members) => members.values().for_each(|member| texts(member, all)),
        _ => {}
    }
}

#[test]
fn workloads_shrink_and_show_every_needle() {
    let Some(folder) = data::shared().map(|shared| shared.join("workloads")) else {
        data::skipped("workloads");
        return;
    };
    for (name, least) in WORKLOADS {
        let meta = std::fs::read_to_string(folder.join(format!("{name}.meta.json"))).unwrap();
        let meta: Value = serde_json::from_str(&meta).unwrap();
        for (form, api) in [("anthropic", Api::Anthropic), ("openai", Api::OpenAiChat)] {
            let body = std::fs::read(folder.join(format!("{name}.{form}.json"))).unwrap();
            let outcome = Headroom::new().compress(api, &body, &Options::new());
            let blocks = &outcome.report().blocks;
            let before: usize = blocks.iter().filter_map(|block| block.tokens_before).sum();
            let after: usize = blocks.iter().filter_map(|block| block.tokens_after).sum();
            println!("{name} {form}: {before} -> {after} tokens");
            assert!(after * 100 <= before * (100 - least), "{name} {form}: {before} -> {after}");

            let mut visible = String::new();
            texts(&serde_json::from_slice(outcome.body().unwrap()).unwrap(), &mut visible);
            for needle in meta["needles"].as_array().unwrap() {
                for part in needle["all"].as_array().unwrap().iter().filter_map(Value::as_str) {
                    // In a table a text with a quote stands as JSON.
                    let spelled = serde_json::to_string(part).unwrap();
                    let spelled = spelled.trim_matches('"');
                    assert!(visible.contains(part) || visible.contains(spelled), "{name} {form}: {part}");
                }
            }
        }
    }
}
