//! Aligned columns, as `ls -l`, `ps`, `df`, `kubectl get`, `docker ps` and `psql` print them.

mod gaps;
mod layout;
#[cfg(test)]
mod tests;

use crate::{compress::Omission, relevance::Query, text::marker};
use layout::{Layout, OPEN};

/// Only blocks that lose one byte in so many are written anew.
const MIN_SAVING_RATIO: usize = 20;

/// How many of a hundred lines are rows of aligned columns.
pub(crate) fn share(text: &str) -> u32 {
    let (mut fit, mut all) = (0_usize, 0_usize);
    for block in TableBlocks::new(text) {
        all += block.rows.len();
        if let Some(layout) = Layout::from_rows(&block.rows).filter(|_| is_padded(&block.rows)) {
            let mut cells = Vec::new();
            for row in &block.rows {
                cells.clear();
                fit += usize::from(layout.raw_cells(row, &mut cells));
            }
        }
    }
    u32::try_from(fit * 100 / all.max(1)).unwrap_or(100)
}

/// The text without the padding of columns, or `None` where that is not shorter.
pub(crate) fn render(text: &str) -> Option<String> {
    if text.contains(OPEN) || marker::is_in(text) || !text.contains("  ") {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for block in TableBlocks::new(text) {
        let Some(layout) = Layout::from_rows(&block.rows) else { continue };
        let line_end = if block.crlf { "\r\n" } else { "\n" };
        let mut rows = layout.header();
        let mut cells = Vec::with_capacity(layout.columns.len());
        rows.push_str(line_end);
        for line in block.text.split_inclusive('\n') {
            let row = content(line);
            // A row that does not keep to the columns stands as it was, after a space.
            if !layout.write(row, &mut cells, &mut rows) {
                rows.push(' ');
                rows.push_str(row);
            }
            rows.push_str(line.get(row.len()..).unwrap_or_default());
        }
        if rows.len() * MIN_SAVING_RATIO <= block.text.len() * (MIN_SAVING_RATIO - 1) {
            out.push_str(text.get(from..block.start).unwrap_or_default());
            out.push_str(&rows);
            from = block.start + block.text.len();
        }
    }
    if from == 0 {
        return None;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Some(out)
}

/// Whether this line says where the columns of the rows behind it were.
pub(crate) fn is_header(line: &str) -> bool {
    line.starts_with(OPEN)
}

/// The rows that may be set aside, in order and apart from each other.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    gaps::gaps(text, query)
}

/// The text before padding was taken out.
#[cfg(test)]
fn expand(text: &str) -> String {
    let mut out = String::new();
    let mut layout: Option<Layout> = None;
    for line in text.split_inclusive('\n') {
        let row = content(line);
        if let Some(found) = Layout::parse(row) {
            layout = Some(found);
            continue;
        }
        if row.trim().is_empty() {
            layout = None;
        }
        let written = layout.as_ref().map(|layout| match row.strip_prefix(' ') {
            Some(row) => row.to_owned(),
            None => {
                let mut out = String::new();
                let mut cells = Vec::new();
                assert!(layout.cells(row, &mut cells), "{row}");
                for (cell, column) in cells.iter().zip(&layout.columns) {
                    let at = if column.right { column.at - cell.len() } else { column.at };
                    out.push_str(&" ".repeat(at - out.len()));
                    out.push_str(cell);
                }
                out
            }
        });
        out.push_str(written.as_deref().unwrap_or(row));
        out.push_str(&line[row.len()..]);
    }
    out
}

/// Whether columns are set apart by more than single spaces, so that the rows are no text that lines up by chance.
fn is_padded(rows: &[&str]) -> bool {
    let padded = rows.iter().filter(|row| row.trim_start().contains("  ")).count();
    padded * 2 >= rows.len()
}

/// A line without its line end.
fn content(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Lines that follow each other, none of them blank.
#[derive(Debug)]
struct TableBlock<'t> {
    start: usize,
    text: &'t str,
    rows: Vec<&'t str>,
    crlf: bool,
}

/// The blocks of a text that may be tables.
#[derive(Debug)]
struct TableBlocks<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> TableBlocks<'t> {
    const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'t> Iterator for TableBlocks<'t> {
    type Item = TableBlock<'t>;

    fn next(&mut self) -> Option<TableBlock<'t>> {
        let rest = self.text.get(self.at..)?;
        let mut lines = rest.split_inclusive('\n').peekable();
        let mut start = self.at;
        while let Some(line) = lines.next_if(|line| line.trim().is_empty()) {
            start += line.len();
        }
        let mut end = start;
        let mut rows = Vec::new();
        let mut crlf = false;
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty()) {
            rows.push(content(line));
            crlf |= line.ends_with("\r\n");
            end += line.len();
        }
        self.at = end;
        (!rows.is_empty()).then_some(TableBlock { start, text: self.text.get(start..end)?, rows, crlf })
    }
}
