//! Questions whose texts are short, for models with a small context.

use serde_json::Value;

use super::EvalItem;
use crate::{
    conformance::output::{Output, Planted},
    questions::Score,
};

/// Questions that are made.
const QUESTIONS: usize = 400;
/// Records of a short text, with about 45 tokens each.
const RECORDS: usize = 12;
/// Paragraphs of a short text.
const PARAGRAPHS: usize = 3;

/// Makes questions about one record of few.
pub(super) fn rows() -> impl Iterator<Item = EvalItem> {
    (0..QUESTIONS).filter_map(|n| {
        let output = if n % 2 == 0 { Output::Records } else { Output::JsonLines };
        let word = format!("kestrel{}", 1_000 + n * 37);
        let at = (n * 53 + 11) % RECORDS;
        let text = output.text(RECORDS, n as u64, Some(Planted { at, word: &word, stands_out: false }));
        let line = text.lines().find(|line| line.contains(&word))?;
        let record: Value = serde_json::from_str(line.trim().trim_end_matches(',')).ok()?;
        let (question, answer) = if n / 2 % 2 == 0 {
            (format!("What is the id of the order of customer {word}?"), record.get("id")?.to_string())
        } else {
            (format!("What is the port of customer {word}?"), record.get("port")?.as_str()?.to_owned())
        };
        Some(EvalItem {
            set: "short rows",
            how: "few records of orders",
            question,
            text,
            needed: vec![word],
            score: Score::Words(vec![answer]),
        })
    })
}

/// Makes items with three of the retrieved paragraphs: the one with the answer, and those beside it.
pub(super) fn paragraphs(items: &[EvalItem]) -> Vec<EvalItem> {
    let retrieved = items.iter().filter(|item| item.how == "retrieved paragraphs");
    retrieved
        .filter_map(|item| {
            let all: Vec<&str> = item.text.split_inclusive("\n\n## ").collect();
            let needed = item.needed.first()?;
            let at = all.iter().position(|part| part.contains(needed))?;
            let first = at.saturating_sub(1).min(all.len().saturating_sub(PARAGRAPHS));
            let text: String = all.iter().skip(first).take(PARAGRAPHS).copied().collect();
            let text = text.trim_start_matches("## ").trim_end_matches("## ").trim();
            Some(EvalItem {
                set: "short SQuAD v2",
                how: "three retrieved paragraphs",
                text: format!("## {text}\n"),
                ..item.clone()
            })
        })
        .collect()
}
