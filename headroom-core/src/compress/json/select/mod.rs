//! Selects the rows of an array that stay.
//!
//! A row qualifies if the query names it, if its values are those of an error, if it holds a rare value or an outlier,
//! if it is among the highest by a ranking column, or if a series changes there. Each criterion has its own share of
//! rows, so that none takes all. Everything is done by counting, in near-linear time.

mod matches;
mod numeric;
mod profile;
mod summary;

use std::borrow::Cow;

use matches::Matches;
use profile::{Alike, ColumnProfile, Profile};

use headroom_json::document::Document;

use super::grid::Grid;
use crate::{
    relevance::{
        Query,
        features::{LineFeatures, Row, pieces},
        outliers::outliers,
        query::Hits,
        severity::Severity,
    },
    tuning::tuning,
};

/// The rows of one array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub(super) doc: &'a Document<'a>,
    pub(super) grid: &'a Grid<'a>,
    /// One line per row.
    pub(super) lines: &'a str,
    pub(super) count: usize,
}

impl Rows<'_> {
    /// Returns a share of the rows: one in `part`, within bounds.
    fn share(&self, part: usize, least: usize, most: usize) -> usize {
        (self.count / part).clamp(least, most)
    }
}

/// The rows of an array that stay.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) kept: Vec<bool>,
    /// A short summary of the other rows.
    pub(super) summary: String,
}

/// Selects the rows that stay. The same rows, question and arguments always give the same choice.
pub(super) fn choose(rows: &Rows<'_>, query: &Query<'_>) -> Option<Choice> {
    // In chunks, since the features of a text may take as many bytes as the text.
    let mut severities = Vec::with_capacity(rows.count);
    let surveys = pieces(rows.lines).map(|piece| {
        let features = LineFeatures::of_cells(piece);
        severities.extend(features.rows.iter().map(|row| row.severity));
        features
    });
    let hits = Hits::across(surveys, query);
    if severities.len() != rows.count {
        return None;
    }
    let matches = Matches::new(rows, &hits, query);
    drop(hits);
    let profile = Profile::from_grid(rows.doc, rows.grid);
    let mut chooser = RowSelector { rows, severities, profile: &profile, kept: RowBudget::new(rows.count) };
    let asked = chooser.named(matches) >= tuning().json_rows.min_matches;
    if !asked
        && rows.count < tuning().json_rows.unasked_min_rows
        && rows.lines.len() < tuning().json_rows.unasked_min_bytes
    {
        return None;
    }
    chooser.head_and_tail(asked);
    chooser.errors(asked);
    chooser.rare();
    chooser.outliers();
    chooser.highest(query);
    chooser.changes();
    chooser.kinds(asked);
    let kept = chooser.kept.rows;
    let summary = summary::summary(rows, &profile, &kept);
    Some(Choice { kept, summary })
}

#[derive(Debug)]
struct RowBudget {
    rows: Vec<bool>,
}

impl RowBudget {
    fn new(count: usize) -> Self {
        Self { rows: vec![false; count] }
    }

    /// Keeps a row; returns whether it was not kept before.
    fn add(&mut self, row: usize) -> bool {
        match self.rows.get_mut(row) {
            Some(kept) => !std::mem::replace(kept, true),
            None => false,
        }
    }

    /// Keeps rows, of which at most `most` were not kept before.
    fn add_some(&mut self, rows: impl IntoIterator<Item = usize>, most: usize) {
        let mut added = 0;
        for row in rows {
            if added == most {
                break;
            }
            added += usize::from(self.add(row));
        }
    }
}

struct RowSelector<'a> {
    rows: &'a Rows<'a>,
    /// The severity of each row, by its words.
    severities: Vec<Severity>,
    profile: &'a Profile,
    kept: RowBudget,
}

impl RowSelector<'_> {
    fn share(&self, part: usize, least: usize, most: usize) -> usize {
        self.rows.share(part, least, most)
    }

    fn head_and_tail(&mut self, asked: bool) {
        let count = self.rows.count;
        let numbers = &tuning().json_rows;
        let (head, tail) = if asked {
            (numbers.head_rows, numbers.tail_rows)
        } else {
            (numbers.wide_head_rows, numbers.wide_tail_rows)
        };
        for row in (0..head).chain(count.saturating_sub(tail)..count) {
            self.kept.add(row);
        }
    }

    /// Keeps the rows that the query names and those that match it best; returns their number.
    fn named(&mut self, matches: Matches) -> usize {
        let Matches { named, scored } = matches;
        for row in named {
            self.kept.add(row);
        }
        let numbers = &tuning().json_rows;
        let most = self.share(numbers.rows_per_match, numbers.min_best_matches, numbers.max_best_matches);
        let best = scored.first().map_or(0, |(score, _)| *score);
        let close = scored.partition_point(|(score, _)| score * 3 >= best * numbers.close_score);
        // If more rows match well than can stay, ranking decides about half of the places.
        let room = if close <= most { most } else { most / 2 };
        let mut taken = 0;
        for group in scored.chunk_by(|a, b| a.0 == b.0) {
            if taken + group.len() > room {
                break;
            }
            group.iter().for_each(|(_, row)| _ = self.kept.add(*row));
            taken += group.len();
        }
        if taken < close && close * 2 <= self.rows.count {
            let mut close: Vec<usize> = scored.iter().take(close).map(|(_, row)| *row).collect();
            close.sort_unstable();
            let ranked = numeric::ranked(self.rows, self.profile, &close);
            ranked.into_iter().take(most - taken / 2).for_each(|row| _ = self.kept.add(row));
        }
        self.kept.rows.iter().filter(|kept| **kept).count()
    }

    /// Keeps rows whose state or text is one of an error.
    fn errors(&mut self, asked: bool) {
        let states = self.states();
        let mut grave: [Vec<usize>; 3] = Default::default();
        for (row, cells) in self.profile.rows(self.rows.grid).enumerate() {
            let text = self.severities.get(row).copied().unwrap_or_default();
            let state =
                cells.filter_map(|cell| states.get(cell.column)?.as_ref()?.get(cell.class?).copied()).max();
            // A state counts for more than words of the text.
            match (state, text) {
                (Some(Severity::Error), _) | (None, Severity::Error) => grave[0].push(row),
                (_, Severity::Error) => grave[1].push(row),
                (Some(Severity::Warning), _) | (None, Severity::Warning) => grave[2].push(row),
                _ => {}
            }
        }
        let numbers = &tuning().json_rows;
        let rows_per_warning =
            if asked { numbers.rows_per_warning } else { numbers.unasked_rows_per_warning };
        let shares = [
            self.share(numbers.rows_per_error, numbers.min_errors, numbers.max_errors),
            self.share(numbers.rows_per_text_error, numbers.min_text_errors, numbers.max_text_errors),
            self.share(rows_per_warning, numbers.min_warnings, numbers.max_warnings),
        ];
        for (rows, most) in grave.into_iter().zip(shares) {
            if rows.len() <= most {
                rows.into_iter().for_each(|row| _ = self.kept.add(row));
            } else {
                self.one_of_each(rows, most, |_| true);
            }
        }
    }

    /// Returns the severity of each value, for each column that holds states.
    fn states(&self) -> Vec<Option<Vec<Severity>>> {
        let state = |column: &ColumnProfile| {
            let few = column.alike == Alike::Value
                && (2..=tuning().json_rows.max_states).contains(&column.classes.len());
            if !few {
                return None;
            }
            let values: Vec<Cow<'_, str>> =
                column.classes.iter().map(|class| self.rows.doc.slice(class.node)).collect();
            let values = || values.iter().map(Cow::as_ref);
            // A long value is a text rather than a state.
            let text: String = values()
                .flat_map(|value| {
                    [if value.len() <= tuning().json_rows.max_field_bytes { value } else { "" }, "\n"]
                })
                .collect();
            let found = LineFeatures::of_cells(&text);
            let is_status = numeric::is_status(values());
            let grave = |(value, row): (&str, &Row)| match value.bytes().find(u8::is_ascii_digit) {
                Some(b'5') if is_status => Severity::Error,
                Some(b'4') if is_status => Severity::Warning,
                _ => row.severity,
            };
            let grave: Vec<Severity> = values().zip(&found.rows).map(grave).collect();
            let levels = found.rows.iter().any(|row| row.level > 0);
            let telling = levels || is_status || grave.iter().any(|severity| *severity > Severity::None);
            telling.then_some(grave)
        };
        self.profile.columns.iter().map(state).collect()
    }

    /// Keeps the first rows that show a new value or shape.
    fn one_of_each(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        most: usize,
        counts: impl Fn(&ColumnProfile) -> bool,
    ) {
        let mut shown: Vec<Vec<bool>> = self
            .profile
            .columns
            .iter()
            .map(|column| vec![false; if counts(column) { column.classes.len() } else { 0 }])
            .collect();
        let mut left: usize = shown.iter().map(Vec::len).sum();
        let mut added = 0;
        for row in rows {
            if left == 0 || added == most {
                break;
            }
            let before = left;
            for cell in self.profile.row(self.rows.grid, row) {
                let place = cell.class.and_then(|class| shown.get_mut(cell.column)?.get_mut(class));
                if let Some(shown) = place {
                    left -= usize::from(!std::mem::replace(shown, true));
                }
            }
            if left < before {
                added += usize::from(self.kept.add(row));
            }
        }
    }

    /// Keeps one row of each kind that the kept rows do not show yet.
    fn kinds(&mut self, asked: bool) {
        let numbers = &tuning().json_rows;
        let most = if asked {
            self.share(numbers.rows_per_kind, numbers.min_kinds_shown, numbers.max_kinds_shown)
        } else {
            self.share(
                numbers.unasked_rows_per_kind,
                numbers.unasked_min_kinds_shown,
                numbers.unasked_max_kinds_shown,
            )
        };
        let kept = self.kept.rows.iter().enumerate().filter(|(_, kept)| **kept).map(|(row, _)| row);
        let kept: Vec<usize> = kept.collect();
        self.one_of_each(kept.into_iter().chain(0..self.rows.count), most, |column| {
            column.classes.len()
                <= if column.alike == Alike::Value {
                    tuning().json_rows.max_kinds
                } else {
                    tuning().json_rows.max_shapes
                }
        });
    }

    /// Keeps rows with rare values, shapes or keys, or without a key that nearly all rows have.
    fn rare(&mut self) {
        let count = self.rows.count;
        let numbers = &tuning().json_rows;
        let seldom = (count / numbers.rows_per_rare).max(1);
        let mut found: Vec<(usize, usize)> = Vec::new();
        let long_tail: Vec<bool> = self
            .profile
            .columns
            .iter()
            .map(|column| {
                let counts = column.classes.iter().map(|class| class.count as usize);
                column.kinds().is_none()
                    || counts.filter(|n| *n <= seldom).sum::<usize>() * numbers.rows_per_tail > count
            })
            .collect();
        let mut missing: Vec<usize> = Vec::new();
        let usual: Vec<bool> =
            self.profile.columns.iter().map(|column| column.filled + seldom >= count).collect();
        let expected = usual.iter().filter(|usual| **usual).count();
        for (row, cells) in self.profile.rows(self.rows.grid).enumerate() {
            let mut rarest = usize::MAX;
            let mut present = 0;
            for cell in cells {
                let Some(column) = self.profile.columns.get(cell.column) else { continue };
                present += usize::from(usual.get(cell.column) == Some(&true));
                if column.filled <= seldom {
                    rarest = rarest.min(column.filled);
                } else if long_tail.get(cell.column) == Some(&false)
                    && let Some(class) = cell.class.and_then(|class| column.classes.get(class))
                {
                    rarest = rarest.min(class.count as usize);
                }
            }
            if rarest <= seldom {
                found.push((rarest, row));
            } else if 0 < present && present < expected {
                missing.push(row);
            }
        }
        found.sort_unstable();
        let most =
            self.share(numbers.rows_per_rare_shown, numbers.min_rare, numbers.max_rare) + numbers.spare_rare;
        self.kept.add_some(found.into_iter().map(|(_, row)| row), most);
        if missing.len() <= seldom * numbers.max_missing {
            self.kept.add_some(missing, seldom);
        }
    }

    /// Keeps rows with outliers, those farthest from the other numbers of their column first.
    fn outliers(&mut self) {
        let mut ranks: Vec<Vec<usize>> = Vec::new();
        let columns =
            self.profile.columns.iter().filter(|column| column.is_numeric() && !column.is_sequence());
        let texts = numeric::in_texts(self.rows, self.profile);
        for numbers in columns.map(|column| &column.numbers).chain(&texts) {
            for (rank, row) in outliers(numbers).into_iter().enumerate() {
                if ranks.len() <= rank {
                    ranks.push(Vec::new());
                }
                if let Some(rank) = ranks.get_mut(rank) {
                    rank.push(row as usize);
                }
            }
        }
        let numbers = &tuning().json_rows;
        let most = self.share(numbers.rows_per_outlier, numbers.min_outliers, numbers.max_outliers);
        self.kept.add_some(ranks.into_iter().flatten(), most);
    }

    fn highest(&mut self, query: &Query<'_>) {
        for row in numeric::highest(self.rows, self.profile, query) {
            self.kept.add(row);
        }
    }

    fn changes(&mut self) {
        for row in numeric::changes(self.rows.count, self.profile) {
            self.kept.add(row);
        }
    }
}
#[cfg(test)]
mod tests;
