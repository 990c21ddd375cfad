//! Finds what belongs together in the lines of a text: sections under a header, and records with a name.
//!
//! A line is often true only of something that another line names: the file of a section, the hash of a commit, the id
//! of a row. Each line has an owner, the nearest line that it cannot be understood without; owners and the names of a
//! record stay with every line that stays. Everything is done in one pass per form, in linear time.

mod body;
mod cells;
mod commit;
mod common;
mod explained;
mod group;
mod heading;
mod margin;
mod owner;
mod plan;
mod record;
mod section;
mod settle;
mod silence;
pub(crate) mod stamp;
#[cfg(test)]
mod tests;
pub(crate) mod vertical;
mod yaml;

use std::ops::Range;

use crate::text::lines;
use body::{Body, bodies};
pub(crate) use cells::has_quoted_rows;
use group::Groups;
pub(crate) use group::alternate;
use heading::is_rule;
use owner::owners;
pub(crate) use record::{Record, RecordKind};
use section::{Heading, headings};

use crate::tuning::tuning;

/// No line.
const NONE: u32 = u32::MAX;

/// The lines of a text and the records in it: what the search for its structure starts with.
#[derive(Debug)]
pub(crate) struct RecordScan<'t> {
    text: &'t str,
    lines: Vec<&'t str>,
    bodies: Vec<Body<'t>>,
    /// In order and disjoint.
    records: Vec<Record<'t>>,
    /// Whether it is in doubt where the records start.
    is_unclear: bool,
}

impl<'t> RecordScan<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, ..Self::from_lines(lines::split(text).collect()) }
    }

    fn from_lines(lines: Vec<&'t str>) -> Self {
        let bodies = bodies(&lines);
        let Groups { records, is_unclear } = records(&bodies);
        Self { text: "", lines, bodies, records, is_unclear }
    }

    /// Whether this is the scan of this very text.
    pub(crate) fn is_of(&self, text: &str) -> bool {
        std::ptr::eq(self.text, text)
    }

    /// Whether the text consists of records, which no selection of sentences or rows may take apart.
    pub(crate) fn consists_of_records(&self) -> bool {
        self.is_made_of_records() && !self.has_groups() || commit::are_one_line_each(&self.bodies)
    }

    /// Returns the heads of groups, if the text consists of them. Code and tables may look like that.
    pub(crate) fn heads_of_groups(&self) -> impl Iterator<Item = &'t str> {
        let is_one = self.is_made_of_records() && self.has_groups();
        let heads = self.records.iter().filter(move |_| is_one).map(|record| record.lines.start);
        heads.filter_map(|line| self.lines.get(line).copied())
    }

    fn has_groups(&self) -> bool {
        self.records.first().is_some_and(|record| record.kind == RecordKind::Group)
    }

    fn is_made_of_records(&self) -> bool {
        is_made_of(&self.records, &self.bodies)
    }
}

/// The sections and records of a text.
///
/// Holds little for each line, because texts have many, and their features are in memory at the same time.
#[derive(Debug, Default)]
pub(crate) struct Structure<'t> {
    traits: Vec<LineTraits>,
    /// The owner of each line.
    owners: Vec<u32>,
    /// In order and disjoint.
    records: Vec<Record<'t>>,
    /// The groups within long records, in order and disjoint.
    inner: Vec<Record<'t>>,
    /// The rows of tables with more than one line, in order and disjoint.
    rows: Vec<Range<usize>>,
    /// Whether it is in doubt where the records start: then all lines stay.
    is_unclear: bool,
    headings: Vec<Heading<'t>>,
    silences: Vec<(u32, u32)>,
    /// The lines without the times at their start, if the text consists of records.
    texts: Vec<&'t str>,
}

impl<'t> Structure<'t> {
    pub(crate) fn new(lines: Vec<&'t str>) -> Self {
        RecordScan::from_lines(lines).into()
    }

    /// Returns the records, if the text consists of them.
    pub(crate) fn as_records(&self) -> Option<&[Record<'t>]> {
        (!self.texts.is_empty()).then_some(&self.records)
    }

    /// Returns the groups within a long record.
    pub(crate) fn inner(&self, record: &Record<'_>) -> &[Record<'t>] {
        within(&self.inner, &record.lines)
    }

    /// Returns the line without the time at its start, in a text that consists of records.
    pub(crate) fn body(&self, line: usize) -> &'t str {
        self.texts.get(line).copied().unwrap_or_default()
    }

    /// Returns the lines on both sides of the longest silences of each program or host that prints times; of all together
    /// if these are many.
    pub(crate) fn silences(&self) -> &[(u32, u32)] {
        &self.silences
    }

    /// Returns the nearest line that a line cannot be understood without.
    pub(crate) fn owner(&self, line: usize) -> Option<usize> {
        self.owners.get(line).filter(|owner| **owner != NONE).map(|owner| *owner as usize)
    }

    /// Whether a line continues the event that an earlier line starts, such as a frame of a stack trace.
    pub(crate) fn continues(&self, line: usize) -> bool {
        self.traits(line).has(LineTraits::CONTINUES)
    }

    /// Returns the lines of the headers that stay: all, unless they are many.
    pub(crate) fn kept_headings(&self) -> impl Iterator<Item = usize> {
        let all = self.headings.iter().filter(|heading| heading.style.is_plain());
        let few = all.clone().count() * tuning().records.lines_per_header <= self.traits.len();
        all.filter(move |_| few).map(|heading| heading.line)
    }

    fn traits(&self, line: usize) -> LineTraits {
        self.traits.get(line).copied().unwrap_or(LineTraits(LineTraits::BLANK))
    }
}

impl<'t> From<RecordScan<'t>> for Structure<'t> {
    fn from(scan: RecordScan<'t>) -> Self {
        let is_of_records = scan.is_made_of_records();
        let RecordScan { lines, bodies, records, is_unclear, .. } = scan;
        let silences = silence::silences(&lines, &bodies);
        drop(lines);
        let mut in_record = vec![false; bodies.len()];
        for record in &records {
            in_record.get_mut(record.lines.clone()).unwrap_or_default().fill(true);
        }
        let headings = headings(&bodies, &in_record);
        let owners = owners(&bodies, &records, &headings);
        let inner = if is_of_records { inner_groups(&bodies, &records) } else { Vec::new() };
        let rows = if is_of_records { Vec::new() } else { cells::rows(&bodies) };
        let traits = bodies.iter().map(LineTraits::new).collect();
        let texts = bodies.iter().filter(|_| is_of_records).map(Body::bare).collect();
        Self { traits, owners, records, inner, rows, is_unclear, headings, silences, texts }
    }
}

/// What selection asks of a line.
#[derive(Clone, Copy, Debug)]
struct LineTraits(u8);

impl LineTraits {
    const BLANK: u8 = 1;
    /// A rule of one character
    const RULE: u8 = 2;
    /// Part of the event that an earlier line starts
    const CONTINUES: u8 = 4;

    fn new(body: &Body<'_>) -> Self {
        let continues =
            body.indent() > 0 || body.text.starts_with("Caused by") || body.text.starts_with("... ");
        let mark = |is: bool, bit: u8| if is { bit } else { 0 };
        Self(
            mark(body.is_blank(), Self::BLANK)
                | mark(is_rule(body.text), Self::RULE)
                | mark(continues, Self::CONTINUES),
        )
    }

    const fn has(self, bits: u8) -> bool {
        self.0 & bits != 0
    }
}

/// Finds the groups within long records.
fn inner_groups<'t>(bodies: &[Body<'t>], records: &[Record<'t>]) -> Vec<Record<'t>> {
    let mut inner = Vec::new();
    let is_long = |lines: &&Range<usize>| lines.len() > tuning().log_records.max_lines;
    for lines in records.iter().map(|record| &record.lines).filter(is_long) {
        let below = bodies.get(lines.start + 1..lines.end).unwrap_or_default();
        inner.extend(group::groups(below).records.into_iter().map(|group| group.behind(lines.start + 1)));
    }
    inner
}

/// Returns the records that lie within these lines.
fn within<'r, 't>(records: &'r [Record<'t>], lines: &Range<usize>) -> &'r [Record<'t>] {
    let start = records.partition_point(|record| record.lines.start < lines.start);
    let rest = records.get(start..).unwrap_or_default();
    rest.get(..rest.partition_point(|record| record.lines.end <= lines.end)).unwrap_or_default()
}

fn is_made_of(records: &[Record<'_>], bodies: &[Body<'_>]) -> bool {
    let count = |lines: &[Body<'_>]| lines.iter().filter(|body| !body.is_blank()).count();
    let within = records.iter().map(|record| count(bodies.get(record.lines.clone()).unwrap_or_default()));
    let (within, all) = (within.sum::<usize>(), count(bodies));
    // A line that is a record by itself needs no other. The last record may have lost its lines.
    records.len() >= tuning().records.min_records
        && within + 1 >= 2 * records.len()
        && within * 100 >= all * tuning().records.min_share
}

/// Finds the records of the first form that there are some of.
fn records<'t>(bodies: &[Body<'t>]) -> Groups<'t> {
    // Most texts have none of the signs that records start with.
    let mut firsts = [false; 256];
    for first in bodies.iter().filter_map(|body| body.bare().bytes().next()) {
        if let Some(found) = firsts.get_mut(usize::from(first)) {
            *found = true;
        }
    }
    let has = |signs: &[u8]| signs.iter().any(|sign| firsts.get(usize::from(*sign)) == Some(&true));
    let some = |found: Vec<Record<'t>>| Some(found).filter(|found| found.len() > 1);
    let rows = || if has(b"*-+\xe2") { some(vertical::rows(bodies)) } else { None };
    let commits = || if has(b"cr*|") { some(commit::commits(bodies)) } else { None };
    let explained = || if has(explained::FIRSTS) { some(explained::entries(bodies)) } else { None };
    let resources = || if has(b"#") { some(plan::resources(bodies)) } else { None };
    let documents = || if has(b"-") { some(yaml::documents(bodies)) } else { None };
    let separated = || if has(b"-") { some(vertical::separated(bodies)) } else { None };
    let items = || if has(b"-") { some(yaml::items(bodies)) } else { None };
    let found = rows()
        .or_else(commits)
        .or_else(explained)
        .or_else(resources)
        .or_else(documents)
        .or_else(separated)
        .or_else(items)
        .or_else(|| some(vertical::entries(bodies)))
        .unwrap_or_default();
    if is_made_of(&found, bodies) {
        return Groups { records: found, is_unclear: false };
    }
    let groups = group::groups(bodies);
    if found.is_empty() || is_made_of(&groups.records, bodies) {
        groups
    } else {
        Groups { records: found, is_unclear: false }
    }
}
