//! Recognises what agents put around instructions.

use std::ops::Range;

use memchr::{memchr, memmem};

/// Starts of a text that is instructions to its end.
const STARTS: [&str; 10] = [
    "# AGENTS.md instructions for ",
    "<INSTRUCTIONS>",
    "<activated_skill",
    "<instructions>",
    "<project_instructions",
    "<skill name=",
    "<skill>",
    "<skill_content",
    "<user_instructions",
    "Base directory for this skill: ",
];
/// Elements within a result that the client adds and means as instructions.
const ELEMENTS: [&str; 4] = ["activated_skill", "project_instructions", "skill_content", "system-reminder"];
/// Limits on the front matter of a document.
const MAX_FRONT_LINES: usize = 40;
/// Keys of front matter that only instructions have: all of one group.
const FRONT_KEYS: [&[&str]; 4] = [&["name:", "description:"], &["globs:"], &["alwaysApply:"], &["applyTo:"]];

/// Whether the text starts as instructions do.
pub(super) fn is_around(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    STARTS.iter().any(|known| start.starts_with(known)) || has_front_matter(start)
}

/// Whether the text starts with the front matter of a skill or of rules.
fn has_front_matter(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim_end);
    if lines.next() != Some("---") {
        return false;
    }
    let front: Vec<&str> = lines.by_ref().take(MAX_FRONT_LINES).collect();
    let Some(end) = front.iter().position(|line| *line == "---") else { return false };
    let front = front.get(..end).unwrap_or_default();
    let has = |key: &&str| front.iter().any(|line| line.starts_with(*key));
    FRONT_KEYS.iter().any(|keys| keys.iter().all(has))
}

/// Returns the bytes of the instructions that a client put into a result, in order and disjoint: whole lines, without
/// the last line end. What is not closed goes to the end of the text.
pub(crate) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    // The ends of the elements of each name so far.
    let mut ends = [0; ELEMENTS.len()];
    for start in tag_starts(text) {
        let Some(tag) = text.get(start + 1..) else { continue };
        let opened =
            |name: &str| tag.strip_prefix(name).is_some_and(|rest| rest.starts_with(['>', ' ', '\n']));
        let Some((name, last)) = ELEMENTS.iter().zip(&mut ends).find(|(name, _)| opened(name)) else {
            continue;
        };
        if start < *last {
            continue;
        }
        let close = format!("</{name}>");
        let end = memmem::find(tag.as_bytes(), close.as_bytes());
        let end = end.map_or(text.len(), |at| start + 1 + at + close.len());
        let rest = text.as_bytes().get(end..).unwrap_or_default();
        *last = memchr(b'\n', rest).map_or(text.len(), |more| end + more);
        // Elements may overlap.
        let before = spans.last().map_or(0, |span| span.end);
        if *last > before {
            spans.push(start.max(before)..*last);
        }
    }
    spans
}

/// Returns the places of all `<` at the start of a line.
fn tag_starts(text: &str) -> impl Iterator<Item = usize> {
    let first = text.starts_with('<').then_some(0);
    first.into_iter().chain(memmem::find_iter(text.as_bytes(), "\n<").map(|end| end + 1))
}
