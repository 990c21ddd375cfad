//! Summarises the runs.

use headroom_evals::{
    report::{Cell, Report, Section, Table, thousands},
    stats::PairedCounts,
};

use super::record::AgentRun;
use crate::{
    cmd::evals::conclusion::{self, Sums},
    ledger::as_of,
    output::dollars,
};

/// One task and its two runs.
#[derive(Debug)]
pub(super) struct AgentPair {
    pub(super) without: AgentRun,
    pub(super) with: AgentRun,
}

impl AgentPair {
    fn is_billed(&self) -> bool {
        [&self.without, &self.with].iter().all(|run| run.turns > 0)
    }

    fn is_priced(&self) -> bool {
        self.is_billed() && self.without.unpriced + self.with.unpriced == 0
    }
}

/// Why the run has fewer pairs than tasks, if it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Nothing,
    Budget,
    Stopped,
    Failed,
}

/// Writes the report. `command` reproduces it.
pub(super) fn report(pairs: &[AgentPair], tasks: usize, missing: Missing, command: &str) -> Report {
    let section = Section {
        id: "agents",
        title: "Tasks with and without",
        about: about(tasks - pairs.len(), missing),
        data: format!("{} of {tasks} tasks", pairs.len()),
        command: command.to_owned(),
        conclusions: conclusions(pairs),
        tables: vec![sums(pairs), runs(pairs)],
        ..Section::default()
    };
    Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: command.to_owned(),
        is_live: true,
        sections: vec![section],
        ..Report::default()
    }
}

fn about(left: usize, missing: Missing) -> String {
    let mut about = format!(
        "An agent runs twice on every task: without Headroom and with it, in alternating order, each time in a fresh copy of \
         the task's folder. Its requests go through the proxy both times, which passes them on untouched without Headroom, so \
         that both are billed by the provider's counts at list prices of {}. A task is solved if its check succeeds afterwards. \
         The interval of solved tasks is exact and unconditional: Tango's score statistic (1998), with the highest probability \
         over the shares of pairs that differ which the data allow (Berger and Boos, 1994); p is McNemar's test in its exact form. \
         Intervals of dollars and tokens are bootstrap intervals over tasks. Agents decide by chance, so two runs of one task \
         differ even without a cause: few tasks show large differences only.",
        as_of()
    );
    match missing {
        Missing::Nothing => {}
        Missing::Budget => about.push_str(&format!(" The budget ended before {left} tasks.")),
        Missing::Stopped => about.push_str(&format!(" The run was stopped before {left} tasks.")),
        Missing::Failed => about.push_str(&format!(" The run failed before {left} tasks.")),
    }
    about
}

fn counts(pairs: &[AgentPair]) -> PairedCounts {
    let billed = pairs.iter().filter(|pair| pair.is_billed());
    PairedCounts::from_pairs(billed.map(|pair| (pair.without.is_solved, pair.with.is_solved)))
}

fn conclusions(pairs: &[AgentPair]) -> Vec<String> {
    let mut all = vec![conclusion::outcomes(&counts(pairs), "tasks", "solved")];
    let billed = pairs.iter().filter(|pair| pair.is_billed());
    let priced: Vec<_> = pairs.iter().filter(|pair| pair.is_priced()).collect();
    let unbilled = pairs.len() - billed.clone().count();
    if unbilled > 0 {
        all.push(format!(
            "In {unbilled} tasks the provider answered no request of one run; they are compared with nothing."
        ));
    }
    let unpriced = pairs.len() - unbilled - priced.len();
    if unpriced > 0 {
        all.push(format!(
            "{unpriced} tasks have no dollars: the price of a model is unknown; HEADROOM_PRICES names a table of your own."
        ));
    }
    let paid: Vec<_> = priced.iter().map(|pair| (pair.without.paid, pair.with.paid)).collect();
    all.extend(Sums::of(&paid).conclusion("Billed", dollars));
    let tokens: Vec<_> = billed.map(|pair| (pair.without.prompt as f64, pair.with.prompt as f64)).collect();
    all.extend(Sums::of(&tokens).conclusion("Input tokens", |tokens| thousands(tokens as u64)));
    all
}

fn sums(pairs: &[AgentPair]) -> Table {
    let mut table = Table::new(
        "All tasks",
        &[
            ("solved_without", "solved without"),
            ("solved_with", "solved with"),
            ("lost", "solved only without"),
            ("gained", "solved only with"),
            ("difference", "difference (95 % interval)"),
            ("p", "p"),
            ("paid_without", "dollars without"),
            ("paid_with", "dollars with"),
            ("bill", "change (95 % interval)"),
        ],
    );
    let counts = counts(pairs);
    let (low, high) = counts.interval();
    let priced = pairs.iter().filter(|pair| pair.is_priced());
    let paid: Vec<_> = priced.map(|pair| (pair.without.paid, pair.with.paid)).collect();
    let paid = Sums::of(&paid);
    table.row([
        Cell::Of(counts.both + counts.lost, counts.total()),
        Cell::Of(counts.both + counts.gained, counts.total()),
        Cell::Count(counts.lost),
        Cell::Count(counts.gained),
        Cell::Interval(counts.difference(), low, high),
        Cell::Measure(counts.p_value(), None),
        Cell::Measure(paid.without, None),
        Cell::Measure(paid.with, None),
        paid.cell(),
    ]);
    table
}

fn runs(pairs: &[AgentPair]) -> Table {
    let mut table = Table::new(
        "Runs",
        &[
            ("task", "task"),
            ("headroom", "Headroom"),
            ("solved", "solved"),
            ("ended", "the agent ended"),
            ("paid", "dollars"),
            ("prompt", "prompt tokens"),
            ("cache_read", "of these from the cache"),
            ("output", "output tokens"),
            ("turns", "requests"),
            ("refused", "refused"),
            ("seconds", "seconds"),
        ],
    );
    table.quotes = true;
    for run in pairs.iter().flat_map(|pair| [&pair.without, &pair.with]) {
        let paid = run.turns > 0 && run.unpriced == 0;
        table.row([
            Cell::text(run.task.as_str()),
            Cell::text(if run.with_headroom { "with" } else { "without" }),
            Cell::text(if run.is_solved { "yes" } else { "no" }),
            Cell::text(run.ended()),
            if paid { Cell::Measure(run.paid, None) } else { Cell::None },
            Cell::Count(run.prompt),
            Cell::Count(run.cache_read),
            Cell::Count(run.output),
            Cell::Count(run.turns),
            Cell::Count(run.refused),
            Cell::Measure(run.seconds, None),
        ]);
    }
    table
}
