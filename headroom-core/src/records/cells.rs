//! Rows of tables with more than one line: a cell between bars that goes on in the lines below, or one in quotes.

use std::ops::Range;

use super::body::Body;
use crate::{formats::table::BARS, text::lines};

/// Lines at the start that show whether a text may have such rows.
const SAMPLE: usize = 64;
/// Limit on the lines of a row.
const MAX_LINES: usize = 64;
/// Lines of a table with quotes that have as many cells as its header, in percent of its rows.
const MIN_ROWS: usize = 90;

/// Returns the lines of each row with more than one line, in order and disjoint.
pub(super) fn rows(bodies: &[Body<'_>]) -> Vec<Range<usize>> {
    let sample = || bodies.iter().take(SAMPLE);
    if sample().any(|body| body.text.contains(BARS)) {
        let found = between_bars(bodies);
        if !found.is_empty() {
            return found;
        }
    }
    in_quotes(bodies.iter().map(|body| body.text)).unwrap_or_default()
}

/// Whether a text is a table with line ends within quotes, whatever its cells say.
pub(crate) fn has_quoted_rows(text: &str) -> bool {
    in_quotes(lines::split(text)).is_some_and(|rows| !rows.is_empty())
}

/// Returns the lines of the row with this line.
pub(super) fn row_at(rows: &[Range<usize>], line: usize) -> Option<Range<usize>> {
    let at = rows.partition_point(|row| row.end <= line);
    rows.get(at).filter(|row| row.contains(&line)).cloned()
}

/// A line with bars that says something.
#[derive(Clone, Copy, Debug)]
struct BarredLine {
    bars: usize,
    starts_with_bar: bool,
    ends_with_bar: bool,
    /// Whether its first cell is not empty, if a bar is before it.
    has_first: bool,
}

impl BarredLine {
    fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let says = |text: &str| text.contains(char::is_alphanumeric);
        let first = text.trim_start_matches(BARS).split(BARS).next().unwrap_or_default();
        says(text).then(|| Self {
            bars: text.matches(BARS).count(),
            starts_with_bar: text.starts_with(BARS),
            ends_with_bar: text.ends_with(BARS),
            has_first: says(first),
        })
    }

    /// Whether a line goes on with this one: it has as many bars, and nothing in its first cell.
    const fn goes_on_in(&self, next: &Self) -> bool {
        let is_empty = !self.starts_with_bar || !next.has_first;
        self.bars > 1 && self.bars == next.bars && next.starts_with_bar && is_empty
    }

    /// Whether its last cell is open: it goes on in lines without bars, up to the bar that ends it.
    const fn is_open(&self) -> bool {
        self.starts_with_bar && !self.ends_with_bar
    }
}

/// Finds rows whose lines all have bars, and rows with a line end within a cell.
fn between_bars(bodies: &[Body<'_>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    // The first line of the row that may go on.
    let mut open: Option<(usize, BarredLine)> = None;
    for (line, body) in bodies.iter().enumerate() {
        let near = open.take().filter(|(start, _)| line - start < MAX_LINES);
        let (Some(own), Some((start, head))) = (BarredLine::new(body.text), near) else {
            open =
                BarredLine::new(body.text).map(|own| (line, own)).or(near.filter(|(_, head)| head.is_open()));
            continue;
        };
        let is_within = head.is_open() && !own.starts_with_bar;
        if head.goes_on_in(&own) || is_within && own.ends_with_bar {
            match found.last_mut() {
                Some(last) if last.start == start => last.end = line + 1,
                _ => found.push(start..line + 1),
            }
        }
        let is_over = is_within && own.ends_with_bar;
        open = match head.goes_on_in(&own) || is_within {
            true => Some((start, head)).filter(|_| !is_over),
            false => Some((line, own)),
        };
    }
    found
}

/// Finds rows of a table whose cells are parted by commas or the like, and whose quotes hold line ends. `None` if the text is no
/// such table.
fn in_quotes<'l>(lines: impl Iterator<Item = &'l str> + Clone) -> Option<Vec<Range<usize>>> {
    let header = lines.clone().find(|line| !line.trim().is_empty())?;
    let delimiter = [',', ';', '\t', '|'].into_iter().max_by_key(|mark| header.matches(*mark).count())?;
    let columns = header.matches(delimiter).count();
    let has_quotes = || lines.clone().take(SAMPLE).any(|line| line.contains('"'));
    if columns == 0 || header.matches('"').count() % 2 == 1 || !has_quotes() {
        return None;
    }
    let mut found = Vec::new();
    let (mut all, mut fit) = (0_usize, 0_usize);
    let (mut start, mut is_quoted, mut cells) = (0, false, 0_usize);
    for (line, text) in lines.enumerate() {
        if !is_quoted {
            (start, cells) = (line, 0);
        }
        for c in text.chars() {
            is_quoted ^= c == '"';
            cells += usize::from(c == delimiter && !is_quoted);
        }
        if is_quoted && line - start >= MAX_LINES {
            return None;
        }
        if !is_quoted && !text.trim().is_empty() {
            all += 1;
            fit += usize::from(cells == columns);
            if line > start {
                found.push(start..line + 1);
            }
        }
    }
    (fit * 100 >= all * MIN_ROWS).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::body::bodies;

    /// Returns the first and last line of each row.
    fn found(text: &str) -> Vec<(usize, usize)> {
        let rows = rows(&bodies(&text.lines().collect::<Vec<_>>()));
        rows.into_iter().map(|row| (row.start, row.end - 1)).collect()
    }

    #[test]
    fn lines_of_one_row_belong_together() {
        for (text, expected) in [
            ("| 1 | a  | x |\n|   | b  |   |\n|   | c  |   |\n| 2 | d  | y |\n", vec![(0, 2)]),
            (
                "+---+----+\n│ 1 │ a  │\n│   │ b  │\n├───┼────┤\n│   │ c  │\n│ 2 │ d  │\n│   │ e  │\n",
                vec![(1, 2), (5, 6)],
            ),
            (" 1 | a +| x\n   | b  | \n 2 | c  | y\n", vec![(0, 1)]),
            ("| 1 | a\nb\nc | x |\n| 2 | d | y |\n| 3 | e\nf | z |\n", vec![(0, 2), (4, 5)]),
            ("id,note\n1,\"a\nb, \"\"c\"\"\nd\"\n2,\"e\"\n3,\"f\ng\"\n", vec![(1, 3), (5, 6)]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn other_lines_stand_alone() {
        for text in [
            "| 1 | a |\n| 2 | b |\n",
            "cat a | grep b | wc\nls | sort | uniq\n",
            "  |\n3 | let x = 1;\n  |     ^ \"x\n  |\n",
            "it is 5\" wide, and\n6\" high, they say\nor 7\" deep\n",
            "a: \"1\nb: 2\n",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}
