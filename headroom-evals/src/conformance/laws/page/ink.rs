//! Reads a page into its text without white space, with the signs that Markdown needs for what tags say.

use std::collections::HashSet;

use super::markup::{Piece, decoded, folded, has_word, number, pieces, solid, values};

/// Elements that begin a new block.
const BLOCKS: [&str; 30] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
];
/// A longer cell need not be repeated.
const LONG_CELL: usize = 60;

/// How a character of the text must be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// As it is.
    Text,
    /// Or not at all.
    Maybe,
    /// Wherever the next character is shown.
    Opening,
    /// Wherever the character before is shown.
    Closing,
}

/// A row of a table, with every cell in its column.
#[derive(Debug)]
pub(super) struct Row {
    /// The cells; a long one that is repeated is empty.
    pub(super) cells: Vec<Option<String>>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a cell of the row spans others, or one above spans it.
    pub(super) has_spans: bool,
}

/// The content of a page.
#[derive(Debug, Default)]
pub(super) struct ParsedPage {
    /// All text without white space.
    pub(super) ink: Vec<(char, Need)>,
    /// The targets of its links.
    pub(super) hrefs: HashSet<String>,
    /// The whole source, with white space folded.
    pub(super) source: String,
    /// Where the items of ordered lists start, and what precedes them.
    pub(super) items: Vec<(usize, String)>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug)]
struct List {
    ordered: bool,
    next: i64,
    step: i64,
    style: String,
}

#[derive(Debug, Default)]
struct Table {
    /// The cells of the current row, and the start of the last one.
    row: Option<OpenRow>,
    /// For each column, the rows that a cell above still spans, and its text.
    above: Vec<(usize, Option<String>)>,
}

#[derive(Debug, Default)]
struct OpenRow {
    cells: Vec<Option<String>>,
    start: usize,
    has_spans: bool,
    /// Start, columns and further rows of the current cell.
    cell: Option<(usize, usize, usize)>,
}

impl ParsedPage {
    pub(super) fn parse(source: &str) -> Self {
        let pieces = pieces(source);
        let mut reader = Reader {
            counts: item_counts(&pieces),
            page: Self { source: folded(source), ..Self::default() },
            struck: Vec::new(),
            lists: Vec::new(),
            tables: vec![Table::default()],
            scripts: Vec::new(),
            ordered: 0,
        };
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => reader.add(&decoded(text), Need::Text),
                Piece::Open { name, tag } => reader.open(name, tag, &pieces[at + 1..]),
                Piece::Close(name) => reader.close(name),
            }
        }
        reader.page
    }

    /// Returns the text between two places.
    fn between(&self, start: usize, end: usize) -> String {
        self.ink[start..end].iter().map(|(c, _)| c).collect()
    }
}

/// Returns the number of items of each list, in the order of the lists.
fn item_counts(pieces: &[Piece<'_>]) -> Vec<i64> {
    let mut counts = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Open { name, .. } if matches!(name.as_str(), "ol" | "ul") => {
                open.push(counts.len());
                counts.push(0);
            }
            Piece::Open { name, .. } if name == "li" => {
                if let Some(list) = open.last() {
                    counts[*list] += 1;
                }
            }
            Piece::Close(name) if matches!(name.as_str(), "ol" | "ul") => _ = open.pop(),
            _ => {}
        }
    }
    counts
}

struct Reader {
    page: ParsedPage,
    /// The elements that mark their text, with the closing sign.
    struck: Vec<(String, &'static str)>,
    lists: Vec<List>,
    /// The number of items of each list.
    counts: Vec<i64>,
    /// How many lists began.
    ordered: usize,
    tables: Vec<Table>,
    /// Whether each open script is in brackets in the page.
    scripts: Vec<bool>,
}

impl Reader {
    fn add(&mut self, text: &str, need: Need) {
        self.page.ink.extend(solid(text).chars().map(|c| (c, need)));
    }

    fn open(&mut self, name: &str, tag: &str, rest: &[Piece<'_>]) {
        self.page.hrefs.extend(values(tag, "href").into_iter().map(|href| decoded(href).trim().to_owned()));
        if BLOCKS.contains(&name) || matches!(name, "td" | "th" | "tr") {
            // A block ends the signs of the one before, and has its own.
            for (_, closing) in self.struck.clone().iter().rev() {
                self.add(closing, Need::Maybe);
            }
            self.add(&")".repeat(self.scripts.len()), Need::Maybe);
            for (_, closing) in self.struck.clone() {
                self.add(&closing.replace('/', ""), Need::Maybe);
            }
        }
        if name == "math" || name.starts_with('m') && name != "main" && name != "mark" && name != "menu" {
            self.add(")√^_/(", Need::Maybe);
        }
        match name {
            "sup" | "sub" => self.open_script(name, rest),
            "del" | "s" | "strike" => self.strike(name, "~~"),
            "ins" => self.strike(name, "</ins>"),
            _ if tag.contains("line-through") => self.strike(name, "~~"),
            "img" => {
                for alt in values(tag, "alt") {
                    self.add(&format!("![{}]", decoded(alt)), Need::Maybe);
                }
            }
            "input" if has_word(tag, "checkbox") || has_word(tag, "radio") => {
                self.add(if has_word(tag, "checked") { "[x]" } else { "[]" }, Need::Opening);
            }
            "ol" | "ul" => self.open_list(name, tag),
            "li" => {
                let at = self.page.ink.len();
                if let Some(list) = self.lists.last_mut().filter(|list| list.ordered) {
                    list.next = number(tag, "value").unwrap_or(list.next);
                    self.page.items.push((at, label(list.next, &list.style)));
                    list.next += list.step;
                }
            }
            "table" => self.tables.push(Table::default()),
            "thead" | "tbody" | "tfoot" => self.end_group(),
            "tr" => {
                self.end_row();
                let start = self.page.ink.len();
                if let Some(table) = self.tables.last_mut() {
                    table.row = Some(OpenRow { start, ..OpenRow::default() });
                }
            }
            "td" | "th" => self.open_cell(tag),
            _ => {}
        }
    }

    fn open_script(&mut self, name: &str, rest: &[Piece<'_>]) {
        let within = rest.iter().take_while(|piece| !matches!(piece, Piece::Close(end) if end == name));
        let text: String = within
            .map(|piece| if let Piece::Text(text) = piece { solid(&decoded(text)) } else { String::new() })
            .collect();
        let bracketed = text.is_empty() || text.starts_with('[');
        let (sign, need) =
            (if name == "sup" { "^" } else { "_" }, if bracketed { Need::Maybe } else { Need::Opening });
        self.add("[", Need::Maybe);
        self.add(sign, need);
        self.add("(", Need::Maybe);
        self.scripts.push(true);
    }

    fn open_list(&mut self, name: &str, tag: &str) {
        let count = self.counts.get(self.ordered).copied().unwrap_or_default();
        self.ordered += 1;
        let falls = has_word(tag, "reversed");
        let next = number(tag, "start").unwrap_or(if falls { count } else { 1 });
        let style = values(tag, "type").first().map_or_else(String::new, |style| (*style).to_owned());
        self.lists.push(List { ordered: name == "ol", next, step: if falls { -1 } else { 1 }, style });
    }

    fn strike(&mut self, name: &str, closing: &'static str) {
        self.struck.push((name.to_owned(), closing));
        self.add(&closing.replace('/', ""), Need::Opening);
    }

    fn close(&mut self, name: &str) {
        if let Some(at) = self.struck.iter().rposition(|(open, _)| open == name) {
            let (_, closing) = self.struck.remove(at);
            self.add(closing, Need::Closing);
        }
        if name.starts_with('m') {
            self.add(")", Need::Maybe);
        }
        match name {
            "sup" | "sub" => {
                self.scripts.pop();
                self.add(")", Need::Maybe);
                self.add("]", Need::Maybe);
            }
            "ol" | "ul" => _ = self.lists.pop(),
            "td" | "th" => self.end_cell(),
            "tr" => self.end_row(),
            "thead" | "tbody" | "tfoot" => self.end_group(),
            "table" => {
                self.end_row();
                if self.tables.len() > 1 {
                    self.tables.pop();
                }
                // The row around a table within a cell is layout.
                if let Some(row) = self.tables.last_mut().and_then(|table| table.row.as_mut()) {
                    row.has_spans = false;
                    row.cells.clear();
                }
            }
            _ => {}
        }
    }

    fn open_cell(&mut self, tag: &str) {
        self.end_cell();
        let start = self.page.ink.len();
        let Some(table) = self.tables.last_mut() else { return };
        let Some(row) = &mut table.row else { return };
        fill(row, &mut table.above);
        let columns = number(tag, "colspan").filter(|columns| (1..=24).contains(columns)).unwrap_or(1);
        let rows =
            number(tag, "rowspan").map_or(0, |rows: usize| if rows == 0 { usize::MAX } else { rows - 1 });
        row.has_spans |= columns > 1 || rows > 0;
        row.cell = Some((start, columns, rows));
    }

    fn end_cell(&mut self) {
        let end = self.page.ink.len();
        let Some(table) = self.tables.last_mut() else { return };
        let Some(row) = &mut table.row else { return };
        let Some((start, columns, rows)) = row.cell.take() else { return };
        let text = self.page.between(start, end);
        let repeated = (text.len() <= LONG_CELL).then(|| text.clone());
        for column in 0..columns {
            if rows > 0 {
                let at = row.cells.len();
                table.above.resize(table.above.len().max(at + 1), (0, None));
                table.above[at] = (rows, repeated.clone());
            }
            row.cells.push(if column == 0 { Some(text.clone()) } else { repeated.clone() });
        }
    }

    fn end_row(&mut self) {
        self.end_cell();
        let end = self.page.ink.len();
        let Some(table) = self.tables.last_mut() else { return };
        let Some(mut row) = table.row.take() else { return };
        loop {
            fill(&mut row, &mut table.above);
            if table.above.iter().skip(row.cells.len()).all(|(rows, _)| *rows == 0) {
                break;
            }
            row.cells.push(Some(String::new()));
        }
        self.page.rows.push(Row { cells: row.cells, start: row.start, end, has_spans: row.has_spans });
    }

    fn end_group(&mut self) {
        self.end_row();
        if let Some(table) = self.tables.last_mut() {
            table.above.clear();
        }
    }
}

/// Adds the cells above that span the next columns of this row.
fn fill(row: &mut OpenRow, above: &mut [(usize, Option<String>)]) {
    while let Some((rows, text)) = above.get_mut(row.cells.len()).filter(|(rows, _)| *rows > 0) {
        *rows -= 1;
        row.cells.push(text.clone());
        row.has_spans = true;
    }
}

/// Returns what a browser shows before an item.
fn label(number: i64, style: &str) -> String {
    let text = match style {
        "a" | "A" if number > 0 => {
            let mut text = String::new();
            let mut left = number;
            while left > 0 {
                text.insert(0, char::from(b'a' + u8::try_from((left - 1) % 26).unwrap()));
                left = (left - 1) / 26;
            }
            text
        }
        "i" | "I" if (1..4000).contains(&number) => {
            let digits = [
                ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"],
                ["", "x", "xx", "xxx", "xl", "l", "lx", "lxx", "lxxx", "xc"],
                ["", "c", "cc", "ccc", "cd", "d", "dc", "dcc", "dccc", "cm"],
                ["", "m", "mm", "mmm", "", "", "", "", "", ""],
            ];
            let digit = |place: u32| usize::try_from(number / 10_i64.pow(place) % 10).unwrap();
            (0..4).rev().map(|place| digits[place][digit(place as u32)]).collect()
        }
        _ => number.to_string(),
    };
    if matches!(style, "A" | "I") { text.to_uppercase() } else { text }
}
