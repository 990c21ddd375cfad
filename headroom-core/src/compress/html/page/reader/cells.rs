//! Cells and rows of tables.

use super::{
    super::{
        super::{element::Element, token::Tag},
        HtmlBlockKind, SEPARATOR,
        grid::{TableForm, TableShape},
        row::{self, RowState, Spans},
        wraps::folded,
    },
    Lead, PageReader,
    blocks::InlinePiece,
};

/// Longer names of pictures tell nothing.
const MAX_NAME: usize = 60;
/// Ends a line in a cell.
const BREAK: &str = "<br>";

/// An open table.
#[derive(Debug, Default)]
pub(super) struct ReadTable {
    pub(super) number: usize,
    pub(super) shape: TableShape,
    spans: Spans,
    in_head: bool,
}

impl ReadTable {
    pub(super) fn new(number: usize, shape: TableShape) -> Self {
        Self { number, shape, ..Self::default() }
    }
}

impl<'p> PageReader<'p> {
    pub(super) fn table_form(&self) -> TableForm {
        self.tables.last().map_or(TableForm::Layout, |table| table.shape.form)
    }

    /// Closes the elements that are open in a cell: none reaches beyond it.
    pub(super) fn close_in_table(&mut self) {
        if !self.tables.is_empty() {
            self.end_block();
            while self.stack.last().is_some_and(|open| open.element != Element::Table) {
                self.pop();
            }
            self.lead = None;
        }
    }

    pub(super) fn open_row(&mut self) {
        self.close_in_table();
        self.end_row();
        match self.table_form() {
            TableForm::Layout => {}
            TableForm::Tags => self.tag("<tr>"),
            TableForm::Rows => {
                let Some(table) = self.tables.last_mut() else { return };
                table.spans.begin_row();
                self.row = Some(RowState {
                    start: self.start,
                    links: self.links,
                    head: true,
                    in_head: table.in_head,
                    cell: self.start,
                    ..RowState::default()
                });
            }
        }
    }

    pub(super) fn open_cell(&mut self, head: bool, tag: &Tag<'_>) {
        self.close_in_table();
        match self.table_form() {
            TableForm::Rows if self.row.is_none() => self.open_row(),
            TableForm::Rows => self.end_cell(),
            TableForm::Layout => return self.end_block(),
            TableForm::Tags => {
                self.end_block();
                let spans =
                    ["colspan", "rowspan"].into_iter().filter_map(|name| Some((name, tag.raw(name)?.trim())));
                let spans = spans
                    .filter(|(_, value)| *value != "1" && value.bytes().all(|byte| byte.is_ascii_digit()));
                let spans: String = spans.map(|(name, value)| format!(" {name}={value}")).collect();
                return self.tag(&format!("<{}{spans}>", if head { "th" } else { "td" }));
            }
        }
        self.repeat_above();
        let columns = self.tables.last().map_or(0, |table| table.shape.columns);
        let Some(row) = &mut self.row else { return };
        if row.columns > 0 {
            self.page.text.push_str(SEPARATOR);
        }
        let left = columns.saturating_sub(row.columns).max(1);
        row.columns += 1;
        row.is_broken = false;
        row.cell = self.page.text.len();
        row.cell_head = head;
        row.picture.clear();
        let (columns, rows) = row::span(tag.raw("colspan"), tag.raw("rowspan"));
        row.span = (columns.min(left), rows);
        self.start = self.page.text.len();
    }

    /// Begins a line in a cell.
    pub(super) fn begin_line(&mut self) {
        let Some(row) = &mut self.row else { return };
        row.is_full = true;
        let text = &mut self.page.text;
        let before = text.len();
        if std::mem::take(&mut row.is_broken) && before > row.cell {
            text.push_str(BREAK);
        }
        if let Some(Lead::Item { number, .. }) = self.lead.take() {
            match number {
                Some(number) => text.push_str(&format!("{number} ")),
                None => text.push_str("- "),
            }
        }
        if text.len() > before {
            if let Some((start, _)) = self.link.as_mut().filter(|(start, _)| *start >= before) {
                *start = text.len();
            }
            self.space = false;
            self.start = text.len();
        }
    }

    /// Ends a line in a cell.
    pub(super) fn end_line(&mut self) {
        let href = self.end_link();
        self.end_inline();
        if let Some(row) = &mut self.row {
            row.is_broken = true;
        }
        self.start = self.page.text.len();
        self.space = false;
        self.link = href.map(|href| (self.start, href));
    }

    /// Notes what a picture without a text is called: a cell with a tick is not empty.
    pub(super) fn note_picture(&mut self, tag: &Tag<'_>) {
        let Some(row) = self.row.as_mut().filter(|row| row.picture.is_empty()) else { return };
        let source = tag.raw("src").and_then(|source| source.split(['?', '#']).next()?.rsplit('/').next());
        let name = ["aria-label", "title", "class"].iter().find_map(|name| tag.raw(name)).or(source);
        let name = name.filter(|name| !name.trim().is_empty() && name.len() <= MAX_NAME);
        row.picture = folded(name.unwrap_or(tag.name));
    }

    /// Writes the picture of a cell that has nothing else.
    fn write_picture(&mut self) {
        let Some(row) = &mut self.row else { return };
        let name = std::mem::take(&mut row.picture);
        if !name.is_empty() && row.columns > 0 && self.page.text.len() == row.cell {
            self.word(&format!("![{name}]"));
        }
    }

    /// Ends the current cell of the row, and repeats it in the columns that it spans.
    pub(super) fn end_cell(&mut self) {
        if self.row.is_none() {
            return self.end_block();
        }
        self.end_line();
        self.lead = None;
        self.write_picture();
        let Some(row) = &mut self.row else { return };
        // What stands between two cells is no part of the last word before it.
        row.is_broken = true;
        let cell = self.page.text.get(row.cell..).unwrap_or_default().to_owned();
        row.head &= row.cell_head || cell.is_empty();
        let (columns, rows) = std::mem::take(&mut row.span);
        if rows == 0 && columns < 2 {
            return;
        }
        let (below, behind) = row::repeated(&cell);
        let first = row.columns.saturating_sub(1);
        for column in first..first + columns {
            if column > first {
                self.repeat(behind);
            }
            if let Some(table) = self.tables.last_mut().filter(|_| rows > 0) {
                table.spans.note(column, rows, below);
            }
        }
    }

    /// Repeats the cells above that continue in the next columns.
    fn repeat_above(&mut self) {
        loop {
            let Some(row) = &self.row else { return };
            let above = self.tables.last().and_then(|table| table.spans.above(row.columns));
            let Some(text) = above.map(str::to_owned) else { return };
            self.repeat(&text);
        }
    }

    /// Writes a cell that stands elsewhere in the table.
    fn repeat(&mut self, text: &str) {
        let Some(row) = &mut self.row else { return };
        if row.columns > 0 {
            self.page.text.push_str(SEPARATOR);
        }
        row.columns += 1;
        row.is_full |= !text.is_empty();
        self.page.text.push_str(text);
        row.cell = self.page.text.len();
        self.start = self.page.text.len();
    }

    /// Ends a group of rows, beyond which no cell spans.
    pub(super) fn end_rows(&mut self, in_head: bool) {
        self.close_in_table();
        self.end_row();
        if let Some(table) = self.tables.last_mut() {
            table.spans.clear();
            table.in_head = in_head;
        }
    }

    /// Ends the row, if there is one, and the block.
    pub(super) fn end_row(&mut self) {
        if self.row.is_none() {
            return self.end_block();
        }
        self.end_cell();
        // Cells from above that continue in the columns behind the last cell.
        loop {
            self.repeat_above();
            let (Some(row), Some(table)) = (&self.row, self.tables.last()) else { break };
            if row.columns == 0 || row.columns >= table.spans.width() {
                break;
            }
            // This row has no cell here.
            self.repeat("");
        }
        if let (Some(row), Some(table)) = (self.row.take(), self.tables.last()) {
            if row.is_full {
                let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
                let columns = table.shape.columns.max(row.columns);
                let kind = HtmlBlockKind::Row {
                    table: table.number,
                    head: row.head || row.in_head,
                    missing: short(columns - row.columns),
                    columns: short(columns),
                };
                self.push(
                    kind,
                    InlinePiece { start: row.start, end: self.page.text.len(), links: row.links },
                );
            } else {
                self.page.text.truncate(row.start);
            }
        }
        self.start = self.page.text.len();
        self.links = self.page.links.len();
        self.link = self.link.map(|(_, href)| (self.start, href));
    }
}
