//! Finds views of files in which a line of their own declares that only some numbers are shown.

use super::{Mark, NumberStyle, Run, Start};
use crate::text::marker;

/// Numbers divisible by this are shown.
pub(crate) const STRIDE: u32 = 10;
/// Declares that numbers are omitted, on a line of its own.
pub(crate) const HEADER: &str = "[headroom: every 10th line number shown]";

/// Whether tools write numbers like this unasked. The numbers of `nl` and `cat -n` were asked for, and agents that see
/// `12:text` edit by line number.
pub(crate) const fn is_unasked(mark: Mark) -> bool {
    matches!(mark, Mark::Arrow | Mark::Pipe | Mark::Bar)
}

/// Parses the runs of a view in which numbers are omitted; `None` if no line declares that.
pub(crate) fn runs(lines: &[&str]) -> Option<Vec<Run>> {
    let header = lines.iter().position(|line| *line == HEADER)?;
    let mut runs = super::runs(lines.get(..header)?);
    let mut at = header + 1;
    while let Some(line) = lines.get(at) {
        let start = Start::parse(line).filter(|start| is_unasked(start.mark));
        let Some(start) = start else {
            at += 1;
            continue;
        };
        let style = NumberStyle { space: start.space, ..start.style() };
        let end = part_end(lines, at, start.number, style);
        runs.push(Run { lines: at..end, first: start.number, style, thin: true });
        at = end;
    }
    Some(runs)
}

/// Returns the index after the last line of the part that starts here.
fn part_end(lines: &[&str], start: usize, first: u32, style: NumberStyle) -> usize {
    let shape = Run { lines: start..start, first, style, thin: true };
    let shows = |index: usize, number: u32| {
        lines.get(index).is_some_and(|line| line.starts_with(&shape.prefix(number)))
    };
    let (mut at, mut number) = (start, first);
    loop {
        let Some(next) = (number / STRIDE + 1).checked_mul(STRIDE) else { return at + 1 };
        let step = (next - number) as usize;
        let open =
            lines.get(at + 1..).unwrap_or_default().iter().take(step).take_while(|line| !marker::is_in(line));
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
