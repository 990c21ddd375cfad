//! The suite's results, and how they are written.

mod html;
mod json;
mod markdown;
mod plot;

use std::fmt;

pub use self::{html::html, json::json, markdown::markdown};

/// How tokens are counted, in offline and live reports.
const COUNTED: [&str; 2] = [
    "Tokens are counted with `o200k_base`. Nothing was sent to a model.",
    "A model answered. Tokens and what they cost are by the `usage` of its server.",
];

/// The results of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The version of Headroom.
    pub version: String,
    /// The command that reproduces the report.
    pub command: String,
    /// Whether a model answered: token counts are then those of its server.
    pub is_live: bool,
    /// The data that was measured on.
    pub data: Vec<Source>,
    /// The goals for Headroom.
    pub goals: Vec<Goal>,
    /// The results by section.
    pub sections: Vec<Section>,
    /// Timings, the only part that depends on the machine.
    pub timings: Option<Timings>,
}

impl Report {
    const fn counted(&self) -> &'static str {
        let [offline, live] = COUNTED;
        if self.is_live { live } else { offline }
    }

    /// Removes what quotes the data, so that the report can be shared: failed items, and tables of single
    /// conversations.
    #[must_use]
    pub fn without_quotes(mut self) -> Self {
        for section in &mut self.sections {
            section.failures.clear();
            section.tables.retain(|table| !table.quotes);
        }
        self
    }
}

/// Data that was used in a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, without its location on this machine.
    pub name: String,
    /// The number of files read.
    pub files: usize,
    /// Their total length in bytes.
    pub bytes: u64,
    /// A BLAKE3 hash of names and contents: reports with equal hashes were made from the same data.
    pub hash: String,
}

/// A target and whether it was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// The target.
    pub target: String,
    /// The measured result.
    pub reached: String,
    /// Whether the target was reached.
    pub ok: bool,
    /// The obstacle, if it was not.
    pub obstacle: Option<&'static str>,
    /// The id of the section with the details.
    pub section: &'static str,
}

/// The results on one subject.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// A short name, for links and for `--only`.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// The method, in Markdown.
    pub about: String,
    /// The data; empty if the section was skipped.
    pub data: String,
    /// The command that reproduces this section alone.
    pub command: String,
    /// Why the section was skipped, if it was.
    pub skipped: Option<String>,
    /// What the results show, in sentences that claim no more than the intervals do.
    pub conclusions: Vec<String>,
    /// The results as tables.
    pub tables: Vec<Table>,
    /// The results as plots.
    pub plots: Vec<Plot>,
    /// The failures, item by item.
    pub failures: Vec<String>,
}

/// A table of results.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The heading.
    pub title: String,
    /// The columns: a key for programs and a heading for people.
    pub columns: Vec<(&'static str, &'static str)>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
    /// Whether rows describe single items of the data.
    pub quotes: bool,
}

impl Table {
    /// Creates a table without rows.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: &[(&'static str, &'static str)]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), ..Self::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A count.
    Count(u64),
    /// A count out of a total.
    Of(u64, u64),
    /// A share of a whole; 1 is all.
    Share(f64),
    /// A change relative to the earlier value: -0.25 is a quarter less.
    Change(f64),
    /// A change with its 95 % interval.
    Interval(f64, f64, f64),
    /// A number, and its 95 % interval if there is one.
    Measure(f64, Option<(f64, f64)>),
    /// No measurement.
    None,
}

impl Cell {
    /// Creates a text cell.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Creates a count cell.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Count(count as u64)
    }

    /// Creates a cell with a count out of a total.
    #[must_use]
    pub fn ratio(some: usize, all: usize) -> Self {
        Self::Of(some as u64, all as u64)
    }

    /// Creates a cell with the change from `before` to `after`; empty if `before` is zero.
    #[must_use]
    pub fn change(before: u64, after: u64) -> Self {
        if before == 0 { Self::None } else { Self::Change(change(before, after)) }
    }
}

/// Returns the change from `before` to `after`, relative to `before`.
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
            Self::Measure(value, None) => write!(f, "{value:.3}"),
            Self::Measure(value, Some((low, high))) => write!(f, "{value:+.3} ({low:+.3} to {high:+.3})"),
            Self::None => f.write_str("–"),
        }
    }
}

/// Formats a change in percent with its sign; a zero change has none.
#[must_use]
pub fn signed(change: f64) -> String {
    let text = format!("{:+.1} %", change * 100.0);
    if matches!(text.as_str(), "+0.0 %" | "-0.0 %") { "0.0 %".to_owned() } else { text }
}

/// Formats a number with thousands separators: `12,345`.
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

/// A bar chart that starts at zero.
#[derive(Clone, Debug, Default)]
pub struct Plot {
    /// The title.
    pub title: String,
    /// The bars, top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The label.
    pub label: String,
    /// Its length: a share or a change.
    pub value: f64,
    /// The interval around its end.
    pub interval: Option<(f64, f64)>,
    /// Whether the bar belongs to a tool that Headroom is compared with.
    pub other: bool,
}

/// Measurements that depend on the machine.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// A description of the machine.
    pub machine: String,
    /// Whether the program was built with optimisation.
    pub optimised: bool,
    /// Total time of the measurements in seconds.
    pub seconds: f64,
    /// The time for each text.
    pub rows: Vec<Timing>,
    /// The goals for speed.
    pub goals: Vec<Goal>,
}

/// The time for one text: the median of several runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// A description of the text.
    pub what: String,
    /// Its length in bytes.
    pub bytes: usize,
    /// Milliseconds per run.
    pub milliseconds: f64,
}

impl Timing {
    /// Returns the throughput in megabytes per second.
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
            (Cell::Measure(-1.25, None), "-1.250"),
            (Cell::Measure(-0.25, Some((-0.5, 0.001))), "-0.250 (-0.500 to +0.001)"),
            (Cell::change(0, 4), "–"),
        ] {
            assert_eq!(cell.to_string(), text);
        }
    }
}
