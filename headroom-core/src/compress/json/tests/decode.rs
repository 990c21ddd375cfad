//! Decodes renderings. Shares no code with the encoder.

use super::tree::{DecodedStep, object};
use crate::text::marker::RowElision;

/// Represents an elided row.
pub(super) const ASIDE: &str = "~";

/// Decodes a rendering to compact JSON; the values of a stream are separated by line ends.
pub(in super::super) fn decode(rendering: &str) -> Result<String, String> {
    let mut reader = TableReader { rest: rendering, out: String::new() };
    let digits = rendering.len() - rendering.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && rendering[digits..].starts_with(" JSON values") {
        let rows = reader.rows(" JSON values", true)?;
        return Ok(rows.join("\n"));
    }
    loop {
        reader.value()?;
        if reader.rest.is_empty() {
            return Ok(reader.out);
        }
        reader.take("\n")?;
        reader.out.push('\n');
    }
}

struct TableReader<'a> {
    rest: &'a str,
    out: String,
}

#[derive(Clone)]
struct DecodedColumn {
    steps: Vec<DecodedStep>,
    constant: Option<String>,
    /// The text before and behind the cell of another column.
    pattern: Option<(String, Vec<DecodedStep>, String)>,
}

impl<'a> TableReader<'a> {
    fn take(&mut self, text: &str) -> Result<(), String> {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.ok_or_else(|| format!("{text:?} expected at {:.60?}", self.rest))?;
        Ok(())
    }

    fn accept(&mut self, text: &str) -> bool {
        self.take(text).is_ok()
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !test(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Appends a value with tables in it to `out`.
    fn value(&mut self) -> Result<(), String> {
        match self.rest.chars().next().ok_or("value expected")? {
            '[' => {
                let inner = &self.rest[1..];
                let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let what = [" rows", " elements"].into_iter().find(|what| inner[digits..].starts_with(what));
                if let Some(what) = what.filter(|_| digits > 0) {
                    self.take("[")?;
                    let rows = self.rows(what, false)?;
                    self.take("]")?;
                    self.out.push_str(&format!("[{}]", rows.join(",")));
                    return Ok(());
                }
                self.list('[', ']', false)
            }
            '{' => self.list('{', '}', true),
            _ => {
                let scalar = self.scalar()?;
                self.out.push_str(&scalar);
                Ok(())
            }
        }
    }

    fn list(&mut self, open: char, close: char, keys: bool) -> Result<(), String> {
        self.rest = &self.rest[1..];
        self.out.push(open);
        let mut first = true;
        while !self.rest.starts_with(close) {
            if !first {
                self.take(",")?;
                self.out.push(',');
            }
            first = false;
            if keys {
                let key = self.scalar()?;
                self.take(":")?;
                self.out.push_str(&key);
                self.out.push(':');
            }
            self.value()?;
        }
        self.rest = &self.rest[1..];
        self.out.push(close);
        Ok(())
    }

    fn scalar(&mut self) -> Result<String, String> {
        if !self.rest.starts_with('"') {
            let word = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            return if word.is_empty() {
                Err(format!("scalar at {:.60?}", self.rest))
            } else {
                Ok(word.into())
            };
        }
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let (string, rest) = self.rest.split_at(at + 1);
                    self.rest = rest;
                    return Ok(string.into());
                }
                _ => {}
            }
        }
        Err("open string".into())
    }

    fn number(&mut self) -> Result<usize, String> {
        let digits = self.take_while(|c| c.is_ascii_digit());
        digits.parse().map_err(|_| format!("number expected at {:.60?}", self.rest))
    }

    /// Returns the rows of a table or list as compact JSON.
    fn rows(&mut self, what: &str, last: bool) -> Result<Vec<String>, String> {
        let count = self.number()?;
        self.take(what)?;
        let mut shown = None;
        if self.accept(", ") {
            shown = Some(self.number()?);
            self.take(" here by number")?;
        }
        match shown {
            Some(shown) if self.rest.starts_with('\n') => self.list_rows(count, shown, what, last),
            _ => self.table(count, shown, what, last),
        }
    }

    /// Reads the line that gives the number of missing rows, with its line end.
    fn marker(&mut self, count: usize, shown: usize, what: &str) -> Result<(), String> {
        let line = self.take_while(|c| c != '\n');
        self.take("\n")?;
        let marker = RowElision::parse(line).ok_or_else(|| format!("marker expected: {line}"))?;
        assert_eq!(marker.to_string(), line);
        assert_eq!((marker.of, marker.aside + shown), (count, count), "{line}");
        assert_eq!(marker.what, what.trim_start(), "{line}");
        Ok(())
    }

    fn list_rows(
        &mut self,
        count: usize,
        shown: usize,
        what: &str,
        last: bool,
    ) -> Result<Vec<String>, String> {
        self.take("\n")?;
        self.marker(count, shown, what)?;
        let mut rows = vec![ASIDE.to_owned(); count];
        for n in 0..shown {
            let number = self.number()?;
            self.take(":")?;
            let value = self.cell(&[])?.ok_or("element expected")?;
            assert!(std::mem::replace(&mut rows[number - 1], value) == ASIDE, "{number} twice");
            if !(last && n + 1 == shown) {
                self.take("\n")?;
            }
        }
        Ok(rows)
    }

    fn table(
        &mut self,
        count: usize,
        shown: Option<usize>,
        what: &str,
        last: bool,
    ) -> Result<Vec<String>, String> {
        let constants = self.accept("; name=value: same in every row");
        let patterns = self.accept("; name~value: with the (column) of the row");
        let blanks = self.accept("; blank: no such key");
        self.take(": ")?;
        let mut delimiter = None;
        let mut columns = Vec::new();
        if shown.is_some() {
            self.take("#")?;
            delimiter = self.rest.chars().next();
            self.rest = &self.rest[1..];
        }
        loop {
            columns.push(self.column()?);
            if self.accept("\n") || last && self.rest.is_empty() {
                break;
            }
            let mark = self.rest.chars().next().ok_or("header ends")?;
            if *delimiter.get_or_insert(mark) != mark {
                return Err(format!("delimiter expected at {:.60?}", self.rest));
            }
            self.rest = &self.rest[1..];
        }
        assert_eq!(constants, columns.iter().any(|column| column.constant.is_some()));
        assert_eq!(patterns, columns.iter().any(|column| column.pattern.is_some()));
        let lines = columns.iter().any(|column| column.constant.is_none() && column.pattern.is_none());
        if let Some(shown) = shown {
            self.marker(count, shown, what)?;
        }
        let mut rows = if shown.is_some() { vec![ASIDE.to_owned(); count] } else { Vec::new() };
        let mut blank_seen = false;
        let lines_here = shown.unwrap_or(count);
        for n in 0..lines_here {
            let mut number = n + 1;
            if shown.is_some() {
                number = self.number()?;
                self.take(&delimiter.unwrap().to_string())?;
            }
            let cells = self.row(&columns, delimiter, &mut blank_seen)?;
            if lines && !(last && n + 1 == lines_here) {
                self.take("\n")?;
            }
            match rows.get_mut(number - 1) {
                Some(row) => assert!(std::mem::replace(row, object(&cells)) == ASIDE, "{number} twice"),
                None => rows.push(object(&cells)),
            }
        }
        assert!(blanks || !blank_seen, "legend of blanks");
        assert!(blank_seen || !blanks || shown.is_some(), "legend of blanks");
        Ok(rows)
    }

    /// Reads the cells of a row, with those that the header gives.
    fn row(
        &mut self,
        columns: &[DecodedColumn],
        delimiter: Option<char>,
        blank_seen: &mut bool,
    ) -> Result<Vec<(Vec<DecodedStep>, String)>, String> {
        let mut cells: Vec<(Vec<DecodedStep>, String)> = Vec::new();
        let mut first = true;
        for column in columns {
            if let Some(value) = &column.constant {
                cells.push((column.steps.clone(), value.clone()));
                continue;
            }
            if column.pattern.is_some() {
                cells.push((column.steps.clone(), String::new()));
                continue;
            }
            if self.rest.starts_with('\n') || self.rest.is_empty() {
                *blank_seen = true;
                continue;
            }
            if !first {
                self.take(&delimiter.unwrap().to_string())?;
            }
            first = false;
            match self.cell(delimiter.as_slice())? {
                Some(value) => cells.push((column.steps.clone(), value)),
                None => *blank_seen = true,
            }
        }
        for column in columns {
            let Some((before, part, behind)) = &column.pattern else { continue };
            let part = cells.iter().find(|(steps, _)| steps == part).expect("the column of a pattern");
            let text = format!("\"{before}{}{behind}\"", part.1.trim_matches('"'));
            cells.iter_mut().find(|(steps, _)| *steps == column.steps).unwrap().1 = text;
        }
        Ok(cells)
    }

    fn column(&mut self) -> Result<DecodedColumn, String> {
        let mut steps = Vec::new();
        loop {
            if self.accept("[0]") {
                steps.push(DecodedStep::Element);
            } else if self.rest.starts_with('"') {
                steps.push(DecodedStep::Key(self.scalar()?));
            } else {
                let key = self.take_while(|c| c.is_alphanumeric() || "_-$@/:+# ".contains(c));
                if key.is_empty() {
                    return Err(format!("column expected at {:.60?}", self.rest));
                }
                steps.push(DecodedStep::Key(format!("\"{key}\"")));
            }
            if !self.accept(".") && !self.rest.starts_with("[0]") {
                break;
            }
        }
        let mut constant = None;
        if self.accept("=") {
            constant = Some(self.cell(&['|', ',', '\t', ';'])?.ok_or("constant expected")?);
        }
        let mut pattern = None;
        if self.accept("~") {
            let text = self.take_while(|c| !"|,\t;\n".contains(c));
            let (before, rest) = text.split_once('(').ok_or("pattern expected")?;
            let (part, behind) = rest.split_once(')').ok_or("pattern expected")?;
            let part = TableReader { rest: part, out: String::new() }.column()?.steps;
            pattern = Some((before.to_owned(), part, behind.to_owned()));
        }
        Ok(DecodedColumn { steps, constant, pattern })
    }

    /// Reads JSON, or a string without quotes; `None` if the cell is empty.
    fn cell(&mut self, delimiters: &[char]) -> Result<Option<String>, String> {
        if self.rest.starts_with('"') {
            return self.scalar().map(Some);
        }
        if self.rest.starts_with(['[', '{']) {
            let mut inner = TableReader { rest: self.rest, out: String::new() };
            inner.value()?;
            self.rest = inner.rest;
            return Ok(Some(inner.out));
        }
        let text = self.take_while(|c| c != '\n' && !delimiters.contains(&c));
        Ok(match text {
            "" => None,
            _ if is_scalar(text) => Some(text.into()),
            _ => Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        })
    }
}

/// Whether a text without quotes is a number, `true`, `false` or `null`.
fn is_scalar(text: &str) -> bool {
    let number = || {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && digits(fraction)
            && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
    };
    matches!(text, "true" | "false" | "null") || number()
}
