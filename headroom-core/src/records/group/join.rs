//! Joins parts that belong together: a paragraph with columns below one that names a host is part of its group.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{MIN_GROUPS, form::form, part::Part};
use crate::records::body::Body;

/// The form of all heads whose own form is rare.
const RARE: u32 = 0;
/// Percentage of the heads of a form that one other form must follow.
const MIN_FOLLOWED: usize = 85;
/// Maximum number of forms that are tried as the first of a group.
const MAX_FORMS: usize = 4;
/// Maximum number of parts of the form that follows, for each that it follows.
const MAX_FOLLOWERS: usize = 4;

/// Joins parts if heads of one form are always followed by a part of another form with other lines below it.
pub(super) fn joined(bodies: &[Body<'_>], mut parts: Vec<Part>) -> Vec<Part> {
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    for part in &parts {
        *counts.entry(part.form).or_default() += 1;
    }
    split_first(bodies, &mut parts, &mut counts);
    let class = |part: &Part| match counts.get(&part.form) {
        Some(count) if *count >= MIN_GROUPS => part.form,
        _ => RARE,
    };
    let classes: Vec<u32> = parts.iter().map(class).collect();
    let mut tried: Vec<u32> = Vec::new();
    let mut best = (0, RARE);
    let have_names = |class: u32| {
        let own = || parts.iter().zip(&classes).filter(|(_, own)| **own == class);
        let heads = own().filter_map(|(part, _)| Some(bodies.get(part.lines.start)?.text));
        let different = heads.collect::<FxHashSet<&str>>().len();
        different * 2 > own().count()
    };
    for first in &classes {
        if tried.contains(first) {
            continue;
        }
        if tried.len() == MAX_FORMS {
            break;
        }
        tried.push(*first);
        let share = followed(bodies, &parts, &classes, *first);
        // Heads that differ name what is below them; those of columns are the same.
        let share = if share > 0 && have_names(*first) { share + 100 } else { share };
        if share > best.0 {
            best = (share, *first);
        }
    }
    if best.0 == 0 { parts } else { join(parts, &classes, best.1) }
}

/// Splits the first part where a line has the form of heads: what a program prints first may have no empty line behind it.
fn split_first(bodies: &[Body<'_>], parts: &mut Vec<Part>, counts: &mut FxHashMap<u32, usize>) {
    let Some(first) = parts.first().cloned() else { return };
    if counts.get(&first.form).is_some_and(|count| *count >= MIN_GROUPS) {
        return;
    }
    let indent = bodies.get(first.lines.start).map_or(0, |body| body.indent());
    let is_head = |line: &usize| {
        bodies.get(*line).is_some_and(|body| {
            let count = counts.get(&form(body.bare()));
            body.indent() == indent && !body.is_blank() && count.is_some_and(|count| *count + 1 >= MIN_GROUPS)
        })
    };
    let Some(line) = (first.lines.start + 1..first.lines.end).find(is_head) else { return };
    let form = bodies.get(line).map_or(RARE, |body| form(body.bare()));
    let rest = Part { lines: line..first.lines.end, form, context: first.context };
    if let Some(first) = parts.first_mut() {
        first.lines.end = line;
    }
    *counts.entry(form).or_default() += 1;
    parts.insert(1, rest);
}

/// Returns the percentage of parts of a form that one other form follows, if its parts have other lines and nearly all are
/// followed; otherwise zero.
fn followed(bodies: &[Body<'_>], parts: &[Part], classes: &[u32], first: u32) -> usize {
    let count = |class: u32| classes.iter().filter(|other| **other == class).count();
    let mut followers: FxHashMap<u32, usize> = FxHashMap::default();
    for pair in classes.windows(2) {
        if let [before, after] = pair
            && *before == first
            && before != after
        {
            *followers.entry(*after).or_default() += 1;
        }
    }
    let Some((next, times)) = followers.into_iter().max_by_key(|(class, times)| (*times, *class)) else {
        return 0;
    };
    let (firsts, nexts) = (count(first), count(next));
    let share = times * 100 / firsts.max(1);
    let is_one = firsts >= MIN_GROUPS
        && share >= MIN_FOLLOWED
        && nexts <= firsts * MAX_FOLLOWERS
        && !have_same_lines(bodies, parts, classes, (first, next));
    if is_one { share } else { 0 }
}

/// Whether the parts of two classes have the same forms of lines below their heads.
fn have_same_lines(bodies: &[Body<'_>], parts: &[Part], classes: &[u32], pair: (u32, u32)) -> bool {
    let usual = |class: u32| {
        let mut forms: FxHashMap<u32, usize> = FxHashMap::default();
        let mut count = 0;
        for part in parts.iter().zip(classes).filter(|(_, own)| **own == class).map(|(part, _)| part) {
            count += 1;
            let below = bodies.get(part.lines.start + 1..part.lines.end).unwrap_or_default();
            let own: FxHashSet<u32> =
                below.iter().filter(|body| !body.is_blank()).map(|body| form(body.bare())).collect();
            for form in own {
                *forms.entry(form).or_default() += 1;
            }
        }
        forms.retain(|_, times| *times * 2 >= count);
        forms.into_keys().collect::<FxHashSet<u32>>()
    };
    let (a, b) = (usual(pair.0), usual(pair.1));
    let shared = a.intersection(&b).count();
    shared > 0 && shared * 2 >= a.len().min(b.len())
}

/// Joins each part of this class with those behind it up to the next. Parts before the first stay alone.
fn join(parts: Vec<Part>, classes: &[u32], first: u32) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    let mut is_open = false;
    for (part, class) in parts.into_iter().zip(classes) {
        match joined.last_mut() {
            Some(last) if is_open && *class != first && last.context == part.context => {
                last.lines.end = part.lines.end;
            }
            _ => {
                is_open |= *class == first;
                joined.push(part);
            }
        }
    }
    joined
}
