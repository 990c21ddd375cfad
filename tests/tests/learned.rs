//! What the learned models change: the laws with them, and what each brings on recorded texts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use headroom_core::{
    Action, Api, CompressOptions, ContentKind, Engine, Hints, Retrieval, TextOutcome, Transform, Vocabulary,
};
use headroom_model::{Kompress, KompressOptions, Magika};
use headroom_tests::{
    ask::Ask,
    data,
    engine::EngineUnderTest,
    generate,
    laws::{Run, causality, never_worse, recoverable},
};
use proptest::prelude::*;
use serde_json::json;

static MAGIKA: LazyLock<Arc<Magika>> = LazyLock::new(Arc::default);
/// The small model that the tests of `headroom-model` have.
static KOMPRESS: LazyLock<Arc<Kompress>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../headroom-model/tests/models");
    Arc::new(Kompress::load(folder, &KompressOptions::new()).unwrap())
});

fn engine() -> Engine {
    Engine::builder().classifier(Arc::clone(&MAGIKA)).token_pruner(Arc::clone(&KOMPRESS)).build()
}

fn fresh() -> Box<dyn EngineUnderTest> {
    Box::new(engine())
}

fn letter() -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../headroom-model/tests/models/texts/long.txt"),
    )
    .unwrap()
}

/// All files under a folder of the recorded corpora.
fn corpus(folder: &str) -> Vec<(PathBuf, String)> {
    let shared = data::shared().expect(data::NEEDED);
    let mut files = Vec::new();
    let mut folders = vec![shared.join("corpora").join(folder)];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// What an engine makes of a text of which nothing is known.
fn anonymous(engine: &Engine, text: &str) -> TextOutcome {
    engine.compress_text(text, &Hints::new().options(CompressOptions::new().retrieval(Retrieval::ClientTool)))
}

fn tokens_after(outcome: &TextOutcome, text: &str) -> usize {
    Vocabulary::O200kBase.count(outcome.text.as_deref().unwrap_or(text))
}

#[test]
fn causality_holds_with_models_on_recorded_conversations() {
    let mut all = data::conversations();
    match data::traces(3) {
        Some(traces) => all.extend(traces),
        None => data::skipped("causality with models"),
    }
    for conversation in all {
        let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
        causality(&fresh, conversation.api, &conversation.bodies, &options)
            .unwrap_or_else(|violation| panic!("{}: {violation}", conversation.name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn causality_holds_with_models_on_generated_conversations(conversation in generate::conversations()) {
        let bodies = generate::bodies(&conversation);
        let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
        if let Err(violation) = causality(&fresh, conversation.api, &bodies, &options) {
            return Err(TestCaseError::fail(violation.to_string()));
        }
    }
}

#[test]
fn words_that_are_left_out_can_be_had_back_and_save_tokens() {
    let text = letter();
    let ask = Ask { question: "Carry on.", tool: "fetch_letter", arguments: json!({}), result: &text };
    for api in [Api::OpenAiChat, Api::Anthropic] {
        for retrieval in [Retrieval::Disabled, Retrieval::ClientTool, Retrieval::ServerTool, Retrieval::File]
        {
            let options = CompressOptions::new().originals_dir("/var/spool/headroom").retrieval(retrieval);
            let run = Run::new(&engine(), api, &ask.body(api), &options).unwrap();
            never_worse(&run).unwrap();
            recoverable(&run, &options).unwrap();
            let words =
                run.answer.edited.iter().any(|edited| edited.steps.contains(&Transform::TokenPruning));
            assert_eq!(
                words,
                matches!(retrieval, Retrieval::ServerTool | Retrieval::File),
                "{api} {retrieval}"
            );
        }
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn every_line_without_words_is_made_of_the_words_of_its_line() {
    let texts = corpus("prose").into_iter().map(|(_, text)| text).chain([letter()]);
    let engine = engine();
    let (mut before, mut after, mut count) = (0, 0, 0);
    for text in texts {
        let outcome = anonymous(&engine, &text);
        let only_words =
            matches!(&outcome.report.action, Action::Edited(steps) if *steps == [Transform::TokenPruning]);
        let Some(condensed) = outcome.text.as_deref().filter(|_| only_words) else { continue };
        let (_, rest) = condensed.split_once('\n').unwrap();
        assert_eq!(rest.split('\n').count(), text.split('\n').count());
        for (left, whole) in rest.split('\n').zip(text.split('\n')) {
            let mut words = whole.split_whitespace();
            assert!(
                left.split_whitespace().all(|word| words.any(|other| other == word)),
                "{left:?} of {whole:?}"
            );
        }
        let count_tokens = |text: &str| Vocabulary::O200kBase.count(text);
        (before, after, count) = (before + count_tokens(&text), after + count_tokens(condensed), count + 1);
    }
    println!("{count} texts condensed by a model with random weights: {before} -> {after} tokens");
    assert!(count > 0 && after < before);
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn a_classifier_changes_only_what_structure_leaves_open_and_changes_it_for_the_better() {
    let (plain, learned) = (Engine::new(), Engine::builder().classifier(Arc::clone(&MAGIKA)).build());
    let mut matrix: BTreeMap<(&str, ContentKindName, ContentKindName), usize> = BTreeMap::new();
    for folder in ["code", "prose", "logs", "search", "diffs", "json", "html"] {
        for (path, text) in corpus(folder) {
            let (before, after) =
                (anonymous(&plain, &text).report.kind, anonymous(&learned, &text).report.kind);
            *matrix.entry((folder, before.as_str(), after.as_str())).or_default() += 1;
            if before == after {
                continue;
            }
            println!("{}: {before} -> {after}", path.display());
            let expected = match folder {
                "code" => ContentKind::Code,
                "prose" => ContentKind::Prose,
                _ => before,
            };
            assert_eq!(after, expected, "{}", path.display());
        }
    }
    for ((folder, before, after), count) in &matrix {
        println!("{folder:8} {before:10} {after:10} {count:5}");
    }
}

type ContentKindName = &'static str;

/// Sources as they come from a tool that does not say what they are: what is set aside of those whose language
/// structure does not tell.
#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn languages_that_structure_does_not_tell_are_parsed() {
    let (plain, learned) = (Engine::new(), Engine::builder().classifier(Arc::clone(&MAGIKA)).build());
    let (mut before, mut without, mut with, mut changed, mut files) = (0, 0, 0, 0, 0);
    for (path, text) in corpus("code") {
        let is_source = path.extension().is_some_and(|end| end != "txt");
        if !is_source {
            continue;
        }
        let (a, b) = (anonymous(&plain, &text), anonymous(&learned, &text));
        files += 1;
        before += Vocabulary::O200kBase.count(&text);
        without += tokens_after(&a, &text);
        with += tokens_after(&b, &text);
        if a.text != b.text {
            changed += 1;
            println!("{}: {} -> {} tokens", path.display(), tokens_after(&a, &text), tokens_after(&b, &text));
        }
    }
    println!(
        "{files} sources, {changed} otherwise: {before} tokens, {without} by structure, {with} with the classifier"
    );
    // Structure tells them by itself; the classifier must not undo that.
    assert!(files > 0 && with <= without && without * 10 < before * 9, "{before} -> {without} -> {with}");
}
