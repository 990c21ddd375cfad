//! Summarises elided rows in a few words.

use std::{borrow::Cow, fmt::Write};

use super::{
    Rows,
    profile::{Alike, ColumnProfile, Profile},
};
use crate::{relevance::features::LineFeatures, tuning::tuning};

/// Summarises the rows that are not kept.
pub(super) fn summary(rows: &Rows<'_>, profile: &Profile, kept: &[bool]) -> String {
    let mut categories: Vec<(usize, usize)> = Vec::new();
    let mut ranges = Vec::new();
    for (index, column) in profile.columns.iter().enumerate() {
        if let Some(score) = discriminative(rows, column) {
            categories.push((score, index));
        } else if column.is_numeric() && !column.is_sequence() && column.filled * 2 > rows.count {
            ranges.push(index);
        }
    }
    categories.sort_unstable();
    let mut out = String::new();
    for (_, column) in categories.into_iter().take(tuning().json_rows.summary_max_categories) {
        counts(rows, kept, column, &mut out);
    }
    for column in ranges.into_iter().take(tuning().json_rows.summary_max_ranges) {
        range(rows, profile, kept, column, &mut out);
    }
    out
}

/// Rates how well the counts of a column's values describe the rows; lower is better.
fn discriminative(rows: &Rows<'_>, column: &ColumnProfile) -> Option<usize> {
    if column.alike != Alike::Value {
        return None;
    }
    let classes = &column.classes;
    let safe = |node: u32| {
        let value = rows.doc.slice(node);
        let value = value.trim_matches('"');
        let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/');
        !value.is_empty() && value.len() <= tuning().json_rows.summary_max_bytes && value.chars().all(plain)
    };
    if !(2..=tuning().json_rows.summary_max_values).contains(&classes.len())
        || !classes.iter().all(|class| safe(class.node))
    {
        return None;
    }
    let text: String = classes.iter().map(|class| format!("{}\n", rows.doc.slice(class.node))).collect();
    let found = LineFeatures::of_cells(&text);
    let is_level = found.rows.iter().any(|row| row.level > 0 || row.severity > super::Severity::None);
    let is_text = classes.iter().all(|class| rows.doc.slice(class.node).starts_with('"'));
    Some(
        if is_level {
            0
        } else if is_text {
            1
        } else {
            10
        } + classes.len(),
    )
}

fn aside<'a>(rows: &'a Rows<'_>, kept: &'a [bool], column: usize) -> impl Iterator<Item = u32> + 'a {
    rows.grid.rows().zip(kept).filter(|(_, kept)| !**kept).filter_map(move |(cells, _)| {
        cells.iter().find(|(at, _)| *at as usize == column).map(|(_, node)| *node)
    })
}

fn counts(rows: &Rows<'_>, kept: &[bool], index: usize, out: &mut String) {
    let mut found: Vec<(usize, Cow<'_, str>)> = Vec::new();
    for node in aside(rows, kept, index) {
        let value = rows.doc.slice(node);
        match found.iter_mut().find(|(_, other)| *other == value) {
            Some((count, _)) => *count += 1,
            None => found.push((1, value)),
        }
    }
    found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let is_text = found.iter().all(|(_, value)| value.starts_with('"'));
    if !is_text && let Some(name) = name(rows, index) {
        separate(out, "; ");
        _ = write!(out, "{name}:");
        for (n, (count, value)) in found.into_iter().enumerate() {
            _ = write!(out, "{} {value} x{count}", if n > 0 { "," } else { "" });
        }
        return;
    }
    for (n, (count, value)) in found.into_iter().enumerate() {
        separate(out, if n > 0 { ", " } else { "; " });
        // Writing to a string cannot fail.
        _ = write!(out, "{count} {}", value.trim_matches('"'));
    }
}

fn range(rows: &Rows<'_>, profile: &Profile, kept: &[bool], index: usize, out: &mut String) {
    let Some(column) = profile.columns.get(index) else { return };
    let Some(name) = name(rows, index) else { return };
    let mut values: Vec<(f32, u32)> =
        column.numbers.iter().filter(|(_, row)| kept.get(*row as usize) == Some(&false)).copied().collect();
    let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    let ends = (values.iter().copied().min_by(order), values.iter().copied().max_by(order));
    let half = values.len() / 2;
    let middle = (half < values.len()).then(|| *values.select_nth_unstable_by(half, order).1);
    let lexeme = |value: Option<(f32, u32)>| {
        let row = value?.1 as usize;
        let node = rows.grid.row(row).iter().find(|(column, _)| *column as usize == index)?.1;
        Some(rows.doc.slice(node))
    };
    let (Some(low), Some(middle), Some(high)) = (lexeme(ends.0), lexeme(middle), lexeme(ends.1)) else {
        return;
    };
    separate(out, "; ");
    if low == high {
        _ = write!(out, "{name}={low}");
        return;
    }
    _ = write!(out, "{name} {low}..{high}, median {middle}");
}

/// Returns a column's name if it is short and plain.
fn name<'a>(rows: &Rows<'a>, index: usize) -> Option<&'a str> {
    let name = rows.grid.names.get(index)?.trim_matches('"');
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    (!name.is_empty() && name.len() <= tuning().json_rows.summary_max_bytes && name.chars().all(plain))
        .then_some(name)
}

fn separate(out: &mut String, with: &str) {
    if !out.is_empty() {
        out.push_str(with);
    }
}
