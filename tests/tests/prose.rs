//! Prose as the results of calls: what answers the question stands, in whole sentences.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may"
)]

use std::{collections::BTreeMap, fs, path::Path};

use headroom_core::{Api, CompressOptions, Engine, Retrieval, Transform, Vocabulary};
use headroom_tests::{
    ask::Ask,
    data,
    engine::real,
    laws::{Forms, Run, every},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What the model sees of a text that a search gave.
fn shown(text: &str, question: &str, retrieval: Retrieval) -> String {
    let ask = Ask { question, tool: "search_documents", arguments: json!({"query": question}), result: text };
    let body = ask.body(Api::OpenAiChat);
    let outcome =
        Engine::new().compress(Api::OpenAiChat, &body, &CompressOptions::new().retrieval(retrieval));
    Ask::result_in(Api::OpenAiChat, outcome.body().unwrap_or(&body))
}

/// How many answers are seen, and in how many tokens.
#[derive(Debug, Default)]
struct Count {
    seen: usize,
    all: usize,
    before: usize,
    after: usize,
}

impl Count {
    fn add(&mut self, text: &str, question: &str, sentence: &str) {
        let tokenizer = Vocabulary::O200kBase;
        let after = shown(text, question, Retrieval::ServerTool);
        self.before += tokenizer.count(text);
        self.after += tokenizer.count(&after);
        self.all += 1;
        if after.contains(sentence) {
            self.seen += 1;
        } else {
            println!("  not seen: {question:?} {sentence:?}");
        }
    }

    fn visible(&self) -> f64 {
        100.0 * self.seen as f64 / self.all.max(1) as f64
    }

    fn saved(&self) -> f64 {
        100.0 - 100.0 * self.after as f64 / self.before.max(1) as f64
    }
}

fn corpora() -> std::path::PathBuf {
    data::shared().expect(data::NEEDED).join("corpora")
}

/// The questions of the documents in a folder, each with the document and the sentence that answers it.
fn asked(root: &Path, folder: &str) -> Vec<(String, String, String)> {
    let needles: Value = serde_json::from_slice(&fs::read(root.join("needles.json")).unwrap()).unwrap();
    let mut all = Vec::new();
    for (name, entry) in needles.as_object().unwrap().iter().filter(|(name, _)| name.starts_with(folder)) {
        let text = fs::read_to_string(root.join(name)).unwrap();
        for needle in entry["needles"].as_array().unwrap() {
            let question = needle["question"].as_str().or(needle["query"].as_str()).unwrap();
            let sentence = needle["sentence"].as_str().filter(|sentence| text.contains(sentence));
            let sentence = sentence.unwrap_or(needle["needle"].as_str().unwrap());
            all.push((text.clone(), question.to_owned(), sentence.to_owned()));
        }
    }
    all
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn answers_in_documents_are_seen() {
    let root = corpora();
    let mut total = Count::default();
    for folder in ["prose/squad", "prose/qmsum"] {
        let mut count = Count::default();
        for (text, question, sentence) in asked(&root, folder) {
            count.add(&text, &question, &sentence);
        }
        println!("{folder}: {count:?}: {:.1} % seen, {:.1} % fewer tokens", count.visible(), count.saved());
        assert!(count.visible() >= 85.0 && count.saved() >= 40.0, "{folder}: {count:?}");
        total.seen += count.seen;
        total.all += count.all;
    }
    assert!(total.visible() >= 97.0, "{total:?}");
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn answers_among_retrieved_paragraphs_are_seen() {
    let root = corpora();
    let file = fs::read(root.join("qa/squad_v2_dev_100.json")).unwrap();
    let squad: Value = serde_json::from_slice(&file).unwrap();
    let (mut retrieved, mut single) = (Count::default(), Count::default());
    for article in squad["data"].as_array().unwrap() {
        let contexts: Vec<&str> = article["paragraphs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["context"].as_str().unwrap())
            .collect();
        for (at, paragraph) in article["paragraphs"].as_array().unwrap().iter().enumerate() {
            // What a search would give: some paragraphs of the article in no order, this one among them.
            let chunks: Vec<&str> = (0..8.min(contexts.len()))
                .map(|n| contexts[(at * 3 + n * 5 + at) % contexts.len()])
                .collect();
            let mut chunks: BTreeMap<&str, ()> = chunks.into_iter().map(|chunk| (chunk, ())).collect();
            chunks.insert(contexts[at], ());
            let chunks: Vec<String> = chunks
                .keys()
                .enumerate()
                .map(|(n, chunk)| format!("## Result {}\n\n{chunk}\n", n + 1))
                .collect();
            let result = chunks.join("\n");
            for question in paragraph["qas"].as_array().unwrap() {
                let Some(answer) = question["answers"][0]["text"].as_str() else { continue };
                let start = question["answers"][0]["answer_start"].as_u64().unwrap() as usize;
                // Offsets count characters.
                let start: usize = contexts[at].chars().take(start).map(char::len_utf8).sum();
                assert!(contexts[at][start..].starts_with(answer));
                let asked = question["question"].as_str().unwrap();
                let from = contexts[at][..start].rfind(". ").map_or(0, |dot| dot + 2);
                retrieved.add(&result, asked, &contexts[at][from..start + answer.len()]);
                single.add(contexts[at], asked, &contexts[at][from..start + answer.len()]);
            }
        }
    }
    println!(
        "retrieved: {retrieved:?}: {:.1} % seen, {:.1} % fewer tokens",
        retrieved.visible(),
        retrieved.saved()
    );
    println!("single paragraphs: {:.1} % seen, {:.1} % fewer tokens", single.visible(), single.saved());
    assert!(retrieved.visible() >= 97.0 && retrieved.saved() >= 40.0, "{retrieved:?}");
    assert!(single.visible() >= 97.0, "{single:?}");
}

/// Lines of the files of question sets.
fn questions(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut folders = vec![root.join("qa")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_string_lossy().contains("squad") {
                lines.extend(fs::read_to_string(path).unwrap().lines().map(str::to_owned));
            }
        }
    }
    lines.sort();
    lines
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn questions_pass_in_every_role_but_that_of_tools() {
    let root = corpora();
    let lines = questions(&root);
    assert!(lines.len() > 200);
    for line in lines {
        let ask = Ask { question: &line, tool: "run", arguments: json!({}), result: &line };
        for api in [Api::Anthropic, Api::OpenAiChat] {
            let mut body: Value = serde_json::from_slice(&ask.body(api)).unwrap();
            body["messages"][1] = json!({"role": "assistant", "content": line});
            body["messages"].as_array_mut().unwrap().truncate(2);
            body["system"] = json!(line);
            let body = body.to_string().into_bytes();
            let outcome = Engine::new().compress(api, &body, &CompressOptions::new());
            assert!(outcome.body().is_none_or(|after| after == body.as_slice()));
        }
        // As the result of a call, what is short stays, and every law holds.
        let options = CompressOptions::new().retrieval(Retrieval::ClientTool);
        let run = Run::new(&*real(), Api::Anthropic, &ask.body(Api::Anthropic), &options).unwrap();
        every(&run, &options, &Forms::default()).unwrap();
    }
}

/// A document of which one sentence in the midst answers the question.
fn document() -> String {
    let part = |n: usize| {
        let sentences = (0..7).map(|hour| {
            format!(
                "In town {n} the market of street {hour} sells {} kinds of fruit and bread to guests. ",
                n * hour + 3
            )
        });
        format!("## Town {n}\n\n{}\n\n", sentences.collect::<String>())
    };
    let answer = "The lighthouse of Ardnamurchan is 36 m high. But nobody may climb it.\n\n";
    format!("{}{answer}{}", (1..6).map(part).collect::<String>(), (6..12).map(part).collect::<String>())
}

#[test]
fn prose_obeys_the_laws() {
    let text = document();
    let question = "How high is the lighthouse of Ardnamurchan?";
    for &retrieval in Retrieval::ALL {
        let ask = Ask { question, tool: "search", arguments: json!({"query": question}), result: &text };
        let options = CompressOptions::new().retrieval(retrieval);
        let run = Run::new(&*real(), Api::Anthropic, &ask.body(Api::Anthropic), &options).unwrap();
        every(&run, &options, &Forms::default()).unwrap_or_else(|broken| panic!("{broken}"));
        let steps: Vec<Transform> = run.answer.edited.into_iter().flat_map(|edited| edited.steps).collect();
        assert_eq!(
            steps.contains(&Transform::Sentences),
            retrieval == Retrieval::ServerTool,
            "{retrieval}: {steps:?}"
        );
    }
    let after = shown(&text, question, Retrieval::ServerTool);
    assert!(after.contains("The lighthouse of Ardnamurchan is 36 m high. But nobody may climb it."));
    assert!(after.len() * 10 < text.len() * 7, "{after}");
    assert_eq!(after.matches("headroom_retrieve]").count(), 1, "one marker names the original: {after}");
    assert!(after.matches("[headroom: also lines ").count() > 1, "{after}");
}

#[test]
fn files_that_were_read_keep_their_lines() {
    let text = document();
    let ask = Ask {
        question: "How high is the lighthouse of Ardnamurchan?",
        tool: "Read",
        arguments: json!({"file_path": "/work/CLAUDE.md"}),
        result: &text,
    };
    let body = ask.body(Api::Anthropic);
    let outcome = Engine::new().compress(
        Api::Anthropic,
        &body,
        &CompressOptions::new().retrieval(Retrieval::ServerTool),
    );
    let after = Ask::result_in(Api::Anthropic, outcome.body().unwrap_or(&body));
    let known: Vec<&str> = text.split('\n').collect();
    assert!(after.split('\n').all(|line| known.contains(&line) || line.starts_with("[headroom:")));
}

#[test]
fn what_prose_becomes_does_not_depend_on_what_follows() {
    let ask = Ask {
        question: "How high is it?",
        tool: "search",
        arguments: json!({"query": "lighthouse of Ardnamurchan"}),
        result: &document(),
    };
    let body = ask.body(Api::OpenAiChat);
    let item = r#"{"role":"user","content":"And who lives in town 7?"}"#;
    let longer = data::append(Api::OpenAiChat, &body, item);
    let of = |body: &[u8]| {
        let outcome = Engine::new().compress(
            Api::OpenAiChat,
            body,
            &CompressOptions::new().retrieval(Retrieval::ServerTool),
        );
        Ask::result_in(Api::OpenAiChat, outcome.body().expect("an edit"))
    };
    assert_eq!(of(&body), of(&longer));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn odd_prose_obeys_the_laws(parts in proptest::collection::vec(proptest::sample::select(vec![
        "The keeper of the lighthouse saw a ship. ", "Dr. Who has 2.5 m of rope in the old tower of the town. ", "\n\n", "\n",
        "## Head\n", "- an item of the list of the keeper\n", "灯台は古い。", "Is the wind of the north strong tonight? ",
        "and the wind that blew over the reef in the night ", "it fell.\n",
        "A: yes of course\n", "```\ncode\n```\n", "| a | b |\n", "It waits, and waits, and waits for the tide. ", "é ",
        "\r\n", "  ", "However, it fell. ", "He said: \"No.\" ", "The tower is 36 m high and has 140 steps of stone. ",
    ]), 80..250)) {
        let text = parts.concat();
        let ask = Ask { question: "Which keeper has strong rope in the tower?", tool: "search", arguments: json!({}), result: &text };
        let options = CompressOptions::new().retrieval(Retrieval::ClientTool);
        let mut body: Value = serde_json::from_slice(&ask.body(Api::Anthropic)).unwrap();
        body["tools"][0]["name"] = json!("headroom_retrieve");
        let run = Run::new(&*real(), Api::Anthropic, body.to_string().as_bytes(), &options).unwrap();
        prop_assert!(every(&run, &options, &Forms::default()).is_ok(), "{:?}", every(&run, &options, &Forms::default()));
    }
}
