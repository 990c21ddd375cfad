//! Finds numbered file views: `     1→text`, `12: text`, `00001| text`, `L34: text`, and the like.
//!
//! One line alone proves nothing (`10:32:11 error` starts like line 10). Only [`runs`] of lines whose numbers
//! rise by one in one style count as a view of a file, and not where something says that they are rows of a [`table`].

mod start;
pub(crate) mod table;
pub(crate) mod thin;

use std::ops::Range;

use start::count;
pub(crate) use start::{Mark, NumberStyle, Pad, Start};

/// Shorter runs are coincidence.
const MIN_LINES: usize = 3;

/// Consecutive lines of a numbered file view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Indexes into the searched lines.
    pub(crate) lines: Range<usize>,
    /// Number of the first line; each following line has the next number.
    pub(crate) first: u32,
    /// How the numbers are written.
    pub(crate) style: NumberStyle,
    /// Whether only some lines show their number, as in a [`thin`] view.
    pub(crate) thin: bool,
}

impl Run {
    /// Whether the line with this number shows it.
    pub(crate) fn shows(&self, number: u32) -> bool {
        let last = number.abs_diff(self.first) as usize + 1 == self.lines.len();
        !self.thin || number == self.first || last || number.is_multiple_of(thin::STRIDE)
    }

    /// Returns the exact text before the content of the line with this number.
    pub(crate) fn prefix(&self, number: u32) -> String {
        let NumberStyle { letter, pad, gap, mark, space } = self.style;
        let letter = if letter { "L" } else { "" };
        let number = match pad {
            Pad::Spaces(width) => format!("{number:>width$}"),
            Pad::Zeros(width) => format!("{number:0>width$}"),
        };
        let space = if space { " " } else { "" };
        format!("{letter}{number}{:gap$}{}{space}", "", mark.text())
    }
}

#[cfg(test)]
/// Returns the number of a line in a numbered view, and the byte offset of its text.
///
/// Attributes one space after `:` and `|` to the viewer. It sees one line only; [`runs`] decides better.
pub(crate) fn parse(line: &str) -> Option<(u32, usize)> {
    Start::parse(line).map(|start| (start.number, start.end + usize::from(start.space)))
}

/// Finds the numbered file views in `lines`, in order. Lines may include their ends.
pub(crate) fn runs(lines: &[&str]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    // The first of the adjacent lines that start with a number.
    let mut block = None;
    while let Some(rest) = lines.get(at..).filter(|rest| !rest.is_empty()) {
        let Some((run, length)) = run(rest) else {
            let is_numbered = rest.first().and_then(|line| Start::parse(line)).is_some();
            block = block.filter(|_| is_numbered).or(is_numbered.then_some(at));
            at += 1;
            continue;
        };
        let rows = at..at + length;
        let block = *block.get_or_insert(at);
        at = rows.end;
        if let Some((first, style)) = run
            && !table::is_in(lines, &rows, block, style.mark)
        {
            runs.push(Run { lines: rows, first, style, thin: false });
        }
    }
    runs
}

/// Returns how many lines at the start of `lines` to skip, and the run that they form, if any.
fn run(lines: &[&str]) -> Option<(Option<(u32, NumberStyle)>, usize)> {
    let start = Start::parse(lines.first()?)?;
    let mut style = start.style();
    let mut spaced = start.space;
    let mut length = 1;
    let mut number = start.number;
    for line in lines.iter().skip(1) {
        let Some(next) = number.checked_add(1) else { break };
        match Start::parse(line) {
            Some(start) if start.number == next && start.is_in(style) => spaced &= start.space,
            _ => break,
        }
        number = next;
        length += 1;
    }
    if length < MIN_LINES {
        return None;
    }
    let texts = || lines.iter().take(length).filter_map(|line| line.get(Start::parse(line)?.end..));
    if style.mark == Mark::Colon && style.gap == 0 && texts().all(starts_like_minutes) {
        return Some((None, length));
    }
    style.space = spaced && (style.gap > 0 || space_is_the_viewers(texts()));
    Some((Some((start.number, style)), length))
}

/// Whether a number and a colon before this text would look like a time of day.
fn starts_like_minutes(text: &str) -> bool {
    count(text.as_bytes(), 0, |byte| byte.is_ascii_digit()) == 2
}

/// Whether the viewer wrote the first space of these texts, each of which has one.
///
/// In text that is indented throughout, the smallest indent decides: if it is odd, the space is the viewer's.
fn space_is_the_viewers<'a>(texts: impl Iterator<Item = &'a str>) -> bool {
    let indents = texts
        .filter(|text| !text.trim().is_empty())
        .map(|text| text.len() - text.trim_start_matches(' ').len());
    let mut least = None;
    for indent in indents {
        if indent == 1 {
            return true;
        }
        least = Some(least.unwrap_or(indent).min(indent));
    }
    least.is_none_or(|indent| indent % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::shared_texts;
    use proptest::prelude::*;

    type Write = fn(u32, &str) -> String;
    const STYLES: [(&str, Write); 16] = [
        ("arrow", |n, text| format!("{n:>6}→{text}")),
        ("tab", |n, text| format!("{n}\t{text}")),
        ("cat -n", |n, text| format!("{n:>6}\t{text}")),
        ("nl -nrz", |n, text| format!("{n:0>6}\t{text}")),
        ("zeros and pipe", |n, text| format!("{n:0>5}| {text}")),
        ("colon and space", |n, text| format!("{n}: {text}")),
        ("colon", |n, text| format!("{n}:{text}")),
        ("padded colon", |n, text| format!("{n:>4}: {text}")),
        ("letter", |n, text| format!("L{n}: {text}")),
        ("letter, no space", |n, text| format!("L{n}:{text}")),
        ("pipe between spaces", |n, text| format!("{n} | {text}")),
        ("padded pipe between spaces", |n, text| format!("{n:>4} | {text}")),
        ("pipe", |n, text| format!("{n:>6}|{text}")),
        ("bat", |n, text| format!("{n:>4}   │ {text}")),
        ("bar", |n, text| format!("{n} │ {text}")),
        ("padded zeros and colon", |n, text| format!("{n:0>3}:{text}")),
    ];

    fn found(lines: &[String]) -> Vec<Run> {
        runs(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn check(run: &Run, lines: &[String]) {
        for (number, line) in (run.first..).zip(&lines[run.lines.clone()]) {
            assert!(line.starts_with(&run.prefix(number)), "{line:?} in {run:?}");
        }
    }

    #[test]
    fn a_file_is_found_in_every_style_and_its_text_comes_back() {
        let file = ["fn main() {", "    let a = 1;", "", "\tb();", "    // 7: not a number", "}"].repeat(30);
        for (name, write) in STYLES {
            for first in [1, 7, 95, 996, 99_990] {
                let lines: Vec<_> = (first..).zip(&file).map(|(n, text)| write(n, text)).collect();
                let runs = found(&lines);
                assert_eq!(runs.len(), 1, "{name} from {first}: {runs:?}");
                assert_eq!((runs[0].lines.clone(), runs[0].first), (0..lines.len(), first), "{name}");
                for ((n, line), text) in (first..).zip(&lines).zip(&file) {
                    assert_eq!(line.strip_prefix(&runs[0].prefix(n)), Some(*text), "{name}");
                }
            }
        }
    }

    #[test]
    fn one_line_is_parsed_in_every_style() {
        for (name, write) in STYLES {
            let line = write(42, "text");
            let (number, body) = parse(&line).unwrap();
            assert_eq!((number, &line[body..]), (42, "text"), "{name}");
        }
    }

    #[test]
    fn lines_around_a_view_are_left_out() {
        let lines =
            ["[File: a.py (3 lines total)]", "1:import re", "2:", "3:x = 1", "(End)"].map(String::from);
        assert_eq!(found(&lines)[0].lines, 1..4);
        let crlf = ["<content>\r\n", "1: a\r\n", "2: \r\n", "3: b\r\n", "\r\n"].map(String::from);
        let runs = found(&crlf);
        assert_eq!((runs[0].lines.clone(), runs[0].prefix(2).as_str()), (1..4, "2: "));
    }

    #[test]
    fn two_views_in_one_text_are_two_runs() {
        let lines = ["8\ta", "9\tb", "10\tc", "300\tx", "301\ty", "302\tz", "303\tz"].map(String::from);
        let runs = found(&lines);
        assert_eq!(runs.iter().map(|run| run.first).collect::<Vec<_>>(), [8, 300]);
    }

    #[test]
    fn a_view_without_trailing_spaces_stays_one_run() {
        let lines = ["1 | a", "2 |", "3 | b", "4 |   c"].map(String::from);
        let runs = found(&lines);
        assert_eq!((runs.len(), runs[0].lines.clone(), runs[0].prefix(2).as_str()), (1, 0..4, "2 |"));
    }

    #[test]
    fn indentation_is_not_taken_for_the_viewers_space() {
        let plain = ["7:    a", "8:    b", "9:        c"].map(String::from);
        assert_eq!(found(&plain)[0].prefix(7), "7:");
        let spaced = ["7:     a", "8:     b", "9:         c"].map(String::from);
        assert_eq!(found(&spaced)[0].prefix(7), "7: ");
    }

    #[test]
    fn text_that_starts_with_digits_is_no_view() {
        for lines in [
            vec!["2024-01-01 a", "2024-01-02 b", "2024-01-03 c"],
            vec!["10:32:11 error", "10:32:12 error", "10:32:13 error"],
            vec!["10:00:00 start", "11:00:00 tick", "12:00:00 tick", "13:00:00 end"],
            vec!["1: a", "3: b", "5: c", "7: d"],
            vec!["1: a", "2: b"],
            vec!["1: a", "2\tb", "3→c"],
            vec!["     1→a", "2→b", "   3→c"],
            vec!["3:match", "4-context", "5-context", "6:match"],
            vec!["1. one", "2. two", "3. three"],
            vec!["4294967294:a", "4294967295:b", "4294967296:c"],
            vec!["001:a", "02:b", "3:c"],
        ] {
            assert_eq!(runs(&lines), [], "{lines:?}");
        }
    }

    #[test]
    fn rows_of_a_table_are_no_view() {
        for lines in [
            vec![" id | name", "----+------", "  1 | ash", "  2 | birch", "  3 | cedar"],
            vec!["id|name", "1|ash", "2|birch", "3|cedar"],
            vec!["1|ash|x", "2|birch|y", "3|cedar|z"],
            vec!["  1 | ash", "  2 | birch", "  3 | cedar", "(3 rows)"],
            vec!["id\tname", "1\tash", "2\tbirch", "3\tcedar"],
            vec!["page:name", "1:ash", "2:birch", "3:cedar"],
            // A number is missing, and the header is that of all rows.
            vec!["id|name", "1|ash", "3|fir", "5|birch", "6|cedar", "7|oak"],
        ] {
            assert_eq!(runs(&lines), [], "{lines:?}");
        }
        for lines in [
            vec!["File: a.py", "1: import re", "2: x", "3: y"],
            vec!["       │ File: a.rs", "───────┼─────", "   1   │ a", "   2   │ b", "   3   │ c"],
            vec!["Contents:", "--------", "1 | a || b", "2 | c", "3 | d"],
        ] {
            assert_eq!(runs(&lines).len(), 1, "{lines:?}");
        }
    }

    #[test]
    #[ignore = "needs HEADROOM_SHARED"]
    fn recorded_file_views_are_found_and_other_outputs_are_not() {
        let name =
            |path: &std::path::Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (path, text) in shared_texts("corpora") {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let runs = found(&lines);
            runs.iter().for_each(|run| check(run, &lines));
            let within: usize = runs.iter().map(|run| run.lines.len()).sum();
            let name = name(&path);
            if name.starts_with("read-Users") || name.starts_with("read-nl") {
                assert!(within * 10 > lines.len() * 8, "{within} of {} in {name}", lines.len());
            } else if within > 0 {
                println!("{within} of {} lines in {}", lines.len(), path.display());
            }
            if path.components().any(|part| part.as_os_str() == "loghub") {
                assert_eq!(within, 0, "{name}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_run_rebuilds_its_prefixes(lines in proptest::collection::vec(
            prop_oneof![
                "[ ]{0,3}[0-9]{1,3}[ ]{0,2}[:|\t→│][ ]{0,2}[a-c0-9: ]{0,5}",
                "L?[ 0]{0,2}[1-4](: ?|\t|→|\\| ?)[a ]{0,3}",
                "\\PC{0,12}",
            ],
            0..40,
        )) {
            let mut end = 0;
            for run in found(&lines) {
                prop_assert!(run.lines.start >= end && run.lines.len() >= MIN_LINES);
                end = run.lines.end;
                check(&run, &lines);
            }
        }

        #[test]
        fn a_generated_file_is_one_run(
            style in 0..STYLES.len(),
            first in 0_u32..200_000,
            file in proptest::collection::vec("[ \t]{0,6}[a-z{}();→0-9|:]{0,12}", 2..60),
        ) {
            let file: Vec<String> = std::iter::once("start".to_owned()).chain(file).collect();
            let lines: Vec<_> = (first..).zip(&file).map(|(n, text)| STYLES[style].1(n, text)).collect();
            let runs = found(&lines);
            prop_assert_eq!(runs.len(), 1);
            prop_assert_eq!(&runs[0].lines, &(0..lines.len()));
            check(&runs[0], &lines);
        }
    }
}
