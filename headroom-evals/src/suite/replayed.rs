//! Measures whole conversations: their price, and whether facts that were used later were visible.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{EvalError, Progress, Suite};
use crate::{
    Compressor,
    compressor::{Masking, Truncation, Whole},
    replay::{NeedleFate, Prices, Replayed, Tokens, Trace, made, replay},
    report::{Bar, Cell, Plot, Section, Table, change, signed},
    stats,
};

/// Upper bounds of the distance, in messages, between a needle and its use.
const DISTANCES: [(u64, &str); 5] =
    [(1, "1"), (4, "2 to 4"), (12, "5 to 12"), (36, "13 to 36"), (u64::MAX, "37 and more")];

/// All conversations replayed through one compressor.
struct Column {
    name: String,
    is_own: bool,
    of: Vec<Replayed>,
}

impl Column {
    /// The price before and after, for each conversation.
    fn bills(&self, whole: &Self, prices: &Prices) -> Vec<(u64, u64)> {
        let pair =
            |(before, after): (&Replayed, &Replayed)| (before.bill.price(prices), after.bill.price(prices));
        whole.of.iter().zip(&self.of).map(pair).collect()
    }

    fn found(&self) -> (usize, usize, usize) {
        let all = self.of.iter().flat_map(|replayed| &replayed.needles);
        all.fold((0, 0, 0), |(seen, aside, all), (_, found)| {
            (
                seen + usize::from(*found == NeedleFate::Visible),
                aside + usize::from(*found == NeedleFate::Aside),
                all + 1,
            )
        })
    }
}

pub(super) fn run(suite: &mut Suite, progress: &dyn Progress) -> Result<[Section; 2], EvalError> {
    let needles = suite.data.json("corpora", "needles.json")?.unwrap_or(Value::Null);
    let files = suite.data.files("corpora/agent-traces")?;
    let recorded: Vec<Trace> = files.iter().filter_map(|file| Trace::read(file, &needles)).collect();
    // Only recorded conversations have goals for their numbers; goals that hold for every conversation always count.
    let is_recorded = !recorded.is_empty();
    let (traces, data) = if recorded.is_empty() {
        (made(), "four conversations that are made here".to_owned())
    } else {
        let count = recorded.len();
        (recorded, format!("`corpora/agent-traces`, {count} recorded conversations of agents"))
    };
    let traces = suite.sample(traces, 4);
    let mut whole = Whole;
    let (mut masking, mut truncation) =
        (Masking::new(suite.options.masking), Truncation::new(suite.options.truncation / 2));
    let turns = suite.options.turns;
    let mut columns: Vec<Column> = Vec::new();
    {
        let mut all: Vec<&mut dyn Compressor> = vec![&mut whole];
        all.extend(suite.compressors.iter_mut().map(|compressor| &mut **compressor as &mut dyn Compressor));
        all.extend([&mut masking as &mut dyn Compressor, &mut truncation]);
        columns.extend(all.iter().map(|compressor| Column {
            name: compressor.name().to_owned(),
            is_own: compressor.is_own(),
            of: Vec::new(),
        }));
        progress.begin("conversations", traces.len());
        for trace in &traces {
            let mut tokens = Tokens::default();
            for (compressor, column) in all.iter_mut().zip(&mut columns) {
                column.of.push(replay(trace, &mut **compressor, &mut tokens, turns));
            }
            progress.step();
        }
    }
    let bill = bill(suite, &traces, &columns, &data, is_recorded);
    let needles = later(suite, &traces, &columns, data, is_recorded);
    Ok([bill, needles])
}

fn bill(suite: &mut Suite, traces: &[Trace], columns: &[Column], data: &str, is_recorded: bool) -> Section {
    let mut section = Section {
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
    };
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
            let bills = column.bills(whole, &prices);
            let sum = |picked: &[&(u64, u64)]| {
                let (before, after) = picked.iter().fold((0, 0), |(b, a), bill| (b + bill.0, a + bill.1));
                change(before, after)
            };
            let all = sum(&bills.iter().collect::<Vec<_>>());
            let (low, high) = stats::interval(&bills, sum);
            let each: Vec<f64> = bills.iter().map(|(before, after)| change(*before, *after)).collect();
            let (best, worst) = (least(&each), most(&each));
            let kept: usize = column.of.iter().map(|replayed| replayed.bill.kept()).sum();
            let turns: usize = column.of.iter().map(|replayed| replayed.bill.turns()).sum();
            let (same, tokens) = column
                .of
                .iter()
                .map(|replayed| replayed.bill.sent())
                .fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
            let failed: usize = column
                .of
                .iter()
                .filter_map(|replayed| replayed.failed.as_ref())
                .map(|(turns, _)| turns)
                .sum();
            total.row([
                Cell::text(prices.name),
                Cell::text(&column.name),
                Cell::Interval(all, low, high),
                Cell::Change(best),
                Cell::Change(worst),
                Cell::Share(same as f64 / tokens.max(1) as f64),
                Cell::ratio(kept, turns),
                Cell::count(failed),
            ]);
            plot.bars.push(Bar {
                label: column.name.clone(),
                value: all,
                interval: Some((low, high)),
                other: !column.is_own,
            });
            if column.is_own && prices == Prices::ANTHROPIC {
                if is_recorded {
                    suite.goal(
                        "bill",
                        "bill of all conversations (write 1.25, read 0.1)",
                        "-25.0 % or less",
                        signed(all),
                        all <= -0.25,
                    );
                }
                suite.goal(
                    "bill",
                    "bill of the worst conversation",
                    "0.0 % or less",
                    signed(worst),
                    worst <= 0.0,
                );
                suite.goal(
                    "bill",
                    "turns in which everything sent before stands where it stood",
                    "all",
                    format!("{kept}/{turns}"),
                    kept == turns,
                );
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

fn later(
    suite: &mut Suite,
    traces: &[Trace],
    columns: &[Column],
    data: String,
    is_recorded: bool,
) -> Section {
    let mut section = Section {
        id: "needles",
        title: "Facts that the agent used later",
        about: "Texts of one tool result that a later message of the model used word for word, and that stand in no \
                other message before it. Visible: in the request of the turn that used it. Retrievable: not visible, \
                and in what Headroom set aside of that request. The distance is in messages."
            .to_owned(),
        data,
        command: suite.command("needles"),
        ..Section::default()
    };
    let mut total = Table::new(
        "All",
        &[
            ("compressor", "compressor"),
            ("visible", "visible"),
            ("share", "share"),
            ("retrievable", "retrievable"),
            ("lost", "lost"),
        ],
    );
    for column in columns {
        let (seen, aside, all) = column.found();
        total.row([
            Cell::text(&column.name),
            Cell::ratio(seen, all),
            Cell::Share(seen as f64 / all.max(1) as f64),
            Cell::count(aside),
            Cell::count(all - seen - aside),
        ]);
        if column.is_own {
            let share = format!("{seen}/{all} ({:.1} %)", 100.0 * seen as f64 / all.max(1) as f64);
            if is_recorded {
                suite.goal(
                    "needles",
                    "facts that the agent used later, visible",
                    "99.0 % or more",
                    share,
                    seen * 100 >= all * 99 && all > 0,
                );
            }
            let lost = all - seen - aside;
            suite.goal("needles", "facts neither visible nor retrievable", "0", lost.to_string(), lost == 0);
        }
    }
    let tool = by(traces, columns, "tool", |needle| (needle.tool.clone(), needle.tool.clone()));
    let distance = by(traces, columns, "distance", |needle| {
        let place = DISTANCES.iter().position(|(end, _)| needle.distance <= *end).unwrap_or_default();
        let name = DISTANCES.get(place).map_or("", |(_, name)| *name);
        (place.to_string(), name.to_owned())
    });
    section.tables = vec![total, tool, distance];
    section.plots.push(Plot {
        title: "Facts used later that are visible".to_owned(),
        bars: columns
            .iter()
            .map(|column| {
                let (seen, _, all) = column.found();
                let value = seen as f64 / all.max(1) as f64;
                Bar { label: column.name.clone(), value, interval: None, other: !column.is_own }
            })
            .collect(),
    });
    for column in columns.iter().filter(|column| column.is_own) {
        for (trace, replayed) in traces.iter().zip(&column.of) {
            for (n, found) in replayed.needles.iter().filter(|(_, found)| *found != NeedleFate::Visible) {
                let Some(needle) = trace.needles.get(*n) else { continue };
                let how = if *found == NeedleFate::Aside { "retrievable" } else { "lost" };
                section.failures.push(format!(
                    "{how}: {} of {}, message {}: {}",
                    needle.tool, trace.name, needle.used, needle.text
                ));
            }
        }
    }
    section
}

/// Counts needles by a property that `of` returns: a sort key and a name.
fn by(
    traces: &[Trace],
    columns: &[Column],
    what: &'static str,
    of: impl Fn(&crate::replay::Needle) -> (String, String),
) -> Table {
    let mut columns_of = vec![(what, what)];
    // The keys of a table are fixed, so the compressor is named in a cell.
    columns_of.extend([("compressor", "compressor"), ("visible", "visible"), ("retrievable", "retrievable")]);
    let mut table = Table::new(format!("By {what}"), &columns_of);
    let mut sums: BTreeMap<(String, usize), (String, usize, usize, usize)> = BTreeMap::new();
    for (at, column) in columns.iter().enumerate() {
        for (trace, replayed) in traces.iter().zip(&column.of) {
            for (n, found) in &replayed.needles {
                let Some(needle) = trace.needles.get(*n) else { continue };
                let (key, name) = of(needle);
                let sum = sums.entry((key, at)).or_insert((name, 0, 0, 0));
                sum.1 += usize::from(*found == NeedleFate::Visible);
                sum.2 += usize::from(*found == NeedleFate::Aside);
                sum.3 += 1;
            }
        }
    }
    for ((_, at), (name, seen, aside, all)) in sums {
        let Some(column) = columns.get(at) else { continue };
        table.row([Cell::text(name), Cell::text(&column.name), Cell::ratio(seen, all), Cell::count(aside)]);
    }
    table
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().min_by(f64::total_cmp).unwrap_or_default()
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().max_by(f64::total_cmp).unwrap_or_default()
}
