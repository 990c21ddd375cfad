//! Sections: what a header governs.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    body::Body,
    heading::{HeadingStyle, heading},
};

use crate::tuning::tuning;

/// Limit on the styles that are nested.
const MAX_STYLES: usize = 12;

/// A header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heading<'t> {
    pub(crate) line: usize,
    pub(crate) style: HeadingStyle,
    pub(crate) name: &'t str,
    /// Whether the text says clearly that this is a header: by its marks, or by how much such lines govern.
    pub(crate) is_sure: bool,
    /// Its rank among the styles of the text: a header ends the sections of its own and later ranks.
    pub(crate) rank: usize,
}

/// Returns the headers of a text, in order. Lines of records are marked, and are none.
pub(super) fn headings<'t>(bodies: &[Body<'t>], in_record: &[bool]) -> Vec<Heading<'t>> {
    let mut found: Vec<Heading<'t>> = Vec::new();
    let new = |line, (style, name)| Heading { line, style, name, is_sure: false, rank: 0 };
    for line in 0..bodies.len() {
        let is_event = bodies.get(line).is_some_and(|body| body.is_event);
        if is_event || in_record.get(line) == Some(&true) {
            continue;
        }
        if let Some(head) = heading(bodies.get(line..).unwrap_or_default()) {
            found.push(new(line, head));
        }
    }
    if found.iter().all(|heading| !heading.style.is_plain()) {
        let stamped = bare(bodies, in_record);
        let levels = if stamped.is_empty() { names(bodies, in_record) } else { vec![stamped] };
        for (level, lines) in (0_u8..).zip(levels) {
            for line in lines {
                if let Some(body) = bodies.get(line) {
                    found.push(new(line, (HeadingStyle::Bare(level), body.bare())));
                }
            }
        }
        found.sort_by_key(|heading| heading.line);
        found.dedup_by_key(|heading| heading.line);
    }
    rank(bodies, found)
}

/// Drops styles whose lines govern nothing, and ranks the others by their first line.
fn rank<'t>(bodies: &[Body<'t>], mut found: Vec<Heading<'t>>) -> Vec<Heading<'t>> {
    let mut governed: FxHashMap<HeadingStyle, (usize, usize)> = FxHashMap::default();
    let mut next: FxHashMap<HeadingStyle, usize> = FxHashMap::default();
    for heading in found.iter().rev() {
        let end = next.insert(heading.style, heading.line).unwrap_or(bodies.len());
        let (count, all) = governed.entry(heading.style).or_default();
        *count += 1;
        *all += end - heading.line - 1;
    }
    found.retain(|heading| {
        governed
            .get(&heading.style)
            .is_some_and(|(count, all)| *all >= *count * tuning().records.min_section_lines)
    });
    let styles = styles(bodies, &found);
    for heading in &mut found {
        let is_sure =
            |(count, all): &(usize, usize)| *count > 1 && *all >= *count * tuning().records.min_sure_lines;
        let governs = governed.get(&heading.style).is_some_and(is_sure);
        heading.is_sure = heading.style.is_plain() || heading.style != HeadingStyle::TestRun && governs;
        let known = styles.iter().position(|style| *style == heading.style);
        heading.rank = known.unwrap_or(styles.len()).min(MAX_STYLES);
    }
    found
}

/// Returns the styles of headers, the outermost first: those with the least indentation, and of these the first in the text.
fn styles(bodies: &[Body<'_>], headings: &[Heading<'_>]) -> Vec<HeadingStyle> {
    let mut styles: Vec<(u32, HeadingStyle)> = Vec::new();
    for heading in headings {
        let indent = bodies.get(heading.line).map_or(0, Body::indent);
        if let Some((least, _)) = styles.iter_mut().find(|(_, style)| *style == heading.style) {
            *least = indent.min(*least);
        } else if styles.len() < MAX_STYLES {
            styles.push((indent, heading.style));
        }
    }
    styles.sort_by_key(|(indent, _)| *indent);
    styles.into_iter().map(|(_, style)| style).collect()
}

/// Returns lines of one shape, each before a run of lines with times, that have none themselves: names of what the
/// lines below belong to. Times that start anew below such a line, or an empty line before it, tell it from others.
fn bare(bodies: &[Body<'_>], in_record: &[bool]) -> Vec<usize> {
    let stamped = bodies.iter().filter(|body| body.is_event).count();
    if stamped * 100 < bodies.len() * tuning().records.section_events {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut last: Option<i64> = None;
    let mut is_after_blank = true;
    for (line, body) in bodies.iter().enumerate() {
        if body.is_blank() {
            is_after_blank = true;
            continue;
        }
        if let Some(time) = body.time().filter(|_| body.is_event) {
            last = Some(time);
            is_after_blank = false;
            continue;
        }
        let next = bodies.get(line + 1).filter(|next| next.is_event).and_then(Body::time);
        let restarts = next.zip(last).is_some_and(|(next, last)| next < last);
        let opens = next.is_some() && (restarts || is_after_blank);
        if opens
            && body.indent() == 0
            && body.text.len() <= tuning().records.max_bare_bytes
            && in_record.get(line) != Some(&true)
        {
            found.push(line);
        }
        is_after_blank = false;
    }
    if found.len() < 2 || found.len() * tuning().records.lines_per_bare > bodies.len() {
        Vec::new()
    } else {
        found
    }
}

/// Returns the lines of a text that are names of one shape, such as those of hosts, each above a run of other lines. No
/// name stands there twice, unless below other names, which are the outer level then. The text starts with one, or they are
/// at about the same distance from each other.
fn names(bodies: &[Body<'_>], in_record: &[bool]) -> Vec<Vec<usize>> {
    let is_name = |line: &usize| {
        let body = bodies.get(*line).filter(|body| !body.is_event && body.level() == 0);
        body.is_some_and(|body| is_short_name(body.text)) && in_record.get(*line) != Some(&true)
    };
    let lines: Vec<usize> = (0..bodies.len()).filter(is_name).collect();
    let text = |line: &usize| bodies.get(*line).map_or("", |body| body.text);
    let mut words: FxHashMap<&str, usize> = FxHashMap::default();
    for word in lines.iter().filter_map(|line| first_word(text(line))) {
        *words.entry(word).or_default() += 1;
    }
    // `Rack r1` and `Interface eth0` are of two kinds, and `web one` and `db two` of one.
    let kind = |line: &usize| {
        let word = first_word(text(line)).filter(|word| words.get(word).is_some_and(|count| *count > 1));
        (word.unwrap_or_default(), shape(text(line)))
    };
    let mut groups: FxHashMap<(&str, String), Vec<usize>> = FxHashMap::default();
    for line in &lines {
        groups.entry(kind(line)).or_default().push(*line);
    }
    let mut found: Vec<Vec<usize>> = groups
        .into_iter()
        .filter(|(_, own)| governs(bodies, own))
        .filter_map(|(own_kind, own)| {
            // The outer names stand right above the first of the inner ones.
            let is_outer = |line: &&usize| own.binary_search(&(*line + 1)).is_ok() && kind(line) != own_kind;
            let outer: Vec<usize> = lines.iter().filter(is_outer).copied().collect();
            let all_differ = differ(bodies, &own, &outer) && differ(bodies, &outer, &[]);
            let is_above = outer.first().is_some_and(|first| own.first() > Some(first));
            all_differ.then(|| if is_above { vec![outer, own] } else { vec![own] })
        })
        .min()
        .unwrap_or_default();
    found.truncate(2);
    found
}

/// Whether these lines are far enough from each other to be headers.
fn governs(bodies: &[Body<'_>], lines: &[usize]) -> bool {
    let records = &tuning().records;
    let first = lines.first().copied().unwrap_or_default();
    let distances = || lines.windows(2).map(|pair| if let [a, b] = pair { b - a } else { 0 });
    let (least, most) = (distances().min().unwrap_or(0), distances().max().unwrap_or(0));
    let is_regular = least > records.min_run && most <= least * 2;
    lines.len() >= records.min_names
        && least > 1
        && bodies.len() - first >= lines.len() * (records.min_run + 1)
        && (first < records.max_preamble || is_regular)
}

/// Whether no two of these lines between two of the outer ones are equal.
fn differ(bodies: &[Body<'_>], lines: &[usize], outer: &[usize]) -> bool {
    let mut seen: FxHashSet<(usize, &str)> = FxHashSet::default();
    lines.iter().all(|line| {
        let section = outer.partition_point(|outer| outer < line);
        seen.insert((section, bodies.get(*line).map_or("", |body| body.text)))
    })
}

/// Returns the first word of several, if it has letters only.
fn first_word(text: &str) -> Option<&str> {
    let (word, _) = text.split_once(' ')?;
    let word = word.trim_end_matches(':');
    (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(word)
}

/// Whether a line is a name rather than a sentence or a value.
fn is_short_name(text: &str) -> bool {
    text.len() <= tuning().records.max_name_bytes
        && text.split(' ').count() <= tuning().records.max_name_words
        && text.starts_with(char::is_alphanumeric)
        && !text.contains(['=', '{', '}', '(', ')', ';', '"', '\t'])
}

/// Returns the shape of a line: a word is one sign, and another one if it has a digit.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for c in text.chars() {
        match c {
            c if !c.is_alphanumeric() => shape.push(c),
            // A number in hexadecimal may have letters before its digits.
            c if shape.ends_with(['a', '0']) => {
                if c.is_ascii_digit() && shape.pop().is_some() {
                    shape.push('0');
                }
            }
            c => shape.push(if c.is_ascii_digit() { '0' } else { 'a' }),
        }
    }
    shape
}
