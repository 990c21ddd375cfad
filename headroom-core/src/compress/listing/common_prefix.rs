//! Writes shared path prefixes of listings only once.
//!
//! In a list of paths, a name after a space is in the directory of the path above. A drawn tree becomes an indented
//! one.

use crate::formats::listing::branch;
use crate::{
    text::{
        marker,
        path::{directory, is_path},
    },
    tuning::tuning,
};

/// Precedes a shortened list of paths.
pub(super) const LIST: &str = "[names after a space are in the directory of the path above]";

/// Returns the listing with shared prefixes removed; `None` if that is not shorter.
pub(super) fn render(text: &str) -> Option<String> {
    if marker::is_in(text) {
        return None;
    }
    let out = list(text).or_else(|| ListStyle::ALL.iter().find_map(|style| style.render(text)))?;
    (out.len() < text.len()).then_some(out)
}

/// Iterates over lines and their line ends.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_inclusive('\n').map(|line| {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = content.strip_suffix('\r').unwrap_or(content);
        line.split_at(content.len())
    })
}

/// Returns the directory that a line names, for the lines after it.
fn told(line: &str) -> Option<&str> {
    directory(line).filter(|_| is_path(line))
}

fn list(text: &str) -> Option<String> {
    // The number of adjacent paths in each directory.
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut paths = 0;
    let mut last = None;
    for (at, (line, _)) in lines(text).enumerate() {
        if line.starts_with(' ') {
            return None;
        }
        let told = told(line);
        paths += usize::from(told.is_some());
        if told.is_some() && told == last {
            if let Some((_, end)) = runs.last_mut() {
                *end = at + 1;
            }
        } else if told.is_some() {
            runs.push((at, at + 1));
        }
        last = told;
    }
    runs.retain(|(start, end)| end - start >= tuning().listing.min_run);
    if paths < tuning().listing.min_paths || runs.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    out.push_str(LIST);
    out.push('\n');
    let mut runs = runs.into_iter().peekable();
    for (at, (line, end)) in lines(text).enumerate() {
        while runs.next_if(|run| run.1 <= at).is_some() {}
        let name = told(line).and_then(|directory| line.strip_prefix(directory));
        match name.filter(|_| runs.peek().is_some_and(|run| run.0 < at)) {
            Some(name) => {
                out.push(' ');
                out.push_str(name);
            }
            None => out.push_str(line),
        }
        out.push_str(end);
    }
    Some(out)
}

/// Restores the directories in a list of paths.
#[cfg(test)]
pub(super) fn expand(text: &str) -> String {
    if let Some(rows) = text.strip_prefix(LIST).and_then(|rows| rows.strip_prefix('\n')) {
        let mut out = String::new();
        let mut last = "";
        for (line, end) in lines(rows) {
            match line.strip_prefix(' ') {
                Some(name) => out.extend([last, name]),
                None => {
                    last = told(line).unwrap_or(last);
                    out.push_str(line);
                }
            }
            out.push_str(end);
        }
        return out;
    }
    let style = ListStyle::ALL.iter().find(|style| text.starts_with(&style.header()));
    let rest = style.and_then(|style| Some((style, text.strip_prefix(&style.header())?)));
    rest.map_or_else(|| text.to_owned(), |(style, rest)| style.draw(rest))
}

/// The strings of a drawn tree: below a parent that continues, before a branch, and before the last branch.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListStyle {
    parent: &'static str,
    branch: &'static str,
    last: &'static str,
}

/// The indentation below a parent without further branches.
const NOTHING: &str = "    ";
/// The indentation per level in the output.
const INDENT: &str = "  ";

impl ListStyle {
    pub(super) const ALL: [Self; 3] = [
        Self { parent: "│\u{a0}\u{a0} ", branch: "├── ", last: "└── " },
        Self { parent: "│   ", branch: "├── ", last: "└── " },
        Self { parent: "|   ", branch: "|-- ", last: "`-- " },
    ];

    fn header(&self) -> String {
        format!("[indented where a tree was drawn with `{}{}`]\n", self.parent, self.branch)
    }

    fn render(&self, text: &str) -> Option<String> {
        let mut out = self.header();
        let start = out.len();
        let mut branches = 0;
        for (line, end) in lines(text) {
            if let Some((depth, name)) = branch(line) {
                branches += 1;
                out.extend(std::iter::repeat_n(INDENT, depth));
                out.push_str(name);
            } else {
                out.push_str(line);
            }
            out.push_str(end);
        }
        // Names that start with spaces, and trees of another style, cannot be restored.
        let back = || out.get(start..).is_some_and(|rest| self.draw(rest) == text);
        (branches > 0 && back()).then_some(out)
    }

    /// Draws an indented tree.
    pub(super) fn draw(&self, text: &str) -> String {
        let depth = |line: &str| (line.len() - line.trim_start_matches(' ').len()) / INDENT.len();
        let depths: Vec<usize> = lines(text).map(|(line, _)| depth(line)).collect();
        // A branch is the last of its parent if no line of its depth follows before a shallower one.
        let mut last = vec![true; depths.len()];
        let mut later: Vec<bool> = Vec::new();
        for (depth, last) in depths.iter().zip(&mut last).rev() {
            later.resize(depth + 1, false);
            if let Some(later) = later.get_mut(*depth) {
                *last = !*later;
                *later = true;
            }
        }
        let mut parents: Vec<bool> = Vec::new();
        let mut out = String::with_capacity(text.len() * 2);
        for ((line, end), (depth, last)) in lines(text).zip(depths.iter().zip(&last)) {
            parents.truncate(depth.saturating_sub(1));
            if *depth > 0 {
                out.extend(parents.iter().map(|last| if *last { NOTHING } else { self.parent }));
                out.push_str(if *last { self.last } else { self.branch });
                parents.resize(depth - 1, true);
                parents.push(*last);
            }
            out.push_str(line.get(depth * INDENT.len()..).unwrap_or_default());
            out.push_str(end);
        }
        out
    }
}
