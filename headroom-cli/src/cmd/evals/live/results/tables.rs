//! The tables of a live evaluation.

use std::collections::BTreeSet;

use headroom_evals::report::{Cell, Table, change};

use super::{Answered, LiveResults, Outcome, Pair, counts};
use crate::{
    cmd::evals::conclusion::{self, Sums},
    ledger::Price,
    usage::Usage,
};

impl LiveResults {
    pub(super) fn tables(&self, price: Option<&Price>) -> Vec<Table> {
        let answered = self.answered();
        let has_logprobs = answered.iter().any(|pair| pair.pair.logprobs.is_some());
        let tables = [
            Some(self.accuracy(&answered)),
            Some(self.usage(&answered, price)),
            has_logprobs.then(|| self.logprobs(&answered)),
            self.unanswered(),
        ];
        tables.into_iter().flatten().collect()
    }

    /// Adds a row for each set of questions, and one for all.
    fn rows(
        &self,
        table: &mut Table,
        answered: &[Answered<'_>],
        row: impl Fn(&str, &[Answered<'_>]) -> Vec<Cell>,
    ) {
        let mut sets: Vec<&str> = Vec::new();
        for pair in &self.pairs {
            if !sets.contains(&pair.set) {
                sets.push(pair.set);
            }
        }
        for set in sets {
            let of_set: Vec<_> = answered.iter().filter(|pair| pair.pair.set == set).copied().collect();
            table.row(row(set, &of_set));
        }
        table.row(row("all", answered));
    }

    fn accuracy(&self, answered: &[Answered<'_>]) -> Table {
        let mut table = Table::new(
            "Right answers",
            &[
                ("set", "set"),
                ("changed", "results changed"),
                ("without", "right without"),
                ("with", "right with"),
                ("lost", "right only without"),
                ("gained", "right only with"),
                ("difference", "difference (95 % interval)"),
                ("p", "p"),
                ("verdict", "verdict"),
            ],
        );
        self.rows(&mut table, answered, |set, pairs| {
            let counts = counts(pairs);
            let (low, high) = counts.interval();
            vec![
                Cell::text(set),
                Cell::ratio(pairs.iter().filter(|pair| pair.pair.is_changed).count(), pairs.len()),
                Cell::Of(counts.both + counts.lost, counts.total()),
                Cell::Of(counts.both + counts.gained, counts.total()),
                Cell::Count(counts.lost),
                Cell::Count(counts.gained),
                Cell::Interval(counts.difference(), low, high),
                Cell::Measure(counts.p_value(), None),
                Cell::text(verdict(low, high, self.margin)),
            ]
        });
        table
    }

    fn usage(&self, answered: &[Answered<'_>], price: Option<&Price>) -> Table {
        let mut table = Table::new(
            "Usage",
            &[
                ("set", "set"),
                ("prompt_without", "prompt tokens without"),
                ("prompt_with", "with"),
                ("prompt", "change"),
                ("output_without", "output tokens without"),
                ("output_with", "with"),
                ("fetched", "times something was retrieved"),
                ("cut_without", "answers cut at the limit without"),
                ("cut_with", "with"),
                ("dollars", "dollars without, with"),
                ("bill", "change (95 % interval)"),
            ],
        );
        self.rows(&mut table, answered, |set, pairs| {
            let counted: Vec<_> = pairs.iter().filter(|pair| pair.has_usage()).collect();
            let sum = |of: fn(&Answered<'_>) -> Usage| {
                counted.iter().fold(Usage::default(), |sum, pair| sum + of(pair))
            };
            let (before, after) = (sum(|pair| pair.without.0.usage), sum(|pair| pair.with.0.usage));
            let cut =
                |of: fn(&Answered<'_>) -> bool| Cell::count(pairs.iter().filter(|pair| of(pair)).count());
            let paid = price.map(|price| counted.iter().map(|pair| pair.dollars(price)).collect::<Vec<_>>());
            let paid = paid.map(|paid| Sums::of(&paid));
            vec![
                Cell::text(set),
                Cell::Count(before.prompt()),
                Cell::Count(after.prompt()),
                Cell::Change(change(before.prompt(), after.prompt())),
                Cell::Count(before.output),
                Cell::Count(after.output),
                Cell::Count(pairs.iter().map(|pair| pair.with.0.calls.saturating_sub(1)).sum()),
                cut(|pair| pair.without.0.is_cut),
                cut(|pair| pair.with.0.is_cut),
                paid.map_or(Cell::None, |paid| Cell::text(format!("{:.4}, {:.4}", paid.without, paid.with))),
                paid.map_or(Cell::None, Sums::cell),
            ]
        });
        table
    }

    fn logprobs(&self, answered: &[Answered<'_>]) -> Table {
        let mut table = Table::new(
            "Log-probability of the reference answer, in nats for a whole answer",
            &[
                ("set", "set"),
                ("answers", "answers"),
                ("without", "mean without"),
                ("with", "mean with"),
                ("difference", "difference (95 % interval)"),
            ],
        );
        self.rows(&mut table, answered, |set, pairs| {
            let each: Vec<(f64, f64)> = pairs.iter().filter_map(|pair| pair.pair.logprobs).collect();
            let mean =
                |of: fn(&(f64, f64)) -> f64| conclusion::mean(&each.iter().map(of).collect::<Vec<_>>());
            let cell =
                |mean: Option<(f64, _)>| mean.map_or(Cell::None, |(mean, _)| Cell::Measure(mean, None));
            let difference = mean(|(without, with)| with - without);
            vec![
                Cell::text(set),
                Cell::count(each.len()),
                cell(mean(|(without, _)| *without)),
                cell(mean(|(_, with)| *with)),
                difference.map_or(Cell::None, |(mean, interval)| Cell::Measure(mean, interval)),
            ]
        });
        table
    }

    /// Counts the answers that are missing, by reason; `None` if there are all.
    fn unanswered(&self) -> Option<Table> {
        let failed =
            |of: fn(&Pair) -> &Outcome| self.pairs.iter().filter_map(move |pair| of(pair).as_ref().err());
        let (without, with) = (failed(|pair| &pair.without), failed(|pair| &pair.with));
        let kinds: BTreeSet<_> = without.chain(with).map(|failure| failure.kind).collect();
        let mut table = Table::new(
            "Questions without an answer, which count neither as right nor as wrong",
            &[("reason", "reason"), ("without", "without Headroom"), ("with", "with")],
        );
        for kind in &kinds {
            let count = |of| Cell::count(failed(of).filter(|failure| failure.kind == *kind).count());
            table.row([Cell::text(kind.to_string()), count(|pair| &pair.without), count(|pair| &pair.with)]);
        }
        (!kinds.is_empty()).then_some(table)
    }
}

pub(super) fn verdict(low: f64, high: f64, margin: f64) -> &'static str {
    let margin = margin / 100.0;
    if low > -margin {
        "not inferior"
    } else if high < -margin {
        "inferior"
    } else {
        "too few questions to tell"
    }
}
