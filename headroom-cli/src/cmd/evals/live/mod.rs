//! `--live`: a model answers the same questions with and without Headroom.

mod ask;
mod cache;
mod dialect;
mod error;
mod failure;
mod likelihood;
mod results;
mod send;

use std::path::Path;

use bytes::Bytes;
use headroom_core::Api;
use headroom_evals::{
    Data, Progress,
    questions::{self, EvalItem, Score, Selection},
    report::Report,
};
use serde_json::Value;

pub(crate) use self::error::LiveError;
use self::{
    ask::{Asker, LiveAnswer},
    cache::Cache,
    failure::{Failure, FailureKind},
    results::{LiveResults, Outcome, Pair},
    send::{Arm, AskError},
};
use super::{args::LiveArgs, budget::Budget};
use crate::{config::Config, ledger::Price};

/// A server that fails this often in a row will not answer later questions either.
const MAX_FAILURES_IN_A_ROW: u32 = 6;

/// How a run ended.
#[derive(Debug)]
pub(super) enum RunEnd {
    Finished,
    /// Before another pair would have overdrawn the budget.
    Budget,
    /// By a signal.
    Stopped,
    Failed(LiveError),
}

impl From<AskError> for RunEnd {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Stopped => Self::Stopped,
            AskError::Fatal(error) => Self::Failed(error),
            AskError::Failure(Failure { said, .. }) => Self::Failed(LiveError::Failing { times: 1, said }),
        }
    }
}

/// What a run found, however it ended.
pub(super) struct LiveRun {
    pub(super) report: Report,
    pub(super) end: RunEnd,
    /// Pairs of answers.
    pub(super) pairs: usize,
    pub(super) questions: usize,
}

/// Asks every question twice and compares the answers.
pub(super) fn run(
    args: &LiveArgs,
    mut data: Data,
    out: &Path,
    config: &Config,
    progress: &dyn Progress,
) -> Result<LiveRun, LiveError> {
    let model = args.model.clone().ok_or(LiveError::NoModel)?;
    let price = Price::for_model(&model);
    if args.budget.is_some() && price.is_none() {
        return Err(LiveError::NoPrice(model));
    }
    let selection = Selection { most: args.items, sets: &args.set, max_tokens: args.max_item_tokens };
    let items = questions::told(&mut data, &selection).map_err(LiveError::Questions)?;
    if items.is_empty() {
        return Err(LiveError::NoQuestions);
    }
    let cache = Cache::open(&out.join("answers.jsonl"))?;
    let asker = Asker::new(&model, args, config, cache)?;
    if args.logprobs && asker.dialect.api != Api::OpenAiChat {
        return Err(LiveError::NoLogprobs);
    }
    let judge = args.judge.clone().unwrap_or_else(|| model.clone());
    let mut found = LiveResults::new(&model, &judge, args, data.used());
    progress.begin("questions, each asked with and without Headroom", items.len());
    let mut run = Questioning {
        asker,
        judge,
        price,
        budget: Budget::new(args.budget),
        failures: 0,
        has_answer: false,
        logprobs: args.logprobs.then_some(false),
    };
    let mut end = RunEnd::Finished;
    for (n, item) in items.iter().enumerate() {
        if !run.budget.has_room() {
            end = RunEnd::Budget;
            break;
        }
        match run.pair(item, n % 2 == 0) {
            Ok(pair) => found.pairs.push(pair),
            Err(error) => {
                end = error.into();
                break;
            }
        }
        progress.step();
    }
    found.refused = run.asker.dialect.refused.clone();
    let pairs = found.pairs.len();
    let report = found.report(items.len(), &end, price.as_ref());
    Ok(LiveRun { report, end, pairs, questions: items.len() })
}

/// A run that goes on.
struct Questioning {
    asker: Asker,
    judge: String,
    price: Option<Price>,
    budget: Budget,
    /// Questions without an answer since the last answer.
    failures: u32,
    has_answer: bool,
    /// Whether log-probabilities came, if they are asked for.
    logprobs: Option<bool>,
}

impl Questioning {
    /// Asks a question in both arms, in this order.
    fn pair(&mut self, item: &EvalItem, is_without_first: bool) -> Result<Pair, AskError> {
        let arms = if is_without_first { [Arm::Without, Arm::With] } else { [Arm::With, Arm::Without] };
        let [first, second] = arms;
        let (first, second) = (self.arm(item, first)?, self.arm(item, second)?);
        let (without, with) = if is_without_first { (first, second) } else { (second, first) };
        Ok(Pair {
            set: item.set,
            is_changed: messages(&without.prompt) != messages(&with.prompt),
            logprobs: without.logprob.zip(with.logprob),
            without: without.outcome,
            with: with.outcome,
        })
    }

    /// Asks a question. Its log-probability is measured at once, while the server remembers the prompt.
    fn arm(&mut self, item: &EvalItem, arm: Arm) -> Result<ArmResult, AskError> {
        let outcome = self.outcome(item, arm)?;
        let prompt = self.asker.prompt(item, arm)?;
        let logprob = if outcome.is_ok() { self.logprob(item, &prompt)? } else { None };
        Ok(ArmResult { outcome, prompt, logprob })
    }

    fn outcome(&mut self, item: &EvalItem, arm: Arm) -> Result<Outcome, AskError> {
        match self.scored(item, arm) {
            Ok(outcome) => {
                (self.has_answer, self.failures) = (true, 0);
                Ok(Ok(outcome))
            }
            Err(AskError::Failure(failure)) => {
                // What a server makes of its very first request is no matter of the question.
                if failure.kind == FailureKind::Refused && !self.has_answer {
                    return Err(LiveError::Refused(failure.said).into());
                }
                self.failures += u32::from(failure.kind != FailureKind::TooLong);
                if self.failures >= MAX_FAILURES_IN_A_ROW {
                    return Err(LiveError::Failing { times: self.failures, said: failure.said }.into());
                }
                Ok(Err(failure))
            }
            Err(error) => Err(error),
        }
    }

    fn scored(&mut self, item: &EvalItem, arm: Arm) -> Result<(LiveAnswer, bool), AskError> {
        let answered = self.asker.ask(item, arm)?;
        if !answered.cached {
            self.budget.spend(self.price.map_or(0.0, |price| price.cost(&answered.usage)));
        }
        let right = match &item.score {
            Score::Judge(references) => self.judged(&item.question, references, &answered.text)?,
            score => score.score(&answered.text).unwrap_or_default(),
        };
        Ok((answered, right))
    }

    fn judged(&mut self, question: &str, references: &[String], answer: &str) -> Result<bool, AskError> {
        let said = self.asker.judge(&self.judge, question, references, answer)?;
        if !said.cached {
            let price = Price::for_model(&self.judge);
            self.budget.spend(price.map_or(0.0, |price| price.cost(&said.usage)));
        }
        let verdict = said.text.trim_start_matches(|c: char| !c.is_alphabetic());
        Ok(verdict.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("yes")))
    }

    /// Measures the log-probability of the reference after this prompt, if that is asked for.
    fn logprob(&mut self, item: &EvalItem, prompt: &[u8]) -> Result<Option<f64>, AskError> {
        let (Some(came), Some(reference)) = (self.logprobs, likelihood::reference(&item.score)) else {
            return Ok(None);
        };
        let logprob = self.asker.likelihood(prompt, reference)?;
        if logprob.is_none() && !came {
            return Err(LiveError::NoLogprobs.into());
        }
        self.logprobs = Some(true);
        Ok(logprob)
    }
}

/// A request without its tools: the definition of `headroom_retrieve` alone is no change.
fn messages(body: &[u8]) -> Value {
    let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.remove("tools");
    }
    body
}

/// What one arm of a question came to.
struct ArmResult {
    outcome: Outcome,
    /// The request's body as the server gets it first.
    prompt: Bytes,
    logprob: Option<f64>,
}
