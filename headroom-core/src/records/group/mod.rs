//! Groups of lines under heads of one form: the threads of a dump, interfaces, packets, chains of rules, warnings.
//!
//! No program is known by its name. A head is the first line of a paragraph, or a line above lines with more indentation,
//! or the first line of an order of lines that repeats; and the lines below the heads have the same few forms. In doubt,
//! there are no groups.

mod form;
mod join;
mod lead;
mod name;
mod part;
mod phase;
mod typed;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    body::Body,
    common::most_common,
    heading::{HeadingStyle, heading},
    record::{Record, RecordKind},
};
use crate::relevance::test_result::TestResult;
use form::form;
pub(crate) use lead::alternate;
use lead::{Lead, lead};
pub(super) use name::noun;
use part::{Part, Separation};
pub(super) use typed::owner;

/// Minimum number of groups in a text.
const MIN_GROUPS: usize = 4;
/// Percentage of the lines of a text that groups must have.
const MIN_SHARE: usize = 50;
/// Percentage of the lines below heads whose form many groups have.
const MIN_ALIKE: usize = 70;
/// Minimum number of lines of a section on average, besides its header.
const MIN_SECTION_LINES: usize = 2;
/// Percentage of the groups that have the same line at the same place.
const MIN_USUAL: usize = 85;
/// Minimum number of groups with a form that many have, and one more per this many groups.
const MIN_OWNERS: usize = 3;
const OWNERS: usize = 10;

/// The groups of a text.
#[derive(Debug, Default)]
pub(super) struct Groups<'t> {
    pub(super) records: Vec<Record<'t>>,
    /// Whether the same kinds of lines come again and again, but it is in doubt which of them start a group: nothing may be
    /// left out of such a text.
    pub(super) is_unclear: bool,
}

/// Finds groups.
pub(super) fn groups<'t>(bodies: &[Body<'t>]) -> Groups<'t> {
    let filled = bodies.iter().filter(|body| !body.is_blank()).count();
    let events = bodies.iter().filter(|body| body.is_event).count();
    // In a log of events it is events that matter.
    if filled < 3 * MIN_GROUPS || events * 2 > filled {
        return Groups::default();
    }
    let bounds = bounds(bodies);
    let has_events = events * 2 * OWNERS > filled;
    let mut best: Vec<Part> = Vec::new();
    let mut best_level = 0;
    for separation in [Separation::Paragraphs, Separation::Indentation] {
        for level in part::levels(bodies, separation) {
            let parts = part::parts(bodies, level, separation, &bounds);
            let parts = join::joined(bodies, parts);
            let (lines, before) = (lines_in(bodies, &parts), lines_in(bodies, &best));
            let is_better = lines * 10 > before * 11 || level < best_level && lines >= before;
            if is_better
                && are_groups(bodies, &parts, filled)
                && heads_are_heads(bodies, &parts, level, separation)
                && (!has_events || separation == Separation::Paragraphs || are_events(bodies, &parts))
            {
                (best, best_level) = (parts, level);
            }
        }
    }
    let mut is_typed = best.is_empty();
    let mut come_again = false;
    // Where lines are clearly headers, what they govern is known.
    let lead = if bounds.len() < 2 { lead(bodies) } else { Lead::None };
    if is_typed {
        match (typed::parts(bodies), lead) {
            // Lines that come again at like distances tell more than the form of the first line.
            (typed, Lead::Parts(parts, is_periodic))
                if typed.as_ref().is_none_or(|typed| typed.len() * 10 < parts.len() * 9) =>
            {
                (best, is_typed, come_again) = (parts, false, is_periodic);
            }
            (Some(parts), _) if !parts.is_empty() => best = parts,
            (None, Lead::None | Lead::Parts(..)) => return Groups::default(),
            (Some(_), _) | (None, Lead::Unclear) => return Groups { records: Vec::new(), is_unclear: true },
        }
    } else if let Lead::Parts(parts, is_periodic) = lead
        && (starts_before(&parts, &best)
            || ends_with_head(bodies, &best) && are_other(&parts, &best)
            || is_periodic && parts.len() * 9 <= best.len() * 5 && are_other(&parts, &best))
    {
        (best, come_again) = (parts, is_periodic);
    }
    // Names of one line each tell something by themselves, unless every other line is what belongs to the name.
    let are_names = !come_again && are_names(bodies, &best);
    if !are_groups(bodies, &best, filled) || are_tests(bodies, &best) || are_names {
        return Groups::default();
    }
    named(bodies, best, is_typed)
}

/// Returns the groups with their names, if it is clear which lines start them.
fn named<'t>(bodies: &[Body<'t>], parts: Vec<Part>, is_typed: bool) -> Groups<'t> {
    if !phase::is_clear(bodies, &parts) {
        return Groups { records: Vec::new(), is_unclear: true };
    }
    let record = |part| record(part, is_typed);
    let mut records: Vec<Record<'t>> = parts.into_iter().map(record).collect();
    name::name(bodies, &mut records);
    Groups { records, is_unclear: false }
}

fn record<'t>(part: Part, is_typed: bool) -> Record<'t> {
    Record { context: part.context, is_typed, ..Record::new(RecordKind::Group, part.lines) }
}

/// Counts the lines of parts that are not empty.
fn lines_in(bodies: &[Body<'_>], parts: &[Part]) -> usize {
    let lines = parts.iter().filter_map(|part| bodies.get(part.lines.clone())).flatten();
    lines.filter(|body| !body.is_blank()).count()
}

/// Returns the lines that are clearly headers of sections, such as `==> name <==`: no group goes across one. What stands
/// there again and again is part of the groups.
fn bounds(bodies: &[Body<'_>]) -> Vec<usize> {
    let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
    let mut found: Vec<(usize, &str)> = Vec::new();
    for (line, body) in bodies.iter().enumerate() {
        let may_be = body.indent() <= 2 && !body.is_event && !body.bare().starts_with(['\u{25cf}', '"']);
        let style = heading(bodies.get(line..).unwrap_or_default()).filter(|_| may_be);
        if let Some((style, _)) = style
            && style.is_plain()
            && style != HeadingStyle::Failure
        {
            *counts.entry(body.text).or_default() += 1;
            found.push((line, body.text));
        }
    }
    // Lines that govern hardly anything are the heads of groups.
    let before = found.first().map_or(0, |(line, _)| *line) + found.len();
    if bodies.len().saturating_sub(before) < found.len() * MIN_SECTION_LINES {
        return Vec::new();
    }
    let is_new = |text: &str| counts.get(text).is_none_or(|count| *count < MIN_OWNERS);
    found.into_iter().filter(|(_, text)| is_new(text)).map(|(line, _)| line).collect()
}

/// Whether these are enough groups of similar lines, and none of them is most of the text.
fn are_groups(bodies: &[Body<'_>], parts: &[Part], filled: usize) -> bool {
    let is_filled = |line: &usize| bodies.get(*line).is_some_and(|body| !body.is_blank());
    let sizes = parts.iter().map(|part| part.lines.clone().filter(is_filled).count());
    let (all, largest) = (sizes.clone().sum::<usize>(), sizes.max().unwrap_or_default());
    parts.len() >= MIN_GROUPS
        && all >= 2 * parts.len()
        && all * 100 >= filled * MIN_SHARE
        && largest * 2 <= all
        && are_alike(bodies, parts)
}

/// Whether most lines below heads have a form that other groups have too.
fn are_alike(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let mut owners: FxHashMap<u32, usize> = FxHashMap::default();
    let mut lines: FxHashMap<u32, usize> = FxHashMap::default();
    let mut own: FxHashSet<u32> = FxHashSet::default();
    for part in parts {
        own.clear();
        let below = bodies.get(part.lines.start + 1..part.lines.end).unwrap_or_default();
        for body in below.iter().filter(|body| !body.is_blank()) {
            let form = form(body.bare());
            *lines.entry(form).or_default() += 1;
            if own.insert(form) {
                *owners.entry(form).or_default() += 1;
            }
        }
    }
    let least = MIN_OWNERS.max(parts.len() / OWNERS);
    let has_many = |form: &u32| owners.get(form).is_some_and(|owners| *owners >= least);
    let alike: usize = lines.iter().filter(|(form, _)| has_many(form)).map(|(_, count)| *count).sum();
    let all: usize = lines.values().sum();
    all > 0 && alike * 100 >= all * MIN_ALIKE
}

/// Whether the others that start within these parts have heads of other forms, as parts of a group do, and are not groups like
/// it.
fn are_other(parts: &[Part], others: &[Part]) -> bool {
    let starts: FxHashSet<usize> = parts.iter().map(|part| part.lines.start).collect();
    let within = others.iter().filter(|other| !starts.contains(&other.lines.start));
    let within: FxHashSet<u32> = within.map(|other| other.form).collect();
    parts.iter().filter(|part| within.contains(&part.form)).count() * OWNERS <= parts.len()
}

/// Whether the last of several parts is its head alone, which is the end of a group rather than the start of one.
fn ends_with_head(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let filled = |part: &Part| lines_in(bodies, std::slice::from_ref(part));
    let alone = parts.iter().filter(|part| filled(part) == 1).count();
    alone == 1 && parts.last().is_some_and(|last| filled(last) == 1)
}

/// Whether the first of these parts starts before the first of the others, and there are as many: then the others start in
/// the middle of what belongs together.
fn starts_before(parts: &[Part], others: &[Part]) -> bool {
    let start = |parts: &[Part]| parts.first().map(|part| part.lines.start);
    parts.len() >= others.len() && start(parts) < start(others)
}

/// Whether lines above the first head have forms that lines of most groups have: then the groups start with other lines.
fn starts_earlier(bodies: &[Body<'_>], parts: &[Part], level: u32) -> bool {
    let usual = most_common(parts.iter().map(|part| part.form)).map(|(form, _)| form);
    let Some(first) = parts.iter().find(|part| Some(part.form) == usual) else { return false };
    let is_of_level = |body: &&Body<'_>| !body.is_blank() && body.indent() == level;
    let above = bodies.get(..first.lines.start).unwrap_or_default().iter().filter(is_of_level);
    let above: FxHashSet<u32> = above.map(|body| form(body.bare())).collect();
    let has_one = |part: &&Part| {
        let lines = bodies.get(part.lines.clone()).unwrap_or_default();
        lines.iter().filter(is_of_level).any(|body| above.contains(&form(body.bare())))
    };
    !above.is_empty() && parts.iter().filter(has_one).count() * 2 > parts.len()
}

/// Whether the heads are events. What stands below an event of a log is no group of its own.
fn are_events(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let is_event = |part: &&Part| bodies.get(part.lines.start).is_some_and(|body| body.is_event);
    parts.iter().filter(is_event).count() * 2 > parts.len()
}

/// Whether most lines of the groups are single words, as the names in folders are, or elements of XML: each tells something
/// by itself.
fn are_names(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let is_name =
        |body: &&Body<'_>| !body.bare().contains([' ', '\t', '=', ':']) || body.bare().starts_with('<');
    let below = |part: &Part| bodies.get(part.lines.start + 1..part.lines.end).unwrap_or_default().iter();
    let lines = || parts.iter().flat_map(below).filter(|body| !body.is_blank());
    lines().filter(is_name).count() * 2 > lines().count()
}

/// Whether these are suites of tests or what a runner says of failures, whose lines are chosen by what happened to each
/// test.
fn are_tests(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let lines = parts.iter().flat_map(|part| part.lines.clone()).filter_map(|line| bodies.get(line));
    let tests = lines.filter(|body| TestResult::parse(body.bare().as_bytes()).is_some()).count();
    let tells_of_failure = |part: &&Part| {
        let first = bodies.get(part.lines.clone()).unwrap_or_default().iter().take(3);
        first.map(|body| body.text).any(|text| text.starts_with("FAIL: ") || text.starts_with("ERROR: "))
    };
    // pytest marks what failed with an `E`.
    let has_mark = bodies.iter().any(|body| body.text.starts_with("E   "));
    has_mark
        || tests * OWNERS > lines_in(bodies, parts)
        || parts.iter().filter(tells_of_failure).count() * 2 > parts.len()
}

/// Whether lines that start like heads are nearly always heads. Of a log in which some events have more lines, most events
/// have none.
fn heads_are_heads(bodies: &[Body<'_>], parts: &[Part], level: u32, separation: Separation) -> bool {
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    for part in parts {
        *counts.entry(part.form).or_default() += 1;
    }
    let is_head = |form: u32| counts.get(&form).is_some_and(|count| *count >= MIN_GROUPS);
    // The lines that look like heads, by their distance from the head.
    let mut others: FxHashMap<usize, usize> = FxHashMap::default();
    let mut stray = 0;
    for part in parts {
        let below = bodies.get(part.lines.start + 1..part.lines.end).unwrap_or_default();
        let of_level =
            below.iter().enumerate().filter(|(_, body)| !body.is_blank() && body.indent() == level);
        for (distance, body) in of_level {
            stray += 1;
            let is_event = body.is_event && separation == Separation::Indentation;
            if is_event || is_head(form(body.bare())) {
                *others.entry(distance).or_default() += 1;
            }
        }
    }
    // An empty line tells heads from the same line of every group.
    let is_usual =
        |count: usize| separation == Separation::Paragraphs && count * 100 >= parts.len() * MIN_USUAL;
    let others: usize = others.into_values().filter(|count| !is_usual(*count)).sum();
    let is_late = separation == Separation::Indentation && starts_earlier(bodies, parts, level);
    if is_late {
        return false;
    }
    // Heads of a few forms are heads for sure.
    let rare = parts.iter().filter(|part| !is_head(part.form)).count();
    let many = rare * MIN_GROUPS > parts.len() + MIN_GROUPS && stray > parts.len() * 3;
    others * OWNERS <= parts.len() && !many
}
