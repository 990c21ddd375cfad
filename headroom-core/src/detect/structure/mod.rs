//! Detects the content kind from the lines of a text alone.
//!
//! Each line is classified by its start, and the shares of the classes decide. At most a few thousand lines, evenly
//! spread, are examined.

mod code_line;
mod line;
mod run;
mod runner;
#[cfg(test)]
pub(super) mod tests;

use line::LineClass;
use run::is_run;

use crate::{
    Classification, ContentKind,
    formats::{diff, html, listing, search, table},
    records::{RecordScan, alternate},
    text::lines,
    tuning::tuning,
};

/// Limit on the lines examined.
const MAX_LINES: usize = 2000;
/// Length of the start in bytes that is parsed as lines of one kind.
const MAX_START: usize = 128 << 10;

/// A detected content kind, and what else the text could be.
#[derive(Debug)]
pub(crate) struct Guess<'t> {
    pub(crate) kind: ContentKind,
    may_be_code: bool,
    may_be_prose: bool,
    /// Whether the text consists of groups under heads that are no declarations of code.
    pub(crate) has_groups: bool,
    /// The records that were looked for in the text or in a part of it.
    pub(crate) scan: Option<RecordScan<'t>>,
}

impl Guess<'_> {
    /// Returns the kind; asks the classifier if the structure is ambiguous.
    pub(crate) fn settled(&self, verdict: impl FnOnce() -> Option<Classification>) -> ContentKind {
        if !self.may_be_code && !self.may_be_prose {
            return self.kind;
        }
        match verdict() {
            Some(Classification::Code(_)) if self.may_be_code => ContentKind::Code,
            Some(Classification::Prose) if self.may_be_prose => ContentKind::Prose,
            _ => self.kind,
        }
    }
}

impl From<ContentKind> for Guess<'_> {
    fn from(kind: ContentKind) -> Self {
        Self { kind, may_be_code: false, may_be_prose: false, has_groups: false, scan: None }
    }
}

/// The number of lines in each class.
#[derive(Debug, Default)]
struct Shares {
    counts: [usize; LineClass::COUNT],
    lines: usize,
}

impl Shares {
    fn from_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut shares = Self::default();
        for line in lines.filter(|line| !line.trim().is_empty()) {
            let class = line::class(line) as usize;
            shares.lines += 1;
            if let Some(count) = shares.counts.get_mut(class) {
                *count += 1;
            }
        }
        shares
    }

    fn count(&self, class: LineClass) -> usize {
        self.counts.get(class as usize).copied().unwrap_or_default()
    }

    /// Whether these classes together have at least this percentage of the lines.
    fn reach(&self, percent: usize, classes: &[LineClass]) -> bool {
        let count: usize = classes.iter().map(|class| self.count(*class)).sum();
        count * 100 >= self.lines * percent && count > 0
    }
}

/// Returns the percentage of lines that are of a log.
pub(super) fn log_share(text: &str) -> usize {
    let lines: Vec<&str> = lines::split(text).collect();
    let step = lines.len().div_ceil(MAX_LINES).max(1);
    let shares = Shares::from_lines(lines.iter().copied().step_by(step));
    if shares.count(LineClass::Code) * tuning().detect.lines_per_code_of_log > shares.lines {
        return 0;
    }
    let log = shares.count(LineClass::Log) + shares.count(LineClass::Frame);
    log * 100 / shares.lines.max(1)
}

/// Detects the content kind from the structure.
pub(super) fn guess(text: &str) -> Guess<'_> {
    if html::is_page(text) {
        return ContentKind::Html.into();
    }
    let mut scan = None;
    let guess = by_lines(text, &mut scan);
    let has_groups = guess.kind == ContentKind::Log && scan.as_ref().is_some_and(has_plain_groups);
    Guess { scan, has_groups, ..guess }
}

fn by_lines<'t>(text: &'t str, scan: &mut Option<RecordScan<'t>>) -> Guess<'t> {
    use LineClass::{Blob, Code, Frame, Hit, Json, Log, Mark, Perms, Prose, Rows, Tag};

    let lines: Vec<&str> = lines::split(text).collect();
    let step = lines.len().div_ceil(MAX_LINES).max(1);
    let shares = Shares::from_lines(lines.iter().copied().step_by(step));
    let start = first_lines(text);
    let detect = &tuning().detect;
    let kind = if shares.count(Json) > 1 && shares.reach(detect.json, &[Json]) {
        ContentKind::Json
    } else if diff::share(start) >= detect.diff {
        ContentKind::Diff
    } else if scan.insert(RecordScan::new(start)).consists_of_records() {
        ContentKind::Log
    } else if shares.reach(detect.html, &[Tag]) && has_page_tags(text) {
        ContentKind::Html
    } else if shares.reach(detect.blob, &[Blob]) {
        ContentKind::Blob
    } else if is_ruled(&lines) {
        // Cells may contain times, like rows of logs.
        ContentKind::Table
    } else if shares.reach(detect.search, &[Hit])
        || !shares.reach(detect.log, &[Log]) && search::share(start) >= detect.search_rows
    {
        ContentKind::Search
    } else if shares.reach(detect.log, &[Log, Frame]) {
        ContentKind::Log
    } else if is_run(text) {
        // The source of a test may mention runs, and a document may show one.
        return Guess {
            may_be_code: shares.reach(tuning().detect.most_code, &[Code]),
            may_be_prose: shares.reach(tuning().detect.some_prose, &[Prose, Mark]),
            ..ContentKind::Log.into()
        };
    } else if shares.lines > 3 && listing::share(start) >= detect.listing && !alternate(lines.iter().copied())
    {
        ContentKind::Listing
    } else if shares.reach(detect.permissions, &[Perms]) {
        ContentKind::Table
    } else if !is_document(&lines) && scan.as_ref().is_some_and(has_plain_groups) {
        ContentKind::Log
    } else if shares.lines > 2 && (table::share(start) >= detect.table || shares.reach(detect.rows, &[Rows]))
    {
        ContentKind::Table
    } else if is_document(&lines) {
        ContentKind::Prose
    } else if shares.reach(detect.code, &[Code]) && shares.count(Code) * 2 > shares.count(Prose) {
        ContentKind::Code
    } else if shares.reach(detect.prose, &[Prose, Mark]) {
        ContentKind::Prose
    } else if shares.reach(detect.some_log, &[Log, Frame]) {
        // A few log lines, with other output of the program between them.
        ContentKind::Log
    } else {
        let may_be_code = shares.reach(tuning().detect.some_code, &[Code]);
        return Guess { may_be_code, ..ContentKind::Text.into() };
    };
    kind.into()
}

/// Whether a text consists of groups whose heads are no declarations, as those of functions are.
fn has_plain_groups(scan: &RecordScan<'_>) -> bool {
    let (mut declarations, mut all) = (0_usize, 0_usize);
    for head in scan.heads_of_groups() {
        all += 1;
        declarations += usize::from(line::class(head) == LineClass::Code);
    }
    declarations * 2 < all
}

/// Returns the lines at the start that represent the text.
pub(super) fn first_lines(text: &str) -> &str {
    if text.len() <= MAX_START {
        return text;
    }
    let end = memchr::memrchr(b'\n', text.as_bytes().get(..MAX_START).unwrap_or_default()).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Whether there are tags of web pages, which other XML lacks.
fn has_page_tags(text: &str) -> bool {
    ["<div", "<p>", "<span", "<body", "<a href"].iter().any(|tag| text.contains(tag))
}

/// Whether this is a table with bars between cells and a rule of `-` and `+` below or around its header, as
/// printed by `psql` and `mysql`.
fn is_ruled(lines: &[&str]) -> bool {
    const FIRST: usize = 8;
    let rule = |line: &&&str| {
        line.contains('+')
            && line.contains("--")
            && line.trim().bytes().all(|byte| matches!(byte, b'-' | b'+'))
    };
    let Some(bars) = lines.iter().take(FIRST).find(rule).map(|rule| rule.matches('+').count()) else {
        return false;
    };
    let rows = || lines.iter().take(MAX_LINES).filter(|line| !line.trim().is_empty() && !rule(line));
    let fit = rows().filter(|line| line.matches('|').count() >= bars).count();
    fit * 100 >= rows().count() * tuning().detect.ruled && fit > 1
}

/// Whether this is a Markdown document with code blocks.
fn is_document(lines: &[&str]) -> bool {
    let starts = |mark: &str| lines.iter().filter(|line| line.starts_with(mark)).count();
    starts("```") > 1 && starts("#") > 1
}
