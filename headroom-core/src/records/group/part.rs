//! Splits lines into parts: from a line that may be a head up to the next.

use std::ops::Range;

use super::{MIN_GROUPS, form::form};
use crate::records::body::Body;

/// Maximum number of levels of indentation that are tried.
const MAX_LEVELS: usize = 3;
const MAX_INDENTS: usize = 16;
/// Maximum number of empty lines between a head and what it stands above.
const MAX_EMPTY: usize = 2;

/// What makes a line the head of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separation {
    /// An empty line stands before it.
    Paragraphs,
    /// Lines with more indentation stand below it.
    Indentation,
}

/// A line that may be a head, with the lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) lines: Range<usize>,
    /// The form of the first line.
    pub(super) form: u32,
    /// The line outside the part that tells what it belongs to.
    pub(super) context: Option<usize>,
}

/// Returns the levels of indentation with lines that may be heads, the least first.
pub(super) fn levels(bodies: &[Body<'_>], separation: Separation) -> Vec<u32> {
    let mut counts: Vec<(u32, usize)> = Vec::new();
    let mut is_behind_blank = true;
    for (line, body) in bodies.iter().enumerate() {
        if separates(body) {
            is_behind_blank = true;
            continue;
        }
        let opens = match separation {
            Separation::Paragraphs => is_behind_blank,
            Separation::Indentation => stands_above(bodies, line),
        };
        is_behind_blank = false;
        if !opens {
            continue;
        }
        if let Some((_, count)) = counts.iter_mut().find(|(indent, _)| *indent == body.indent()) {
            *count += 1;
        } else if counts.len() < MAX_INDENTS {
            counts.push((body.indent(), 1));
        }
    }
    let mut levels: Vec<u32> =
        counts.into_iter().filter(|(_, count)| *count >= MIN_GROUPS).map(|(indent, _)| indent).collect();
    levels.sort_unstable();
    levels.truncate(MAX_LEVELS);
    levels
}

/// Whether a line only separates others.
fn separates(body: &Body<'_>) -> bool {
    body.is_blank() || matches!(body.text, "---" | "--")
}

/// Whether the next line that is not empty has more indentation.
fn stands_above(bodies: &[Body<'_>], line: usize) -> bool {
    let indent = bodies.get(line).map_or(0, |body| body.indent());
    let below = bodies.get(line + 1..).unwrap_or_default().iter().take(MAX_EMPTY + 1);
    below.into_iter().find(|body| !body.is_blank()).is_some_and(|below| below.indent() > indent)
}

/// Whether a line introduces the groups below an empty line, as `Disassembly of section .text:` introduces functions: it is no
/// group by itself, and the groups up to the next such line belong to it.
fn announces(bodies: &[Body<'_>], line: usize) -> bool {
    let at = |line: usize| bodies.get(line).filter(|body| !body.is_blank());
    let Some(own) = at(line).filter(|own| own.text.ends_with(':')) else { return false };
    let next = (line + 1..bodies.len()).take(MAX_EMPTY + 1).find(|next| at(*next).is_some());
    let is_head =
        |next: usize| at(next).is_some_and(|head| head.indent() == own.indent()) && at(next + 1).is_some();
    next.is_some_and(|next| next > line + 1 && is_head(next))
}

/// Splits the lines at heads of this indentation. `bounds` are lines that end a part and belong to none, in order.
pub(super) fn parts(bodies: &[Body<'_>], level: u32, separation: Separation, bounds: &[usize]) -> Vec<Part> {
    let mut found: Vec<Part> = Vec::new();
    // The last line, and whether it is part of the last part.
    let mut before: Option<usize> = None;
    let mut is_open = false;
    let mut is_behind_blank = true;
    let mut container = None;
    let mut context = None;
    for (line, body) in bodies.iter().enumerate() {
        if separates(body) {
            is_behind_blank = true;
            continue;
        }
        let above = before.and_then(|before| bodies.get(before));
        let leads_on = !is_behind_blank && above.is_some_and(|above| above.text.ends_with([':', ',']));
        // What stands within a group like a header is part of it.
        let is_bound = body.indent() <= level && bounds.binary_search(&line).is_ok();
        let announces = separation == Separation::Paragraphs
            && is_behind_blank
            && body.indent() == level
            && announces(bodies, line);
        if announces {
            (container, context, is_open) = (Some(line), None, false);
        } else if is_bound || body.indent() < level {
            (container, context) = (if body.indent() < level { Some(line) } else { None }, None);
            is_open = false;
        } else if body.indent() == level
            && match separation {
                Separation::Paragraphs => is_behind_blank,
                // A line that leads on to this one belongs with it.
                Separation::Indentation => {
                    stands_above(bodies, line)
                        && !(is_open && leads_on && above.is_some_and(|above| above.indent() > level))
                }
            }
        {
            let leads = before.filter(|_| leads_on && above.is_some_and(|above| above.indent() == level));
            if let Some(leads) = leads.filter(|_| separation == Separation::Indentation) {
                context = Some(leads);
                if let Some(last) = found.last_mut().filter(|last| last.lines.start < leads) {
                    last.lines.end = last.lines.end.min(leads);
                }
            }
            let context = context.or(container);
            found.push(Part { lines: line..line + 1, form: form(body.bare()), context });
            is_open = true;
        } else if is_open && let Some(last) = found.last_mut() {
            last.lines.end = line + 1;
        }
        is_behind_blank = false;
        before = Some(line);
    }
    found
}
