//! Omits most line numbers from numbered views of files.
//!
//! Readers such as `Read` number every line unasked, and the numbers are a third of the tokens. The numbers that stay
//! are those of the first and last line of each visible part, and of every tenth line:
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
//! The lines themselves are unchanged, so each number can be inferred by counting. The output is decoded and compared
//! before it is used, because a file may hold lines that look numbered. Numbers that may be the first column of a table
//! stay, because they are values.

use std::ops::Range;

use crate::{
    text::{
        lines::Lines,
        numbered::{
            Mark, Pad, Run, table,
            thin::{HEADER, is_unasked},
        },
    },
    tuning::tuning,
};

/// Width of the column of numbers before an arrow.
const VIEW_WIDTH: usize = 6;

/// Returns the replacements that omit the numbers of a view, in order: pairs of a range and its new text.
///
/// `is_read` says that a tool that shows files returned the text. `is_free` returns whether the line in this range is
/// still visible and not replaced.
pub(crate) fn changes(
    text: &str,
    is_read: bool,
    is_free: &dyn Fn(&Range<usize>) -> bool,
) -> Option<Vec<(Range<usize>, String)>> {
    let view = Lines::new(text)?;
    let lines: Vec<&str> = view.lines.iter().map(|line| text.get(line.range()).unwrap_or_default()).collect();
    let mut changes = Vec::new();
    for run in &view.runs {
        if !is_unasked(run.style.mark) || !is_file(run, text, (&view, &lines), is_read) {
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
    if changes.len() < tuning().text.min_numbers_left_out {
        return None;
    }
    // Just before the first line without its number; the line above shows its own.
    let first = changes.first()?.0.start;
    let at = text.get(..first)?.strip_suffix('\n')?.rfind('\n').map_or(0, |end| end + 1);
    changes.insert(0, (at..at, format!("{HEADER}\n")));
    Some(changes)
}

/// Whether the numbers of a run are the viewer's. Where nothing tells, they may be values.
fn is_file(run: &Run, text: &str, (view, lines): (&Lines, &[&str]), is_read: bool) -> bool {
    let style = run.style;
    let bodies = view.lines.get(run.lines.clone()).unwrap_or_default().iter().map(|line| line.body(text));
    // As one tool numbers every file that it shows.
    let is_known = style.mark == Mark::Arrow && matches!(style.pad, Pad::Spaces(VIEW_WIDTH..));
    let may_be_file = || is_known || table::may_be_file(&bodies);
    !table::may_be_in(lines, &run.lines, style.mark)
        && (is_read && may_be_file() || table::looks_like_file(&bodies))
}

/// Restores all numbers in a text written with [`changes`].
pub(crate) fn restored(text: &str) -> Option<String> {
    let view = Lines::new(text)?;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(first: u32, lines: impl IntoIterator<Item = String>) -> String {
        (first..).zip(lines).map(|(n, line)| format!("{n:>6}→{line}\n")).collect()
    }

    fn file(lines: usize) -> impl Iterator<Item = String> {
        (0..lines).map(|n| format!("{}let x{n} = {n};", "    ".repeat(n % 3)))
    }

    fn thinned(text: &str, free: &dyn Fn(&Range<usize>) -> bool) -> Option<String> {
        let mut out = String::new();
        let mut at = 0;
        for (range, with) in changes(text, true, free)? {
            out.push_str(&text[at..range.start]);
            out.push_str(&with);
            at = range.end;
        }
        Some(out + &text[at..])
    }

    #[test]
    fn every_tenth_number_stays() {
        let out = thinned(&view(7, file(40)), &|_| true).unwrap();
        let shown: Vec<u32> =
            out.lines().filter_map(|line| line.split_once('→')?.0.trim().parse().ok()).collect();
        assert_eq!(shown, [7, 10, 20, 30, 40, 46]);
        assert!(out.starts_with(&format!("{HEADER}\n     7→let x0 = 0;\n    let x1 = 1;\n")), "{out}");
    }

    #[test]
    fn what_stands_around_a_view_stays() {
        let text = format!("Read it:\n\n{}\n<system-reminder>\nx\n</system-reminder>\n", view(1, file(30)));
        let out = thinned(&text, &|_| true).unwrap();
        assert!(out.starts_with(&format!("Read it:\n\n{HEADER}\n     1→")), "{out}");
        assert!(out.ends_with("    30→        let x29 = 29;\n\n<system-reminder>\nx\n</system-reminder>\n"));
        assert_eq!(restored(&out).unwrap(), text);
    }

    #[test]
    fn each_part_shows_where_it_starts_and_ends() {
        let text = view(1, file(60));
        let gap = text.find("    23→").unwrap()..text.find("    35→").unwrap();
        let out = thinned(&text, &|line| !gap.contains(&line.start)).unwrap();
        assert!(out.contains("    22→") && out.contains("    35→"), "{out}");
    }

    #[test]
    fn numbers_that_edits_need_stay() {
        let colons: String = (1..60).map(|n| format!("{n}:line {n}\n")).collect();
        assert_eq!(thinned(&colons, &|_| true), None);
        assert_eq!(thinned(&view(1, file(12)), &|_| true), None, "too few to pay");
        assert_eq!(thinned("no view\n", &|_| true), None);
    }

    #[test]
    fn a_line_that_looks_numbered_is_noticed() {
        // What stands behind the view reads like its next tenth line.
        let text = format!("{}x\n{}    50→end\n", view(1, file(40)), "y\n".repeat(8));
        let out = thinned(&text, &|_| true).unwrap();
        assert_ne!(restored(&out).unwrap(), text);
    }

    proptest! {
        #[test]
        fn what_can_be_restored_is_the_same(
            first in 1_u32..2000,
            lines in prop::collection::vec(prop::sample::select(vec![
                "", "fn a() {", "    b();", "}", "  12→x", "    13→y", "20\tz", "[x]", "é",
            ]), 0..90),
            gap in 0..90_usize,
            around in "[a-z\n]{0,6}",
        ) {
            let text = format!("{around}\n{}{around}", view(first, lines.into_iter().map(str::to_owned)));
            let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            let gap = starts.get(gap).copied();
            if let Some(out) = thinned(&text, &|line| Some(line.start) != gap) {
                // A line in a gap keeps its number here, and so ends a part without a marker.
                if gap.is_none() && !text.contains("12→x") && !text.contains("13→y") && !text.contains("20\tz") {
                    prop_assert_eq!(restored(&out), Some(text));
                }
            }
        }

        #[test]
        fn any_text_can_be_read(pieces in prop::collection::vec(prop::sample::select(vec![
            HEADER, "\n", "    10→", "     9→", "    20→", "4294967295→", "4294967290→", "x", "[headroom:", "\r\n", "1\t",
        ]), 0..80)) {
            let text = pieces.concat();
            let _ = restored(&text);
            let _ = changes(&text, true, &|_| true);
        }
    }
}
