//! The published workloads get smaller and show every fact that the answer needs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may")]

use headroom_core::{Api, CompressOptions, Engine, Retrieval, Vocabulary};
use headroom_tests::{ask::texts, data};
use serde_json::Value;

/// The least share of tokens that must go, in percent, of all texts of the request. What the layer adds counts.
const WORKLOADS: [(&str, usize); 5] = [
    ("headline_code_search_100", 92),
    ("headline_sre_incident", 92),
    ("headline_issue_triage", 80),
    ("headline_codebase_exploration", 65),
    ("headline_fatal_logs_100", 92),
];

/// Every text of a request, and its tokens.
fn read(body: &[u8]) -> (String, usize) {
    let mut all = String::new();
    texts(&serde_json::from_slice(body).unwrap(), &mut all);
    let tokens = Vocabulary::O200kBase.count(&all);
    (all, tokens)
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn workloads_shrink_and_show_every_needle() {
    let folder = data::shared().expect(data::NEEDED).join("workloads");
    let mut failed = Vec::new();
    for (name, least) in WORKLOADS {
        let meta = std::fs::read_to_string(folder.join(format!("{name}.meta.json"))).unwrap();
        let meta: Value = serde_json::from_str(&meta).unwrap();
        for (form, api) in [("anthropic", Api::Anthropic), ("openai", Api::OpenAiChat)] {
            let body = std::fs::read(folder.join(format!("{name}.{form}.json"))).unwrap();
            let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
            let outcome = Engine::new().compress(api, &body, &options);
            let (_, before) = read(&body);
            let (visible, after) = read(outcome.body().unwrap());
            let share = 100.0 - 100.0 * after as f64 / before as f64;
            println!("{name} {form}: {before} -> {after} tokens, {share:.1} % less");
            if after * 100 > before * (100 - least) {
                failed.push(format!("{name} {form}: {share:.1} % less, not {least} %"));
            }
            let needles = meta["needles"].as_array().unwrap();
            assert!(!needles.is_empty(), "{name}");
            for needle in needles {
                for part in needle["all"].as_array().unwrap().iter().filter_map(Value::as_str) {
                    // In a table a text with a quote stands as JSON.
                    let spelled = serde_json::to_string(part).unwrap();
                    let spelled = &spelled[1..spelled.len() - 1];
                    if !visible.contains(part) && !visible.contains(spelled) {
                        failed.push(format!("{name} {form}: {part} is not seen"));
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
