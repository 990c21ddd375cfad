//! Reads what the model sees of generated groups.

use std::{collections::BTreeSet, ops::Range};

use super::generate::Groups;

/// Names that a gap lists at most.
const MAX_NAMES: usize = 80;

/// What stands in one place of the output.
enum Shown<'o> {
    Line(usize),
    /// Lines that are stored, and what the marker says of them.
    Gap(Range<usize>, &'o str),
}

/// Returns what is not true in the output, if something is.
pub(crate) fn fault(groups: &Groups, out: &str) -> Option<String> {
    let read = match read(groups, out) {
        Ok(read) => read,
        Err(fault) => return Some(fault),
    };
    let mut is_visible = vec![false; groups.lines.len()];
    for shown in &read {
        if let Shown::Line(line) = shown {
            is_visible[*line] = true;
        }
    }
    let lines = groups.lines.iter().enumerate().filter(|(at, line)| is_visible[*at] && !line.text.is_empty());
    for (_, line) in lines {
        if let Some(needed) = groups.needed(line).find(|needed| !is_visible[*needed]) {
            return Some(format!("`{}` without `{}`", line.text, groups.lines[needed].text));
        }
    }
    read.iter().find_map(|shown| match shown {
        Shown::Gap(lines, summary) => gap_fault(groups, lines, summary),
        Shown::Line(_) => None,
    })
}

/// Aligns the output with the text.
fn read<'o>(groups: &Groups, out: &'o str) -> Result<Vec<Shown<'o>>, String> {
    let mut next = 0;
    let mut read = Vec::new();
    for line in out.lines() {
        if let Some((range, summary)) = stored(line) {
            if range.start != next || range.end > groups.lines.len() || range.is_empty() {
                return Err(format!("a gap of lines {range:?} stands at line {next}"));
            }
            next = range.end;
            read.push(Shown::Gap(range, summary));
        } else if let Some((period, times)) = repeated(line) {
            for _ in 0..period * times {
                if next < period
                    || groups.lines.get(next).map(|line| &line.text)
                        != Some(&groups.lines[next - period].text)
                {
                    return Err(format!("`{line}` stands at line {next}"));
                }
                read.push(Shown::Line(next));
                next += 1;
            }
        } else if groups.lines.get(next).is_some_and(|own| own.text == line) {
            read.push(Shown::Line(next));
            next += 1;
        } else {
            return Err(format!("`{line}` stands at line {next}"));
        }
    }
    if next == groups.lines.len() { Ok(read) } else { Err(format!("the text ends at line {next}")) }
}

/// Parses a marker of stored lines.
fn stored(line: &str) -> Option<(Range<usize>, &str)> {
    // In what could be settings, the marker is a comment.
    let line = line.strip_prefix("# ").unwrap_or(line);
    let rest = line.strip_prefix("[headroom:")?.strip_suffix(']')?;
    let (_, rest) = rest.split_once("lines ")?;
    let (lines, summary) = rest.split_once(" stored")?;
    let (first, last) = lines.split_once('-')?;
    let summary = summary.strip_suffix("; headroom_retrieve").unwrap_or(summary);
    let first = first.parse::<usize>().ok()?;
    Some((first.checked_sub(1)?..last.parse().ok()?, summary.strip_prefix(": ").unwrap_or(summary)))
}

/// Parses a marker of repeated lines: how many lines, and how often.
fn repeated(line: &str) -> Option<(usize, usize)> {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let (what, times) = line.strip_prefix("[headroom: previous ")?.split_once(" repeated ")?;
    let period = what.strip_suffix(" lines").map_or(Some(1), |count| count.parse().ok())?;
    Some((period, times.split(' ').next()?.parse().ok()?))
}

/// Returns what is not true of a gap.
fn gap_fault(groups: &Groups, lines: &Range<usize>, summary: &str) -> Option<String> {
    let is_filled = |line: &usize| !groups.lines[*line].text.is_empty();
    let filled = || lines.clone().filter(is_filled);
    let owners: BTreeSet<usize> = filled().filter_map(|line| groups.lines[line].owner).collect();
    let is_hidden = |owner: &&usize| {
        let own = (0..groups.lines.len()).filter(|line| groups.lines[*line].owner == Some(**owner));
        own.filter(is_filled).all(|line| lines.contains(&line))
    };
    let hidden: Vec<usize> = owners.iter().filter(is_hidden).copied().collect();
    if hidden.is_empty() || groups.has_lost_heads(lines) {
        return None;
    }
    if hidden.len() < owners.len() {
        return Some(format!("a gap hides {} groups and a part of another: {summary}", hidden.len()));
    }
    let Some((count, names)) = summary.split_once(": ") else {
        return Some(format!("`{summary}` does not name {} groups", hidden.len()));
    };
    let said = count.split(' ').next().and_then(|count| count.parse::<usize>().ok());
    let ids: Vec<&str> = hidden.iter().map(|owner| groups.ids[*owner].as_str()).collect();
    let containers: Vec<&str> = filled().filter_map(|line| groups.lines[line].container.as_deref()).collect();
    // What is left out with all that belongs to it need not be told apart.
    let begins_with_container = filled().next().is_some_and(|line| groups.lines[line].container.is_some());
    let told = if said == Some(ids.len()) {
        ids
    } else if said == Some(containers.len()) && begins_with_container {
        containers
    } else if said == Some(ids.len() + containers.len()) {
        ids.into_iter().chain(containers).collect()
    } else {
        return Some(format!("`{summary}` does not count {} groups", hidden.len()));
    };
    let missing = told.iter().filter(|id| !is_named(id, names)).count();
    let listed = told.len().min(MAX_NAMES);
    (told.len() - missing < listed).then(|| format!("`{summary}` does not name {missing} of its groups"))
}

/// Whether a list names this: as a word of its own, or as a number in a range.
fn is_named(id: &str, names: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let is_word = names.match_indices(id).any(|(at, _)| {
        !names[..at].ends_with(is_part)
            && !names[at + id.len()..].trim_start_matches(['.', '-']).starts_with(is_part)
    });
    is_word
        || id.parse().is_ok_and(|number: u64| {
            names.split(' ').filter_map(|word| word.split_once('-')).any(|(first, last)| {
                let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else { return false };
                (first.min(last)..=first.max(last)).contains(&number)
            })
        })
}
