//! Tells a table whose first column counts up from a numbered view of a file.

use std::ops::Range;

use super::{Mark, Start};

/// Longer first cells of a header are sentences.
const MAX_NAME_CHARS: usize = 24;
/// Rows of ten that have as many columns as the header. A cell may hold the separator.
const MOST_ROWS: usize = 9;
/// Names of a column of numbers before a colon, where most lines above a view are labels: `File: main.rs`.
const COLON_NAMES: [&str; 22] = [
    "#", "chapter", "code", "day", "id", "index", "key", "line", "lineno", "no", "num", "number", "page",
    "pid", "port", "pos", "rank", "row", "second", "time", "uid", "year",
];

/// Whether the numbered lines in `rows` are the rows of a table. `first` is the first of the adjacent lines that start
/// with a number, of which the rows may be a part.
pub(super) fn is_in(lines: &[&str], rows: &Range<usize>, first: usize, mark: Mark) -> bool {
    let texts = lines.get(rows.clone()).unwrap_or_default();
    let Some(width) = texts.first().map(|row| separators(row, mark)) else { return false };
    let alike = texts.iter().filter(|row| separators(row, mark) == width).count();
    if alike * 10 < texts.len() * MOST_ROWS {
        return false;
    }
    let above = |by: usize| first.checked_sub(by).and_then(|at| lines.get(at)).map(|line| line.trim_end());
    let has_columns = width > 1 && !matches!(mark, Mark::Colon | Mark::Tab);
    let has_header = || {
        let by = if above(1).is_some_and(is_rule) { 2 } else { 1 };
        above(by).is_some_and(|line| is_header(line, width, mark))
    };
    let has_rule = || above(1).is_some_and(|line| is_rule(line) && line.contains(['+', '|', '\t']));
    has_columns || has_header() || has_rule() || is_counted(lines.get(rows.end..).unwrap_or_default())
}

/// Whether numbered lines may be the rows of a table, so that their numbers may be values.
pub(crate) fn may_be_in(lines: &[&str], rows: &Range<usize>, mark: Mark) -> bool {
    let texts = lines.get(rows.clone()).unwrap_or_default();
    let divided = texts.iter().filter(|row| separators(row, mark) > 1).count();
    // Rows with other numbers continue the column.
    let goes_on =
        |line: Option<&&str>| line.and_then(|line| Start::parse(line)).is_some_and(|it| it.mark == mark);
    divided * 2 > texts.len()
        || goes_on(rows.start.checked_sub(1).and_then(|at| lines.get(at)))
        || goes_on(lines.get(rows.end))
}

/// Whether these texts look like lines of a file: some are indented, others are blank or close a block.
pub(crate) fn looks_like_file<'t>(texts: &(impl Iterator<Item = &'t str> + Clone)) -> bool {
    let is_indented = |text: &str| {
        let inner = text.trim_start();
        text.len() >= inner.len() + 2
            && inner.starts_with(|c: char| c.is_alphabetic() || "#/@\"'<{".contains(c))
    };
    let is_rest = |text: &str| text.trim().trim_matches(['}', ')', ']', ';', ',']).is_empty();
    texts.clone().any(is_indented)
        && texts.clone().any(is_rest)
        && texts.clone().any(|text| !is_indented(text))
}

/// Whether these texts, which a tool that shows files returned, may be lines of a file rather than cells: some are blank, and
/// others are sentences, headings or code.
pub(crate) fn may_be_file<'t>(texts: &(impl Iterator<Item = &'t str> + Clone)) -> bool {
    let is_line = |text: &str| {
        let inner = text.trim();
        inner.ends_with(['.', ',', ';', ':', '{', '}', '(', ')'])
            || inner.starts_with(['#', '/', '*', '-', '<'])
    };
    texts.clone().any(|text| text.trim().is_empty()) && texts.clone().any(is_line)
}

/// Counts the separators in a line.
fn separators(line: &str, mark: Mark) -> usize {
    line.matches(mark.text()).count()
}

/// Whether this is the rule below a header: `-----+------`.
fn is_rule(line: &str) -> bool {
    let holds = |pair: &str, others: &str| line.contains(pair) && line.chars().all(|c| others.contains(c));
    holds("--", "-+|=: \t")
        || holds("==", "=+| \t")
        || holds("──", "─┼┬ ")
        || holds("━━", "━╋┿ ")
        || holds("══", "═╪╬ ")
}

/// Whether this names the columns of rows with so many separators.
fn is_header(line: &str, width: usize, mark: Mark) -> bool {
    let name = line.split(mark.text()).next().unwrap_or_default().trim();
    let is_name = match mark {
        Mark::Colon => COLON_NAMES.contains(&name.to_ascii_lowercase().as_str()),
        _ => name.chars().count() <= MAX_NAME_CHARS && !name.contains([':', '/', '\\']),
    };
    separators(line, mark) == width
        && is_name
        && name.contains(|c: char| c.is_alphabetic() || c == '#')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a line behind the rows counts them: `(60 rows)`, `60 rows in set`.
fn is_counted(behind: &[&str]) -> bool {
    let mut lines = behind.iter().take(3).map(|line| line.trim()).filter(|line| !line.is_empty());
    let Some(line) = lines.find(|line| !is_rule(line)) else { return false };
    let mut words = line.trim_matches(['(', ')', '.']).split(' ');
    let is_count =
        words.next().is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()));
    is_count
        && words.next().is_some_and(|word| matches!(word, "row" | "rows" | "records" | "record" | "row(s)"))
}
