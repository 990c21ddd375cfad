//! `--live`: a model answers the same questions with and without Headroom.

mod ask;
mod cache;
mod results;

use std::{io, path::Path, path::PathBuf};

use headroom_evals::{
    Data, Progress,
    questions::{self, EvalItem, Score},
    report::Report,
};

use self::{
    ask::{Arm, Asker, LiveAnswer},
    cache::Cache,
    results::{LiveResults, Pair},
};
use super::args::LiveArgs;
use crate::{config::Config, ledger::Price};

/// Errors of a live evaluation. Answers received until then are kept, and not asked for again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LiveError {
    #[error("--live needs a model that answers: --model NAME, and --upstream URL for a local server")]
    NoModel,
    #[error("no key: set {0}, or name a local server with --upstream")]
    NoKey(&'static str),
    #[error("no known price for {0}, so --budget has no effect; remove it and limit the run with --items")]
    NoPrice(String),
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Client(#[from] super::client::ClientError),
    #[error("{path}: the server answered {status}: {said}")]
    Refused { path: &'static str, status: u16, said: String },
    #[error("{path}: not a response of {api}: {said}")]
    Unknown { path: &'static str, api: &'static str, said: String },
    #[error("cannot read the questions")]
    Questions(#[source] io::Error),
    #[error("cannot save answers in {}", path.display())]
    Keep { path: PathBuf, source: io::Error },
}

impl LiveError {
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoModel | Self::NoKey(_) | Self::NoPrice(_))
    }
}

/// Asks every question twice and compares the answers.
pub(super) fn run(
    args: &LiveArgs,
    mut data: Data,
    out: &Path,
    config: &Config,
    progress: &dyn Progress,
) -> Result<Report, LiveError> {
    let model = args.model.clone().ok_or(LiveError::NoModel)?;
    let price = Price::for_model(&model);
    if args.budget.is_some() && price.is_none() {
        return Err(LiveError::NoPrice(model));
    }
    let items = questions::told(&mut data, args.items).map_err(LiveError::Questions)?;
    let cache = Cache::open(&out.join("answers.jsonl"))?;
    let mut asker = Asker::new(&model, args.upstream.clone(), config, cache)?;
    let judge = args.judge.clone().unwrap_or_else(|| model.clone());
    let mut found = LiveResults::new(&model, &judge, args, data.used());
    let mut budget = Budget { left: args.budget, dearest: 0.0 };
    progress.begin("answers", items.len());
    for item in &items {
        if !budget.has_room() {
            found.stopped = true;
            break;
        }
        let mut pair = [Arm::Without, Arm::With].map(|_| None);
        for (arm, place) in [Arm::Without, Arm::With].into_iter().zip(&mut pair) {
            let answered = asker.ask(item, arm)?;
            let (right, judged) = score(&mut asker, &judge, item, &answered)?;
            let dollars = |answered: &LiveAnswer| price.map_or(0.0, |price| price.cost(&answered.usage));
            let judged = judged.iter().filter(|judged| !judged.cached);
            let spent = judged
                .map(|judged| Price::for_model(&judge).map_or(0.0, |price| price.cost(&judged.usage)))
                .sum::<f64>();
            budget.spend(if answered.cached { 0.0 } else { dollars(&answered) } + spent);
            *place = Some((answered, right));
        }
        if let [Some(without), Some(with)] = pair {
            found.pairs.push(Pair { set: item.set, without, with });
        }
        progress.step();
    }
    Ok(found.report(items.len(), price.as_ref()))
}

/// Scores an answer, and returns the judge's verdict if one was needed.
fn score(
    asker: &mut Asker,
    judge: &str,
    item: &EvalItem,
    answered: &LiveAnswer,
) -> Result<(bool, Option<LiveAnswer>), LiveError> {
    if let Some(right) = item.score.score(&answered.text) {
        return Ok((right, None));
    }
    let Score::Judge(references) = &item.score else { return Ok((false, None)) };
    let said = asker.judge(judge, &item.question, references, &answered.text)?;
    let verdict = said.text.trim_start_matches(|c: char| !c.is_alphabetic());
    Ok((verdict.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("yes")), Some(said)))
}

/// What is left to spend.
struct Budget {
    left: Option<f64>,
    /// The highest cost of one arm of a question so far.
    dearest: f64,
}

impl Budget {
    fn spend(&mut self, dollars: f64) {
        self.dearest = self.dearest.max(dollars);
        self.left = self.left.map(|left| left - dollars);
    }

    /// Whether another pair fits the budget if it costs no more than the most expensive so far.
    fn has_room(&self) -> bool {
        self.left.is_none_or(|left| left > 2.0 * self.dearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_before_it_is_overdrawn() {
        let mut budget = Budget { left: Some(1.0), dearest: 0.0 };
        for spent in [0.2, 0.3] {
            assert!(budget.has_room());
            budget.spend(spent);
        }
        assert!(!budget.has_room(), "half is left, and a pair may cost 0.6");
        budget = Budget { left: None, dearest: 9.0 };
        budget.spend(100.0);
        assert!(budget.has_room(), "there is no bound");
    }
}
