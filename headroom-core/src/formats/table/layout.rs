//! Finds the columns of aligned rows.

use crate::tuning::tuning;

/// A column: its start, or its end if its cells are aligned to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColumnSpan {
    pub(crate) at: usize,
    pub(crate) right: bool,
    /// Whether cells contain single spaces.
    pub(crate) words: bool,
    /// The range of bytes that its cells may occupy.
    start: usize,
    end: usize,
}

/// The columns of a block of rows; the last extends to the end of the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) columns: Vec<ColumnSpan>,
}

/// Number of bytes of each row in which columns are looked for.
const MAX_WIDTH: usize = 512;
/// Separates columns if the cells of the first contain single spaces.
const WIDE: &str = "  ";

impl Layout {
    /// Finds the columns that nearly all rows fit.
    pub(crate) fn from_rows(rows: &[&str]) -> Option<Self> {
        if rows.len() < tuning().table.min_rows {
            return None;
        }
        let gaps = gaps(rows);
        let mut columns = Vec::new();
        let mut at = gaps.iter().position(|gap| !gap)?;
        loop {
            let rest = gaps.get(at..).unwrap_or_default();
            let width = rest.iter().position(|gap| *gap).unwrap_or(rest.len());
            let end = at + width;
            columns.push(ColumnSpan { at, right: false, words: false, start: at, end });
            let Some(next) = gaps.get(end..).and_then(|rest| rest.iter().position(|gap| !gap)) else { break };
            at = end + next;
        }
        // Trailing blanks do not separate columns.
        let reach = |at: usize| rows.iter().filter(|row| row.len() > at).count();
        columns.pop_if(|column| reach(column.start) * tuning().table.rows_per_stray <= rows.len());
        if columns.len() < tuning().table.min_columns {
            return None;
        }
        let last = columns.len() - 1;
        for column in columns.iter_mut().take(last) {
            let count = |at: usize| {
                rows.iter().filter(|row| row.as_bytes().get(at).is_some_and(|b| *b != b' ')).count()
            };
            column.right = count(column.start) < count(column.end - 1);
            column.at = if column.right { column.end } else { column.start };
        }
        let mut layout = Self { columns };
        let mut words = vec![0_usize; last];
        let mut fits = 0;
        let mut cells = Vec::new();
        for row in rows {
            cells.clear();
            if !layout.raw_cells(row, &mut cells) {
                continue;
            }
            fits += 1;
            for (words, cell) in words.iter_mut().zip(&cells) {
                *words += usize::from(cell.contains(' '));
            }
        }
        for (column, words) in layout.columns.iter_mut().zip(words) {
            column.words = words * tuning().table.rows_per_stray > fits;
        }
        (fits * 100 >= rows.len() * tuning().table.fitting_rows).then_some(layout)
    }

    /// Whether a row with this indentation has something in a column or before it.
    pub(crate) fn starts_by(&self, column: usize, indent: usize) -> bool {
        self.columns.get(column + 1).is_none_or(|next| indent < next.start)
    }

    /// Appends the cells of a padded row; returns whether it fits the columns. If not, some cells are appended.
    pub(crate) fn raw_cells<'t>(&self, row: &'t str, cells: &mut Vec<&'t str>) -> bool {
        self.cells_until(row, cells).is_some()
    }

    fn cells_until<'t>(&self, row: &'t str, cells: &mut Vec<&'t str>) -> Option<()> {
        let (last, columns) = self.columns.split_last()?;
        let mut from = 0;
        for (column, next) in columns.iter().zip(self.columns.iter().skip(1)) {
            // A cell may extend into the adjacent gap.
            let to = if column.right || next.right { column.end } else { next.start };
            let cell = row.get(from..to)?;
            let bytes = cell.as_bytes();
            let before = bytes.iter().position(|byte| *byte != b' ').unwrap_or(bytes.len());
            let after = bytes.iter().rev().position(|byte| *byte != b' ').unwrap_or(0);
            let bare = cell.get(before..bytes.len() - after).unwrap_or_default();
            let aligned = if column.right {
                after == 0
            } else {
                from + before == column.start && (next.right || after > 0)
            };
            if !(aligned || bare.is_empty()) || has_wide_space(bare) {
                return None;
            }
            cells.push(bare);
            from = to;
        }
        let gap = row.get(from..last.start)?;
        let cell = row.get(last.start..)?;
        cells.push(cell);
        let fits = gap.bytes().all(|byte| byte == b' ') && !cell.starts_with(' ') && !cell.is_empty();
        fits.then_some(())
    }

    /// Writes the row without padding; returns false if it could not be restored. `cells` is scratch space.
    pub(crate) fn write<'t>(&self, row: &'t str, cells: &mut Vec<&'t str>, out: &mut String) -> bool {
        cells.clear();
        // A leading space marks rows that are left as they are.
        if !self.raw_cells(row, cells) || cells.first().is_none_or(|cell| cell.is_empty()) {
            return false;
        }
        let last = cells.len() - 1;
        let odd = |(cell, column): (&&str, &ColumnSpan)| !column.words && cell.contains(' ');
        if cells.iter().zip(&self.columns).take(last).any(odd) {
            return false;
        }
        for (at, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
            out.push_str(cell);
            if at < last {
                out.push_str(column.mark());
            }
        }
        true
    }

    /// Appends the cells of a row written by [`write`](Self::write).
    pub(crate) fn cells<'t>(&self, row: &'t str, cells: &mut Vec<&'t str>) -> bool {
        let mut rest = row;
        let Some((_, columns)) = self.columns.split_last() else { return false };
        for column in columns {
            let Some((cell, after)) = rest.split_once(column.mark()) else { return false };
            cells.push(cell);
            rest = after;
        }
        cells.push(rest);
        true
    }

    /// Returns the line before the rows: the start of each column, or its end with a `<`; a `+` if two spaces separate
    /// the column from the next.
    pub(crate) fn header(&self) -> String {
        let stops = self.columns.iter().map(|column| {
            let (right, words) = (if column.right { "<" } else { "" }, if column.words { "+" } else { "" });
            format!("{}{right}{words}", column.at)
        });
        format!("{OPEN}{}]", stops.collect::<Vec<_>>().join(","))
    }

    /// Parses the line that [`header`](Self::header) writes.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let stops = line.strip_prefix(OPEN)?.strip_suffix(']')?;
        let column = |stop: &str| {
            let (stop, words) = stop.strip_suffix('+').map_or((stop, false), |stop| (stop, true));
            let (stop, right) = stop.strip_suffix('<').map_or((stop, false), |stop| (stop, true));
            let at = stop.parse().ok()?;
            Some(ColumnSpan { at, right, words, start: at, end: at })
        };
        Some(Self { columns: stops.split(',').map(column).collect::<Option<_>>()? })
    }
}

/// The start of the line before rows without padding.
pub(crate) const OPEN: &str = "[columns were at ";

impl ColumnSpan {
    /// Returns the separator after a cell.
    const fn mark(&self) -> &'static str {
        if self.words { WIDE } else { " " }
    }
}

fn has_wide_space(cell: &str) -> bool {
    cell.as_bytes().windows(2).any(|pair| pair == b"  ")
}

/// Marks positions that are blank in nearly all rows that are long enough, up to the length that most rows have.
fn gaps(rows: &[&str]) -> Vec<bool> {
    let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0).min(MAX_WIDTH);
    let mut blank = vec![0_usize; longest];
    let mut ends = vec![0_usize; longest + 1];
    for row in rows {
        let row = row.as_bytes();
        for (count, byte) in blank.iter_mut().zip(row) {
            *count += usize::from(*byte == b' ');
        }
        if let Some(end) = ends.get_mut(row.len().min(longest)) {
            *end += 1;
        }
    }
    let mut reach = rows.len();
    let mut gaps = Vec::with_capacity(longest);
    for (blank, ended) in blank.into_iter().zip(ends) {
        reach -= ended;
        if reach * 100 < rows.len() * tuning().table.reaching_rows {
            break;
        }
        gaps.push((reach - blank) * tuning().table.rows_per_stray <= reach);
    }
    // Anything beyond belongs to the last column.
    gaps.push(false);
    gaps
}
