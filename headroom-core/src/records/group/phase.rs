//! Whether it is clear which lines start groups. Where the same lines come again and again, groups seem to start with whichever of
//! them the text starts with, so that of a text that lost its start the end of one group would be given to the next.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{form::form, part::Part};
use crate::records::{
    body::Body,
    common::most_common,
    heading::{HeadingStyle, heading},
};

/// One group in this many may be unlike the others.
const GROUPS_PER_STRAY: usize = 10;
/// Lines that may follow the last group.
const MAX_END: usize = 3;
/// Percentage of the groups that end alike, from which the last one must.
const MIN_ENDS: usize = 60;
/// Percentage of the groups of one length, from which the last one must have it.
const MIN_SAME: usize = 95;
/// Lines of a group whose keys may be aligned.
const MIN_ALIGNED: usize = 3;

/// Whether the starts of groups are clear: by what tells heads from all other lines, or because the text starts and ends as
/// groups do.
pub(super) fn is_clear(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let groups: Vec<Group<'_>> = parts.iter().map(|part| Group::new(bodies, part)).collect();
    let are_named = differ(&groups);
    if are_named && have_own_style(&groups) {
        return true;
    }
    // Where empty lines tell one thing from another, nothing starts in between.
    let start_within = !most(&groups, |group| group.is_behind_blank);
    if start_within && most(&groups, |group| group.has_break) {
        return false;
    }
    most(&groups, |group| group.is_behind_blank && !group.has_break)
        || most(&groups, Group::is_outermost)
        || (are_named || !start_within) && starts_whole(bodies, parts) && ends_whole(&groups)
}

/// Whether this holds for nearly all groups. The first may have lost its start, and something may follow the last.
fn most<'t>(groups: &[Group<'t>], is_one: impl Fn(&Group<'t>) -> bool) -> bool {
    let others = groups.iter().filter(|group| !is_one(group)).count();
    others <= 1 + groups.len() / GROUPS_PER_STRAY
}

/// The lines of a group.
struct Group<'t> {
    lines: &'t [Body<'t>],
    is_behind_blank: bool,
    /// Whether there is an empty line between its lines.
    has_break: bool,
}

impl<'t> Group<'t> {
    fn new(bodies: &'t [Body<'t>], part: &Part) -> Self {
        let lines = bodies.get(part.lines.clone()).unwrap_or_default();
        let above = part.lines.start.checked_sub(1).and_then(|line| bodies.get(line));
        let end = lines.iter().rposition(|body| !body.is_blank()).map_or(0, |last| last + 1);
        let lines = lines.get(..end).unwrap_or_default();
        let has_break = lines.iter().any(Body::is_blank);
        Self { lines, is_behind_blank: above.is_none_or(Body::is_blank), has_break }
    }

    fn head(&self) -> Option<&'t Body<'t>> {
        self.lines.first()
    }

    /// Returns the lines that are not empty.
    fn filled(&self) -> impl DoubleEndedIterator<Item = &'t Body<'t>> + Clone {
        self.lines.iter().filter(|body| !body.is_blank())
    }

    /// Returns the style of the head, unless another line is a header of this style.
    fn own_style(&self) -> Option<HeadingStyle> {
        let style_at = |line: usize| heading(self.lines.get(line..).unwrap_or_default());
        let (style, _) = style_at(0).filter(|(style, _)| *style != HeadingStyle::TestRun)?;
        let is_alone =
            (1..self.lines.len()).all(|line| style_at(line).is_none_or(|(other, _)| other != style));
        is_alone.then_some(style)
    }

    /// Whether all other lines have more indentation than the head, and not because their keys are aligned to the right.
    fn is_outermost(&self) -> bool {
        let Some(head) = self.head() else { return false };
        self.filled().skip(1).all(|body| body.indent() > head.indent()) && !self.is_aligned()
    }

    fn is_aligned(&self) -> bool {
        let end_of_key = |body: &Body<'_>| body.text.find([':', '=']);
        let Some(column) = self.head().and_then(end_of_key) else { return false };
        let (mut all, mut aligned) = (0_usize, 0_usize);
        for body in self.filled() {
            all += 1;
            aligned += usize::from(end_of_key(body) == Some(column));
        }
        aligned >= MIN_ALIGNED && aligned * 10 >= all * 8
    }

    fn last_form(&self) -> Option<u32> {
        self.filled().next_back().map(|body| form(body.bare()))
    }
}

/// Whether most heads differ, so that they may be names.
fn differ(groups: &[Group<'_>]) -> bool {
    let heads: FxHashSet<&str> = groups.iter().filter_map(Group::head).map(Body::bare).collect();
    heads.len() * 2 > groups.len()
}

/// Whether the heads are headers of a style that no other line of a group has.
fn have_own_style(groups: &[Group<'_>]) -> bool {
    let styles: Vec<Option<HeadingStyle>> = groups.iter().map(Group::own_style).collect();
    let mut counts: FxHashMap<HeadingStyle, usize> = FxHashMap::default();
    for style in styles.into_iter().flatten() {
        *counts.entry(style).or_default() += 1;
    }
    counts.values().any(|count| *count + 1 + groups.len() / GROUPS_PER_STRAY >= groups.len())
}

/// Whether no line before the first group is like lines that most groups have. A group with another head than most is no first
/// one.
fn starts_whole(bodies: &[Body<'_>], parts: &[Part]) -> bool {
    let usual = most_common(parts.iter().map(|part| part.form));
    let usual = usual.filter(|(_, count)| count * 2 > parts.len()).map(|(form, _)| form);
    let first = parts.iter().find(|part| usual.is_none_or(|usual| part.form == usual));
    let start = first.map_or(0, |part| part.lines.start);
    let forms = |lines: &[Body<'_>]| -> FxHashSet<u32> {
        lines.iter().filter(|body| !body.is_blank()).map(|body| form(body.bare())).collect()
    };
    let before = forms(bodies.get(..start).unwrap_or_default());
    if before.is_empty() {
        return true;
    }
    let has_one = |part: &&Part| {
        let lines = bodies.get(part.lines.clone()).unwrap_or_default();
        lines.iter().any(|body| !body.is_blank() && before.contains(&form(body.bare())))
    };
    parts.iter().filter(has_one).count() * 2 < parts.len()
}

/// Whether the last group ends as the others do, but for what may follow it, and has their length if they have one.
fn ends_whole(groups: &[Group<'_>]) -> bool {
    let Some((last, others)) = groups.split_last() else { return false };
    let lengths = others.iter().map(|group| group.filled().count());
    let (length, same) = most_common(lengths).unwrap_or_default();
    let (end, alike) = most_common(others.iter().filter_map(Group::last_form)).unwrap_or_default();
    if alike * 100 < others.len() * MIN_ENDS {
        return false;
    }
    let own = last.filled().count();
    if same * 100 >= others.len() * MIN_SAME {
        let last_line = length.checked_sub(1).and_then(|at| last.filled().nth(at));
        return own <= length + MAX_END && last_line.is_some_and(|body| form(body.bare()) == end);
    }
    last.filled().rev().take(1 + MAX_END).any(|body| form(body.bare()) == end)
}
