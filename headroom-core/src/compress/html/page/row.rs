//! Rows of tables, with cells that span rows and columns.

use crate::tuning::tuning;

/// Cells span no more columns, and columns behind this many are not followed from row to row. Browsers have the same
/// limit.
const MAX_COLUMNS: usize = 1000;
/// What stands in the place of a long cell in the rows below it, and in the columns behind it.
const AS_ABOVE: &str = "(as above)";
const AS_BEFORE: &str = "(as before)";

#[derive(Debug, Default)]
pub(super) struct RowState {
    pub(super) start: usize,
    /// Its first link.
    pub(super) links: usize,
    /// Number of columns so far.
    pub(super) columns: usize,
    /// Whether all cells with text are heads so far.
    pub(super) head: bool,
    /// Whether it is in the head of its table.
    pub(super) in_head: bool,
    /// Start of the current cell, and whether it is a head.
    pub(super) cell: usize,
    pub(super) cell_head: bool,
    /// Whether a line of the current cell has ended.
    pub(super) is_broken: bool,
    /// Whether a cell has text.
    pub(super) is_full: bool,
    /// What a picture in the current cell is called, for a cell with nothing else.
    pub(super) picture: String,
    /// The columns and rows that the current cell spans.
    pub(super) span: (usize, usize),
}

/// A cell of an earlier row that continues in this column.
#[derive(Clone, Debug)]
struct Above {
    /// The last row that it spans.
    last: usize,
    text: String,
}

/// The cells of a table that continue in the rows below.
#[derive(Debug, Default)]
pub(super) struct Spans {
    /// The number of rows so far.
    row: usize,
    columns: Vec<Option<Above>>,
}

impl Spans {
    pub(super) fn begin_row(&mut self) {
        self.row += 1;
    }

    pub(super) fn clear(&mut self) {
        self.columns.clear();
    }

    /// Returns the text of the cell above that continues in this column.
    pub(super) fn above(&self, column: usize) -> Option<&str> {
        let above = self.columns.get(column)?.as_ref()?;
        (above.last >= self.row).then_some(&above.text)
    }

    /// Returns the number of columns up to the last in which a cell continues.
    pub(super) fn width(&self) -> usize {
        let continues = |above: &Option<Above>| above.as_ref().is_some_and(|above| above.last >= self.row);
        self.columns.iter().rposition(continues).map_or(0, |last| last + 1)
    }

    /// Notes that a cell of this row continues in the rows below.
    pub(super) fn note(&mut self, column: usize, rows: usize, text: &str) {
        if column >= MAX_COLUMNS {
            return;
        }
        if self.columns.len() <= column {
            self.columns.resize(column + 1, None);
        }
        if let Some(slot) = self.columns.get_mut(column) {
            *slot = Some(Above { last: self.row.saturating_add(rows), text: text.to_owned() });
        }
    }
}

/// Returns the columns and the further rows that a cell spans, by its attributes.
pub(super) fn span(columns: Option<&str>, rows: Option<&str>) -> (usize, usize) {
    let number = |value: Option<&str>| value.and_then(|value| value.trim().parse::<usize>().ok());
    let columns = number(columns).filter(|columns| *columns > 0).unwrap_or(1).min(MAX_COLUMNS);
    // Zero means up to the end of the group of rows.
    let rows = number(rows).map_or(0, |rows| rows.checked_sub(1).unwrap_or(usize::MAX));
    (columns, rows)
}

/// Returns the text for the rows below a cell, and for the columns behind it.
pub(super) fn repeated(cell: &str) -> (&str, &str) {
    let cell = cell.trim();
    if cell.len() <= tuning().html.max_repeated && !cell.contains('\n') {
        (cell, cell)
    } else {
        (AS_ABOVE, AS_BEFORE)
    }
}
