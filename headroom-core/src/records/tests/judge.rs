//! Reads what selection leaves of a sample. Knows the sample, and nothing of how structure is found.

use std::collections::BTreeSet;

use super::samples::Sample;
use crate::{compress, detect, relevance::Query};

/// Returns the text with a marker for each gap.
pub(super) fn shown(text: &str) -> String {
    let kind = detect::kind(text, None, None);
    let mut out = String::new();
    let mut at = 0;
    for gap in compress::gaps(kind, text, &Query::default()) {
        out.push_str(&text[at..gap.range.start]);
        out.push_str(&format!("[headroom: lines {}-{}: {}]", gap.first, gap.last, gap.summary));
        at = gap.range.end;
    }
    out + &text[at..]
}

/// What stands in one place of the output: a line of the sample, or a gap of lines.
enum Shown<'o> {
    Line(usize),
    Gap(std::ops::Range<usize>, &'o str),
}

/// Reads the output against the sample.
fn read<'o>(name: &str, sample: &Sample, out: &'o str) -> Vec<Shown<'o>> {
    let mut next = 0;
    let mut read = Vec::new();
    for line in out.lines() {
        if let Some(marker) = line.strip_prefix("[headroom: lines ") {
            let (lines, summary) = marker.split_once(": ").unwrap();
            let (first, last) = lines.split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(first, next + 1, "{name}: a gap begins where the last line ended\n{out}");
            read.push(Shown::Gap(next..last, summary));
            next = last;
        } else {
            assert_eq!(line, sample.lines[next].text, "{name}: line {}\n{out}", next + 1);
            read.push(Shown::Line(next));
            next += 1;
        }
    }
    assert_eq!(next, sample.lines.len(), "{name}: all lines are there or marked\n{out}");
    read
}

/// Returns a line that is shown without what names its owner, or a gap that begins in one part and ends in another
/// or does not say what it hides, if there is one.
pub(super) fn fault(name: &str, sample: &Sample, out: &str) -> Option<String> {
    let read = read(name, sample, out);
    let mut visible = vec![false; sample.lines.len()];
    for shown in &read {
        if let Shown::Line(line) = shown {
            visible[*line] = true;
        }
    }
    for (at, line) in sample.lines.iter().enumerate() {
        if !visible[at] || line.text.trim().is_empty() {
            continue;
        }
        for (name_at, other) in sample.lines.iter().enumerate() {
            if other.names && other.owner == line.owner && line.owner.is_some() && !visible[name_at] {
                return Some(format!("{name}: `{}` without `{}`", line.text, other.text));
            }
        }
    }
    for shown in &read {
        let Shown::Gap(lines, summary) = shown else { continue };
        let owners: BTreeSet<usize> =
            sample.lines[lines.clone()].iter().filter_map(|line| line.owner).collect();
        if owners.len() < 2 || !sample.are_named {
            continue;
        }
        let first = sample.lines[lines.clone()].iter().find_map(|line| line.owner).unwrap();
        let start = sample.lines.iter().position(|line| line.owner == Some(first)).unwrap();
        if start < lines.start {
            return Some(format!("{name}: a gap begins within {first} and ends elsewhere: {summary}"));
        }
        if let Some(owner) = owners.iter().find(|owner| !summary.contains(sample.ids[**owner].as_str())) {
            let is_short = owners.len() <= 80;
            if is_short {
                return Some(format!("{name}: {summary} does not name {}", sample.ids[*owner]));
            }
        }
        if !summary.contains(&owners.len().to_string()) {
            return Some(format!("{name}: {summary} does not count {}", owners.len()));
        }
    }
    None
}

/// Whether a line is shown.
pub(super) fn is_shown(sample: &Sample, line: usize, out: &str) -> bool {
    read("", sample, out).iter().any(|shown| matches!(shown, Shown::Line(at) if *at == line))
}
