//! Finds rows of more than one line: cells of several lines, and rules between rows.

use crate::formats::table::{BARS, Layout};

/// Percentage of the lines with something in a column, from which the others may go on with the row above.
const MIN_FILLED: usize = 25;

/// The lines of a table.
pub(super) struct TableLines<'t> {
    pub(super) layout: &'t Layout,
    pub(super) lines: &'t [&'t str],
    /// Which lines fit the columns.
    pub(super) fits: &'t [bool],
    /// The cells, line by line.
    pub(super) cells: &'t [&'t str],
}

impl TableLines<'_> {
    /// Marks the lines that go on with the row above: those without anything in the first column that tells of rows, and those
    /// that do not fit the columns and do not start like rows either. Also tells whether that is sure: a line that lacks this cell
    /// only may be a row of the same name as the one above.
    pub(super) fn go_on(&self) -> (Vec<bool>, bool) {
        let columns = self.layout.columns.len();
        let is_row = |line: &usize| self.fits(*line) && self.filled(*line) > 0;
        let rows: Vec<usize> = (0..self.lines.len()).filter(is_row).collect();
        let share = |column: usize| {
            rows.iter().filter(|line| self.is_filled(**line, column)).count() * 100 / rows.len().max(1)
        };
        let Some(key) = (0..columns).find(|column| share(*column) >= MIN_FILLED) else {
            return (vec![false; self.lines.len()], true);
        };
        // Where most lines have nothing in this column, those that go on have little else either.
        let usual =
            rows.iter().filter(|line| self.is_filled(**line, key)).map(|line| self.filled(*line)).max();
        let few = usual.unwrap_or(0) / 2;
        let most = if share(key) > 50 { columns } else { few };
        let is_sure = rows.iter().all(|line| self.is_filled(*line, key) || self.filled(*line) <= few);
        let have_bars = rows.iter().filter(|line| self.has_bar(**line)).count() * 2 > rows.len();
        let goes_on = |line: usize| {
            if self.fits(line) {
                return !self.is_filled(line, key) && self.filled(line) <= most;
            }
            let text = self.text(line);
            let indent = text.len() - text.trim_start().len();
            let starts = if have_bars { self.has_bar(line) } else { self.layout.starts_by(key, indent) };
            !starts || !says(text)
        };
        ((0..self.lines.len()).map(goes_on).collect(), is_sure)
    }

    fn fits(&self, line: usize) -> bool {
        self.fits.get(line) == Some(&true)
    }

    fn text(&self, line: usize) -> &str {
        self.lines.get(line).copied().unwrap_or_default()
    }

    fn has_bar(&self, line: usize) -> bool {
        self.text(line).trim_start().starts_with(BARS)
    }

    fn is_filled(&self, line: usize, column: usize) -> bool {
        self.cells.get(line * self.layout.columns.len() + column).is_some_and(|cell| says(cell))
    }

    /// Counts the cells of a line that say something.
    fn filled(&self, line: usize) -> usize {
        (0..self.layout.columns.len()).filter(|column| self.is_filled(line, *column)).count()
    }
}

/// Whether a text is more than signs.
fn says(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}
