//! The bill of whole conversations, in total, by agent and by conversation.

use super::Column;
use crate::{
    replay::{NeedleFate, Prices, Replayed, Trace},
    report::{Bar, Cell, Plot, Section, Table, change, signed},
    stats,
    suite::Suite,
};

/// What one compressor makes of the bill, at the same prices.
struct Change {
    all: f64,
    /// The bounds of the interval that holds the total of most samples.
    interval: (f64, f64),
    best: f64,
    worst: f64,
}

impl Change {
    fn new(column: &Column, whole: &Column, prices: &Prices) -> Self {
        let bills = column.bills(whole, prices);
        let sum = |picked: &[&(u64, u64)]| {
            let (before, after) = picked.iter().fold((0, 0), |(b, a), bill| (b + bill.0, a + bill.1));
            change(before, after)
        };
        let each = || bills.iter().map(|(before, after)| change(*before, *after));
        Self {
            all: sum(&bills.iter().collect::<Vec<_>>()),
            interval: stats::interval(&bills, sum),
            best: each().min_by(f64::total_cmp).unwrap_or_default(),
            worst: each().max_by(f64::total_cmp).unwrap_or_default(),
        }
    }
}

/// What a column's requests have in common with the ones before them.
struct Kept {
    /// Turns with their prefix kept, and all turns.
    turns: (usize, usize),
    /// The part of the tokens that was read from the cache.
    cached: f64,
    failed: usize,
}

impl Kept {
    fn new(column: &Column) -> Self {
        let sum = |of: fn(&Replayed) -> usize| column.of.iter().map(of).sum();
        let sent = column.of.iter().map(|replayed| replayed.bill.sent());
        let (same, tokens) = sent.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        Self {
            turns: (sum(|replayed| replayed.bill.kept()), sum(|replayed| replayed.bill.turns())),
            cached: same as f64 / tokens.max(1) as f64,
            failed: sum(|replayed| replayed.failed.as_ref().map_or(0, |(turns, _)| *turns)),
        }
    }
}

pub(super) fn section(
    suite: &mut Suite,
    traces: &[Trace],
    columns: &[Column],
    data: &str,
    is_recorded: bool,
) -> Section {
    let mut section = empty(suite, data);
    let Some((whole, others)) = columns.split_first() else { return section };
    let mut total = Table::new(
        "All conversations",
        &[
            ("prices", "prices"),
            ("compressor", "compressor"),
            ("bill", "bill (95 % interval)"),
            ("best", "best conversation"),
            ("worst", "worst conversation"),
            ("cached", "read from the cache"),
            ("prefix", "turns with their prefix kept"),
            ("failed", "failed turns"),
        ],
    );
    for prices in Prices::ALL {
        let mut plot = Plot { title: format!("Change of the bill, {}", prices.name), bars: Vec::new() };
        for column in others {
            let change = Change::new(column, whole, &prices);
            let (low, high) = change.interval;
            let kept = Kept::new(column);
            total.row([
                Cell::text(prices.name),
                Cell::text(&column.name),
                Cell::Interval(change.all, low, high),
                Cell::Change(change.best),
                Cell::Change(change.worst),
                Cell::Share(kept.cached),
                Cell::ratio(kept.turns.0, kept.turns.1),
                Cell::count(kept.failed),
            ]);
            plot.bars.push(Bar {
                label: column.name.clone(),
                value: change.all,
                interval: Some(change.interval),
                other: !column.is_own,
            });
            if column.is_own && prices == Prices::ANTHROPIC {
                goals(suite, &change, &kept, is_recorded);
            }
        }
        section.plots.push(plot);
    }
    section.tables = vec![total, agents(traces, whole, others), each(traces, whole, others)];
    for column in others {
        for (trace, replayed) in traces.iter().zip(&column.of) {
            if let Some((turns, what)) = &replayed.failed {
                section.failures.push(format!("{}: {} of {}: {what}", column.name, turns, trace.name));
            }
        }
    }
    section
}

/// Returns the section without its tables.
fn empty(suite: &Suite, data: &str) -> Section {
    Section {
        id: "bill",
        title: "The bill of whole conversations",
        about: format!(
            "Every turn of a conversation is sent again, at most {} turns of each. A block of the prompt is read from \
             the provider's cache where it and all blocks before it are those of the request before, else it is \
             written. Prices, in prices of an input token: Anthropic writes 1.25 (entries of an hour 2), reads 0.1, no minimum; \
             OpenAI writes 1, reads 0.1 in steps of 128 tokens from 1,024 on; Gemini writes 1, reads 0.1 from 2,048 \
             on, storage not counted. A prompt that shrinks below the least that is cached is not cached, which makes short conversations dearer; \
             recordings lack the instructions that make real prompts longer. Every turn is taken to come while the entry lives. What the model writes is not \
             counted: it is the same. The cost of the definition of `headroom_retrieve` is in it; calls of it are \
             not, since no model runs here. The interval holds the total of 95 of 100 samples of as many \
             conversations, drawn with replacement. Masking shows the newest {} results only; truncation shows {} \
             characters of each result.",
            suite.options.turns, suite.options.masking, suite.options.truncation
        ),
        data: data.to_owned(),
        command: suite.command("bill"),
        ..Section::default()
    }
}

fn goals(suite: &mut Suite, change: &Change, kept: &Kept, is_recorded: bool) {
    let Change { all, worst, .. } = *change;
    if is_recorded {
        suite.goal(
            "bill",
            "bill of all conversations (write 1.25, read 0.1)",
            "-25.0 % or less",
            signed(all),
            all <= -0.25,
        );
    }
    suite.goal("bill", "bill of the worst conversation", "0.0 % or less", signed(worst), worst <= 0.0);
    let (same, turns) = kept.turns;
    suite.goal(
        "bill",
        "turns in which everything sent before stands where it stood",
        "all",
        format!("{same}/{turns}"),
        same == turns,
    );
}

/// Prices by agent, at Anthropic's rates.
fn agents(traces: &[Trace], whole: &Column, others: &[Column]) -> Table {
    let mut table = Table::new(
        format!("By agent, at the prices of {}", Prices::ANTHROPIC.name),
        &[
            ("agent", "agent"),
            ("conversations", "conversations"),
            ("compressor", "compressor"),
            ("tokens", "tokens of the last request"),
            ("bill", "bill"),
            ("worst", "worst conversation"),
        ],
    );
    let mut names: Vec<&str> = traces.iter().map(|trace| trace.agent).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        for column in others {
            let mut sums = [0_u64; 4];
            let (mut worst, mut count) = (f64::MIN, 0);
            let members =
                traces.iter().zip(whole.of.iter().zip(&column.of)).filter(|(trace, _)| trace.agent == name);
            for (_, (before, after)) in members {
                let now = [
                    before.bill.tokens(),
                    after.bill.tokens(),
                    before.bill.price(&Prices::ANTHROPIC),
                    after.bill.price(&Prices::ANTHROPIC),
                ];
                worst = worst.max(change(now[2], now[3]));
                count += 1;
                sums.iter_mut().zip(now).for_each(|(sum, now)| *sum += now);
            }
            table.row([
                Cell::text(name),
                Cell::count(count),
                Cell::text(&column.name),
                Cell::change(sums[0], sums[1]),
                Cell::change(sums[2], sums[3]),
                Cell::Change(worst),
            ]);
        }
    }
    table
}

/// Prices by conversation.
fn each(traces: &[Trace], whole: &Column, others: &[Column]) -> Table {
    let mut table = Table::new(
        "Conversation by conversation",
        &[
            ("conversation", "conversation"),
            ("turns", "turns"),
            ("compressor", "compressor"),
            ("tokens_before", "tokens of the last request"),
            ("tokens_after", "sent"),
            ("anthropic", "bill, Anthropic 5 m"),
            ("anthropic_hour", "1 h"),
            ("openai", "OpenAI"),
            ("gemini", "Gemini"),
            ("visible", "used facts visible"),
        ],
    );
    table.quotes = true;
    for (n, trace) in traces.iter().enumerate() {
        for column in others {
            let (Some(before), Some(after)) = (whole.of.get(n), column.of.get(n)) else { continue };
            let seen = after.needles.iter().filter(|(_, found)| *found == NeedleFate::Visible).count();
            let bills =
                Prices::ALL.map(|prices| Cell::change(before.bill.price(&prices), after.bill.price(&prices)));
            let head = [
                Cell::text(&trace.name),
                Cell::count(after.bill.turns()),
                Cell::text(&column.name),
                Cell::Count(before.bill.tokens()),
                Cell::Count(after.bill.tokens()),
            ];
            table.row(head.into_iter().chain(bills).chain([Cell::ratio(seen, after.needles.len())]));
        }
    }
    table
}
