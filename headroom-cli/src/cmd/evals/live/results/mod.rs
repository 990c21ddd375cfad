//! Summarises the answers.

use headroom_evals::{
    report::{Cell, Goal, Report, Section, Source, Table, change, signed},
    stats,
};

use super::{LiveAnswer, LiveArgs};
use crate::{
    ledger::{Price, as_of},
    usage::Usage,
};

/// One question and its two answers, with scores.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) set: &'static str,
    pub(super) without: (LiveAnswer, bool),
    pub(super) with: (LiveAnswer, bool),
}

pub(super) struct LiveResults {
    model: String,
    judge: String,
    /// In points of accuracy.
    margin: f64,
    items: usize,
    data: Vec<Source>,
    pub(super) pairs: Vec<Pair>,
    /// Whether the budget ended the run.
    pub(super) stopped: bool,
}

impl LiveResults {
    pub(super) fn new(model: &str, judge: &str, args: &LiveArgs, data: Vec<Source>) -> Self {
        Self {
            model: model.to_owned(),
            judge: judge.to_owned(),
            margin: args.margin,
            items: args.items,
            data,
            pairs: Vec::new(),
            stopped: false,
        }
    }

    pub(super) fn report(self, asked: usize, price: Option<&Price>) -> Report {
        let left_out = asked - self.pairs.len();
        let section = Section {
            id: "answers",
            title: "Answers with and without",
            about: self.about(left_out, price.is_some()),
            data: format!("{} questions, at most {} of each set", self.pairs.len(), self.items),
            command: self.command(),
            tables: vec![self.table(price)],
            failures: self.failures(),
            ..Section::default()
        };
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.command(),
            goals: vec![self.goal()],
            data: self.data,
            sections: vec![section],
            timings: None,
        }
    }

    /// Returns a row for each set of questions, and one for all.
    fn table(&self, price: Option<&Price>) -> Table {
        let mut sets: Vec<&str> = Vec::new();
        for pair in &self.pairs {
            if !sets.contains(&pair.set) {
                sets.push(pair.set);
            }
        }
        let mut table = Table::new(
            "",
            &[
                ("set", "set"),
                ("without", "right without"),
                ("with", "right with"),
                ("difference", "difference (95 % interval)"),
                ("verdict", "verdict"),
                ("prompt_without", "prompt tokens without"),
                ("prompt_with", "with"),
                ("prompt", "change"),
                ("fetched", "times something was retrieved"),
                ("dollars", "dollars without, with"),
            ],
        );
        for set in sets {
            let pairs: Vec<&Pair> = self.pairs.iter().filter(|pair| pair.set == set).collect();
            table.row(row(set, &pairs, self.margin, price));
        }
        table.row(row("all", &self.pairs.iter().collect::<Vec<_>>(), self.margin, price));
        table
    }

    fn goal(&self) -> Goal {
        let (difference, low, _) = difference(&self.pairs.iter().collect::<Vec<_>>());
        Goal {
            what: "accuracy with Headroom, all questions".to_owned(),
            target: format!("no more than {:.1} points less, with 97.5 % confidence", self.margin),
            reached: format!("{}, at worst {}", signed(difference), signed(low)),
            ok: low > -self.margin / 100.0 && !self.pairs.is_empty(),
            obstacle: None,
            section: "answers",
        }
    }

    /// Returns the command that does the same again.
    fn command(&self) -> String {
        let mut command = format!("headroom evals suite --live --data DIR --model {}", self.model);
        if self.judge != self.model {
            command.push_str(&format!(" --judge {}", self.judge));
        }
        command.push_str(&format!(" --items {} --margin {:.1}", self.items, self.margin));
        command
    }

    fn about(&self, left_out: usize, has_price: bool) -> String {
        format!(
            "Every question is asked twice of `{}`: without Headroom, and with it, where the model can retrieve elided content. \
             Its text is the result of a search call, as with an agent. Answers are scored by exact \
             match; those of TruthfulQA are judged by `{}`. The margin was set before any question was asked: with \
             Headroom at most {:.1} points of accuracy fewer. It holds if the whole 95 % bootstrap interval \
             lies above that. Tokens are those that the server counted, over all requests \
             for an answer{}.{}",
            self.model,
            self.judge,
            self.margin,
            if has_price { format!("; dollars are by list prices of {}", as_of()) } else { String::new() },
            if self.stopped {
                format!(" The budget ended before {left_out} questions.")
            } else {
                String::new()
            },
        )
    }

    fn failures(&self) -> Vec<String> {
        let lost = self.pairs.iter().filter(|pair| pair.without.1 && !pair.with.1);
        lost.map(|pair| {
            let answer: String = pair.with.0.text.chars().take(200).collect();
            format!("{}: right without, wrong with: {answer}", pair.set)
        })
        .collect()
    }
}

fn row(name: &str, pairs: &[&Pair], margin: f64, price: Option<&Price>) -> [Cell; 10] {
    let (difference, low, high) = difference(pairs);
    let right = |of: fn(&Pair) -> bool| pairs.iter().filter(|pair| of(pair)).count();
    let usage = |of: fn(&Pair) -> &LiveAnswer| {
        pairs.iter().map(|pair| of(pair).usage).fold(Usage::default(), |sum, usage| sum + usage)
    };
    let (before, after) = (usage(|pair| &pair.without.0), usage(|pair| &pair.with.0));
    let fetched: u64 = pairs.iter().map(|pair| pair.with.0.calls.saturating_sub(1)).sum();
    let dollars = price.map_or(Cell::None, |price| {
        Cell::text(format!("{:.4}, {:.4}", price.cost(&before), price.cost(&after)))
    });
    [
        Cell::text(name),
        Cell::ratio(right(|pair| pair.without.1), pairs.len()),
        Cell::ratio(right(|pair| pair.with.1), pairs.len()),
        Cell::Interval(difference, low, high),
        Cell::text(verdict(low, high, margin)),
        Cell::Count(before.prompt()),
        Cell::Count(after.prompt()),
        Cell::Change(change(before.prompt(), after.prompt())),
        Cell::Count(fetched),
        dollars,
    ]
}

/// Returns how much more often answers are right with Headroom, with its interval.
fn difference(pairs: &[&Pair]) -> (f64, f64, f64) {
    let each: Vec<f64> = pairs
        .iter()
        .map(|pair| f64::from(u8::from(pair.with.1)) - f64::from(u8::from(pair.without.1)))
        .collect();
    let mean = |picked: &[&f64]| picked.iter().copied().sum::<f64>() / picked.len().max(1) as f64;
    let (low, high) = stats::interval(&each, mean);
    (mean(&each.iter().collect::<Vec<_>>()), low, high)
}

fn verdict(low: f64, high: f64, margin: f64) -> &'static str {
    let margin = margin / 100.0;
    if low > -margin {
        "not inferior"
    } else if high < -margin {
        "inferior"
    } else {
        "too few questions to tell"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(both: usize, lost: usize) -> Vec<Pair> {
        let one = |with| Pair {
            set: "s",
            without: (LiveAnswer::default(), true),
            with: (LiveAnswer::default(), with),
        };
        (0..both).map(|_| one(true)).chain((0..lost).map(|_| one(false))).collect()
    }

    #[test]
    fn a_margin_holds_only_where_all_of_the_interval_does() {
        for (both, lost, expected) in [
            (100, 0, "not inferior"),
            (1_000, 5, "not inferior"),
            (48, 2, "too few questions to tell"),
            (10, 40, "inferior"),
        ] {
            let pairs = pairs(both, lost);
            let (_, low, high) = difference(&pairs.iter().collect::<Vec<_>>());
            assert_eq!(verdict(low, high, 2.0), expected, "{both} {lost}: {low} {high}");
        }
    }
}
