//! Features of each line of a text, for compressors that know the text's form and select lines themselves.

use std::ops::Range;

use super::{best_matches, bytes, runs};
use crate::{
    compress::Omission,
    relevance::{Query, features::LineFeatures, query::Hits, severity::Severity},
    text::marker,
};

/// Maximum number of rounds that restore carriers.
const MAX_ROUNDS: usize = 8;

/// The lines of a text and their relation to the query.
#[derive(Debug)]
pub(in crate::compress) struct LineView<'t> {
    text: &'t str,
    features: LineFeatures,
    hits: Hits,
}

impl<'t> LineView<'t> {
    /// Returns `None` if the text is too small or too long, or already holds something like a marker.
    pub(in crate::compress) fn new(
        text: &'t str,
        query: &Query<'_>,
        (least_bytes, least_lines): (usize, usize),
    ) -> Option<Self> {
        let fits = text.len() >= least_bytes && u32::try_from(text.len()).is_ok();
        if !fits || marker::is_in(text) {
            return None;
        }
        let features = LineFeatures::from_text(text);
        if features.rows.len() < least_lines {
            return None;
        }
        let hits = Hits::new(&features, query);
        Some(Self { text, features, hits })
    }

    pub(in crate::compress) fn len(&self) -> usize {
        self.features.rows.len()
    }

    /// Returns a line without its line end.
    pub(in crate::compress) fn line(&self, line: usize) -> &'t str {
        let line = self.features.rows.get(line).map_or("", |row| row.text(self.text));
        line.strip_suffix('\r').unwrap_or(line)
    }

    pub(in crate::compress) fn lines(&self) -> impl Iterator<Item = &'t str> + Clone {
        (0..self.len()).map(|line| self.line(line))
    }

    /// Marks the lines that the query names and some other good matches.
    pub(in crate::compress) fn query(&self) -> Vec<bool> {
        let mut query = vec![false; self.len()];
        let best = self.hits.best(best_matches(self.len()));
        for line in self.hits.named().chain(best) {
            if let Some(query) = query.get_mut(line) {
                *query = true;
            }
        }
        query
    }

    /// Whether the line reports an error.
    pub(in crate::compress) fn is_error(&self, line: usize) -> bool {
        self.features.rows.get(line).is_some_and(|row| row.severity == Severity::Error)
    }

    /// Returns the gap for these lines.
    pub(in crate::compress) fn gap(&self, lines: &Range<usize>, summary: String) -> Option<Omission> {
        let range = bytes(self.text, &self.features, lines)?;
        let first = u32::try_from(lines.start + 1).ok()?;
        let last = u32::try_from(lines.end).ok()?;
        Some(Omission { range, first, last, summary })
    }

    /// Returns the length of these lines in bytes, without the last line end.
    pub(in crate::compress) fn bytes(&self, lines: &Range<usize>) -> usize {
        bytes(self.text, &self.features, lines).map_or(0, |range| range.len())
    }

    /// Returns the runs of lines that are not kept and save tokens.
    ///
    /// A line with a `carrier` can only be understood with that line, so the carrier stays with it.
    pub(in crate::compress) fn settle(
        &self,
        mut kept: Vec<bool>,
        carriers: &[Option<usize>],
        pays: impl Fn(&Range<usize>) -> bool,
    ) -> Vec<Range<usize>> {
        // A carrier may split a run into parts that save no tokens, whose lines need carriers in turn.
        for _ in 0..MAX_ROUNDS {
            let found: Vec<Range<usize>> = runs(&kept).filter(&pays).collect();
            let mut visible = vec![true; kept.len()];
            for run in &found {
                visible.get_mut(run.clone()).unwrap_or_default().fill(false);
            }
            let needed = |line: usize| carriers.get(line).copied().flatten();
            let mut is_complete = true;
            for line in 0..kept.len() {
                let mut next = Some(line).filter(|line| visible.get(*line) == Some(&true)).and_then(needed);
                while let Some(carrier) = next {
                    let Some(visible) = visible.get_mut(carrier).filter(|visible| !**visible) else { break };
                    *visible = true;
                    is_complete = false;
                    next = needed(carrier);
                }
            }
            if is_complete {
                return found;
            }
            kept = visible;
        }
        Vec::new()
    }
}

/// Formats a name for a summary: only its end if it is long, without characters that a marker cannot hold.
pub(in crate::compress) fn name(name: &str, most: usize) -> String {
    let length = name.chars().count();
    let cut = length.saturating_sub(most);
    let dots = if cut > 0 { "…" } else { "" };
    let rest = name.chars().skip(if cut > 0 { cut + 1 } else { 0 });
    let safe = rest.map(|c| if c.is_control() || "[]".contains(c) { '_' } else { c });
    dots.chars().chain(safe).collect()
}
