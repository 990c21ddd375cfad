//! Chooses rows of a long table to elide.
//!
//! The header, the first and last rows, and rows that the query names stay; so do rows with values that indicate
//! trouble, that are rare in their column, or that are outliers.

use std::{fmt::Write, ops::Range};

use rustc_hash::FxHashMap;

use super::{
    super::log::view::{LineView, name},
    rows::TableLines,
};
use crate::{
    compress::Omission,
    formats::table::{BARS, Layout},
    records::Structure,
    relevance::{Query, outliers},
    tuning::tuning,
};

/// Maximum number of columns whose numbers are compared.
const MAX_COLUMNS: usize = 32;
/// Headers of columns that summarise rows.
const STATES: [&str; 12] = [
    "CONDITION",
    "Condition",
    "PHASE",
    "STAT",
    "STATE",
    "STATUS",
    "State",
    "Status",
    "TYPE",
    "state",
    "status",
    "type",
];
/// Parts of values that indicate trouble.
const TROUBLE: [&str; 26] = [
    "BackOff",
    "CrashLoop",
    "DEGRADED",
    "Dead",
    "Degraded",
    "Error",
    "Evicted",
    "Exited",
    "FAIL",
    "Failed",
    "Init:",
    "Invalid",
    "Killed",
    "NotReady",
    "OOMKilled",
    "Pending",
    "Restarting",
    "Terminating",
    "Unknown",
    "Unhealthy",
    "defunct",
    "dead",
    "down",
    "failed",
    "unhealthy",
    "unknown",
];

/// Rows with the same columns.
#[derive(Debug, Default)]
struct PaddedTable<'t> {
    lines: Range<usize>,
    /// Number of cells in a row.
    columns: usize,
    /// The cells, row by row; empty for rows that do not fit the columns.
    cells: Vec<&'t str>,
    /// Whether each row fits the columns.
    fits: Vec<bool>,
    /// Whether each line only goes on with the row above it: a table may have cells of several lines, and rules below rows.
    goes_on: Vec<bool>,
    /// Whether it is sure which lines are rows.
    has_rows: bool,
    /// The row with the names of the columns, if there is one.
    header: usize,
    /// Which columns hold numbers.
    numeric: Vec<bool>,
    /// The column that summarises the rows best.
    category: Option<usize>,
}

/// Returns the parts that may be elided, in order and disjoint.
pub(super) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    let Some(view) = LineView::new(text, query, (tuning().table.min_bytes, tuning().table.min_lines)) else {
        return Vec::new();
    };
    let asked = view.query();
    let mut kept = vec![true; view.len()];
    let mut tables = tables(&view);
    for table in &mut tables {
        table.choose(&view, &asked, &mut kept);
    }
    let pays = |run: &Range<usize>| {
        run.len() >= tuning().table.min_gap_lines && view.bytes(run) >= tuning().table.min_gap_bytes
    };
    let structure = Structure::new(view.lines().collect());
    for line in structure.kept_headings() {
        if let Some(kept) = kept.get_mut(line) {
            *kept = true;
        }
    }
    let runs = structure.settle(kept, pays).into_iter();
    runs.filter_map(|run| {
        let at = tables.partition_point(|table| table.lines.end <= run.start);
        let table = tables.get(at).filter(|table| run.end <= table.lines.end)?;
        view.gap(&run, table.summary(&run))
    })
    .collect()
}

/// Returns the tables of a text, with or without padding.
fn tables<'t>(view: &LineView<'t>) -> Vec<PaddedTable<'t>> {
    let lines: Vec<&str> = view.lines().collect();
    let mut tables = Vec::new();
    let mut at = 0;
    for block in lines.chunk_by(|a, b| a.trim().is_empty() == b.trim().is_empty()) {
        at += block.len();
        if block.len() < tuning().table.min_block_rows {
            continue;
        }
        let declared = block.first().and_then(|line| Layout::parse(line));
        let Some(layout) = declared.clone().or_else(|| Layout::from_rows(block)) else { continue };
        let columns = layout.columns.len();
        let rows = block.get(usize::from(declared.is_some())..).unwrap_or_default();
        let mut table = PaddedTable { lines: at - rows.len()..at, columns, ..PaddedTable::default() };
        table.cells.reserve(rows.len() * columns);
        for row in rows {
            let start = table.cells.len();
            let fits = match declared {
                Some(_) => !row.starts_with(' ') && layout.cells(row, &mut table.cells),
                None => layout.raw_cells(row, &mut table.cells),
            };
            if !fits {
                table.cells.truncate(start);
            }
            table.cells.resize(start + columns, "");
            table.fits.push(fits);
        }
        table.header = table.fits.iter().position(|fits| *fits).unwrap_or(0);
        let bare = |row: &&'t str| row.strip_prefix(' ').filter(|_| declared.is_some()).unwrap_or(row);
        let lines: Vec<&str> = rows.iter().map(bare).collect();
        let all = TableLines { layout: &layout, lines: &lines, fits: &table.fits, cells: &table.cells };
        (table.goes_on, table.has_rows) = all.go_on();
        table.numeric = (0..columns).map(|column| table.is_numeric(column)).collect();
        tables.push(table);
    }
    tables
}

impl<'t> PaddedTable<'t> {
    fn choose(&mut self, view: &LineView<'_>, asked: &[bool], kept: &mut [bool]) {
        let count = self.fits.len();
        let mut stays: Vec<bool> = (0..count)
            .zip(self.lines.clone())
            .map(|(row, line)| {
                row < self.header + tuning().table.head_rows
                    || row + tuning().table.tail_rows >= count
                    || !self.goes_on(row) && (self.fits.get(row) != Some(&true) || self.is_header(row))
                    || asked.get(line).copied().unwrap_or(true)
                    || view.is_error(line)
            })
            .collect();
        let mut telling = (true, usize::MAX);
        let mut category = None;
        for column in 0..self.columns.min(MAX_COLUMNS) {
            let Some(values) = self.category(column) else {
                self.outliers(column, &mut stays);
                continue;
            };
            let named = self.cell(self.header, column).is_some_and(|header| STATES.contains(&header));
            // Numbers are no kinds of rows.
            let is_word = |value: &&str| {
                let value = value.trim_matches(BARS).trim();
                !value.starts_with(|c: char| c.is_ascii_digit()) && !value.contains(BARS)
            };
            let are_words = values.keys().all(is_word);
            let common = values
                .values()
                .filter(|count| **count * tuning().table.rows_per_common >= self.fits.len())
                .count();
            if (named || common > 1 && are_words) && (!named, common) < telling {
                telling = (!named, common);
                category = Some(column);
            }
            self.rare(column, &values, &mut stays);
        }
        self.category = category;
        self.signs(&mut stays);
        self.rare_words(&mut stays);
        self.complete(&mut stays);
        for (line, stays) in self.lines.clone().zip(stays) {
            if let Some(kept) = kept.get_mut(line) {
                *kept = stays;
            }
        }
    }

    fn cell(&self, row: usize, column: usize) -> Option<&'t str> {
        let cell = self.cells.get(row * self.columns + column).copied();
        cell.filter(|_| self.fits.get(row) == Some(&true) && !self.goes_on(row))
    }

    fn goes_on(&self, row: usize) -> bool {
        self.goes_on.get(row) == Some(&true)
    }

    /// Whether nearly all cells of a column are numbers.
    fn is_numeric(&self, column: usize) -> bool {
        let cells = || (0..self.fits.len()).filter_map(|row| self.cell(row, column));
        let numbers = cells().filter(|cell| number(cell).is_some()).count();
        numbers * 10 >= cells().count() * 8
    }

    /// Whether a row has names where the other rows have numbers: it names the columns of the rows below it.
    fn is_header(&self, row: usize) -> bool {
        let mut numbers = 0;
        (0..self.columns.min(MAX_COLUMNS)).filter(|column| self.numeric.get(*column) == Some(&true)).all(
            |column| {
                numbers += 1;
                self.cell(row, column)
                    .is_some_and(|cell| cell.contains(char::is_alphabetic) && number(cell).is_none())
            },
        ) && numbers > 1
    }

    /// Keeps all lines of a row of which one stays.
    fn complete(&self, stays: &mut [bool]) {
        let mut start = 0;
        for row in self.goes_on.chunk_by(|_, next| *next) {
            let lines = stays.get_mut(start..start + row.len()).unwrap_or_default();
            start += row.len();
            if lines.contains(&true) {
                lines.fill(true);
            }
        }
    }

    /// Counts the values of a column, if they are few.
    fn category(&self, column: usize) -> Option<FxHashMap<&'t str, usize>> {
        let mut values: FxHashMap<&'t str, usize> = FxHashMap::default();
        // The header is no value.
        for value in (self.header + 1..self.fits.len()).filter_map(|row| self.cell(row, column)) {
            *values.entry(value).or_default() += 1;
            if values.len()
                > (self.fits.len() / tuning().table.rows_per_category)
                    .clamp(tuning().table.min_categories, tuning().table.max_categories)
            {
                return None;
            }
        }
        (values.len() * tuning().table.rows_per_value <= self.fits.len()).then_some(values)
    }

    /// Keeps rows whose value in this column indicates trouble, and some of those whose value is rare.
    fn rare(&self, column: usize, values: &FxHashMap<&str, usize>, stays: &mut [bool]) {
        let seldom = 1 + self.fits.len() / tuning().table.rows_per_rare;
        let trouble = |value: &str, count: usize| count * 2 <= self.fits.len() && tells_of_trouble(value);
        let marked: FxHashMap<&str, bool> = values
            .iter()
            .filter_map(|(value, count)| {
                let trouble = trouble(value, *count);
                (trouble || *count <= seldom).then_some((*value, trouble))
            })
            .collect();
        if marked.is_empty() {
            return;
        }
        let mut shown = 0;
        for (row, stays) in stays.iter_mut().enumerate().skip(1) {
            let Some(trouble) = self.cell(row, column).and_then(|cell| marked.get(cell)) else { continue };
            if *trouble || shown < tuning().table.max_rare {
                *stays = true;
                shown += usize::from(!trouble);
            }
        }
    }

    /// Keeps rows whose last cell has a remark in brackets that most rows lack, as in `[origin/main: gone]`.
    fn signs(&self, stays: &mut [bool]) {
        let Some(column) = self.columns.checked_sub(1) else { return };
        let has_remark = |row: &usize| {
            self.cell(*row, column).is_some_and(|cell| {
                let inner = cell.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                inner.is_some_and(|(inner, _)| inner.contains(": "))
            })
        };
        let rows: Vec<usize> = (0..self.fits.len()).filter(has_remark).collect();
        if rows.len() * 2 <= self.fits.len() {
            for row in rows {
                if let Some(stays) = stays.get_mut(row) {
                    *stays = true;
                }
            }
        }
    }

    /// Keeps rows with a word in the last cell that is rare among the words there, if the others are few.
    fn rare_words(&self, stays: &mut [bool]) {
        let Some(column) = self.columns.checked_sub(1) else { return };
        let words = |row: usize| {
            let cell = self.cell(row, column).unwrap_or_default();
            let words = cell.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2);
            words.take(MAX_COLUMNS)
        };
        let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
        for word in (self.header + 1..self.fits.len()).flat_map(words) {
            *counts.entry(word).or_default() += 1;
        }
        let seldom = 1 + self.fits.len() / tuning().table.rows_per_rare;
        if counts.len() * tuning().table.rows_per_value > self.fits.len() {
            return;
        }
        let is_rare =
            |row: &usize| words(*row).any(|word| counts.get(word).is_some_and(|count| *count <= seldom));
        for row in (self.header + 1..self.fits.len()).filter(is_rare).take(tuning().table.max_rare) {
            if let Some(stays) = stays.get_mut(row) {
                *stays = true;
            }
        }
    }

    /// Keeps rows with outliers.
    fn outliers(&self, column: usize, stays: &mut [bool]) {
        let number = |row: u32| Some((number(self.cell(row as usize, column)?)?, row));
        let rows = u32::try_from(self.fits.len()).unwrap_or(u32::MAX);
        let values: Vec<(f32, u32)> = (0..rows).filter_map(number).collect();
        for row in outliers::outliers(&values) {
            if let Some(stays) = stays.get_mut(row as usize) {
                *stays = true;
            }
        }
    }

    /// Formats `310 Running, 12 Completed`.
    fn summary(&self, lines: &Range<usize>) -> String {
        let rows = lines.start.saturating_sub(self.lines.start)..lines.end.saturating_sub(self.lines.start);
        if !self.has_rows {
            return format!("{} lines", rows.len());
        }
        let all = rows.clone().filter(|row| !self.goes_on(*row)).count();
        let Some(column) = self.category else { return format!("{all} rows") };
        let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
        for row in rows.filter(|row| !self.goes_on(*row)) {
            *counts.entry(self.cell(row, column).unwrap_or_default()).or_default() += 1;
        }
        let mut counts: Vec<(usize, &str)> =
            counts.into_iter().map(|(value, count)| (count, value)).collect();
        counts.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let mut out = format!("{all} rows");
        for (at, (count, value)) in counts.iter().take(tuning().table.summary_values).enumerate() {
            let mark = if at == 0 { ": " } else { ", " };
            let value = value.trim_matches(BARS).trim();
            let value = if value.is_empty() { "blank".to_owned() } else { name(value, 20) };
            // Writing to a string cannot fail.
            let _ = write!(out, "{mark}{count} {value}");
        }
        out
    }
}

/// Whether a value indicates trouble, or an incomplete count such as `0/1`.
pub(in crate::compress) fn tells_of_trouble(cell: &str) -> bool {
    let short = cell.len() <= 40;
    let missing = cell.split_once('/').is_some_and(|(ready, all)| {
        let numbers = (ready.parse::<u32>(), all.parse::<u32>());
        matches!(numbers, (Ok(ready), Ok(all)) if ready < all)
    });
    short && (missing || TROUBLE.iter().any(|word| cell.contains(word)))
}

/// Parses the number in a cell: `12`, `3.5%`, `1.2G`, `45m`.
pub(in crate::compress) fn number(cell: &str) -> Option<f32> {
    let end = cell.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(cell.len());
    let value: f32 = cell.get(..end)?.parse().ok()?;
    let scale = match cell.get(end..)? {
        "" | "%" | "B" | "m" | "s" => 1.0,
        "K" | "Ki" | "k" | "KB" | "kB" => 1024.0,
        "M" | "Mi" | "MB" => 1024.0 * 1024.0,
        "G" | "Gi" | "GB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(value * scale)
}
