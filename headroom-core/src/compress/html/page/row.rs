//! Rows of tables, with cells that span rows and columns.

use crate::tuning::tuning;

/// Cells spanning more columns are as wide as the table, and none stand beside them.
const MAX_SPAN: usize = 24;
/// Columns behind this many are not followed from row to row. Browsers have the same limit.
const MAX_COLUMNS: usize = 1000;
/// What stands in the place of a long cell in the rows below it, and in the columns behind it.
const AS_ABOVE: &str = "(as above)";
const AS_BEFORE: &str = "(as before)";

/// Text of a row up to the next cell or paragraph.
#[derive(Clone, Copy, Debug)]
pub(super) struct InlinePiece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) links: usize,
}

#[derive(Debug, Default)]
pub(super) struct RowState {
    pub(super) start: usize,
    pub(super) pieces: Vec<InlinePiece>,
    /// Number of columns so far.
    pub(super) columns: usize,
    /// Number of cells that are not repetitions of a cell of this row.
    pub(super) cells: usize,
    pub(super) head: bool,
    /// Start of the current cell, and the length of the longest cell so far.
    pub(super) cell: usize,
    pub(super) longest: usize,
    /// End of the last repeated cell.
    pub(super) repeated: usize,
    /// Whether a cell could not be repeated, so that the others do not stand in their columns.
    pub(super) is_cut: bool,
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
    let columns = number(columns).filter(|columns| (1..=MAX_SPAN).contains(columns)).unwrap_or(1);
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
