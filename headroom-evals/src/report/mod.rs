//! What the suite found, and how it is written down.

mod html;
mod json;
mod markdown;
mod plot;

use std::fmt;

pub use self::{html::html, json::json, markdown::markdown};

/// Everything that one run found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The version of Headroom.
    pub version: String,
    /// The command that makes the report again.
    pub command: String,
    /// What was measured on.
    pub data: Vec<Source>,
    /// The numbers that Headroom is to reach.
    pub goals: Vec<Goal>,
    /// What was measured.
    pub sections: Vec<Section>,
    /// What depends on the machine, and is the only part that does.
    pub timings: Option<Timings>,
}

impl Report {
    /// The report without what quotes the data, so that it can be shown to others: no failed items, and no table of
    /// single conversations.
    #[must_use]
    pub fn without_quotes(mut self) -> Self {
        for section in &mut self.sections {
            section.failures.clear();
            section.tables.retain(|table| !table.quotes);
        }
        self
    }
}

/// Data that something was measured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is, without where on this machine it lies.
    pub name: String,
    /// How many files were read.
    pub files: usize,
    /// How long they are together, in bytes.
    pub bytes: u64,
    /// A BLAKE3 hash over names and contents: two reports with the same were made from the same data.
    pub hash: String,
}

/// A number to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// What is to be reached.
    pub target: String,
    /// What was reached.
    pub reached: String,
    /// Whether that is enough.
    pub ok: bool,
    /// Where it is not: what stands in the way.
    pub obstacle: Option<&'static str>,
    /// The id of the section that has it.
    pub section: &'static str,
}

/// One subject.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// A short name, for links and for `--only`.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What was done, in Markdown.
    pub about: String,
    /// What it was measured on; empty where it was left out.
    pub data: String,
    /// The command that gives this section alone.
    pub command: String,
    /// Why it was left out, if it was.
    pub skipped: Option<String>,
    /// The numbers.
    pub tables: Vec<Table>,
    /// Pictures of them.
    pub plots: Vec<Plot>,
    /// What failed, item by item.
    pub failures: Vec<String>,
}

/// Rows of numbers.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The heading.
    pub title: String,
    /// The columns: a key for programs and a heading for people.
    pub columns: Vec<(&'static str, &'static str)>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
    /// Whether rows are about single items of the data.
    pub quotes: bool,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: &[(&'static str, &'static str)]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), ..Self::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number of things.
    Count(u64),
    /// So many of so many.
    Of(u64, u64),
    /// A part of a whole, 1 being all.
    Share(f64),
    /// A change as a part of what was: -0.25 is a quarter less.
    Change(f64),
    /// A change with the interval that holds it in 95 of 100 samples.
    Interval(f64, f64, f64),
    /// Nothing was measured.
    None,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number of things.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Count(count as u64)
    }

    /// So many of so many.
    #[must_use]
    pub fn ratio(some: usize, all: usize) -> Self {
        Self::Of(some as u64, all as u64)
    }

    /// The change from `before` to `after`; nothing where there was nothing.
    #[must_use]
    pub fn change(before: u64, after: u64) -> Self {
        if before == 0 { Self::None } else { Self::Change(change(before, after)) }
    }
}

/// The change from `before` to `after` as a part of `before`.
#[must_use]
pub fn change(before: u64, after: u64) -> f64 {
    if before == 0 { 0.0 } else { after as f64 / before as f64 - 1.0 }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Count(count) => f.write_str(&thousands(*count)),
            Self::Of(some, all) => write!(f, "{}/{}", thousands(*some), thousands(*all)),
            Self::Share(share) => write!(f, "{:.1} %", share * 100.0),
            Self::Change(change) => f.write_str(&signed(*change)),
            Self::Interval(change, low, high) => {
                write!(f, "{} ({} to {})", signed(*change), signed(*low), signed(*high))
            }
            Self::None => f.write_str("–"),
        }
    }
}

/// A change in percent with its sign; a change of nothing has none.
#[must_use]
pub fn signed(change: f64) -> String {
    let text = format!("{:+.1} %", change * 100.0);
    if matches!(text.as_str(), "+0.0 %" | "-0.0 %") { "0.0 %".to_owned() } else { text }
}

/// A number with its thousands apart: `12,345`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bars, drawn from zero.
#[derive(Clone, Debug, Default)]
pub struct Plot {
    /// What they show.
    pub title: String,
    /// The bars, top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// Its length: a share or a change.
    pub value: f64,
    /// An interval around its end.
    pub interval: Option<(f64, f64)>,
    /// Whether it is one to be compared with ours.
    pub other: bool,
}

/// What depends on the machine.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// The machine, in words.
    pub machine: String,
    /// Whether the program was built with optimisation.
    pub optimised: bool,
    /// Seconds that measuring all of these took.
    pub seconds: f64,
    /// How long one text took.
    pub rows: Vec<Timing>,
    /// The speeds to reach.
    pub goals: Vec<Goal>,
}

/// How long one text took: the median of several runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// What it was.
    pub what: String,
    /// Its length in bytes.
    pub bytes: usize,
    /// Milliseconds for one run.
    pub milliseconds: f64,
}

impl Timing {
    /// Megabytes a second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.bytes as f64 / 1e3 / self.milliseconds.max(1e-6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_as_numbers_do() {
        for (cell, text) in [
            (Cell::Count(1_234_567), "1,234,567"),
            (Cell::Of(3, 1_000), "3/1,000"),
            (Cell::Share(0.985), "98.5 %"),
            (Cell::Change(-0.25), "-25.0 %"),
            (Cell::Change(-0.0001), "0.0 %"),
            (Cell::Interval(-0.2, -0.3, 0.01), "-20.0 % (-30.0 % to +1.0 %)"),
            (Cell::change(0, 4), "–"),
        ] {
            assert_eq!(cell.to_string(), text);
        }
    }
}
