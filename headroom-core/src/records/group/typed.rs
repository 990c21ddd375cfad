//! Groups without empty lines or indentation, whose lines start with their kind: `RESERVATIONS`, `INSTANCES`, `TAGS`.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{MIN_GROUPS, form::form, part::Part};
use crate::records::body::Body;

/// Maximum number of kinds of lines.
const MAX_FORMS: usize = 96;
/// Minimum number of lines of a group on average.
const MIN_LINES: usize = 3;
/// Minimum number of kinds that most groups have, the head included.
const MIN_USUAL: usize = 4;
/// Percentage of the changes from one kind to another that are the usual ones.
const MIN_ORDERED: usize = 65;
/// Lines at the start in which the first head is.
const PREAMBLE: usize = 3;

/// Returns parts that start with lines of the kind that comes first; `None` unless the kinds come in an order. There are no
/// parts if the last line may not be the last of a part: then the text may have lost its start as well.
pub(super) fn parts(bodies: &[Body<'_>]) -> Option<Vec<Part>> {
    let events = bodies.iter().filter(|body| body.is_event).count();
    if events * 10 > bodies.len() {
        return None;
    }
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    let mut lines: Vec<(usize, u32)> = Vec::new();
    for (line, body) in bodies.iter().enumerate() {
        if body.indent() > 0 || body.is_blank() {
            continue;
        }
        let form = form(body.text);
        *counts.entry(form).or_default() += 1;
        if counts.len() > MAX_FORMS {
            return None;
        }
        lines.push((line, form));
    }
    let mut firsts = lines.iter().take(PREAMBLE);
    let recurs = |form: &u32| counts.get(form).is_some_and(|count| *count >= MIN_GROUPS);
    let (start, first) = firsts.find(|(_, form)| recurs(form)).copied()?;
    let heads = lines.iter().filter(|(_, form)| *form == first).count();
    if lines.len() < heads * MIN_LINES || !are_ordered(&lines) {
        return None;
    }
    let parents: Vec<u32> = lines.iter().filter(|(line, _)| *line < start).map(|(_, form)| *form).collect();
    let mut parts: Vec<Part> = Vec::new();
    let mut context = None;
    let mut is_open = false;
    for (line, form) in &lines {
        if parents.contains(form) {
            // What comes before the first head stands above the heads below it, too.
            context = Some(*line);
            is_open = false;
        } else if *form == first {
            parts.push(Part { lines: *line..line + 1, form: first, context });
            is_open = true;
        } else if let Some(last) = parts.last_mut().filter(|_| is_open) {
            last.lines.end = line + 1;
        }
    }
    extend(bodies, &mut parts);
    let is_whole = lines.last().is_some_and(|(_, last)| *last != first && precedes(&lines, *last, first));
    has_usual(&parts, &lines).then(|| if is_whole { parts } else { Vec::new() })
}

/// Adds to each part the lines with indentation below it.
fn extend(bodies: &[Body<'_>], parts: &mut [Part]) {
    for part in parts {
        let below = bodies.get(part.lines.end..).unwrap_or_default();
        part.lines.end += below.iter().take_while(|body| body.indent() > 0 && !body.is_blank()).count();
    }
}

/// Returns the line that each line of a part belongs to: the last of the kinds that come before its own.
pub(in crate::records) fn owner(open: &mut Vec<(u32, usize)>, line: usize, text: &str) -> Option<usize> {
    let form = form(text);
    if let Some(at) = open.iter().position(|(own, _)| *own == form) {
        open.truncate(at);
    }
    let owner = open.last().map(|(_, line)| *line);
    open.push((form, line));
    owner
}

/// Whether a line of a kind is ever the last before a line of another.
fn precedes(lines: &[(usize, u32)], kind: u32, other: u32) -> bool {
    let mut pairs = lines.windows(2);
    pairs.any(|pair| matches!(pair, [(_, before), (_, after)] if *before == kind && *after == other))
}

/// Whether each kind of line mostly comes behind the same other kind.
fn are_ordered(lines: &[(usize, u32)]) -> bool {
    let mut followers: FxHashMap<(u32, u32), usize> = FxHashMap::default();
    let mut all = 0;
    for pair in lines.windows(2) {
        if let [(_, before), (_, after)] = pair
            && before != after
        {
            *followers.entry((*before, *after)).or_default() += 1;
            all += 1;
        }
    }
    let mut most: FxHashMap<u32, usize> = FxHashMap::default();
    for ((before, _), count) in followers {
        let most = most.entry(before).or_default();
        *most = count.max(*most);
    }
    all > 0 && most.values().sum::<usize>() * 100 >= all * MIN_ORDERED
}

/// Whether most parts have the same few kinds of lines.
fn has_usual(parts: &[Part], lines: &[(usize, u32)]) -> bool {
    let mut owners: FxHashMap<u32, usize> = FxHashMap::default();
    for part in parts {
        let from = lines.partition_point(|(line, _)| *line < part.lines.start);
        let rest = lines.get(from..).unwrap_or_default();
        let own = rest.iter().take_while(|(line, _)| *line < part.lines.end).map(|(_, form)| *form);
        for form in own.collect::<FxHashSet<u32>>() {
            *owners.entry(form).or_default() += 1;
        }
    }
    owners.values().filter(|count| **count * 10 >= parts.len() * 8).count() >= MIN_USUAL
}
