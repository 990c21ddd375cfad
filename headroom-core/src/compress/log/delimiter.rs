//! Finds the delimiter of a table whose columns are not aligned.

use crate::{relevance::features::Row, tuning::tuning};

const DELIMITERS: [u8; 4] = *b"|\t;,";

/// Returns the delimiter, if most lines are rows of one table.
pub(super) fn delimiter(text: &str, rows: &[Row]) -> Option<u8> {
    const SAMPLE_LINES: usize = 64;
    let step = (rows.len() / SAMPLE_LINES).max(1);
    let sample: Vec<&str> = rows.iter().step_by(step).map(|row| row.text(text)).collect();
    if sample.iter().filter(|row| row.starts_with('{')).count() * 2 > sample.len() {
        return None;
    }
    DELIMITERS.into_iter().find(|delimiter| {
        let mut counts: Vec<usize> =
            sample.iter().map(|row| row.bytes().filter(|byte| byte == delimiter).count()).collect();
        counts.sort_unstable();
        let usual = counts.get(counts.len() / 2).copied().unwrap_or_default();
        usual >= 2
            && counts.iter().filter(|count| **count == usual).count() * 100
                >= counts.len() * tuning().log.same_cells
    })
}
