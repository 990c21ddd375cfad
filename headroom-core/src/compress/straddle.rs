//! Keeps gaps from parting what opens and closes: blocks in brackets, elements, conditions of a preprocessor, and keys above
//! what is under them.
//!
//! What follows a gap would otherwise seem to belong to what precedes it: the steps of one job to another, the end of a list
//! to one that was never shown.

use super::{Omission, log};
use crate::text::lines;

/// Rounds in which lines of a gap are shown for others that are.
const MAX_ROUNDS: usize = 16;

/// The structures that lines of a text can open and close.
#[derive(Clone, Copy, Debug)]
pub(super) struct Structures {
    has_elements: bool,
    has_conditions: bool,
    /// Whether indentation says what belongs to what, as in YAML.
    is_indented: bool,
}

impl Structures {
    /// `is_settings` says that the text has comments that begin with `#`, as settings have.
    pub(super) fn of(text: &str, is_settings: bool) -> Self {
        let mut conditions = [false; 2];
        if text.contains("#if") {
            for line in lines::split(text) {
                match Condition::of(line) {
                    Some(Condition::If) => conditions[0] = true,
                    Some(Condition::End) => conditions[1] = true,
                    _ => {}
                }
            }
        }
        Self {
            has_elements: text.trim_start().starts_with('<'),
            has_conditions: conditions == [true; 2],
            is_indented: is_settings,
        }
    }

    /// The lines of a gap that must be shown, by their place in it, in order. `after` is the text that follows the gap. `None` if
    /// blocks are entangled in so many ways that nothing should be omitted.
    fn shown(self, hidden: &[&str], after: &str) -> Option<Vec<usize>> {
        let mut shown = vec![false; hidden.len()];
        let mut show = |at: usize| shown.get_mut(at).into_iter().for_each(|shown| *shown = true);
        // The places of what is open, for each structure, and of both ends of what opens and closes.
        let (mut open, mut pairs) = ([const { Vec::new() }; 3], Vec::new());
        for (at, line) in hidden.iter().enumerate() {
            self.steps(line, &mut |structure, step| {
                let [conditions, elements, brackets] = &mut open;
                let open = match structure {
                    Structure::Condition => conditions,
                    Structure::Element => elements,
                    Structure::Bracket => brackets,
                };
                match step {
                    Step::Open => open.push(at),
                    Step::Middle | Step::Close => match open.last() {
                        Some(start) => pairs.push((*start, at)),
                        None => show(at),
                    },
                }
                if let Step::Close = step {
                    open.pop();
                }
            });
        }
        open.into_iter().flatten().for_each(&mut show);
        if self.is_indented {
            keys_above(hidden, after).into_iter().for_each(&mut show);
        }
        show_both_ends(&pairs, &mut shown)
            .then(|| (0..hidden.len()).filter(|at| shown.get(*at) == Some(&true)).collect())
    }

    fn steps(self, line: &str, step: &mut impl FnMut(Structure, Step)) {
        let trimmed = line.trim();
        if self.has_conditions {
            match Condition::of(line) {
                Some(Condition::If) => step(Structure::Condition, Step::Open),
                Some(Condition::Else) => step(Structure::Condition, Step::Middle),
                Some(Condition::End) => step(Structure::Condition, Step::Close),
                None => {}
            }
        }
        if self.has_elements {
            elements(trimmed, &mut |own| step(Structure::Element, own));
        }
        if trimmed.starts_with(['}', ']', ')']) {
            step(Structure::Bracket, Step::Close);
        }
        if trimmed.ends_with(['{', '[', '(']) {
            step(Structure::Bracket, Step::Open);
        }
    }
}

/// Shows both ends of what has a shown line at one of them or between them. Fails if that takes too many rounds, since each may
/// show lines that concern other pairs.
fn show_both_ends(pairs: &[(usize, usize)], shown: &mut [bool]) -> bool {
    for _ in 0..MAX_ROUNDS {
        let mut count = 0;
        let mut before = vec![0];
        before.extend(shown.iter().map(|shown| {
            count += usize::from(*shown);
            count
        }));
        let mut has_shown = false;
        for (start, end) in pairs {
            let between = before.get(*end + 1).zip(before.get(*start)).is_some_and(|(to, from)| to > from);
            for at in [*start, *end].into_iter().filter(|_| between) {
                if let Some(shown) = shown.get_mut(at) {
                    has_shown |= !*shown;
                    *shown = true;
                }
            }
        }
        if !has_shown {
            return true;
        }
    }
    false
}

/// What lines open and close.
#[derive(Clone, Copy, Debug)]
enum Structure {
    Condition,
    Element,
    Bracket,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Open,
    /// Parts what is open.
    Middle,
    Close,
}

/// A condition of a preprocessor.
#[derive(Clone, Copy, Debug)]
enum Condition {
    If,
    Else,
    End,
}

impl Condition {
    fn of(line: &str) -> Option<Self> {
        let directive = line.trim_start().strip_prefix('#')?.trim_start();
        let word = directive.split(|c: char| !c.is_ascii_alphabetic()).next()?;
        match word {
            "if" | "ifdef" | "ifndef" => Some(Self::If),
            "else" | "elif" | "elifdef" | "elifndef" => Some(Self::Else),
            "endif" => Some(Self::End),
            _ => None,
        }
    }
}

/// Tells of the tags in a line. A tag of several lines opens where it begins.
fn elements(line: &str, step: &mut impl FnMut(Step)) {
    let mut rest = line;
    while let Some(at) = rest.find('<') {
        let Some(tag) = rest.get(at + 1..) else { return };
        let end = tag.find('>');
        let inner = end.and_then(|end| tag.get(..end)).unwrap_or(tag);
        match inner.as_bytes() {
            [b'/', ..] => step(Step::Close),
            [first, ..] if first.is_ascii_alphabetic() && !inner.ends_with('/') => step(Step::Open),
            _ => {}
        }
        rest = end.and_then(|end| tag.get(end..)).unwrap_or_default();
    }
}

/// The hidden lines under which the first line after the gap is, by indentation.
fn keys_above(hidden: &[&str], after: &str) -> Vec<usize> {
    let is_content = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let Some(mut below) = lines::split(after).find(is_content) else { return Vec::new() };
    let mut keys = Vec::new();
    for (at, line) in hidden.iter().enumerate().rev().filter(|(_, line)| is_content(line)) {
        // Items of a list may have the indent of its key.
        let is_key_of_items = is_item(below) && !is_item(line) && indent(line) == indent(below);
        if indent(line) < indent(below) || is_key_of_items {
            below = line;
            keys.push(at);
        }
    }
    keys
}

fn is_item(line: &str) -> bool {
    line.trim_start().starts_with('-')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Returns what may be omitted of a gap: all of it, the lines between those that must be shown, or nothing if its summary
/// would no longer be true.
pub(super) fn within(text: &str, gap: Omission, structures: Structures) -> Vec<Omission> {
    let (Some(hidden), Some(after)) = (text.get(gap.range.clone()), text.get(gap.range.end..)) else {
        return vec![gap];
    };
    let hidden: Vec<&str> = hidden.split('\n').collect();
    let Some(shown) = structures.shown(&hidden, after) else { return Vec::new() };
    if shown.is_empty() {
        return vec![gap];
    }
    let is_counted = usize::try_from(gap.last - gap.first).is_ok_and(|more| more + 1 == hidden.len());
    if !gap.summary.is_empty() || !is_counted {
        return Vec::new();
    }
    parts(text, &gap, &hidden, &shown)
}

/// Returns the gaps between the lines that are shown.
fn parts(text: &str, gap: &Omission, hidden: &[&str], shown: &[usize]) -> Vec<Omission> {
    let mut parts = Vec::new();
    let (mut from, mut start) = (0, gap.range.start);
    for end in shown.iter().copied().chain([hidden.len()]) {
        let bytes = |lines: &[&str]| lines.iter().map(|line| line.len() + 1).sum::<usize>();
        let next = start + bytes(hidden.get(from..end).unwrap_or_default());
        if end > from && next > start {
            // Without the last line end.
            let range = start..(next - 1).min(gap.range.end);
            let number = |at: usize| gap.first + u32::try_from(at).unwrap_or(u32::MAX);
            if text.get(range.clone()).is_some() && log::is_worth_a_marker(range.len(), end - from) {
                parts.push(Omission {
                    range,
                    first: number(from),
                    last: number(end - 1),
                    summary: String::new(),
                });
            }
        }
        start = next + hidden.get(end).map_or(0, |line| line.len() + 1);
        from = end + 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines, from one, that may be omitted of these.
    fn kept(text: &str, hidden: std::ops::RangeInclusive<usize>, is_settings: bool) -> Vec<(u32, u32)> {
        let mut starts: Vec<usize> = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        let range = starts[hidden.start() - 1]..starts.get(*hidden.end()).copied().unwrap_or(text.len()) - 1;
        let number = |line: usize| u32::try_from(line).unwrap();
        let gap = Omission {
            range,
            first: number(*hidden.start()),
            last: number(*hidden.end()),
            summary: String::new(),
        };
        let parts = within(text, gap, Structures::of(text, is_settings));
        for part in &parts {
            let shown = text[part.range.clone()].split('\n').count();
            assert_eq!(shown, usize::try_from(part.last - part.first).unwrap() + 1, "{part:?}");
            assert_eq!(part.range.start, starts[usize::try_from(part.first).unwrap() - 1], "{part:?}");
        }
        parts.iter().map(|part| (part.first, part.last)).collect()
    }

    fn lines_of(start: &str, count: usize, with: impl Fn(usize) -> String) -> String {
        start.to_owned() + &(0..count).map(|n| with(n) + "\n").collect::<String>()
    }

    #[test]
    fn the_end_of_a_list_and_the_start_of_another_are_shown() {
        let list = |name: &str| {
            lines_of(&format!("{name} = [\n"), 20, |n| format!("    \"{name}/member-number-{n}\",")) + "]\n"
        };
        let text = [list("a"), list("b"), list("c")].concat();
        // Each list has 22 lines.
        assert_eq!(kept(&text, 2..=40, true), [(2, 21), (24, 40)]);
        assert_eq!(kept(&text, 2..=60, true), [(2, 21), (23, 44), (46, 60)]);
        assert_eq!(kept(&text, 2..=21, true), [(2, 21)]);
        assert_eq!(kept(&text, 23..=44, true), [(23, 44)]);
    }

    #[test]
    fn the_key_above_what_follows_is_shown() {
        let steps = |job: &str| {
            lines_of(&format!("  {job}:\n    steps:\n"), 20, |n| {
                format!("      - run: make the part number {n} of this job")
            })
        };
        let text = ["jobs:\n".to_owned(), steps("one"), steps("two")].concat();
        // `two:` is line 24, and its steps begin in line 26.
        assert_eq!(kept(&text, 10..=35, true), [(10, 23), (26, 35)]);
        assert_eq!(kept(&text, 10..=23, true), [(10, 23)]);
        assert_eq!(kept(&text, 10..=35, false), [(10, 35)]);
        let flat = text.replace("\n      - ", "\n    - ");
        assert_eq!(kept(&flat, 10..=35, true), [(10, 23), (26, 35)]);
    }

    #[test]
    fn elements_and_conditions_are_not_parted() {
        let element = |id: usize| {
            lines_of("  <dependency>\n", 8, |n| {
                format!("    <part{n}>{id} of the many parts of it</part{n}>")
            }) + "  </dependency>\n"
        };
        let text = [
            "<?xml version=\"1.0\"?>\n<all>\n".to_owned(),
            (0..4).map(element).collect(),
            "</all>\n".to_owned(),
        ]
        .concat();
        assert_eq!(kept(&text, 5..=32, false), [(5, 11), (13, 32)]);
        assert_eq!(kept(&text, 5..=11, false), [(5, 11)]);
        let text = lines_of("#ifdef WITH_LAMP\n", 20, |n| format!("int lamp_{n}(int bulb, int socket);"))
            + &lines_of("#else\n", 20, |n| format!("int candle_{n}(int wick, int wax);"))
            + "#endif\nint main(void);\n";
        assert_eq!(kept(&text, 5..=40, false), [(5, 21), (23, 40)]);
        assert_eq!(kept(&text, 1..=43, false), [(1, 43)]);
    }

    #[test]
    fn a_line_that_closes_one_block_and_opens_the_next_is_shown_with_both() {
        let block =
            |head: &str| lines_of(&format!("{head} {{\n"), 20, |n| format!("    step number {n} of it;"));
        let text = [block("if ready"), block("} else"), "}\nend\n".to_owned()].concat();
        assert_eq!(kept(&text, 2..=43, false), [(2, 21), (23, 42)]);
    }

    proptest! {
        /// What is left of a gap parts nothing: looked at again, it stays as it is.
        #[test]
        fn what_is_left_of_a_gap_opens_and_closes_alone(
            lines in proptest::collection::vec(
                prop_oneof![
                    4 => Just("    a line of some length that is in no way special".to_owned()),
                    2 => Just("block {".to_owned()),
                    2 => Just("}".to_owned()),
                    1 => Just("} else {".to_owned()),
                    1 => Just("], [".to_owned()),
                    1 => Just("#if WITH_LAMP".to_owned()),
                    1 => Just("#else".to_owned()),
                    1 => Just("#endif".to_owned()),
                    1 => Just("<part><inner>".to_owned()),
                    1 => Just("</inner></part><part>".to_owned()),
                    1 => Just("</part>".to_owned()),
                ],
                20..120,
            ),
            (from, to) in (0_usize..60, 1_usize..60),
            is_markup in any::<bool>(),
        ) {
            let text = format!("{}\n{}\n", if is_markup { "<all>" } else { "all" }, lines.join("\n"));
            let count = lines.len() + 1;
            let (first, last) = (1 + from % count, 1 + (from + to).min(count - 1));
            let starts: Vec<usize> =
                std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            let range = starts[first - 1]..starts[last.max(first)] - 1;
            let (from, to) = (u32::try_from(first).unwrap(), u32::try_from(last.max(first)).unwrap());
            let gap = Omission { range: range.clone(), first: from, last: to, summary: String::new() };
            let structures = Structures::of(&text, false);
            let mut before = range.start;
            for part in within(&text, gap, structures) {
                prop_assert!(part.range.start >= before && part.range.end <= range.end);
                prop_assert_eq!(part.range.start, starts[part.first as usize - 1]);
                prop_assert_eq!(part.range.end, starts[part.last as usize] - 1);
                before = part.range.end;
                prop_assert_eq!(within(&text, part.clone(), structures), [part]);
            }
        }
    }

    #[test]
    fn a_gap_with_a_summary_goes_whole_or_not_at_all() {
        let text = "a = [\n  1,\n]\nb = [\n  2,\n]\n";
        let gap = Omission { range: 6..20, first: 2, last: 5, summary: "2 entries".to_owned() };
        assert_eq!(within(text, gap, Structures::of(text, true)), []);
    }
}
