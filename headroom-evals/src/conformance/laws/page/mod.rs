//! Checks web pages written as Markdown: every word of the output is in the page, in the page's order.

mod ink;
mod markup;
#[cfg(test)]
mod tests;

use headroom_core::Transform;

use super::truthful::{MARKER, TruthCase, Verdict};
use ink::{Need, ParsedPage, Row};
use markup::solid;

/// Checks that the words of the Markdown are the page's, that its links have the page's targets, and that a marker for
/// the whole page comes first.
#[must_use]
pub fn page(case: &TruthCase<'_>) -> Verdict {
    if !case.has(Transform::HtmlToMarkdown) {
        return Verdict::Other;
    }
    let (head, source, tail) = around(case.before);
    let lines = source.split('\n').count();
    let whole = format!(" lines 1-{lines} stored");
    let Some(after) = case.after.strip_prefix(head).and_then(|after| after.strip_suffix(tail)) else {
        return Verdict::Fails("the text around the page changed".to_owned());
    };
    if !after.split('\n').next().is_some_and(|line| line.starts_with(MARKER) && line.contains(&whole)) {
        return Verdict::Fails("no marker for the whole page stands first".to_owned());
    }
    let page = ParsedPage::parse(source);
    let mut at = 0;
    for line in after.split('\n') {
        for piece in without_markers(line) {
            match page.find(&piece, at) {
                Some(end) => at = end,
                None => {
                    return Verdict::Fails(format!(
                        "`{piece}` does not stand in the page behind what comes before it"
                    ));
                }
            }
        }
    }
    Verdict::Holds
}

/// Returns the text before a page, the page, and the text behind it.
fn around(text: &str) -> (&str, &str, &str) {
    let lower = text.to_ascii_lowercase();
    let start = ["<!doctype html", "<html"].iter().filter_map(|tag| lower.find(tag)).min().unwrap_or(0);
    if start == 0 || text.trim_start().starts_with('<') && !lower[..start].contains("output:") {
        return ("", text, "");
    }
    let end = lower.rfind("</html>").map_or(text.len(), |end| end + "</html>".len());
    (&text[..start], &text[start..end], &text[end..])
}

/// Returns the text before, between and after markers.
pub(super) fn without_markers(line: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(MARKER) {
        pieces.push(rest[..start].to_owned());
        rest = rest[start..].split_once(']').map_or("", |(_, rest)| rest);
    }
    pieces.push(rest.to_owned());
    pieces
}

impl ParsedPage {
    /// Returns where a line of Markdown ends in the page.
    fn find(&self, line: &str, at: usize) -> Option<usize> {
        let text = line.trim();
        let is_frame = text.bytes().all(|byte| matches!(byte, b'-' | b'|' | b' '));
        if is_frame || text.starts_with("```") || is_table_tag(text) {
            return Some(at);
        }
        if let Some((name, href)) = text.strip_prefix('[').and_then(|text| text.rsplit_once("]: "))
            && self.hrefs.contains(href)
            && (self.ink_at(&self.without_tags(name), 0, &|_, _| true).is_some()
                || self.fields(name, 0).is_some())
        {
            return Some(at);
        }
        if text.starts_with('<') && self.source.contains(text) {
            return Some(at);
        }
        self.item(text, at)
            .or_else(|| self.cells(text, at))
            .or_else(|| self.linked(text, at))
            .or_else(|| {
                // Marks of quotes come before each other, before items and rows, and alone in empty lines.
                if let Some(quoted) = text.strip_prefix('>') {
                    return self.find(quoted, at);
                }
                if let Some(row) = text.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) {
                    return self.table_row(row, at);
                }
                if let Some(bold) = text.strip_prefix("**").and_then(|text| text.strip_suffix("**")) {
                    return self.find(bold, at);
                }
                let bare = ["# ", "- ", ": "].iter().find_map(|mark| match *mark {
                    "# " => text.starts_with('#').then(|| text.trim_start_matches('#').trim_start()),
                    mark => text.strip_prefix(mark),
                })?;
                self.cells(bare, at).or_else(|| self.linked(bare, at))
            })
            .or_else(|| self.fields(text, at))
    }

    /// Finds a line with fields of forms: their tags with values of the page, `[label]` for a button, and texts between,
    /// or labels that only an attribute has.
    fn fields(&self, text: &str, at: usize) -> Option<usize> {
        let mut pieces = text.split_inclusive(['>', ']']).flat_map(|piece| {
            let start = piece.find(['<', '[']).unwrap_or(piece.len());
            [&piece[..start], &piece[start..]]
        });
        pieces.try_fold(at, |at, piece| match piece.strip_prefix('<').and_then(|tag| tag.strip_suffix('>')) {
            Some(tag) => {
                let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
                let mut values = tag.split('"').skip(1).step_by(2).map(|value| format!("\"{value}\""));
                let is_open = self.source.contains(&format!("<{name}"));
                (is_open && values.all(|value| self.source.contains(&value))).then_some(at)
            }
            None => {
                let label = piece.trim().trim_start_matches('[').trim_end_matches([']', '[']);
                self.ink_at(label, at, &|_, _| true)
                    .or_else(|| self.source.contains(&format!("=\"{label}\"")).then_some(at))
            }
        })
    }

    /// Finds a row of a Markdown table.
    fn table_row(&self, row: &str, at: usize) -> Option<usize> {
        let cells: Vec<String> = cells(row);
        self.row(&cells, at)
    }

    /// Finds an item of an ordered list behind its number.
    fn item(&self, text: &str, at: usize) -> Option<usize> {
        let (label, text) = text.split_once(". ")?;
        let is_item = |start: usize, _: usize| {
            let mut items = self.items.iter();
            items.any(|(item, number)| *item == start && number == label)
        };
        let name = text.strip_prefix('[').and_then(|text| text.strip_suffix(')')?.rsplit_once("]("));
        self.ink_at(text, at, &is_item).or_else(|| {
            let (name, href) = name.filter(|(_, href)| self.hrefs.contains(*href))?;
            self.ink_at(name, at, &is_item).filter(|_| !href.is_empty())
        })
    }

    /// Removes tags that are shown verbatim, such as those of forms.
    fn without_tags(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, tag)) = rest.split_once('<') {
            out.push_str(before);
            match tag
                .split_once('>')
                .filter(|(tag, _)| !tag.ends_with("ins") && self.source.contains(&format!("<{tag}>")))
            {
                Some((_, behind)) => rest = behind,
                None => {
                    out.push('<');
                    rest = tag;
                }
            }
        }
        out + rest
    }

    fn linked(&self, text: &str, at: usize) -> Option<usize> {
        let (name, href) = text.strip_prefix('[')?.strip_suffix(')')?.rsplit_once("](")?;
        if self.hrefs.contains(href) { self.cells(name, at) } else { None }
    }

    /// Finds a text, or the cells of a row.
    fn cells(&self, text: &str, at: usize) -> Option<usize> {
        if let Some(end) = text
            .contains('|')
            .then(|| self.row(&text.split('|').map(solid).collect::<Vec<_>>(), at))
            .flatten()
        {
            return Some(end);
        }
        // The cells of a row that spans others stand in their columns or nowhere.
        let is_no_row = |start: usize, end: usize| {
            !text.contains('|')
                || !self.rows.iter().any(|row| row.has_spans && row.start <= start && end <= row.end)
        };
        self.ink_at(text, at, &is_no_row).or_else(|| {
            let cells = text.split('|').filter(|cell| !cell.trim().is_empty());
            cells.into_iter().try_fold(at, |at, cell| self.ink_at(cell, at, &is_no_row))
        })
    }

    /// Finds a row with these cells.
    fn row(&self, shown: &[String], at: usize) -> Option<usize> {
        let is = |cell: &Option<String>, shown: &str| match cell {
            Some(cell) => cell == shown,
            None => matches!(shown, "(asabove)" | "(asbefore)"),
        };
        let fits = |row: &&Row| {
            let width = shown.len();
            row.start >= at
                && row.cells.len() >= width
                && row.cells.iter().zip(shown).all(|(cell, shown)| is(cell, shown))
                && row.cells.iter().skip(width).all(|cell| cell.as_deref() == Some(""))
        };
        self.rows.iter().find(fits).map(|row| row.end)
    }

    /// Returns the end of the first place of a text that passes the test, given its start and end.
    fn ink_at(&self, text: &str, at: usize, passes: &dyn Fn(usize, usize) -> bool) -> Option<usize> {
        let text: Vec<char> = solid(text).chars().collect();
        let Some(first) = text.first() else { return Some(at) };
        (at..self.ink.len()).filter(|start| self.ink[*start].0 == *first).find_map(|start| {
            let cut = start.checked_sub(1).is_some_and(|before| self.ink[before].1 == Need::Opening)
                && self.ink[start].1 != Need::Opening;
            let end = if cut { None } else { self.matched(&text, start) };
            end.filter(|end| passes(start, *end))
        })
    }

    /// Returns where a text that starts here ends.
    fn matched(&self, text: &[char], start: usize) -> Option<usize> {
        let mut ends = vec![start];
        for c in text {
            let mut next = Vec::new();
            for end in ends {
                let mut at = end;
                while let Some((ink, need)) = self.ink.get(at) {
                    if ink == c && !next.contains(&(at + 1)) {
                        next.push(at + 1);
                    }
                    if *need != Need::Maybe {
                        break;
                    }
                    at += 1;
                }
            }
            ends = next;
            if ends.is_empty() {
                return None;
            }
        }
        ends.into_iter().find(|end| self.ink.get(*end).is_none_or(|(_, need)| *need != Need::Closing))
    }
}

/// Returns the cells of a row of a Markdown table, without white space: bars that belong to a cell are escaped, and so are
/// backslashes before them.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut rest = row;
    while let Some(c) = rest.chars().next() {
        let escaped = rest.trim_start_matches('\\');
        let backslashes = rest.len() - escaped.len();
        let taken = match (backslashes, c) {
            (0, '|') => {
                cells.push(String::new());
                1
            }
            (1.., _) if escaped.starts_with('|') => {
                let text = "\\".repeat(backslashes / 2) + "|";
                cells.last_mut().unwrap().push_str(&text);
                backslashes + 1
            }
            _ => {
                cells.last_mut().unwrap().push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    cells.iter().map(|cell| solid(&cell.replace("<br>", ""))).collect()
}

/// Whether a line is a tag of a table that Markdown cannot say.
fn is_table_tag(text: &str) -> bool {
    let Some(tag) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) else { return false };
    let mut words = tag.split(' ');
    let is_span = |word: &str| {
        let number = word.strip_prefix("rowspan=").or_else(|| word.strip_prefix("colspan="));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    words.next().is_some_and(|name| matches!(name, "table" | "/table" | "tr" | "td" | "th"))
        && words.all(is_span)
}
