//! Summarises the answers.

mod tables;

use headroom_evals::{
    report::{Goal, Report, Section, Source, thousands},
    stats::PairedCounts,
};

use super::{LiveAnswer, LiveArgs, RunEnd, failure::Failure};
use crate::{
    cmd::evals::conclusion::{self, Sums},
    ledger::{Price, as_of},
    output::dollars,
};

/// An answer and whether it is right, or why there is none.
pub(super) type Outcome = Result<(LiveAnswer, bool), Failure>;

/// One question and its two answers.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) set: &'static str,
    /// Whether Headroom changed the tool result.
    pub(super) is_changed: bool,
    pub(super) without: Outcome,
    pub(super) with: Outcome,
    /// The log-probabilities of the reference answer, without and with.
    pub(super) logprobs: Option<(f64, f64)>,
}

/// A pair with both answers.
#[derive(Clone, Copy, Debug)]
struct Answered<'a> {
    pair: &'a Pair,
    without: &'a (LiveAnswer, bool),
    with: &'a (LiveAnswer, bool),
}

impl Pair {
    fn answered(&self) -> Option<Answered<'_>> {
        let (without, with) = (self.without.as_ref().ok()?, self.with.as_ref().ok()?);
        Some(Answered { pair: self, without, with })
    }
}

pub(super) struct LiveResults {
    model: String,
    judge: String,
    /// In points of accuracy.
    margin: f64,
    /// The arguments that select the questions and ask for more.
    arguments: String,
    items: usize,
    data: Vec<Source>,
    pub(super) pairs: Vec<Pair>,
    /// Parameters that the server refused.
    pub(super) refused: Vec<&'static str>,
}

impl LiveResults {
    pub(super) fn new(model: &str, judge: &str, args: &LiveArgs, data: Vec<Source>) -> Self {
        let mut arguments = format!(" --items {}", args.items);
        args.set.iter().for_each(|set| arguments.push_str(&format!(" --set {set}")));
        if let Some(tokens) = args.max_item_tokens {
            arguments.push_str(&format!(" --max-item-tokens {tokens}"));
        }
        arguments.push_str(&format!(" --answer-tokens {} --margin {:.1}", args.answer_tokens, args.margin));
        if args.logprobs {
            arguments.push_str(" --logprobs");
        }
        Self {
            model: model.to_owned(),
            judge: judge.to_owned(),
            margin: args.margin,
            arguments,
            items: args.items,
            data,
            pairs: Vec::new(),
            refused: Vec::new(),
        }
    }

    pub(super) fn report(self, questions: usize, end: &RunEnd, price: Option<&Price>) -> Report {
        let section = Section {
            id: "answers",
            title: "Answers with and without",
            about: self.about(questions, end, price.is_some()),
            data: format!(
                "{} of {questions} questions, at most {} of each set",
                self.pairs.len(),
                self.items
            ),
            command: self.command(),
            conclusions: self.conclusions(price),
            tables: self.tables(price),
            failures: self.failures(),
            ..Section::default()
        };
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.command(),
            is_live: true,
            goals: vec![self.goal()],
            data: self.data,
            sections: vec![section],
            timings: None,
        }
    }

    fn answered(&self) -> Vec<Answered<'_>> {
        self.pairs.iter().filter_map(Pair::answered).collect()
    }

    fn goal(&self) -> Goal {
        let counts = counts(&self.answered());
        let (low, _) = counts.interval();
        Goal {
            what: "accuracy with Headroom, all questions".to_owned(),
            target: format!("no more than {:.1} points less, with 97.5 % confidence", self.margin),
            reached: format!("{:+.1} points, at worst {:+.1}", counts.difference() * 100.0, low * 100.0),
            ok: low > -self.margin / 100.0 && counts.total() > 0,
            obstacle: None,
            section: "answers",
        }
    }

    /// Returns the command that does the same again.
    fn command(&self) -> String {
        let judge = if self.judge == self.model { String::new() } else { format!(" --judge {}", self.judge) };
        format!("headroom evals suite --live --data DIR --model {}{judge}{}", self.model, self.arguments)
    }

    fn conclusions(&self, price: Option<&Price>) -> Vec<String> {
        let answered = self.answered();
        let mut all = vec![conclusion::outcomes(&counts(&answered), "questions", "answered right")];
        let changed = answered.iter().filter(|pair| pair.pair.is_changed).count();
        all.push(match changed {
            0 => "Headroom changed none of the tool results, so this run says nothing about it.".to_owned(),
            changed => format!("Headroom changed {changed} of the {} tool results.", answered.len()),
        });
        all.extend(logprob_conclusion(&answered));
        let counted: Vec<_> = answered.iter().filter(|pair| pair.has_usage()).collect();
        if counted.len() < answered.len() {
            all.push(format!("The server reported no usage for {} pairs.", answered.len() - counted.len()));
        }
        let tokens: Vec<_> = counted.iter().map(|pair| pair.prompt_tokens()).collect();
        all.extend(Sums::of(&tokens).conclusion("Input tokens", |tokens| thousands(tokens as u64)));
        if let Some(price) = price {
            let paid: Vec<_> = counted.iter().map(|pair| pair.dollars(price)).collect();
            all.extend(Sums::of(&paid).conclusion("Billed", dollars));
        }
        all
    }

    fn about(&self, questions: usize, end: &RunEnd, has_price: bool) -> String {
        let mut about = format!(
            "Every question is asked twice of `{}`: without Headroom, and with it, where the model can retrieve elided content. \
             Which comes first alternates, and the temperature is 0. \
             Its text is the result of a search call, as with an agent. Answers are scored by exact \
             match; those of TruthfulQA are judged by `{}`. A question without an answer in one of the two is compared with nothing, and \
             counted below. The margin was set before any question was asked: with \
             Headroom at most {:.1} points of accuracy fewer. It holds if the whole 95 % interval \
             lies above that. The interval is exact and unconditional: Tango's score statistic (1998), with the highest probability over \
             the shares of pairs that differ which the data allow (Berger and Boos, 1994); p is McNemar's test in its exact form. \
             Intervals of tokens, dollars and log-probabilities are bootstrap intervals over questions. \
             Tokens are those that the server counted, over all requests \
             for an answer{}.",
            self.model,
            self.judge,
            self.margin,
            if has_price { format!("; dollars are by list prices of {}", as_of()) } else { String::new() },
        );
        if !self.refused.is_empty() {
            about.push_str(&format!(
                " The server took no `{}`, so answers may differ by chance.",
                self.refused.join("`, `")
            ));
        }
        let left = questions - self.pairs.len();
        match end {
            RunEnd::Finished => {}
            RunEnd::Budget => about.push_str(&format!(" The budget ended before {left} questions.")),
            RunEnd::Stopped => about.push_str(&format!(" The run was stopped before {left} questions.")),
            RunEnd::Failed(_) => about.push_str(&format!(" The run failed before {left} questions.")),
        }
        about
    }

    fn failures(&self) -> Vec<String> {
        let lost = self.pairs.iter().filter_map(Pair::answered).filter(|pair| pair.without.1 && !pair.with.1);
        let lost = lost.map(|answered| {
            let answer: String = answered.with.0.text.chars().take(200).collect();
            format!("{}: right without, wrong with: {answer}", answered.pair.set)
        });
        let unanswered = self.pairs.iter().flat_map(|pair| {
            let of = |arm: &'static str, outcome: &Outcome| {
                let failure = outcome.as_ref().err()?;
                Some(format!("{}: no answer {arm}: {}", pair.set, failure.said))
            };
            [of("without", &pair.without), of("with", &pair.with)].into_iter().flatten()
        });
        lost.chain(unanswered).collect()
    }
}

fn counts(answered: &[Answered<'_>]) -> PairedCounts {
    PairedCounts::from_pairs(answered.iter().map(|pair| (pair.without.1, pair.with.1)))
}

/// What the log-probabilities of the reference answers say; `None` if there are none.
fn logprob_conclusion(answered: &[Answered<'_>]) -> Option<String> {
    let differences: Vec<f64> =
        answered.iter().filter_map(|pair| pair.pair.logprobs).map(|(without, with)| with - without).collect();
    let (mean, interval) = conclusion::mean(&differences)?;
    let start = format!(
        "The reference answer is {:.2} times as probable with Headroom (geometric mean of {}; difference of the log-probabilities \
         {mean:+.3}",
        mean.exp(),
        differences.len()
    );
    Some(match interval {
        None => format!("{start}). These are too few for an interval."),
        Some((low, high)) => {
            let verdict = match (low, high) {
                _ if low > 0.0 => "it is more probable with Headroom",
                _ if high < 0.0 => "it is less probable with Headroom",
                _ => "no difference was found",
            };
            format!("{start}, 95 % interval {low:+.3} to {high:+.3}): {verdict}.")
        }
    })
}

impl Answered<'_> {
    fn has_usage(&self) -> bool {
        self.without.0.usage.prompt() > 0 && self.with.0.usage.prompt() > 0
    }

    fn prompt_tokens(&self) -> (f64, f64) {
        (self.without.0.usage.prompt() as f64, self.with.0.usage.prompt() as f64)
    }

    fn dollars(&self, price: &Price) -> (f64, f64) {
        (price.cost(&self.without.0.usage), price.cost(&self.with.0.usage))
    }
}

#[cfg(test)]
mod tests;
