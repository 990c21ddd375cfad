//! File views in which only some lines show their number.
//!
//! Readers such as `Read` number every line unasked, and the numbers are a third of the tokens. What stays is the
//! number of the first and the last line of each part that is shown, and of every tenth line:
//!
//! ```text
//! [headroom: every 10th line number shown]
//!      7→fn main() {
//!     let name = name();
//!     greet(&name);
//!     10→    greet(&name);
//!     12→}
//! ```
//!
//! The lines themselves stay as they are, and so each number can be told by counting. What is written is read back
//! before it is used, because a file may hold lines that look like numbered ones.

use std::ops::Range;

use super::{Mark, Run, Start, Style};
use crate::lines::{Lines, is_gap};

/// Numbers that divide by this are shown.
pub(crate) const STRIDE: u32 = 10;
/// Fewer numbers left out do not pay for the line that says so.
const MIN_LEFT_OUT: usize = 12;
/// What says that numbers are left out, in a line of its own.
pub(crate) const HEADER: &str = "[headroom: every 10th line number shown]";

/// Replacements that leave out the numbers of a view, in order: pairs of the bytes and what stands there instead.
///
/// `is_free` tells whether the line of these bytes is still there, and not replaced by something else.
pub(crate) fn changes(
    text: &str,
    is_free: &dyn Fn(&Range<usize>) -> bool,
) -> Option<Vec<(Range<usize>, String)>> {
    let view = Lines::of(text)?;
    let mut changes = Vec::new();
    for run in &view.runs {
        // Where agents edit by line number, as with `12:text`, they need every number.
        if !matches!(run.style.mark, Mark::Arrow | Mark::Tab | Mark::Pipe | Mark::Bar) {
            continue;
        }
        let mut lines = run.lines.clone().peekable();
        while let Some(start) = lines.next() {
            let free = |line: &usize| view.lines.get(*line).is_some_and(|line| is_free(&line.range()));
            if !free(&start) {
                continue;
            }
            let mut end = start + 1;
            while lines.next_if(free).is_some() {
                end += 1;
            }
            let first = run.first.checked_add(u32::try_from(start - run.lines.start).ok()?)?;
            let part = Run { lines: start..end, first, style: run.style, thin: true };
            for (line, number) in view.lines.get(start..end)?.iter().zip(first..) {
                if !part.shows(number) {
                    let from = line.start as usize;
                    changes.push((from..from + usize::from(line.prefix), String::new()));
                }
            }
        }
    }
    if changes.len() < MIN_LEFT_OUT {
        return None;
    }
    // Just before the first line that is left without its number; the one before it shows its own.
    let first = changes.first()?.0.start;
    let at = text.get(..first)?.strip_suffix('\n')?.rfind('\n').map_or(0, |end| end + 1);
    changes.insert(0, (at..at, format!("{HEADER}\n")));
    Some(changes)
}

/// The runs of a view in which numbers are left out; `None` where no line says so.
pub(crate) fn runs(lines: &[&str]) -> Option<Vec<Run>> {
    let header = lines.iter().position(|line| *line == HEADER)?;
    let mut runs = super::runs(lines.get(..header)?);
    let mut at = header + 1;
    while let Some(line) = lines.get(at) {
        let start = Start::of(line)
            .filter(|start| matches!(start.mark, Mark::Arrow | Mark::Tab | Mark::Pipe | Mark::Bar));
        let Some(start) = start else {
            at += 1;
            continue;
        };
        let style = Style { space: start.space, ..start.style() };
        let end = part_end(lines, at, start.number, style);
        runs.push(Run { lines: at..end, first: start.number, style, thin: true });
        at = end;
    }
    Some(runs)
}

/// The index behind the last line of the part that starts here.
fn part_end(lines: &[&str], start: usize, first: u32, style: Style) -> usize {
    let shape = Run { lines: start..start, first, style, thin: true };
    let shows = |index: usize, number: u32| {
        lines.get(index).is_some_and(|line| line.starts_with(&shape.prefix(number)))
    };
    let (mut at, mut number) = (start, first);
    loop {
        let Some(next) = (number / STRIDE + 1).checked_mul(STRIDE) else { return at + 1 };
        let step = (next - number) as usize;
        let open = lines.get(at + 1..).unwrap_or_default().iter().take(step).take_while(|line| !is_gap(line));
        let open = open.count();
        if open == step && shows(at + step, next) {
            (at, number) = (at + step, next);
            continue;
        }
        // The last line of a part shows its number.
        let last = (1..=open.min(step - 1))
            .rev()
            .find(|ahead| u32::try_from(*ahead).is_ok_and(|more| shows(at + ahead, number + more)));
        return at + 1 + last.unwrap_or(0);
    }
}

/// The text with every number, for a text that was written with `changes`.
pub(crate) fn restored(text: &str) -> Option<String> {
    let view = Lines::of(text)?;
    let mut out = String::with_capacity(text.len() * 3 / 2);
    for (index, line) in view.lines.iter().enumerate() {
        let whole = text.get(line.range())?;
        if whole == HEADER {
            continue;
        }
        if let Some(run) = view.run(line) {
            let number = run.first.checked_add(u32::try_from(index - run.lines.start).ok()?)?;
            if !run.shows(number) {
                out.push_str(&run.prefix(number));
            }
        }
        out.push_str(whole);
        if text.as_bytes().get(line.end as usize) == Some(&b'\n') {
            out.push('\n');
        }
    }
    Some(out)
}
