//! Cells and rows of tables.

use super::{
    super::{
        super::token::Tag,
        HtmlBlockKind, SEPARATOR,
        row::{self, InlinePiece, RowState},
    },
    PageReader,
};
use crate::tuning::tuning;

impl<'p> PageReader<'p> {
    pub(super) fn open_cell(&mut self, head: bool, tag: &Tag<'_>) {
        self.end_cell();
        if self.row.is_none() {
            return;
        }
        self.repeat_above();
        let Some(row) = &mut self.row else { return };
        if row.columns == 0 {
            row.head = true;
        } else {
            self.page.text.push_str(SEPARATOR);
        }
        row.head &= head;
        row.columns += 1;
        row.cells += 1;
        row.cell = self.page.text.len();
        row.span = row::span(tag.raw("colspan"), tag.raw("rowspan"));
        self.start = self.page.text.len();
    }

    /// Ends the current cell of the row, and repeats it in the columns that it spans.
    pub(super) fn end_cell(&mut self) {
        self.end_piece();
        self.space = false;
        let Some(row) = &mut self.row else { return };
        let end = self.page.text.trim_end().len().max(row.cell);
        self.page.text.truncate(end.max(row.start));
        self.start = self.page.text.len();
        let (columns, rows) = std::mem::take(&mut row.span);
        if rows == 0 && columns < 2 {
            return;
        }
        let cell = self.page.text.get(row.cell..).unwrap_or_default().to_owned();
        let (below, behind) = row::repeated(&cell);
        let first = row.columns.saturating_sub(1);
        for column in first..first + columns {
            if column > first {
                self.repeat(behind);
            }
            let Some(spans) = self.spans.last_mut().filter(|_| rows > 0) else { continue };
            spans.note(column, rows, below);
        }
    }

    /// Repeats the cells above that continue in the next columns.
    pub(super) fn repeat_above(&mut self) {
        loop {
            let Some(row) = self.row.as_mut().filter(|row| !row.is_cut) else { return };
            let above = self.spans.last().and_then(|spans| spans.above(row.columns));
            let Some(text) = above.map(str::to_owned) else { return };
            row.cells += 1;
            self.repeat(&text);
        }
    }

    /// Writes a cell that stands elsewhere in the table.
    pub(super) fn repeat(&mut self, text: &str) {
        let Some(row) = &mut self.row else { return };
        let Some(left) = self.repeatable.checked_sub(text.len() + SEPARATOR.len()) else {
            row.is_cut = true;
            return;
        };
        self.repeatable = left;
        if row.columns > 0 {
            self.page.text.push_str(SEPARATOR);
        }
        row.columns += 1;
        self.page.text.push_str(text);
        row.repeated = self.page.text.len();
        row.cell = self.page.text.len();
        self.start = self.page.text.len();
    }

    /// Ends a group of rows, beyond which no cell spans.
    pub(super) fn end_rows(&mut self) {
        self.end_row();
        if let Some(spans) = self.spans.last_mut() {
            spans.clear();
        }
    }

    /// Ends the row, if there is one, and the block.
    pub(super) fn end_row(&mut self) {
        if self.row.is_some() {
            self.end_cell();
            // Cells from above that continue in the columns behind the last cell.
            loop {
                self.repeat_above();
                let (Some(row), Some(spans)) = (&self.row, self.spans.last()) else { break };
                if row.is_cut || row.columns == 0 || row.columns >= spans.width() {
                    break;
                }
                // This row has no cell here.
                self.repeat("");
            }
        } else {
            self.end_block();
        }
        let Some(row) = self.row.take() else { return };
        if row.cells < 2 || row.longest > tuning().html.long_cell_bytes || row.is_cut {
            self.lay_out(&row);
        } else if let (Some(first), Some(last)) = (row.pieces.first(), row.pieces.last()) {
            let whole = InlinePiece { start: row.start, end: last.end.max(row.repeated), links: first.links };
            let cells = u16::try_from(row.columns).unwrap_or(u16::MAX);
            self.push(HtmlBlockKind::Row { head: row.head, cells }, whole);
        }
        self.start = self.page.text.len();
        self.links = self.page.links.len();
    }

    /// Writes the pieces of a row as paragraphs.
    pub(super) fn lay_out(&mut self, row: &RowState) {
        for (at, piece) in row.pieces.iter().enumerate() {
            self.push(HtmlBlockKind::Paragraph, *piece);
            let next = row.pieces.get(at + 1).map_or(self.page.links.len(), |next| next.links);
            if let Some(block) = self.page.blocks.last_mut() {
                block.links.end = next;
                let links = self.page.links.get(block.links.clone()).unwrap_or_default();
                block.linked = links.iter().map(|link| link.text.len()).sum();
            }
        }
        self.start = self.page.text.len();
        self.links = self.page.links.len();
    }
}
