//! Shortens aligned columns, as printed by `ls -l`, `ps`, `df`, `kubectl get`, `docker ps` and `psql`.

mod gaps;
mod rows;
#[cfg(test)]
mod tests;

use crate::{
    compress::Omission,
    formats::table::{Layout, OPEN, TableBlocks, content},
    relevance::Query,
    text::marker,
    tuning::tuning,
};
pub(in crate::compress) use gaps::{number, tells_of_trouble};

/// Returns the text without the padding of columns; `None` if that is not shorter.
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
            // A row that does not fit the columns is left as it is, after a space.
            if !layout.write(row, &mut cells, &mut rows) {
                rows.push(' ');
                rows.push_str(row);
            }
            rows.push_str(line.get(row.len()..).unwrap_or_default());
        }
        if rows.len() * tuning().table.bytes_per_saved
            <= block.text.len() * (tuning().table.bytes_per_saved - 1)
        {
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

/// Whether this line gives the positions of the columns in the rows after it.
pub(crate) fn is_header(line: &str) -> bool {
    line.starts_with(OPEN)
}

/// Returns the rows that may be elided, in order and disjoint.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    gaps::gaps(text, query)
}

/// Restores the padding.
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
