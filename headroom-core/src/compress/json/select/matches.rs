//! Finds the rows of an array that match the query.

use super::Rows;
use crate::{
    relevance::{Query, features::LineFeatures, query::Hits},
    tuning::tuning,
};

/// Number of rows processed together.
const ROWS_AT_ONCE: usize = 1024;

/// Rows that match the query.
#[derive(Debug)]
pub(super) struct Matches {
    pub(super) named: Vec<usize>,
    /// All matching rows with their scores, the best first.
    pub(super) scored: Vec<(u32, usize)>,
}

impl Matches {
    pub(super) fn new(rows: &Rows<'_>, hits: &Hits, query: &Query<'_>) -> Self {
        let numbers = &tuning().json_rows;
        let words = rows.share(numbers.rows_per_word, numbers.min_rows_of_word, numbers.max_rows_of_word);
        let identifiers = rows.share(
            numbers.rows_per_identifier,
            numbers.min_rows_of_identifier,
            numbers.max_rows_of_identifier,
        );
        let named = hits.named_within(identifiers, words).collect();
        let scores = hits.scores();
        // A term counts for more if it is a whole field than if it is part of a text.
        let mut left = rows.grid.rows().zip(&scores).peekable();
        let mut fields = String::new();
        let surveys = std::iter::from_fn(|| {
            left.peek()?;
            fields.clear();
            for (cells, score) in left.by_ref().take(ROWS_AT_ONCE) {
                let short = |node: &u32| rows.doc.length(*node) <= tuning().json_rows.max_field_bytes;
                for (_, node) in cells.iter().filter(|(_, node)| *score > 0 && short(node)) {
                    rows.doc.write(*node, &mut fields);
                    fields.push('\t');
                }
                fields.push('\n');
            }
            Some(LineFeatures::of_cells(&fields))
        });
        let fields = Hits::across(surveys, query).scores();
        let mut scored: Vec<(u32, usize)> = scores
            .into_iter()
            .enumerate()
            .map(|(row, score)| (score + fields.get(row).copied().unwrap_or_default(), row))
            .filter(|(score, _)| *score > 0)
            .collect();
        scored.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        Self { named, scored }
    }
}
