//! Measures question sets: unchanged when asked directly, and still answerable from tool results.

use headroom_core::Api;
use serde_json::json;

use super::{EvalError, Progress, Suite, sent, tokens};
use crate::{
    compressor::Turn,
    conformance::{ask::Ask, diff},
    questions::{self, EvalItem, Question},
    report::{Cell, Section, Table, signed},
};

/// The results that another tool publishes for these sets.
const PUBLISHED: [(&str, &str); 4] = [
    ("GSM8K", "change of accuracy 0.000"),
    ("TruthfulQA", "change of accuracy +0.030"),
    ("SQuAD v2", "97 % at 19 % fewer tokens"),
    ("BFCL", "97 % at 32 % fewer tokens"),
];

#[derive(Clone, Default)]
struct Count {
    items: usize,
    whole: usize,
    seen: usize,
    aside: usize,
    all: usize,
    before: u64,
    after: u64,
}

pub(super) fn run(suite: &mut Suite, progress: &dyn Progress) -> Result<Section, EvalError> {
    let mut section = Section {
        id: "qa",
        title: "Question sets",
        about: "GSM8K, TruthfulQA, SQuAD v2 and BFCL. Asked by the user, with tool definitions where the set has them, \
                a request must reach the provider as it was: no model can then answer differently, and the change of \
                accuracy is 0. As the result of a search or a call the same texts may be made smaller; then what the \
                answer needs has to stay: the sentence up to the end of the answer (SQuAD), every number of the problem \
                (GSM8K), the best answer (TruthfulQA), the name of the function and each of the arguments that the \
                text has (BFCL). The published figures are accuracies of a model after compression by their authors' \
                tool; no model runs here, so they stand beside, not against."
            .to_owned(),
        command: suite.command("qa"),
        ..Section::default()
    };
    let (asked, told) = questions::read(&mut suite.data)?;
    if asked.is_empty() {
        section.skipped =
            Some(format!("there is no folder `{}` in the data; see `--data`", questions::FOLDER));
        return Ok(section);
    }
    let (asked, told) = (suite.sample(asked, 20), suite.sample(told, 40));
    let count = |set: &str| asked.iter().filter(|asked| asked.set == set).count();
    let counts: Vec<String> = PUBLISHED.iter().map(|(set, _)| format!("{} of {set}", count(set))).collect();
    section.data = format!("`{}`: {}", questions::FOLDER, counts.join(", "));
    progress.begin("questions", asked.len() + told.len());
    section.tables.push(unchanged(suite, &asked, progress));
    let retained = retained(suite, &told, &mut section.failures, progress);
    section.tables.push(retained);
    Ok(section)
}

/// Sends the questions as users ask them.
fn unchanged(suite: &mut Suite, asked: &[Question], progress: &dyn Progress) -> Table {
    let mut table = Table::new(
        "Asked by the user",
        &[
            ("set", "set"),
            ("compressor", "compressor"),
            ("same", "requests without an edit"),
            ("identical", "the same, byte for byte"),
            ("published", "published by others"),
        ],
    );
    for (set, published) in PUBLISHED {
        let items: Vec<&Question> = asked.iter().filter(|asked| asked.set == set).collect();
        let mut counts = vec![(0, 0); suite.compressors.len()];
        for item in &items {
            progress.step();
            let mut body =
                json!({"model": "gpt-4o", "messages": [{"role": "user", "content": item.question}]});
            if let (false, Some(members)) = (item.tools.is_empty(), body.as_object_mut()) {
                members.insert("tools".to_owned(), json!(item.tools));
            }
            let body = body.to_string().into_bytes();
            for (compressor, (same, identical)) in suite.compressors.iter_mut().zip(&mut counts) {
                let turn =
                    Turn { api: Api::OpenAiChat, conversation: "questions", body: &body, answer: None };
                let (sent, _) = sent(&mut **compressor, &turn);
                let is_same =
                    diff::diff(Api::OpenAiChat, &body, &sent.body).is_ok_and(|diff| diff.edits.is_empty());
                *same += usize::from(is_same);
                *identical += usize::from(sent.body == body);
            }
        }
        for n in 0..suite.compressors.len() {
            let Some((compressor, (same, identical))) = suite.compressors.get(n).zip(counts.get(n)) else {
                continue;
            };
            let is_own = compressor.is_own();
            table.row([
                Cell::text(set),
                Cell::text(compressor.name()),
                Cell::ratio(*same, items.len()),
                Cell::ratio(*identical, items.len()),
                Cell::text(published),
            ]);
            if is_own {
                let (same, all) = (*same, items.len());
                suite.goal(
                    "qa",
                    &format!("{set} asked by the user, without an edit"),
                    "all",
                    format!("{same}/{all}"),
                    same == all && all > 0,
                );
            }
        }
    }
    table
}

/// Sends the texts as tool results.
fn retained(
    suite: &mut Suite,
    told: &[EvalItem],
    failures: &mut Vec<String>,
    progress: &dyn Progress,
) -> Table {
    let mut table = Table::new(
        "As the result of a call",
        &[
            ("set", "set"),
            ("how", "as"),
            ("compressor", "compressor"),
            ("change", "tokens"),
            ("items", "items with all that they need"),
            ("kept", "needed parts visible"),
            ("share", "share"),
            ("retrievable", "retrievable"),
            ("published", "published by others"),
        ],
    );
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for item in told {
        if !kinds.contains(&(item.set, item.how)) {
            kinds.push((item.set, item.how));
        }
    }
    for (set, how) in kinds {
        let mut counts = vec![Count::default(); suite.compressors.len()];
        for item in told.iter().filter(|item| (item.set, item.how) == (set, how)) {
            progress.step();
            tell(suite, item, &mut counts, failures);
        }
        let published =
            PUBLISHED.iter().find(|(name, _)| *name == set).map_or("", |(_, published)| *published);
        for n in 0..suite.compressors.len() {
            let Some((compressor, count)) = suite.compressors.get(n).zip(counts.get(n)) else { continue };
            let is_own = compressor.is_own();
            let share = count.seen as f64 / count.all.max(1) as f64;
            table.row([
                Cell::text(set),
                Cell::text(how),
                Cell::text(compressor.name()),
                Cell::change(count.before, count.after),
                Cell::ratio(count.whole, count.items),
                Cell::ratio(count.seen, count.all),
                Cell::Share(share),
                Cell::count(count.aside),
                Cell::text(published),
            ]);
            if is_own {
                let what = format!("{set} as {how}: what the answer needs, visible");
                let change = signed(crate::report::change(count.before, count.after));
                let reached = format!("{:.1} % at {change} tokens", share * 100.0);
                suite.goal("qa", &what, "97.0 % or more", reached, share >= 0.97);
            }
        }
    }
    table
}

/// Sends one text as the result of a search to every compressor.
fn tell(suite: &mut Suite, item: &EvalItem, counts: &mut [Count], failures: &mut Vec<String>) {
    let ask = Ask {
        question: &item.question,
        tool: "search_documents",
        arguments: json!({"query": item.question}),
        result: &item.text,
    };
    let body = ask.body(Api::OpenAiChat);
    let before = tokens(&item.text) as u64;
    for (compressor, count) in suite.compressors.iter_mut().zip(counts) {
        let turn = Turn { api: Api::OpenAiChat, conversation: "questions", body: &body, answer: None };
        let (sent, _) = sent(&mut **compressor, &turn);
        let shown = Ask::result_of(Api::OpenAiChat, &sent.body).unwrap_or_default();
        count.before += before;
        count.after += if shown == item.text { before } else { tokens(&shown) as u64 };
        let (seen, unseen): (Vec<&str>, Vec<&str>) =
            item.needed.iter().map(String::as_str).partition(|part| shown.contains(part));
        if compressor.is_own() {
            let (set, how) = (item.set, item.how);
            failures.extend(unseen.iter().map(|part| format!("not visible: {set}, {how}: {part}")));
        }
        let is_aside =
            |part: &&&str| sent.originals.iter().any(|original| original.content().contains(**part));
        count.aside += unseen.iter().filter(is_aside).count();
        count.seen += seen.len();
        count.all += item.needed.len();
        count.items += 1;
        count.whole += usize::from(unseen.is_empty());
    }
}
