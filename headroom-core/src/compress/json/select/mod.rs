//! Which rows of an array stay.
//!
//! Every row is asked whether it was named, is an error by its values, holds a rare value or a number far from the
//! others, is among the highest where there is something to rank by, or stands where a series changes. Each of these
//! has its share of rows, so that no single one takes all. Everything is done by counting, in near-linear time.

mod numeric;
mod profile;
mod summary;

use profile::Profile;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{grid::Grid, scan::Document};
use crate::compress::elide::{Wanted, numbers::outliers, severity::Severity, survey::Survey, terms::Hits};

/// Rows at the start and at the end that stay where others match the question, and where none do.
const FRAME: (usize, usize) = (2, 1);
const WIDE_FRAME: (usize, usize) = (3, 2);
/// So many rows that match show what the array is about.
const ENOUGH: usize = 3;
/// Columns with more values, and texts of more shapes, do not show what kinds of rows there are.
const MAX_KINDS: usize = 12;
const MAX_SHAPES: usize = 24;
/// Longer cells are texts rather than fields.
const FIELD: usize = 40;

/// The rows of one array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub(super) doc: &'a Document,
    pub(super) grid: &'a Grid<'a>,
    /// One line a row.
    pub(super) lines: &'a str,
    pub(super) count: usize,
}

/// What stays of an array.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) kept: Vec<bool>,
    /// What the other rows are, in a few words.
    pub(super) summary: String,
}

/// Chooses the rows that stay. The same rows, question and arguments always give the same choice.
pub(super) fn choose(rows: &Rows<'_>, wanted: &Wanted<'_>) -> Option<Choice> {
    let survey = Survey::of(rows.lines);
    if survey.rows.len() != rows.count {
        return None;
    }
    let profile = Profile::of(rows.doc, rows.grid);
    let mut chooser = Chooser { rows, survey: &survey, profile: &profile, kept: Kept::new(rows.count) };
    let asked = chooser.named(wanted) >= ENOUGH;
    chooser.frame(asked);
    chooser.errors(asked);
    chooser.rare();
    chooser.outliers();
    chooser.highest(wanted);
    chooser.changes();
    chooser.kinds(asked);
    let kept = chooser.kept.rows;
    let summary = summary::summary(rows, &profile, &kept);
    Some(Choice { kept, summary })
}

#[derive(Debug)]
struct Kept {
    rows: Vec<bool>,
}

impl Kept {
    fn new(count: usize) -> Self {
        Self { rows: vec![false; count] }
    }

    /// Keeps a row; tells whether it was not kept before.
    fn add(&mut self, row: usize) -> bool {
        match self.rows.get_mut(row) {
            Some(kept) => !std::mem::replace(kept, true),
            None => false,
        }
    }

    /// Keeps rows, at most so many that were not kept before.
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

struct Chooser<'a> {
    rows: &'a Rows<'a>,
    survey: &'a Survey,
    profile: &'a Profile,
    kept: Kept,
}

impl Chooser<'_> {
    /// A share of the rows: one in `part`, within bounds.
    fn share(&self, part: usize, least: usize, most: usize) -> usize {
        (self.rows.count / part).clamp(least, most)
    }

    fn frame(&mut self, asked: bool) {
        let count = self.rows.count;
        let (head, tail) = if asked { FRAME } else { WIDE_FRAME };
        for row in (0..head).chain(count.saturating_sub(tail)..count) {
            self.kept.add(row);
        }
    }

    /// Rows that the question or the call names, and those that match it best; tells how many.
    fn named(&mut self, wanted: &Wanted<'_>) -> usize {
        let hits = Hits::of(self.survey, wanted);
        let words = self.share(4, 8, 40);
        let identifiers = self.share(4, 8, 200);
        for row in hits.named_within(identifiers, words) {
            self.kept.add(row);
        }
        // A term says more where it is all of a field than in the midst of a text.
        let mut fields = String::with_capacity(self.rows.lines.len() / 2);
        for cells in self.rows.grid.rows() {
            for (_, node) in cells {
                let cell = self.rows.doc.slice(*node);
                if cell.len() <= FIELD {
                    fields.push_str(cell);
                    fields.push('\t');
                }
            }
            fields.push('\n');
        }
        let fields = Hits::of(&Survey::of(&fields), wanted).scores();
        let mut scored: Vec<(u32, usize)> = hits
            .scores()
            .into_iter()
            .enumerate()
            .map(|(row, score)| (score + fields.get(row).copied().unwrap_or_default(), row))
            .filter(|(score, _)| *score > 0)
            .collect();
        scored.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let most = self.share(5, 12, 40);
        let best = scored.first().map_or(0, |(score, _)| *score);
        let close = scored.partition_point(|(score, _)| score * 3 >= best * 2);
        // Where more rows match well than can stay, half of the places go by what ranks them.
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

    /// Rows whose state or text is one of an error.
    fn errors(&mut self, asked: bool) {
        let states = self.states();
        let mut grave: [Vec<usize>; 3] = Default::default();
        for (row, cells) in self.rows.grid.rows().enumerate() {
            let text = self.survey.rows.get(row).map_or(Severity::None, |row| row.severity);
            let mut state = None;
            for (column, node) in cells {
                let Some(states) = states.get(column) else { continue };
                let Some((class, _)) =
                    self.profile.columns.get(*column as usize).and_then(|c| c.class_of(self.rows.doc, *node))
                else {
                    continue;
                };
                state = state.max(states.get(&class).copied());
            }
            // Where a state is given, it counts for more than words of the text.
            match (state, text) {
                (Some(Severity::Error), _) | (None, Severity::Error) => grave[0].push(row),
                (_, Severity::Error) => grave[1].push(row),
                (Some(Severity::Warning), _) | (None, Severity::Warning) => grave[2].push(row),
                _ => {}
            }
        }
        let shares =
            [self.share(16, 12, 100), self.share(32, 6, 50), self.share(if asked { 96 } else { 48 }, 3, 30)];
        for (rows, most) in grave.into_iter().zip(shares) {
            if rows.len() <= most {
                rows.into_iter().for_each(|row| _ = self.kept.add(row));
            } else {
                self.one_of_each(rows, most, |_| true);
            }
        }
    }

    /// How grave the values of columns are that tell the state of a row.
    fn states(&self) -> FxHashMap<u32, FxHashMap<u64, Severity>> {
        const MAX_STATES: usize = 24;
        let mut states = FxHashMap::default();
        for (index, column) in self.profile.iter() {
            let profile::Classes::Values(classes) = &column.classes else { continue };
            if !(2..=MAX_STATES).contains(&classes.len()) {
                continue;
            }
            let is_status = numeric::is_status(self.rows.doc, classes);
            let mut text = String::new();
            let mut keys = Vec::new();
            for (key, class) in classes {
                let value = self.rows.doc.slice(class.node);
                if value.len() <= FIELD {
                    text.push_str(value);
                    text.push('\n');
                    keys.push((*key, value));
                }
            }
            let found = Survey::of(&text);
            let severities: FxHashMap<u64, Severity> = keys
                .iter()
                .zip(&found.rows)
                .map(|((key, value), row)| {
                    let code = if is_status { value.as_bytes().first().copied() } else { None };
                    let severity = match code {
                        Some(b'5') => Severity::Error,
                        Some(b'4') => Severity::Warning,
                        _ => row.severity,
                    };
                    (*key, severity)
                })
                .collect();
            let levels = found.rows.iter().any(|row| row.level > 0);
            if levels || is_status || severities.values().any(|severity| *severity > Severity::None) {
                states.insert(index, severities);
            }
        }
        states
    }

    /// Keeps rows that show a value or shape which none of those before does.
    fn one_of_each(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        most: usize,
        counts: impl Fn(&profile::Column) -> bool,
    ) {
        let counts: Vec<bool> = self.profile.columns.iter().map(counts).collect();
        let mut shown = FxHashSet::default();
        let mut added = 0;
        for row in rows {
            let mut new = false;
            for (index, node) in self.rows.grid.row(row) {
                let at = *index as usize;
                let column = self.profile.columns.get(at).filter(|_| counts.get(at) == Some(&true));
                if let Some((class, _)) = column.and_then(|column| column.class_of(self.rows.doc, *node)) {
                    new |= shown.insert((*index, class));
                }
            }
            if new && added < most {
                added += usize::from(self.kept.add(row));
            }
        }
    }

    /// One row of each kind, as far as what was kept does not show it yet.
    fn kinds(&mut self, asked: bool) {
        let most = if asked { self.share(64, 1, 16) } else { self.share(12, 6, 40) };
        let kept = self.kept.rows.iter().enumerate().filter(|(_, kept)| **kept).map(|(row, _)| row);
        let kept: Vec<usize> = kept.collect();
        self.one_of_each(kept.into_iter().chain(0..self.rows.count), most, |column| match &column.classes {
            profile::Classes::Values(classes) => classes.len() <= MAX_KINDS,
            profile::Classes::Shapes(classes) => classes.len() <= MAX_SHAPES,
            profile::Classes::None => false,
        });
    }

    /// Rows with values, shapes or keys that are seldom, or without a key that nearly all have.
    fn rare(&mut self) {
        let count = self.rows.count;
        let seldom = (count / 100).max(1);
        let mut found: Vec<(usize, usize)> = Vec::new();
        let long_tail: Vec<bool> = self
            .profile
            .columns
            .iter()
            .map(|column| {
                let Some(classes) = column.classes() else { return true };
                let rare = classes.values().map(|class| class.count as usize).filter(|n| *n <= seldom);
                rare.sum::<usize>() * 8 > count
            })
            .collect();
        let mut missing: Vec<usize> = Vec::new();
        let usual: Vec<bool> =
            self.profile.columns.iter().map(|column| column.filled + seldom >= count).collect();
        let expected = usual.iter().filter(|usual| **usual).count();
        for (row, cells) in self.rows.grid.rows().enumerate() {
            let mut rarest = usize::MAX;
            let mut present = 0;
            for (index, node) in cells {
                let at = *index as usize;
                let Some(column) = self.profile.columns.get(at) else { continue };
                present += usize::from(usual.get(at) == Some(&true));
                if column.filled <= seldom {
                    rarest = rarest.min(column.filled);
                } else if long_tail.get(at) == Some(&false)
                    && let Some((_, class)) = column.class_of(self.rows.doc, *node)
                {
                    rarest = rarest.min(class.count as usize);
                }
            }
            if rarest <= seldom {
                found.push((rarest, row));
            } else if present < expected && !cells.is_empty() {
                missing.push(row);
            }
        }
        found.sort_unstable();
        let most = self.share(12, 8, 64) + 8;
        self.kept.add_some(found.into_iter().map(|(_, row)| row), most);
        if missing.len() <= seldom * 4 {
            self.kept.add_some(missing, seldom);
        }
    }

    /// Rows with a number far from the others of its column; of each column the farthest first.
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
        let most = self.share(32, 6, 48);
        self.kept.add_some(ranks.into_iter().flatten(), most);
    }

    fn highest(&mut self, wanted: &Wanted<'_>) {
        for row in numeric::highest(self.rows, self.profile, wanted) {
            self.kept.add(row);
        }
    }

    fn changes(&mut self) {
        for row in numeric::changes(self.profile) {
            self.kept.add(row);
        }
    }
}
#[cfg(test)]
mod tests;
