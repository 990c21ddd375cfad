//! Shortens search results: rows of `path:line:text`, with context rows, headings or counts.

mod elide_path;
mod gaps;
mod row;
#[cfg(test)]
mod tests;

use crate::{compress::Omission, relevance::Query, text::path::is_path};
use row::{SearchLine, SearchParser, SearchRowKind};

/// Returns the percentage of lines that are rows of search results.
pub(crate) fn share(text: &str) -> u32 {
    let lines = || text.lines();
    let mut parser = SearchParser::parse(lines());
    let (mut rows, mut all) = (0_u64, 0_u64);
    let mut last = 0;
    let mut mark = SearchRowKind::Count;
    let mut heading = 0;
    for line in lines().filter(|line| !line.trim().is_empty()) {
        all += 1;
        match parser.line(line) {
            SearchLine::Row(row) if row.path.is_some() => {
                rows += u64::from(!is_diagnostic(row.text));
                last = 0;
            }
            // Numbers that decrease belong to another file; consecutive numbers are a view of one file.
            SearchLine::Row(row) => {
                let number: u32 =
                    row.rest.split([':', '-', '=']).next().and_then(|n| n.parse().ok()).unwrap_or(0);
                let fits = number > last && (number > last + 1 || mark != row.kind);
                rows += if fits { 1 + heading } else { 0 };
                last = number;
                mark = row.kind;
            }
            SearchLine::Break => {
                rows += 1;
                last = 0;
            }
            SearchLine::Other => {
                last = 0;
                heading = u64::from(is_path(line));
                continue;
            }
        }
        heading = 0;
    }
    u32::try_from(rows * 100 / all.max(1)).unwrap_or(100)
}

/// Whether the text of a row is a diagnostic of a compiler or linter.
fn is_diagnostic(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':').trim_start();
    ["error", "warning", "note:", "fatal error", "info:"].iter().any(|word| text.starts_with(word))
}

/// Returns the result with paths omitted if the row above is of the same file; `None` if that is not shorter.
///
/// In small results only context rows lose their paths.
pub(crate) fn render(text: &str) -> Option<String> {
    elide_path::render(text)
}

/// Whether this is the line that precedes such a result.
pub(crate) fn is_header(line: &str) -> bool {
    line == elide_path::HEADER
}

/// Returns the rows that may be elided, in order and disjoint.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    gaps::gaps(text, query)
}
