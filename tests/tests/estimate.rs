//! Without the tables of a tokenizer, what is edited still saves tokens by them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use headroom_core::{Api, CompressOptions, Engine, Retrieval, TokenEstimate, Vocabulary};
use headroom_tests::{ask::Ask, data, generate, laws::Run};
use proptest::prelude::*;
use serde_json::json;

const RETRIEVALS: [Retrieval; 4] =
    [Retrieval::Disabled, Retrieval::ClientTool, Retrieval::ServerTool, Retrieval::File];

fn estimating() -> Engine {
    Engine::builder().token_counter(TokenEstimate::new()).build()
}

fn options(retrieval: Retrieval) -> CompressOptions {
    CompressOptions::new().originals_dir("/var/spool/headroom").retrieval(retrieval)
}

fn count(text: &str) -> usize {
    Vocabulary::O200kBase.count(text)
}

/// What edits saved by the tables of `o200k_base`, and what the estimate said.
#[derive(Debug, Default)]
struct Tally {
    edits: usize,
    /// Edits of which the estimate said more than they saved.
    overstated: usize,
    saved: usize,
    said: usize,
    /// What the engine with the tables saves.
    exact: usize,
    dearer: Vec<String>,
}

impl Tally {
    fn add(&mut self, name: &str, api: Api, body: &[u8], options: &CompressOptions) {
        let run =
            Run::new(&estimating(), api, body, options).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (edit, said) in run.diff.edits.iter().zip(&run.answer.edited) {
            let (before, after) = (count(&edit.before), count(&edit.after));
            let (said_before, said_after) = (said.tokens_before.unwrap(), said.tokens_after.unwrap());
            if after >= before {
                self.dearer.push(format!("{name}: {before} -> {after}, {:?}", said.steps));
            }
            self.edits += 1;
            let saved = before.saturating_sub(after);
            if said_before - said_after > saved {
                self.overstated += 1;
                println!(
                    "  {name}: said {}, saved {saved} of {before}, {:?}",
                    said_before - said_after,
                    said.steps
                );
            }
            self.saved += saved;
            self.said += said_before - said_after;
        }
        let exact = Run::new(&Engine::new(), api, body, options).unwrap();
        self.exact +=
            exact.diff.edits.iter().map(|edit| count(&edit.before) - count(&edit.after)).sum::<usize>();
    }

    /// No edit is dearer, few are overstated and all together are not, and nearly all that can be saved is.
    fn check(&self, what: &str) {
        let Self { edits, overstated, saved, said, exact, .. } = self;
        println!(
            "{what}: {edits} edits, {overstated} overstated; saved {saved}, said {said}, with the tables {exact}"
        );
        assert!(self.dearer.is_empty(), "{}", self.dearer.join("\n"));
        assert!(*edits > 0 && said <= saved, "{said} said, {saved} saved");
        assert!(overstated * 50 <= *edits, "{overstated} of {edits}");
        assert!(saved * 100 >= exact * 99, "{saved} of {exact}");
    }
}

#[test]
fn own_conversations_save_tokens_by_the_tables() {
    let mut tally = Tally::default();
    for mut conversation in data::conversations() {
        let body = conversation.bodies.pop().unwrap();
        for retrieval in RETRIEVALS {
            tally.add(&conversation.name, conversation.api, &body, &options(retrieval));
        }
    }
    tally.check("own conversations");
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_conversations_save_tokens_by_the_tables() {
    let mut tally = Tally::default();
    let recorded = data::captures().expect(data::NEEDED).into_iter().chain(data::traces(1).unwrap());
    for conversation in recorded {
        let body = conversation.bodies.last().unwrap();
        for retrieval in [Retrieval::Disabled, Retrieval::ServerTool] {
            tally.add(&conversation.name, conversation.api, body, &options(retrieval));
        }
    }
    tally.check("recorded conversations");
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_outputs_save_tokens_by_the_tables() {
    let root = data::shared().expect(data::NEEDED).join("corpora");
    let mut all = Tally::default();
    for folder in ["code", "diffs", "html", "json", "logs", "prose", "search"] {
        let mut tally = Tally::default();
        let mut paths = Vec::new();
        files(&root.join(folder), &mut paths);
        for path in paths {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let ask = Ask { question: "Look at it.", tool: "run", arguments: json!({}), result: &text };
            for retrieval in [Retrieval::Disabled, Retrieval::ServerTool] {
                tally.add(&name, Api::OpenAiChat, &ask.body(Api::OpenAiChat), &options(retrieval));
            }
        }
        let Tally { edits, overstated, saved, said, exact, .. } = &tally;
        println!(
            "{folder}: {edits} edits, {overstated} overstated; saved {saved}, said {said}, with the tables {exact}"
        );
        all.edits += tally.edits;
        all.overstated += tally.overstated;
        all.saved += tally.saved;
        all.said += tally.said;
        all.exact += tally.exact;
        all.dearer.append(&mut tally.dearer);
    }
    all.check("recorded outputs");
}

#[test]
fn reports_name_the_estimate() {
    let text = "connection refused, retrying in a moment\n".repeat(100);
    let ask = Ask { question: "Why?", tool: "run", arguments: json!({}), result: &text };
    let outcome = estimating().compress(Api::OpenAiChat, &ask.body(Api::OpenAiChat), &CompressOptions::new());
    assert_eq!((outcome.report().tokenizer, outcome.report().estimated), ("estimate-1", true));
    assert!(outcome.body().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_requests_save_tokens_by_the_tables(conversation in generate::conversations()) {
        let body = generate::body(&conversation, usize::MAX);
        for retrieval in RETRIEVALS {
            let run = Run::new(&estimating(), conversation.api, &body, &options(retrieval))
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            for edit in &run.diff.edits {
                let (before, after) = (count(&edit.before), count(&edit.after));
                prop_assert!(after < before, "{before} -> {after}\n{}\n=>\n{}", edit.before, edit.after);
            }
        }
    }
}
