//! Finds, in columns of numbers, rows that rank highest and rows where a series changes.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use super::{
    Rows,
    profile::{Alike, ColumnProfile, Profile, ValueClass},
};
use crate::{
    relevance::{
        Query,
        features::{LineFeatures, hash},
        outliers::{at as number_at, middle},
    },
    tuning::tuning,
};

/// Words in column names that indicate a ranking.
const RANKS: [&str; 48] = [
    "amount",
    "bytes",
    "comments",
    "cost",
    "count",
    "cpu",
    "cvss",
    "downloads",
    "duration",
    "elapsed",
    "errors",
    "failures",
    "forks",
    "frequency",
    "hits",
    "importance",
    "impressions",
    "latency",
    "likes",
    "matches",
    "memory",
    "ms",
    "occurrences",
    "points",
    "price",
    "priority",
    "rank",
    "rating",
    "reactions",
    "relevance",
    "replies",
    "retries",
    "revenue",
    "risk",
    "sales",
    "score",
    "seconds",
    "severity",
    "shares",
    "similarity",
    "stars",
    "total",
    "upvotes",
    "usage",
    "views",
    "votes",
    "weight",
    "size",
];
/// Those of [`RANKS`] by which results are usually ranked: their highest rows stay even if the question does not ask.
const RESULTS: [&str; 15] = [
    "comments",
    "cvss",
    "importance",
    "likes",
    "points",
    "priority",
    "rank",
    "relevance",
    "risk",
    "score",
    "severity",
    "similarity",
    "stars",
    "upvotes",
    "votes",
];
/// Words that ask for an end of a ranking.
const MOST: [&str; 17] = [
    "biggest",
    "expensive",
    "greatest",
    "heaviest",
    "highest",
    "largest",
    "longest",
    "max",
    "maximum",
    "most",
    "peak",
    "slow",
    "slowest",
    "top",
    "worst",
    "best",
    "priority",
];
const LEAST: [&str; 11] = [
    "cheapest", "fastest", "fewest", "least", "lowest", "min", "minimum", "shortest", "smallest", "lightest",
    "weakest",
];
/// Words that ask for an end of a time series.
const LAST: [&str; 6] = ["latest", "newest", "recent", "recently", "earliest", "oldest"];

/// Returns the numbers in texts of the same shape, one list per position.
pub(super) fn in_texts(rows: &Rows<'_>, profile: &Profile) -> Vec<Vec<(f32, u32)>> {
    let mut found: Vec<Vec<(f32, u32)>> = Vec::new();
    // For each class of each column, its first list and its number of lists.
    let lists: Vec<Vec<(usize, usize)>> = profile
        .columns
        .iter()
        .map(|column| {
            let list = |class: &ValueClass| {
                let enough =
                    column.alike == Alike::Shape && class.count as usize >= tuning().relevance.min_values;
                let places = if enough {
                    numbers(&rows.doc.slice(class.node)).take(tuning().json_rows.max_places).count()
                } else {
                    0
                };
                found.resize_with(found.len() + places, Vec::new);
                (found.len() - places, places)
            };
            column.classes.iter().map(list).collect()
        })
        .collect();
    if found.is_empty() {
        return found;
    }
    for (row, cells) in (0_u32..).zip(profile.rows(rows.grid)) {
        for cell in cells {
            let list = cell.class.and_then(|class| lists.get(cell.column)?.get(class).copied());
            let Some((first, places)) = list.filter(|(_, places)| *places > 0) else { continue };
            let lists = found.get_mut(first..first + places).unwrap_or_default();
            for (number, list) in numbers(&rows.doc.slice(cell.node)).zip(lists) {
                list.push((number, row));
            }
        }
    }
    found
}

/// Returns the numbers in a text, except those in names, dates and the like.
fn numbers(text: &str) -> impl Iterator<Item = f32> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(u8::is_ascii_alphanumeric)?;
            let rest = bytes.get(start..)?;
            at = start + rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if let Some(number) = number_at(bytes, start, at) {
                return Some(number);
            }
        }
    })
}

/// Whether the values of a column are HTTP status codes.
pub(super) fn is_status<'a>(values: impl Iterator<Item = &'a str>) -> bool {
    let mut usual = false;
    let is_code = |value: &str| {
        let code = value.trim_matches('"');
        usual |= matches!(code, "200" | "201" | "204" | "302" | "304");
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        code.len() == 3 && code.starts_with(['1', '2', '3', '4', '5']) && digits
    };
    values.map(is_code).fold(true, |all, code| all & code) && usual
}

/// Splits a column's name into words.
fn words(name: &str) -> Vec<u32> {
    LineFeatures::tokens_of(name)
}

fn is_any(words: &[u32], list: &[&str]) -> bool {
    list.iter().any(|word| words.contains(&hash(word)))
}

fn can_rank(column: &ColumnProfile) -> bool {
    column.is_numeric() && (column.classes.is_empty() || column.classes.len() > 2)
}

/// Returns the columns whose names indicate a ranking, those that the question names first.
fn rankings<'p>(
    rows: &Rows<'_>,
    profile: &'p Profile,
    asked: &[u32],
    list: &[&str],
) -> Vec<&'p ColumnProfile> {
    let mut named = Vec::new();
    let mut usual = Vec::new();
    for (name, column) in rows.grid.names.iter().zip(&profile.columns) {
        if !can_rank(column) {
            continue;
        }
        let words = words(name);
        if words.iter().any(|word| asked.contains(word)) {
            named.push(column);
        } else if is_any(&words, list) {
            usual.push(column);
        }
    }
    named.extend(usual);
    named.truncate(tuning().json_rows.max_rankings);
    named
}

/// Sorts rows by the first ranking column, the highest first.
pub(super) fn ranked(rows: &Rows<'_>, profile: &Profile, group: &[usize]) -> Vec<usize> {
    let Some(column) = rankings(rows, profile, &[], &RESULTS).into_iter().next() else {
        return group.to_vec();
    };
    let mut values: Vec<(f32, usize)> = column
        .numbers
        .iter()
        .filter(|(_, row)| group.binary_search(&(*row as usize)).is_ok())
        .map(|(number, row)| (*number, *row as usize))
        .collect();
    values.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    values.into_iter().map(|(_, row)| row).collect()
}

/// Returns the rows at the ends of rankings that matter by their names or that the question asks for.
pub(super) fn highest(rows: &Rows<'_>, profile: &Profile, query: &Query<'_>) -> Vec<usize> {
    let asked = query.question.map(LineFeatures::tokens_of).unwrap_or_default();
    let (most, least) = (is_any(&asked, &MOST), is_any(&asked, &LEAST));
    let list: &[&str] = if most || least { &RANKS } else { &RESULTS };
    let mut found = Vec::new();
    for column in rankings(rows, profile, &asked, list) {
        // If rows are sorted by the ranking, the first rows already show its end.
        if !(most || least) && column.is_sequence() {
            continue;
        }
        let mut values = column.numbers.clone();
        let highest = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        found.extend(first(&mut values, tuning().json_rows.ranked_rows, highest));
        if least {
            found.extend(first(&mut values, tuning().json_rows.ranked_rows, |a, b| highest(b, a)));
        }
    }
    if is_any(&asked, &LAST) {
        found.extend(times(rows));
    }
    found
}

/// Returns the rows of the first `most` values in this order.
fn first(
    values: &mut [(f32, u32)],
    most: usize,
    order: impl Fn(&(f32, u32), &(f32, u32)) -> Ordering,
) -> impl Iterator<Item = usize> {
    if values.len() > most {
        values.select_nth_unstable_by(most, &order);
    }
    let end = most.min(values.len());
    let first = values.get_mut(..end).unwrap_or_default();
    first.sort_unstable_by(order);
    first.iter().map(|(_, row)| *row as usize)
}

/// Returns the first and last rows by date.
fn times(rows: &Rows<'_>) -> Vec<usize> {
    let is_date = |text: &str| {
        let digits =
            |range| text.as_bytes().get(range).is_some_and(|part: &[u8]| part.iter().all(u8::is_ascii_digit));
        digits(1..5) && text.as_bytes().get(5) == Some(&b'-') && digits(6..8)
    };
    let mut columns: FxHashMap<u32, Vec<(&str, usize)>> = FxHashMap::default();
    for (row, cells) in rows.grid.rows().enumerate() {
        for (column, node) in cells {
            let text = rows.doc.lexeme(*node);
            if is_date(text) {
                columns.entry(*column).or_default().push((text, row));
            }
        }
    }
    let mut columns: Vec<_> = columns.into_iter().filter(|(_, dates)| dates.len() * 2 > rows.count).collect();
    columns.sort_unstable_by_key(|(column, _)| *column);
    let mut found = Vec::new();
    for (_, mut dates) in columns.into_iter().take(tuning().json_rows.max_rankings) {
        dates.sort_unstable();
        found.extend(
            dates
                .iter()
                .take(2)
                .chain(dates.iter().rev().take(tuning().json_rows.ranked_rows))
                .map(|(_, row)| *row),
        );
    }
    found
}

/// Returns the rows where the level of a series changes permanently.
pub(super) fn changes(rows: usize, profile: &Profile) -> Vec<usize> {
    let numbers = &tuning().json_rows;
    let window = (rows / numbers.rows_per_window).clamp(numbers.min_window, numbers.max_window);
    let mut found: Vec<(f32, usize)> = Vec::new();
    for column in &profile.columns {
        let whole = column.numbers.len() == rows;
        if !whole || !column.is_numeric() || column.is_sequence() {
            continue;
        }
        let levels: Vec<(f32, f32)> = column.numbers.chunks_exact(window).map(level).collect();
        for (n, pair) in levels.windows(2).enumerate() {
            let [(before, noise), (after, other)] = pair else { continue };
            let noise = noise.max(*other).max(before.abs().min(after.abs()) * numbers.min_noise);
            let jump = (after - before).abs();
            if jump > noise * numbers.min_jump && jump > 0.0 {
                found.push((
                    jump / noise.max(f32::MIN_POSITIVE),
                    edge(&column.numbers, n * window, window, *before, *after),
                ));
            }
        }
    }
    if found.len() > tuning().json_rows.max_changes * 2 {
        return Vec::new();
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.truncate(tuning().json_rows.max_changes);
    found.into_iter().flat_map(|(_, row)| [row.saturating_sub(1), row]).collect()
}

/// Returns the median and the median deviation.
fn level(values: &[(f32, u32)]) -> (f32, f32) {
    let mut values: Vec<f32> = values.iter().map(|(value, _)| *value).collect();
    let median = middle(&mut values).unwrap_or_default();
    for value in &mut values {
        *value = (*value - median).abs();
    }
    (median, middle(&mut values).unwrap_or_default())
}

/// Returns the row within two windows where values start to be nearer to the level after.
fn edge(values: &[(f32, u32)], start: usize, window: usize, before: f32, after: f32) -> usize {
    let span = values.get(start..start + 2 * window).unwrap_or_default();
    // Minimise the number of values on the wrong side of the split.
    let nearer_before = |value: f32| (value - before).abs() < (value - after).abs();
    let mut wrong = span.iter().filter(|(value, _)| nearer_before(*value)).count();
    let (mut best, mut least) = (0, wrong);
    for (n, (value, _)) in span.iter().enumerate() {
        wrong = if nearer_before(*value) { wrong.saturating_sub(1) } else { wrong + 1 };
        if wrong < least {
            (best, least) = (n + 1, wrong);
        }
    }
    start + best
}
