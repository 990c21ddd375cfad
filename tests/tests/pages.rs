//! Web pages as the results of calls: the content as Markdown, and one marker for the page.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may")]

use std::fs;

use headroom_core::{Api, Headroom, Means, Options, Original, Outcome};
use headroom_tests::{
    ask::Ask,
    data,
};
use serde_json::{Value, json};

/// What the model sees of a page, and what was kept aside.
fn shown(page: &str, question: &str, means: Means) -> (String, Vec<Original>) {
    let arguments = json!({"url": "https://example.org/"});
    let ask = Ask { question, tool: "fetch", arguments, result: page };
    let body = ask.body(Api::OpenAiChat);
    let outcome = Headroom::new().compress(Api::OpenAiChat, &body, &Options::new().means(means));
    let text = Ask::result_in(Api::OpenAiChat, outcome.body().unwrap_or(&body));
    match outcome {
        Outcome::Rewritten { originals, .. } => (text, originals),
        Outcome::Unchanged { .. } => (text, Vec::new()),
    }
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentences of a text, roughly: what stands between full stops, of some length.
fn sentences(text: &str) -> Vec<String> {
    let ends = |pair: &str| pair.ends_with(['.', '!', '?']);
    let mut all = Vec::new();
    for line in text.lines() {
        let mut sentence = Vec::new();
        for word in line.split_whitespace() {
            sentence.push(word);
            if ends(word.trim_end_matches(['"', '”', '’', ')'])) {
                all.push(std::mem::take(&mut sentence).join(" "));
            }
        }
        all.push(sentence.join(" "));
    }
    all.retain(|sentence| sentence.len() > 15);
    all
}

#[test]
fn articles_keep_their_sentences_in_a_fraction_of_the_tokens() {
    let Some(root) = data::shared().map(|shared| shared.join("corpora")) else {
        data::skipped("recorded pages");
        return;
    };
    let needles: Value = serde_json::from_slice(&fs::read(root.join("needles.json")).unwrap()).unwrap();
    let tokenizer = bpe_openai::o200k_base();
    let (mut tokens, mut sentences_seen, mut needles_seen) = ((0, 0), (0, 0), (0, 0));
    let mut paths: Vec<_> = fs::read_dir(root.join("html/aeb")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "html")) {
        let page = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let expected = fs::read_to_string(path.with_extension("expected.txt")).unwrap();
        let (text, originals) = shown(&page, "Look at it.", Means::Served);
        assert!(originals.iter().any(|original| original.content == page), "{path:?} can be fetched back");
        let (before, after) = (tokenizer.count(&*page), tokenizer.count(&*text));
        tokens = (tokens.0 + before, tokens.1 + after);
        let text = fold(&text);
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let mut look = |all: &[String], seen: &mut (usize, usize), what: &str| {
            let here = all.iter().filter(|sentence| {
                let found = text.contains(fold(sentence).as_str());
                if !found {
                    println!("  {what} not seen in {name}: {sentence:?}");
                }
                found
            });
            seen.0 += here.count();
            seen.1 += all.len();
        };
        look(&sentences(&expected), &mut sentences_seen, "sentence");
        let strong = needles[&name]["needles"].as_array().unwrap();
        let strong: Vec<String> = strong.iter().map(|n| n["needle"].as_str().unwrap().to_owned()).collect();
        look(&strong, &mut needles_seen, "needle");
        let words = |text: &str| text.split_whitespace().count();
        println!(
            "{name}: {before} -> {after} tokens, {} words of {} expected",
            words(&text),
            words(&expected)
        );
    }
    println!("{tokens:?} tokens, {sentences_seen:?} sentences, {needles_seen:?} needles");
    assert!(tokens.1 * 100 <= tokens.0 * 15, "at least 85 % fewer tokens: {tokens:?}");
    assert!(sentences_seen.0 * 100 >= sentences_seen.1 * 98, "{sentences_seen:?}");
    assert!(needles_seen.0 * 100 >= needles_seen.1 * 97, "{needles_seen:?}");
}
