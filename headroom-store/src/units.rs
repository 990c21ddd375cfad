//! Splits an original into its units: lines, or rows of JSON.

use std::{
    borrow::Cow,
    ops::{Range, RangeInclusive},
};

use headroom_json::{Value, compact_into};

/// How deep to look for the array with the most items.
const MAX_DEPTH: usize = 6;
/// A numbered view has at least this many lines with rising numbers.
const MIN_NUMBERED: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitKind {
    Line,
    Row,
}

impl UnitKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Row => "row",
        }
    }
}

/// A text as a list of lines or rows.
#[derive(Debug)]
pub(crate) struct Units<'a> {
    pub(crate) kind: UnitKind,
    texts: Vec<&'a str>,
    /// The number that each line of a numbered view prints; otherwise lines are counted from 1.
    printed: Option<Vec<usize>>,
}

impl<'a> Units<'a> {
    pub(crate) fn lines(text: &'a str) -> Self {
        let texts: Vec<_> = text.split_inclusive('\n').collect();
        let printed = printed(&texts);
        Self { kind: UnitKind::Line, texts, printed }
    }

    /// Returns the rows of a JSON array, of the array with the most items in a document, or of JSON lines.
    pub(crate) fn rows(text: &'a str) -> Option<Self> {
        let texts: Vec<_> = match Value::parse(text) {
            Some(root) => longest_array(root, MAX_DEPTH)?.items().map(Value::raw).collect(),
            None => {
                let rows: Vec<_> =
                    text.lines().map(str::trim).filter(|line| line.starts_with(['{', '['])).collect();
                rows.iter().all(|row| Value::parse(row).is_some()).then_some(rows)?
            }
        };
        (!texts.is_empty()).then_some(Self { kind: UnitKind::Row, texts, printed: None })
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn text(&self, at: usize) -> &'a str {
        self.texts.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn bytes(&self, at: usize) -> usize {
        self.text(at).len() + usize::from(self.kind == UnitKind::Row)
    }

    /// Returns the units whose numbers are in this range.
    pub(crate) fn within(&self, numbers: &RangeInclusive<usize>) -> Range<usize> {
        let (start, end) = match &self.printed {
            Some(printed) => (
                printed.partition_point(|number| number < numbers.start()),
                printed.partition_point(|number| number <= numbers.end()),
            ),
            None => (numbers.start().saturating_sub(1), (*numbers.end()).min(self.len())),
        };
        start.min(end)..end
    }

    fn number(&self, at: usize) -> usize {
        match &self.printed {
            Some(printed) => printed.get(at).copied().unwrap_or_default(),
            None => at + 1,
        }
    }

    /// Describes these units: `lines 120-180 of 5000`.
    pub(crate) fn coordinates(&self, picked: Range<usize>) -> String {
        let name = self.kind.name();
        if picked.len() == self.len() && self.printed.is_none() {
            return match self.len() {
                1 => format!("the only {name}"),
                len => format!("all {len} {name}s"),
            };
        }
        let (first, last) = (self.number(picked.start), self.number(picked.end.saturating_sub(1)));
        let total = self.total();
        if picked.len() == 1 {
            format!("{name} {first} of {total}")
        } else {
            format!("{name}s {first}-{last} of {total}")
        }
    }

    fn total(&self) -> String {
        match &self.printed {
            Some(printed) => {
                let (first, last) = (printed.first().unwrap_or(&0), printed.last().unwrap_or(&0));
                format!("{first}-{last}")
            }
            None => self.len().to_string(),
        }
    }

    /// Describes the whole.
    pub(crate) fn summary(&self) -> String {
        let name = self.kind.name();
        match &self.printed {
            Some(_) => format!("There are {name}s {}.", self.total()),
            None => format!("There are {} {name}s.", self.len()),
        }
    }

    /// Writes units: lines verbatim, rows without insignificant white space and one to a line.
    pub(crate) fn write(&self, picked: Range<usize>, out: &mut String) {
        for at in picked {
            match (self.kind, Value::parse(self.text(at))) {
                (UnitKind::Row, Some(row)) => {
                    compact_into(row, out);
                    out.push('\n');
                }
                _ => out.push_str(self.text(at)),
            }
        }
    }
}

/// Finds the array with the most items.
fn longest_array(value: Value<'_>, depth: usize) -> Option<Value<'_>> {
    if value.is_array() {
        return Some(value);
    }
    let mut best: Option<(usize, Value<'_>)> = None;
    let mut open = vec![value];
    for _ in 0..depth {
        let mut next = Vec::new();
        for value in open {
            let inner = value.members().map(|member| member.value).chain(value.items());
            for inner in inner.filter(|inner| inner.is_array() || inner.is_object()) {
                if inner.is_array() {
                    let items = inner.items().count();
                    if best.is_none_or(|(most, _)| items > most) {
                        best = Some((items, inner));
                    }
                }
                next.push(inner);
            }
        }
        open = next;
    }
    best.map(|(_, array)| array)
}

/// Returns the numbers that a numbered view of a file prints: most lines start with a number, and the numbers rise. A
/// line without one belongs to the line before it. `None` for other texts.
fn printed(lines: &[&str]) -> Option<Vec<usize>> {
    let own: Vec<_> = lines.iter().map(|line| printed_number(line)).collect();
    let numbered = own.iter().flatten().count();
    if numbered < MIN_NUMBERED || numbered * 10 < lines.len() * 8 {
        return None;
    }
    let mut last = own.iter().flatten().next()?.saturating_sub(1);
    let mut consecutive = 0;
    let mut numbers = Vec::with_capacity(lines.len());
    for number in own {
        if let Some(number) = number {
            if number <= last && !numbers.is_empty() {
                return None;
            }
            consecutive += usize::from(number == last + 1);
            last = number;
        }
        numbers.push(last);
    }
    (consecutive * 10 >= numbered * 8).then_some(numbers)
}

/// Parses `   120→`, `120\t`, `00120|`, `L120: `.
fn printed_number(line: &str) -> Option<usize> {
    let line = plain(line);
    let line = line.trim_start_matches(' ');
    let line = line.strip_prefix('L').unwrap_or(line);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 9 {
        return None;
    }
    let (number, rest) = line.split_at_checked(digits)?;
    let mark = rest.trim_start_matches(' ');
    let starts = mark.starts_with(['→', '\t', '|', '│']) || rest.starts_with(':');
    starts.then(|| number.parse().ok())?
}

/// Removes the escape sequences for colours from a line, as in the text that a marker describes.
fn plain(line: &str) -> Cow<'_, str> {
    if !line.contains('\x1b') {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, sequence)) = rest.split_once("\x1b[") {
        out.push_str(before);
        rest = sequence.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ';' | ':'));
        rest = rest.strip_prefix(['m', 'K']).unwrap_or(rest);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_coloured_view_are_read() {
        let units = Units::lines("\x1b[32m7\x1b[0m\ta\n\x1b[32m8\x1b[0m\tb\n\x1b[32m9\x1b[0m\tc\n");
        assert_eq!(units.printed.as_deref(), Some(&[7, 8, 9][..]));
        assert_eq!(units.within(&(8..=8)), 1..2);
    }

    #[test]
    fn numbered_views_are_told_from_lists_of_numbers() {
        assert!(Units::lines("1\ta\n2\tb\n3\tc\n").printed.is_some());
        assert!(Units::lines("  9→a\n 10→b\n 11→c\n").printed.is_some());
        assert!(Units::lines("7\ta\n3\tb\n9\tc\n").printed.is_none());
        assert!(Units::lines("10:31:02 x\n10:31:03 y\n10:31:04 z\n").printed.is_none());
        assert!(Units::lines("a\nb\nc\n").printed.is_none());
    }

    #[test]
    fn the_array_with_most_items_is_found_at_any_depth() {
        let rows = Units::rows(r#"{"a":[1],"b":{"c":{"d":[1,2,3]}}}"#).unwrap();
        assert_eq!(rows.len(), 3);
        assert!(Units::rows(r#"{"a":1}"#).is_none());
    }
}
