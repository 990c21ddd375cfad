//! Summarises a gap in a few words.

use std::fmt::Write;

use crate::{
    relevance::{
        features::{BEGAN, LineFeatures, PASSED},
        severity::LEVELS,
        templates::Templates,
        test_result::is_suite,
    },
    tuning::tuning,
};

/// Describes the lines of a gap; empty if that takes more than a few words.
pub(super) fn summary(
    text: &str,
    features: &LineFeatures,
    templates: &Templates<'_>,
    lines: std::ops::Range<usize>,
) -> String {
    let count = lines.len();
    let rows = features.rows.get(lines.clone()).unwrap_or_default();
    let passed = || rows.iter().filter(|row| row.progress == PASSED);
    let began = rows.iter().filter(|row| row.progress == BEGAN).count();
    // Some runners print more about each test.
    if passed().count() > 0 && (passed().count() + began) * tuning().log.lines_per_test >= count {
        let suites = passed().filter(|row| is_suite(row.text(text).trim().as_bytes())).count();
        return counted(passed().count() - suites, suites);
    }
    let mut levels = [0_usize; LEVELS.len()];
    for row in rows {
        let level = usize::from(row.level).checked_sub(1);
        if let Some(places) = level.and_then(|level| levels.get_mut(level)) {
            *places += 1;
        }
    }
    let named: usize = levels.iter().sum();
    if named * 100 >= count * tuning().log.min_levels {
        let mut out = String::new();
        let mut order: Vec<(usize, &str)> =
            levels.into_iter().zip(LEVELS).filter(|(count, _)| *count > 0).collect();
        order.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        for (count, level) in order {
            let comma = if out.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(out, "{comma}{count} {level}");
        }
        return out;
    }
    common(text, features, templates, lines).unwrap_or_default()
}

/// Says how many tests passed, and how many suites as a whole.
fn counted(tests: usize, suites: usize) -> String {
    let many = |count: usize, one: &str| match count {
        0 => None,
        1 => Some(format!("1 passed {one}")),
        _ => Some(format!("{count} passed {one}s")),
    };
    let parts = [many(tests, "test"), many(suites, "suite")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns the template of most lines in the gap, by the Boyer-Moore majority vote.
fn common(
    text: &str,
    features: &LineFeatures,
    templates: &Templates<'_>,
    lines: std::ops::Range<usize>,
) -> Option<String> {
    let of = templates.of.get(lines.clone())?;
    let mut winner = 0;
    let mut votes = 0_usize;
    for template in of {
        if votes == 0 {
            winner = *template;
        }
        votes = if *template == winner { votes + 1 } else { votes.saturating_sub(1) };
    }
    let count = of.iter().filter(|template| **template == winner).count();
    if count * 3 < of.len() * 2 {
        return None;
    }
    let at = lines.start + of.iter().position(|template| *template == winner)?;
    let example = example(features.rows.get(at)?.text(text))?;
    Some(format!("{count} lines like `{example}`"))
}

/// Returns the start of a line after its date, cut before characters that a marker cannot hold.
fn example(line: &str) -> Option<&str> {
    let letters = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() > 3;
    let start = line.split_inclusive(' ').take_while(|word| !letters(word)).map(str::len).sum::<usize>();
    let rest = line.get(start..)?;
    let end = rest
        .char_indices()
        .take(tuning().log.max_example)
        .find(|(_, c)| c.is_control() || "`[]".contains(*c));
    let end = match end {
        Some((end, _)) => end,
        None => rest.char_indices().nth(tuning().log.max_example).map_or(rest.len(), |(end, _)| end),
    };
    let example = rest.get(..end)?.trim();
    (example.chars().count() > 3).then_some(example)
}
