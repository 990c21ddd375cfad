//! Question sets, asked directly by users and answered from tool results.

mod short;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, io};

use headroom_core::Vocabulary;
use serde_json::{Value, json};

use crate::{
    Data,
    conformance::output::{Output, Planted},
};

pub(crate) const FOLDER: &str = "corpora/qa";

/// A question as a user asks it.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) set: &'static str,
    pub(crate) question: String,
    /// The tool definitions that come with it.
    pub(crate) tools: Vec<Value>,
}

/// A tool result, a question about it, and what the answer needs.
#[derive(Clone, Debug)]
pub struct EvalItem {
    /// The name of the set.
    pub set: &'static str,
    /// A description of the text.
    pub how: &'static str,
    /// The user's question.
    pub question: String,
    /// The tool result.
    pub text: String,
    /// Texts that must be visible for the answer.
    pub needed: Vec<String>,
    /// How an answer is scored.
    pub score: Score,
}

/// How an answer is scored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Score {
    /// The answer must contain one of these, case and punctuation aside.
    Words(Vec<String>),
    /// The last number in the answer must be this.
    Number(String),
    /// The answer must contain all of these.
    All(Vec<String>),
    /// A judge must decide whether the answer agrees with one of these.
    Judge(Vec<String>),
}

impl Score {
    /// Scores an answer; `None` if it needs a judge.
    ///
    /// ```
    /// use headroom_evals::questions::Score;
    ///
    /// assert_eq!(Score::Number("1200".into()).score("So 3 x 400 = $1,200."), Some(true));
    /// assert_eq!(Score::Words(vec!["the Seine".into()]).score("It is The Seine!"), Some(true));
    /// assert_eq!(Score::Words(vec!["in".into()]).score("Berlin"), Some(false));
    /// ```
    #[must_use]
    pub fn score(&self, answer: &str) -> Option<bool> {
        match self {
            Self::Words(any) => {
                let answer = format!(" {} ", plain(answer));
                Some(any.iter().map(|words| plain(words)).any(|words| answer.contains(&format!(" {words} "))))
            }
            Self::Number(number) => Some(last_number(answer).as_deref() == Some(number)),
            Self::All(all) => Some(all.iter().all(|part| answer.contains(part))),
            Self::Judge(_) => None,
        }
    }

    /// Returns the instruction that tells the model the form of the answer.
    #[must_use]
    pub const fn wanted(&self) -> &'static str {
        match self {
            Self::Words(_) => "Answer with as few words as you can.",
            Self::Number(_) => "Think, then end with the number that is the answer.",
            Self::All(_) => {
                "Answer with the call or calls as NAME(ARGUMENT=VALUE, ...), every argument by name."
            }
            Self::Judge(_) => "Answer in one sentence.",
        }
    }
}

/// Returns the words in lower case, without punctuation and articles.
fn plain(text: &str) -> String {
    let words =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    words.filter(|word| !matches!(word.as_str(), "a" | "an" | "the")).collect::<Vec<_>>().join(" ")
}

fn last_number(text: &str) -> Option<String> {
    let runs = text.split(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '-'));
    let numbers = runs.map(|run| run.replace(',', "")).map(|run| {
        let run = run.trim_end_matches(['.', '-']);
        let sign = if run.starts_with('-') { "-" } else { "" };
        let run = run.trim_start_matches('-');
        // 18.00 equals 18.
        let run = if run.contains('.') { run.trim_end_matches('0').trim_end_matches('.') } else { run };
        format!("{sign}{run}")
    });
    numbers.rev().find(|number| number.chars().any(|c| c.is_ascii_digit()))
}

/// The ids of the sets of questions. Those with short texts are for models with a small context.
pub const SETS: [&str; 7] =
    ["rows", "gsm8k", "truthfulqa", "squad-v2", "bfcl", "short-rows", "short-squad-v2"];

/// Which questions to ask.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// At most this many of each set.
    pub most: usize,
    /// The ids of the sets; if empty, all but those with short texts. See [`SETS`].
    pub sets: &'a [String],
    /// Only questions about texts of at most this many tokens.
    pub max_tokens: Option<usize>,
}

impl Selection<'_> {
    fn wants(&self, item: &EvalItem) -> bool {
        let id = item.set.to_lowercase().replace(' ', "-");
        let is_named = if self.sets.is_empty() { !id.starts_with("short") } else { self.sets.contains(&id) };
        is_named && self.max_tokens.is_none_or(|most| Vocabulary::O200kBase.count(&item.text) <= most)
    }
}

/// Returns questions whose answers are in tool results: those of `corpora/qa`, and some about generated output,
/// interleaved by set.
///
/// # Errors
///
/// Fails if a file exists but cannot be read.
pub fn told(data: &mut Data, selection: &Selection<'_>) -> io::Result<Vec<EvalItem>> {
    let read = read(data)?.1;
    let short = short::paragraphs(&read).into_iter().chain(short::rows());
    let all = read.into_iter().filter(|item| item.how != "one paragraph").chain(made()).chain(short);
    let mut sets: Vec<Vec<EvalItem>> = Vec::new();
    for item in all.filter(|item| selection.wants(item)) {
        match sets.iter_mut().find(|set| set.first().is_some_and(|first| first.set == item.set)) {
            Some(set) => set.push(item),
            None => sets.push(vec![item]),
        }
    }
    for set in &mut sets {
        let step = set.len().div_ceil(selection.most.max(1)).max(1);
        *set = set.iter().step_by(step).cloned().collect();
    }
    let longest = sets.iter().map(Vec::len).max().unwrap_or_default();
    Ok((0..longest).flat_map(|n| sets.iter().filter_map(move |set| set.get(n).cloned())).collect())
}

/// Generates questions about one row of many, without recorded data.
fn made() -> impl Iterator<Item = EvalItem> {
    (0..40_usize).map(|n| {
        let (output, rows) = if n % 2 == 0 { (Output::Records, 300) } else { (Output::JsonLines, 400) };
        let word = format!("kestrel{}", 1_000 + n * 37);
        let at = (n * 53 + 11) % rows;
        let planted = Planted { at, word: &word, stands_out: false };
        let id = (1_000 + at).to_string();
        EvalItem {
            set: "rows",
            how: "records of orders",
            question: format!("What is the id of the order of customer {word}?"),
            text: output.text(rows, n as u64, Some(planted)),
            needed: vec![word],
            score: Score::Number(id),
        }
    })
}

/// Reads `corpora/qa`.
pub(crate) fn read(data: &mut Data) -> io::Result<(Vec<Question>, Vec<EvalItem>)> {
    let (mut asked, mut told) = (Vec::new(), Vec::new());
    for file in data.files(FOLDER)? {
        let text = file.text();
        match file.base() {
            name if name.starts_with("gsm8k") => gsm8k(&text, &mut asked, &mut told),
            name if name.starts_with("truthfulqa") => truthful(&text, &mut asked, &mut told),
            name if name.starts_with("squad") => squad(&text, &mut asked, &mut told),
            name if name.starts_with("BFCL") && !file.name.contains("possible_answer") => {
                let answers = data.file(FOLDER, &format!("bfcl/possible_answer/{name}"))?;
                bfcl(&text, &answers.map(|file| file.text()).unwrap_or_default(), &mut asked, &mut told);
            }
            _ => {}
        }
    }
    Ok((asked, told))
}

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn gsm8k(text: &str, asked: &mut Vec<Question>, told: &mut Vec<EvalItem>) {
    let problems: Vec<Value> = lines(text).collect();
    for (n, problem) in problems.iter().enumerate() {
        let question = word(problem, "question").to_owned();
        // A page of a problem book: this problem among its neighbours.
        let page: Vec<String> = (n.saturating_sub(3)..(n + 4).min(problems.len()))
            .filter_map(|at| {
                Some(format!("## Problem {}\n\n{}\n", at + 1, word(problems.get(at)?, "question")))
            })
            .collect();
        told.push(EvalItem {
            set: "GSM8K",
            how: "a page of problems",
            question: format!("Solve problem {}.", n + 1),
            text: page.join("\n"),
            needed: numbers(&question),
            score: Score::Number(
                word(problem, "answer").rsplit("#### ").next().unwrap_or_default().replace(',', ""),
            ),
        });
        asked.push(Question { set: "GSM8K", question, tools: Vec::new() });
    }
}

/// Returns the numbers of a text, each with the word before it, so that equal numbers elsewhere do not count.
fn numbers(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.windows(2).filter_map(|pair| match pair {
        [before, number] if number.chars().any(|c| c.is_ascii_digit()) => Some(format!("{before} {number}")),
        _ => None,
    });
    // Only pairs that occur verbatim, white space included.
    pairs.filter(|pair| text.contains(pair.as_str())).collect()
}

fn truthful(text: &str, asked: &mut Vec<Question>, told: &mut Vec<EvalItem>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().filter_map(Result::ok).collect();
    let cell = |row: &csv::StringRecord, at: usize| row.get(at).unwrap_or_default().to_owned();
    for (n, row) in rows.iter().enumerate() {
        let (question, best) = (cell(row, 2), cell(row, 3));
        // A search result: the answers that people gave to this question and to others.
        let hits: Vec<String> = (0..8)
            .filter_map(|hit| {
                let row = rows.get((n + hit * 7) % rows.len())?;
                let said = [cell(row, 3), cell(row, 5).replace("; ", ". "), cell(row, 4).replace("; ", ". ")];
                Some(format!("## {}\n\n{}.\n", cell(row, 2), said.join(". ")))
            })
            .collect();
        let hits: Vec<String> = hits.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        told.push(EvalItem {
            set: "TruthfulQA",
            how: "hits of a search",
            question: question.clone(),
            text: hits.join("\n"),
            needed: vec![best.clone()],
            score: Score::Judge(vec![best, cell(row, 4)]),
        });
        asked.push(Question { set: "TruthfulQA", question, tools: Vec::new() });
    }
}

fn squad(text: &str, asked: &mut Vec<Question>, told: &mut Vec<EvalItem>) {
    let Ok(squad) = serde_json::from_str::<Value>(text) else { return };
    for article in items(&squad, "data") {
        let paragraphs = items(article, "paragraphs");
        let contexts: Vec<&str> = paragraphs.iter().map(|paragraph| word(paragraph, "context")).collect();
        for (at, paragraph) in paragraphs.iter().enumerate() {
            let context = word(paragraph, "context");
            // A search result: some paragraphs of the article in no order, this one among them.
            let count = contexts.len().min(8);
            let others = (0..count).filter_map(|n| contexts.get((at * 4 + n * 5) % contexts.len()).copied());
            let chunks: BTreeSet<&str> = others.chain([context]).collect();
            let chunks: Vec<String> = chunks
                .iter()
                .enumerate()
                .map(|(n, chunk)| format!("## Result {}\n\n{chunk}\n", n + 1))
                .collect();
            for item in items(paragraph, "qas") {
                let question = word(item, "question").to_owned();
                let answers = items(item, "answers");
                if let Some(needed) = answers.first().and_then(|answer| sentence(context, answer)) {
                    let right: Vec<String> =
                        answers.iter().map(|answer| word(answer, "text").to_owned()).collect();
                    for (how, text) in
                        [("retrieved paragraphs", chunks.join("\n")), ("one paragraph", context.to_owned())]
                    {
                        let needed = vec![needed.clone()];
                        let score = Score::Words(right.clone());
                        told.push(EvalItem {
                            set: "SQuAD v2",
                            how,
                            question: question.clone(),
                            text,
                            needed,
                            score,
                        });
                    }
                }
                let question = format!("{context}\n\n{question}");
                asked.push(Question { set: "SQuAD v2", question, tools: Vec::new() });
            }
        }
    }
}

/// Returns the sentence with the answer, up to the end of the answer.
fn sentence(context: &str, answer: &Value) -> Option<String> {
    let text = word(answer, "text");
    let start = usize::try_from(answer.get("answer_start")?.as_u64()?).ok()?;
    // Offsets count characters.
    let start: usize = context.chars().take(start).map(char::len_utf8).sum();
    let before = context.get(..start)?;
    let from = before.rfind(". ").map_or(0, |dot| dot + 2);
    context.get(from..start + text.len()).map(str::to_owned)
}

fn bfcl(text: &str, answers: &str, asked: &mut Vec<Question>, told: &mut Vec<EvalItem>) {
    let answers: Vec<Value> = lines(answers).collect();
    for item in lines(text) {
        let turns: Vec<&str> = items(&item, "question")
            .iter()
            .flat_map(|turn| turn.as_array().map(Vec::as_slice).unwrap_or_default())
            .map(|message| word(message, "content"))
            .collect();
        let question = turns.join("\n");
        let functions = items(&item, "function");
        let tool = |function: &Value| json!({"type": "function", "function": function});
        asked.push(Question {
            set: "BFCL",
            question: question.clone(),
            tools: functions.iter().map(tool).collect(),
        });
        let truth = answers.iter().find(|answer| answer.get("id") == item.get("id"));
        let truth = truth.map(|answer| items(answer, "ground_truth")).unwrap_or_default();
        // The definitions as a tool search returns them, after the request as in a ticket.
        let text = json!({"ticket": question, "functions": functions}).to_string();
        let mut needed = Vec::new();
        for call in truth.iter().filter_map(Value::as_object) {
            for (name, arguments) in call {
                needed.push(name.clone());
                for (argument, values) in arguments.as_object().into_iter().flatten() {
                    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
                    // Optional arguments list an empty value among theirs.
                    if values.iter().any(|value| value == "") {
                        continue;
                    }
                    needed.push(argument.clone());
                    let spelled = values
                        .iter()
                        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
                    needed.extend(
                        spelled
                            .into_iter()
                            .find(|value| value.len() > 1 && question.contains(value.as_str())),
                    );
                }
            }
        }
        needed.retain(|part| text.contains(part.as_str()));
        if !functions.is_empty() && !needed.is_empty() {
            told.push(EvalItem {
                set: "BFCL",
                how: "definitions in a result",
                question: "Which call does the ticket ask for?".to_owned(),
                text,
                score: Score::All(needed.clone()),
                needed,
            });
        }
    }
}
