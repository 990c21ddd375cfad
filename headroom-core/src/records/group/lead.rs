//! Groups that one form of line tells apart because it comes again at like distances: the files of `stat`, pools, hosts
//! with a line each, recipes.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{MIN_GROUPS, are_alike, form::form, part::Part};
use crate::records::{body::Body, common::most_common};

/// The form of all lines whose own form is rare.
const RARE: u32 = 0;
/// Lines before the first group.
const PREAMBLE: usize = 3;
/// Limit on the forms that are tried, so that the work stays linear.
const MAX_ANCHORS: usize = 16;
/// Percentage of the distances that are the same where the groups have one length.
const MIN_SAME: usize = 95;
/// Percentage of the groups whose first lines are alike.
const MIN_HEADS: usize = 80;
/// Percentage of the groups whose last lines are alike, from which the last line of the text is one of them.
const MIN_ENDS: usize = 60;
/// Percentage of the lines with as many cells as the others, from which they are rows of a table.
const MIN_ROWS: usize = 90;
/// Percentage of the lines that end as statements do, from which the text is code.
const MOST_CODE: usize = 30;

/// What the distances tell.
#[derive(Debug)]
pub(super) enum Lead {
    /// No form comes again at like distances.
    None,
    /// One does, but it is in doubt which lines start the groups.
    Unclear,
    /// The groups, and whether all have the same length.
    Parts(Vec<Part>, bool),
}

/// A line that is not empty.
#[derive(Clone, Copy)]
struct Line {
    line: usize,
    class: u32,
}

/// Where a form stands, as positions among the lines that are not empty.
struct Anchor {
    places: Vec<usize>,
    least: usize,
    most: usize,
    is_periodic: bool,
}

/// Looks for such groups.
pub(super) fn lead(bodies: &[Body<'_>]) -> Lead {
    if are_rows(bodies) || are_statements(bodies) {
        return Lead::None;
    }
    let lines = classes(bodies);
    let events = bodies.iter().filter(|body| body.is_event).count();
    let mut is_unclear = false;
    for anchor in &anchors(&lines) {
        is_unclear = is_unclear || are_alike(bodies, &parts(bodies, &lines, &anchor.places));
        for starts in starts(&lines, anchor) {
            let parts = parts(bodies, &lines, &starts);
            // An event of a log owns the lines below it. The times of a file are behind words.
            let is_log = || events * 2 < parts.len() * 3 || start_with_times(bodies, &parts);
            if super::are_events(bodies, &parts) && is_log() {
                return Lead::None;
            }
            if parts.len() >= MIN_GROUPS
                && have_names(bodies, &parts)
                && starts_whole(&lines, &starts)
                && ends_whole(&lines, &starts)
                && are_alike(bodies, &parts)
                && !have_parents_within(bodies, &parts)
                && !hang_below(bodies, &parts)
            {
                return Lead::Parts(parts, anchor.is_periodic);
            }
        }
    }
    if is_unclear { Lead::Unclear } else { Lead::None }
}

/// Whether most heads start with a time.
fn start_with_times(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let heads = parts.iter().filter_map(|part| bodies.get(part.lines.start));
    heads.filter(|head| head.is_stamped_at_start()).count() * 2 > parts.len()
}

/// Whether lines come in pairs of a name and a number, such as that of a version: then both belong together.
pub(crate) fn alternate<'l>(lines: impl Iterator<Item = &'l str>) -> bool {
    let is_number = |line: &str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    let (mut pairs, mut changes) = (0_usize, 0_usize);
    let mut last = None;
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let own = is_number(line);
        if let Some(last) = last.replace(own) {
            pairs += 1;
            changes += usize::from(last != own);
        }
    }
    pairs >= 2 * MIN_GROUPS && changes * 100 >= pairs * MIN_SAME
}

/// Returns the lines with what they have in common with others.
fn classes(bodies: &[Body<'_>]) -> Vec<Line> {
    let filled = || bodies.iter().enumerate().filter(|(_, body)| !body.is_blank());
    if alternate(filled().map(|(_, body)| body.bare())) {
        let is_number = |body: &Body<'_>| body.bare().starts_with(|first: char| first.is_ascii_digit());
        return filled().map(|(line, body)| Line { line, class: 1 + u32::from(is_number(body)) }).collect();
    }
    let mut lines: Vec<Line> =
        filled().map(|(line, body)| Line { line, class: form(body.bare()).max(1) }).collect();
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    for line in &lines {
        *counts.entry(line.class).or_default() += 1;
    }
    for line in &mut lines {
        if counts.get(&line.class).is_some_and(|count| *count < MIN_GROUPS) {
            line.class = RARE;
        }
    }
    lines
}

/// Returns forms that come again at like distances, from the start of the text to its end: those of one distance first, and of
/// these the first in the text.
fn anchors(lines: &[Line]) -> Vec<Anchor> {
    let mut places: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.class != RARE) {
        places.entry(line.class).or_default().push(place);
    }
    let mut anchors: Vec<Anchor> =
        places.into_values().filter_map(|places| anchor(places, lines.len())).collect();
    anchors.sort_by_key(|anchor| (!anchor.is_periodic, anchor.places.first().copied()));
    anchors.truncate(MAX_ANCHORS);
    anchors
}

fn anchor(places: Vec<usize>, count: usize) -> Option<Anchor> {
    let mut distances: Vec<usize> =
        places.windows(2).filter_map(|pair| if let [a, b] = pair { Some(b - a) } else { None }).collect();
    distances.sort_unstable();
    let (least, most) = (*distances.first()?, *distances.last()?);
    let median = *distances.get(distances.len() / 2)?;
    let (first, last) = (*places.first()?, *places.last()?);
    let covers = first <= most + PREAMBLE && count - last <= most + 1;
    let same = distances.iter().filter(|distance| **distance == median).count();
    let is_periodic = same * 100 >= distances.len() * MIN_SAME;
    let is_regular = least > 1 && most <= 2 * least + 2;
    let is_one = places.len() >= MIN_GROUPS && median > 1 && covers && (is_regular || is_periodic);
    is_one.then_some(Anchor { places, least, most, is_periodic })
}

/// Returns the starts that the groups around an anchor may have, the most likely first.
fn starts(lines: &[Line], anchor: &Anchor) -> Vec<Vec<usize>> {
    if anchor.is_periodic { by_period(lines, anchor) } else { by_head(lines, anchor).into_iter().collect() }
}

/// Returns the starts of groups of one length: as far before each anchor as a line at the start of the text is before the first
/// anchor.
fn by_period(lines: &[Line], anchor: &Anchor) -> Vec<Vec<usize>> {
    let first = anchor.places.first().copied().unwrap_or_default();
    (0..=PREAMBLE.min(first))
        .map(|preamble| first - preamble)
        .filter(|ahead| *ahead < anchor.most)
        .map(|ahead| anchor.places.iter().filter_map(|place| place.checked_sub(ahead)).collect())
        .filter(|starts: &Vec<usize>| fit(lines, starts) && divide(lines, starts))
        .collect()
}

/// Returns the class of the line at this place.
fn class(lines: &[Line], place: usize) -> u32 {
    lines.get(place).map_or(RARE, |line| line.class)
}

/// Whether the first of these lines is like the others, as far as these are alike.
fn fit(lines: &[Line], starts: &[usize]) -> bool {
    let Some((first, rest)) = starts.split_first() else { return false };
    let usual = most_common(rest.iter().map(|start| class(lines, *start)));
    usual.is_none_or(|(usual, count)| count * 100 < rest.len() * MIN_HEADS || class(lines, *first) == usual)
}

/// Whether most starts are of another form than the lines above them. In the middle of like lines nothing starts; a text that
/// was cut seems to start there.
fn divide(lines: &[Line], starts: &[usize]) -> bool {
    let above = |start: &usize| start.checked_sub(1).map(|place| class(lines, place));
    let differs =
        |start: &&usize| above(start).is_none_or(|above| above == RARE || above != class(lines, **start));
    starts.iter().filter(differs).count() * 100 >= starts.len() * MIN_HEADS
}

/// Whether what is before the first group comes once, or less often than groups do. Otherwise it may be the start of the first.
fn starts_whole(lines: &[Line], starts: &[usize]) -> bool {
    let before = lines.get(..starts.first().copied().unwrap_or_default()).unwrap_or_default();
    let count = |class: u32| lines.iter().filter(|line| line.class == class).count();
    before.iter().all(|line| line.class == RARE || count(line.class) * 2 <= starts.len())
}

/// Whether the text ends as groups do, but for what may stand behind the last: then it is not cut in the middle of one, and most
/// likely starts with a whole one too.
fn ends_whole(lines: &[Line], starts: &[usize]) -> bool {
    let ends = || starts.iter().skip(1).filter_map(|start| start.checked_sub(1));
    let usual = most_common(ends().map(|end| class(lines, end)));
    // What a program says at the end comes once.
    let last =
        lines.iter().rev().take(1 + PREAMBLE).find(|line| line.class != RARE).map_or(RARE, |line| line.class);
    usual.is_some_and(|(usual, count)| {
        usual != RARE && usual == last && count * 100 >= ends().count() * MIN_ENDS
    })
}

/// Whether most heads have clearly more indentation than other lines of their groups, and no empty line before them: then they
/// may belong to the line above.
fn hang_below(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let hangs = |part: &&Part| {
        let own = bodies.get(part.lines.start).map_or(0, Body::indent);
        let lines = bodies.get(part.lines.clone()).unwrap_or_default();
        let least = lines.iter().filter(|body| !body.is_blank()).map(Body::indent).min().unwrap_or(own);
        let above = part.lines.start.checked_sub(1).and_then(|above| bodies.get(above));
        // A tab is more than the padding of one character.
        let is_padding = least + 1 >= own && !lines.first().is_some_and(|head| head.text.starts_with('\t'));
        least < own && !is_padding && above.is_none_or(|above| !above.is_blank())
    };
    parts.iter().filter(hangs).count() * 2 > parts.len()
}

/// Whether lines with less indentation than the heads are in some groups only: then these belong to them, and the next groups do.
fn have_parents_within(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let mut owners: FxHashMap<u32, usize> = FxHashMap::default();
    for part in parts {
        let indent = bodies.get(part.lines.start).map_or(0, Body::indent);
        let lines = bodies.get(part.lines.clone()).unwrap_or_default();
        let outer = lines.iter().filter(|body| !body.is_blank() && body.indent() < indent);
        for form in outer.map(|body| form(body.bare())).collect::<FxHashSet<u32>>() {
            *owners.entry(form).or_default() += 1;
        }
    }
    owners.values().any(|count| count * 2 < parts.len())
}

/// Whether the first lines of the groups tell them from each other.
fn have_names(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let heads = parts.iter().filter_map(|part| bodies.get(part.lines.start)).map(Body::bare);
    heads.collect::<FxHashSet<&str>>().len() * 100 >= parts.len() * MIN_HEADS
}

/// Returns the starts of groups of several lengths: the anchors, or lines with a rare form right before nearly all of them.
fn by_head(lines: &[Line], anchor: &Anchor) -> Option<Vec<usize>> {
    let first = *anchor.places.first()?;
    let is_rare_before = |ahead: usize| {
        let is_rare = |place: &&usize| {
            let line = place.checked_sub(ahead).and_then(|place| lines.get(place));
            line.is_none_or(|line| line.class == RARE)
        };
        anchor.places.iter().filter(is_rare).count() * 100 >= anchor.places.len() * MIN_HEADS
    };
    let ahead = (1..=PREAMBLE).take_while(|ahead| is_rare_before(*ahead)).last().unwrap_or(0);
    // Where so many lines are rare, it is in doubt which of them comes first.
    if ahead == PREAMBLE || ahead >= anchor.least || first < ahead || first - ahead > PREAMBLE {
        return None;
    }
    Some(anchor.places.iter().map(|place| place - ahead).collect())
}

/// Returns the lines from each start up to the next. Lines like those before the first start stand above the groups.
fn parts(bodies: &[Body<'_>], lines: &[Line], starts: &[usize]) -> Vec<Part> {
    let before = lines.get(..starts.first().copied().unwrap_or_default()).unwrap_or_default();
    let parents: Vec<u32> = before.iter().map(|line| line.class).filter(|class| *class != RARE).collect();
    let mut parts: Vec<Part> = Vec::with_capacity(starts.len());
    let mut starts = starts.iter().copied().peekable();
    let (mut context, mut is_open) = (None, false);
    for (place, line) in lines.iter().enumerate() {
        if starts.next_if_eq(&place).is_some() {
            let form = bodies.get(line.line).map_or(RARE, |body| form(body.bare()));
            parts.push(Part { lines: line.line..line.line + 1, form, context });
            is_open = true;
        } else if parents.contains(&line.class) {
            // Of several parents, the innermost knows the others.
            context = Some(line.line);
            is_open = false;
        } else if let Some(last) = parts.last_mut().filter(|_| is_open) {
            last.lines.end = line.line + 1;
        }
    }
    parts
}

/// Whether nearly all lines have as many cells or words as the others: each row of a table is a record by itself.
fn are_rows(bodies: &[Body<'_>]) -> bool {
    let filled = || bodies.iter().filter(|body| !body.is_blank());
    let all = filled().count();
    let is_usual = |count: &dyn Fn(&str) -> usize| {
        // Most texts have few lines with such a mark, which the first lines show.
        let most = all * (100 - MIN_ROWS) / 100;
        if filled().filter(|body| count(body.bare()) == 0).take(most + 1).count() > most {
            return false;
        }
        let usual = most_common(filled().map(|body| count(body.bare())));
        usual.is_some_and(|(cells, count)| cells > 0 && count * 100 >= all * MIN_ROWS)
    };
    let mark = |mark: u8| move |text: &str| memchr::memchr_iter(mark, text.as_bytes()).count();
    // A line of one word is no row, and one of two may be a key with its value.
    let words = |text: &str| text.split_ascii_whitespace().count().saturating_sub(2);
    [b',', b'\t', b'|', b';'].into_iter().any(|own| is_usual(&mark(own))) || is_usual(&words)
}

/// Whether many lines end as those of code do.
fn are_statements(bodies: &[Body<'_>]) -> bool {
    let filled = || bodies.iter().filter(|body| !body.is_blank());
    let ends = filled().filter(|body| body.text.ends_with(['{', '}', ';'])).count();
    ends * 100 >= filled().count() * MOST_CODE
}
