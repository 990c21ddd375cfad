//! Facts of tool results that the agent used later.

use std::collections::BTreeMap;

use super::Column;
use crate::{
    replay::{Needle, NeedleFate, Trace},
    report::{Bar, Cell, Plot, Section, Table},
    suite::Suite,
};

/// Upper bounds of the distance, in messages, between a needle and its use.
const DISTANCES: [(u64, &str); 5] =
    [(1, "1"), (4, "2 to 4"), (12, "5 to 12"), (36, "13 to 36"), (u64::MAX, "37 and more")];

pub(super) fn section(
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
                and in what Headroom stored of that request. The distance is in messages."
            .to_owned(),
        data,
        command: suite.command("needles"),
        ..Section::default()
    };
    let total = total(suite, columns, is_recorded);
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

/// Counts the needles of each compressor, and states the goals.
fn total(suite: &mut Suite, columns: &[Column], is_recorded: bool) -> Table {
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
    total
}

/// Counts needles by a property that `of` returns: a sort key and a name.
fn by(
    traces: &[Trace],
    columns: &[Column],
    what: &'static str,
    of: impl Fn(&Needle) -> (String, String),
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
