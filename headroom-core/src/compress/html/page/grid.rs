//! The shapes of the tables of a page, known before their rows are read.

use super::{
    super::{
        element::Element,
        token::{HtmlToken, Tag},
        visible::VisibleTokens,
    },
    row,
};

use crate::tuning::tuning;

/// Tables with more columns are no tables of a text.
const MAX_COLUMNS: usize = 64;

/// How a table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum TableForm {
    /// As paragraphs: it arranges what it holds.
    #[default]
    Layout,
    /// As blocks with the tags of rows and cells between them, since a cell holds more than a line.
    Tags,
    /// As rows of cells.
    Rows,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TableShape {
    pub(super) form: TableForm,
    pub(super) columns: usize,
}

/// Returns the shapes of the tables of a page, in the order of their start tags.
pub(super) fn shapes(source: &str) -> Vec<TableShape> {
    let mut shapes = Vec::new();
    let has_table = memchr::memchr_iter(b'<', source.as_bytes()).any(|at| {
        source.as_bytes().get(at + 1..at + 6).is_some_and(|name| name.eq_ignore_ascii_case(b"table"))
    });
    if !has_table {
        return shapes;
    }
    let mut open: Vec<OpenTable> = Vec::new();
    let mut tokens = VisibleTokens::new(source);
    while let Some(token) = tokens.next() {
        let left = tokens.rest().len();
        match token {
            HtmlToken::Open(tag) if Element::from_name(tag.name) == Element::Table => {
                if let Some(outer) = open.last_mut() {
                    outer.is_deep = true;
                    outer.holds_table = true;
                }
                open.push(OpenTable::new(&tag, shapes.len(), left));
                shapes.push(TableShape::default());
            }
            HtmlToken::Close(name) if Element::from_name(name) == Element::Table => {
                if let Some(table) = open.pop() {
                    table.finish(left, &mut shapes);
                }
            }
            token => {
                if let Some(table) = open.last_mut() {
                    table.read(&token);
                }
            }
        }
    }
    for table in open.into_iter().rev() {
        table.finish(0, &mut shapes);
    }
    shapes
}

/// A table of which the rows are counted.
#[derive(Debug, Default)]
struct OpenTable {
    index: usize,
    /// Bytes of the page behind its start tag.
    left: usize,
    is_arranging: bool,
    /// Whether a cell holds what has no form in a line.
    is_deep: bool,
    holds_table: bool,
    has_head: bool,
    lists: usize,
    /// The rows so far, those with several cells that have text, and the columns of the widest.
    rows: usize,
    full_rows: usize,
    columns: usize,
    /// For each column, the last row that a cell spans.
    spans: Vec<usize>,
    /// Cells that are written again because they span rows, and where cells begin that span columns, and how many.
    repeated: usize,
    wide: Vec<(usize, usize)>,
    in_row: bool,
    in_cell: bool,
    /// The next column of the row, and its cells with text so far.
    column: usize,
    full_cells: usize,
    /// Bytes of the current cell, and of the longest.
    length: usize,
    longest: usize,
}

impl OpenTable {
    fn new(tag: &Tag<'_>, index: usize, left: usize) -> Self {
        let role = tag.raw("role").unwrap_or_default();
        let is_arranging = ["none", "presentation"].iter().any(|known| known.eq_ignore_ascii_case(role));
        Self { index, left, is_arranging, ..Self::default() }
    }

    fn read(&mut self, token: &HtmlToken<'_>) {
        match token {
            HtmlToken::Text(text) => self.length += text.trim_ascii().len(),
            HtmlToken::Open(tag) => self.open(tag),
            HtmlToken::Close(name) => match Element::from_name(name) {
                Element::Row => self.end_row(),
                Element::Rows => {
                    self.end_row();
                    self.spans.clear();
                }
                Element::Cell { .. } => self.end_cell(),
                Element::List { .. } => self.lists = self.lists.saturating_sub(1),
                _ => {}
            },
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        match Element::from_name(tag.name) {
            Element::Row => {
                self.end_row();
                self.begin_row();
            }
            Element::Rows => {
                self.end_row();
                self.spans.clear();
            }
            Element::Cell { head } => self.cell(head, tag),
            Element::List { .. } => {
                self.lists += 1;
                self.is_deep |= self.lists > 1 || tag.raw("reversed").is_some();
            }
            Element::Picture | Element::Drawing | Element::Field => {
                self.length += usize::from(tag.raw("alt") != Some(""));
            }
            Element::Heading(_)
            | Element::Preformatted
            | Element::Quote
            | Element::Form
            | Element::Definitions
            | Element::Main
            | Element::Header
            | Element::Frame => self.is_deep = true,
            _ => {}
        }
    }

    fn begin_row(&mut self) {
        self.rows += 1;
        (self.in_row, self.column, self.full_cells) = (true, 0, 0);
    }

    fn is_spanned(&self, column: usize) -> bool {
        self.spans.get(column).is_some_and(|last| *last >= self.rows)
    }

    fn cell(&mut self, head: bool, tag: &Tag<'_>) {
        self.end_cell();
        if !self.in_row {
            self.begin_row();
        }
        while self.is_spanned(self.column) {
            self.column += 1;
            self.repeated += 1;
        }
        (self.in_cell, self.length, self.lists) = (true, 0, 0);
        self.has_head |= head;
        self.columns = self.columns.max(self.column + 1);
        let (columns, rows) = row::span(tag.raw("colspan"), tag.raw("rowspan"));
        let end = self.column.saturating_add(columns).min(MAX_COLUMNS);
        if rows > 0 && self.spans.len() < end {
            self.spans.resize(end, 0);
        }
        for column in self.column..end {
            if rows > 0
                && let Some(last) = self.spans.get_mut(column)
            {
                *last = self.rows.saturating_add(rows);
            }
        }
        if columns > 1 {
            self.wide.push((self.column, columns));
        }
        self.column = self.column.saturating_add(columns);
    }

    fn end_cell(&mut self) {
        if std::mem::take(&mut self.in_cell) {
            self.longest = self.longest.max(self.length);
            self.full_cells += usize::from(self.length > 0);
        }
    }

    fn end_row(&mut self) {
        self.end_cell();
        if self.in_row {
            self.full_rows += usize::from(self.full_cells > 1);
            self.repeated +=
                (self.column..self.spans.len()).filter(|column| self.is_spanned(*column)).count();
        }
        self.in_row = false;
    }

    /// `left` is the bytes of the page behind the table.
    fn finish(mut self, left: usize, shapes: &mut [TableShape]) {
        self.end_row();
        let length = self.left.saturating_sub(left);
        // No cell reaches beyond the last column in which one begins.
        let reach = |(column, columns): &(usize, usize)| self.columns.saturating_sub(*column).min(*columns);
        let repeated = self.repeated + self.wide.iter().map(reach).sum::<usize>();
        let is_table = !self.is_arranging && self.columns > 1;
        let is_small = self.columns <= MAX_COLUMNS
            && self.rows.saturating_mul(self.columns) < length
            && repeated.saturating_mul(tuning().html.max_repeated) < length.saturating_mul(4);
        let is_short = self.has_head || self.longest <= tuning().html.long_cell_bytes;
        let has_rows = self.full_rows > 0 && (self.has_head || self.rows > 1);
        let form = if is_table && is_small && is_short && has_rows && !self.is_deep {
            TableForm::Rows
        } else if is_table && self.full_rows > 0 && (self.has_head || self.full_rows > 1 && !self.holds_table)
        {
            TableForm::Tags
        } else {
            TableForm::Layout
        };
        if let Some(shape) = shapes.get_mut(self.index) {
            *shape = TableShape { form, columns: self.columns };
        }
    }
}
