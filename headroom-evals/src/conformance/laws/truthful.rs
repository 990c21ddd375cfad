use std::{collections::HashMap, fmt};

use headroom_core::Transform;

use super::{Run, Violation, inline, page, sentences, values};
use crate::conformance::{events, forms};

pub(super) const MARKER: &str = "[headroom";

/// One edited text.
#[derive(Clone, Copy, Debug)]
pub struct TruthCase<'a> {
    /// The text before.
    pub before: &'a str,
    /// The text after.
    pub after: &'a str,
    /// The transforms, according to the report.
    pub steps: &'a [Transform],
}

impl TruthCase<'_> {
    /// Whether the report names this transform.
    #[must_use]
    pub fn has(&self, step: Transform) -> bool {
        self.steps.contains(&step)
    }
}

/// The verdict of a form on an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The text is not in this form.
    Other,
    /// The text is in this form and agrees with the original.
    Holds,
    /// The text is in this form and contradicts the original.
    Fails(String),
}

/// A declared form of output: a decoder that compares the decoded text with the original.
pub type Form = Box<dyn Fn(&TruthCase<'_>) -> Verdict>;

/// The declared forms. The first that recognises a text decides.
pub struct Forms(Vec<Form>);

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Forms({})", self.0.len())
    }
}

impl Default for Forms {
    /// Web pages by their words, prose by sentences, JSON by scalars, everything else line by line.
    fn default() -> Self {
        Self(vec![Box::new(page), Box::new(sentences), Box::new(values::json), Box::new(lines)])
    }
}

impl Forms {
    /// Adds a form before the others.
    #[must_use]
    pub fn with(mut self, form: Form) -> Self {
        self.0.insert(0, form);
        self
    }
}

/// Checks that every edit agrees with its original, or marks what it omits.
///
/// # Errors
///
/// Returns the first line or value that is not in the original, or that is missing without a marker.
pub fn truthful(run: &Run, forms: &Forms) -> Result<(), Violation> {
    for (n, edit) in run.diff.edits.iter().enumerate() {
        let steps = run.answer.edited.get(n).map_or(&[][..], |said| &said.steps);
        let case = TruthCase { before: &edit.before, after: &edit.after, steps };
        let verdict = forms.0.iter().map(|form| form(&case)).find(|verdict| *verdict != Verdict::Other);
        if let Some(Verdict::Fails(what)) = verdict {
            return Err(Violation { law: "truthful", what: format!("text {}: {what}", edit.index) });
        }
    }
    Ok(())
}

/// Restores the numbers of a view in which only the first and last line of a part and every tenth line are numbered. A
/// line without a number has the next one.
fn numbered(after: &str, before: &[&str]) -> Option<String> {
    let (head, rest) = after.split_once("[headroom: every 10th line number shown]\n")?;
    let mut out: Vec<String> = Vec::new();
    let places: HashMap<&str, usize> = before.iter().enumerate().map(|(at, line)| (*line, at)).collect();
    // The next line of the original.
    let mut next = usize::MAX;
    for line in rest.split('\n') {
        let numbered = before.get(next).filter(|full| {
            let number =
                full.strip_suffix(line).unwrap_or_default().trim_matches(|c: char| !c.is_ascii_digit());
            number.parse::<u32>().is_ok_and(|number| !number.is_multiple_of(10))
        });
        next = match (numbered, places.get(line)) {
            (None, Some(at)) => at + 1,
            _ => next.saturating_add(1),
        };
        out.push(numbered.map_or(line, |full| full).to_owned());
    }
    Some(format!("{head}{}", out.join("\n")))
}

/// Whether a line is a marker, alone or as a whole comment in code.
fn is_mark(line: &str) -> bool {
    const COMMENTS: [&str; 10] = ["# ", "// ", "* ", "... # ", ": # ", "-- ", ";; ", "; ", "% ", ""];
    let line = line.trim_start();
    COMMENTS.iter().any(|start| line.strip_prefix(start).is_some_and(|rest| rest.starts_with(MARKER)))
}

/// Checks that kept lines are the original's, in its order, with a marker between lines that were not adjacent.
fn lines(case: &TruthCase<'_>) -> Verdict {
    let drawn;
    let before = if case.has(Transform::Ansi) {
        drawn = super::drawn::like(case.before, case.after);
        &drawn
    } else {
        case.before
    };
    let before: Vec<&str> = before.split('\n').collect();
    let shown = inline::restored(case.after, &before);
    let case = &TruthCase { after: &shown, ..*case };
    let hits;
    let declared = case.after.split_once('\n').filter(|(mark, _)| {
        mark.starts_with(MARKER) && mark.contains(events::DECLARED) && case.has(Transform::Search)
    });
    let (before, case) = match declared {
        Some((_, after)) => {
            hits = events::hits(case.before);
            (hits.iter().map(String::as_str).collect(), &TruthCase { after, ..*case })
        }
        None => (before, case),
    };
    let hidden = case.after.split_once('\n').filter(|(mark, _)| super::drawn::is_mark(mark));
    let case = &TruthCase { after: hidden.map_or(case.after, |(_, rest)| rest), ..*case };
    let after = if case.has(Transform::LineNumbers) { numbered(case.after, &before) } else { None };
    let after = after.as_deref().unwrap_or(case.after);
    let decoded;
    let after = if [Transform::Search, Transform::CommonPrefix, Transform::ColumnPadding]
        .into_iter()
        .any(|step| case.has(step))
    {
        decoded = forms::decoded(&before.join("\n"), after);
        &decoded
    } else {
        after
    };
    follows(&before, after)
}

/// Checks that lines are those of the original, in its order, with a marker between lines that were not adjacent there.
fn follows(before: &[&str], after: &str) -> Verdict {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, line) in before.iter().enumerate() {
        places.entry(line).or_default().push(at);
    }
    // The possible next lines of the original: several if a kept line occurs there several times.
    let mut next = vec![0];
    let mut gap = false;
    for line in after.split('\n') {
        if is_mark(line) && !next.iter().any(|at| before.get(*at) == Some(&line)) {
            gap = true;
            continue;
        }
        let Some(known) = places.get(line) else {
            return Verdict::Fails(format!("`{line}` is no line of the original"));
        };
        let from = next.iter().min().copied().unwrap_or(usize::MAX);
        next = if gap {
            known.iter().filter(|at| **at >= from).map(|at| at + 1).collect()
        } else {
            next.iter().filter(|at| before.get(**at) == Some(&line)).map(|at| at + 1).collect()
        };
        if next.is_empty() {
            return Verdict::Fails(format!(
                "`{line}` does not follow the line before it and no mark says so"
            ));
        }
        gap = false;
    }
    if gap || next.contains(&before.len()) {
        Verdict::Holds
    } else {
        Verdict::Fails("the end is missing and no mark says so".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(before: &str, after: &str, steps: &[Transform]) -> bool {
        let case = TruthCase { before, after, steps };
        let forms = Forms::default();
        forms.0.iter().map(|form| form(&case)).find(|v| *v != Verdict::Other) == Some(Verdict::Holds)
    }

    #[test]
    fn marked_gaps_hold() {
        let mark = "[headroom: 2 lines stand above]";
        assert!(verdict("a\nb\nc\nd", &format!("a\n{mark}\nd"), &[]));
        assert!(verdict("a\nb\nc\nd", &format!("a\nb\n{mark}"), &[]));
        assert!(verdict("a\n\nb\n\nc\n\n", &format!("a\n{mark}\n\nc\n\n"), &[]));
    }

    #[test]
    fn marks_in_comments_hold() {
        for mark in ["    # [headroom: 2 lines]", "\t// [headroom: 2 lines]", "  ... # [headroom: 2 lines]"] {
            assert!(verdict("a\nb\nc\nd", &format!("a\n{mark}\nd"), &[]));
        }
        assert!(!verdict("a\nb\nc\nd", "a\nb # [headroom: 2 lines]\nd", &[]));
    }

    #[test]
    fn hits_of_events_are_read_by_their_events() {
        let event = |kind: &str, line: u32, text: &str| {
            format!(
                r#"{{"type":"{kind}","data":{{"path":{{"text":"a.rs"}},"lines":{{"text":"{text}\n"}},"line_number":{line}}}}}"#
            )
        };
        let before =
            [event("match", 3, r#"x \"y\""#), event("context", 4, "z"), event("match", 9, "x")].join("\n");
        let mark =
            format!("[headroom:abcdefghijklmnop lines 1-3 stored: {}; headroom_retrieve]", events::DECLARED);
        let steps = &[Transform::Search];
        assert!(verdict(&before, &format!("{mark}\na.rs:3:x \"y\"\na.rs-4-z\na.rs:9:x"), steps));
        for wrong in ["a.rs:3:x \"y\"\na.rs:9:x", "a.rs:3:x \"y\"\na.rs-4-z\na.rs:8:x", "b.rs:3:x"] {
            assert!(!verdict(&before, &format!("{mark}\n{wrong}"), steps), "{wrong}");
        }
    }

    #[test]
    fn fused_altered_reordered_and_missing_lines_fail() {
        let mark = "[headroom: 1 line]";
        for after in ["a b\nc\nd", "a\nB\nc\nd", "b\na\nc\nd", "a\nc\nd", "a\nb\nc", "a\nb"] {
            assert!(!verdict("a\nb\nc\nd", after, &[]), "{after}");
        }
        assert!(!verdict("a\nb\nc\nd", &format!("a\n{mark}\nd\nc"), &[]));
        assert!(!verdict("a\nb\nc\nd", &format!("c\n{mark}\na"), &[]));
        assert!(!verdict("a\nb\nc\nd", &format!("{mark} a\nb"), &[]));
    }

    #[test]
    fn numbers_that_are_left_out_can_be_told() {
        let before: Vec<String> = (8..=21).map(|n| format!("{n:>6}→line of {n}")).collect();
        let thin = |drop: &dyn Fn(usize) -> bool| {
            let line = |(n, line): (usize, &String)| {
                if drop(n + 8) { line.split_once('→').unwrap().1.to_owned() } else { line.clone() }
            };
            let lines: Vec<String> = before.iter().enumerate().map(line).collect();
            format!("[headroom: every 10th line number shown]\n{}", lines.join("\n"))
        };
        let usual = |n: usize| ![8, 10, 20, 21].contains(&n);
        let steps = &[Transform::LineNumbers];
        assert!(verdict(&before.join("\n"), &thin(&usual), steps));
        assert!(!verdict(&before.join("\n"), &thin(&|n| usual(n) || n == 10), steps), "a tenth is missing");
        assert!(!verdict(&before.join("\n"), &thin(&usual).replace("line of 12", "line of 13"), steps));
        assert!(!verdict(&before.join("\n"), &thin(&usual).replace("line of 12\n", ""), steps));
        assert!(!verdict(&before.join("\n"), &thin(&usual), &[]), "nothing says so");
    }

    #[test]
    fn terminal_output_is_compared_by_the_states_of_its_lines() {
        let before =
            "\u{1b}[1;32mok\u{1b}[0m one\nget 10% (1/10)\rget 50% (5/10)\rget 100% (10/10), done\r\nend";
        let steps = &[Transform::Ansi];
        assert!(verdict(before, "ok one\nget 100% (10/10), done\r\nend", steps));
        assert!(!verdict(before, "ok one\nget 100% (10/10), done\nend", steps));
        assert!(!verdict(before, "ok one\nget 50% (5/10)\r\nend", steps));
        assert!(!verdict(before, "ok one\nget 100% (10/10), done\nend", &[Transform::RepeatedLines]));
        let records = "first record\rsecond record\rthird\nend";
        assert!(verdict(records, records, steps));
        assert!(!verdict(records, "third\nend", steps));
        assert!(!verdict(records, "thirdd record\nend", steps));
        assert!(!verdict(records, "first record\rthird\nend", steps));
        let mark = "[headroom:abcdefghijklmnop lines 1-1 stored: 2 overwritten frames of progress displays; headroom_retrieve]";
        assert!(verdict(records, &format!("{mark}\nthird\nend"), steps));
        assert!(!verdict(records, &format!("{mark}\nthirdd record\nend"), steps));
    }

    #[test]
    fn rows_stand_behind_their_numbers() {
        let before = r#"[{"id":1001,"ms":50},{"id":1002,"ms":51},{"id":1003,"ms":52}]"#;
        let steps = [Transform::Json, Transform::Elision];
        let mark = "[headroom:aaaaaaaaaaaaaaaa 1 of 3 rows stored]";
        let after = |row| format!("[33 rows, 22 here by number: #,id,ms\n{mark}\n11,1001,50\n{row}\n]");
        assert!(verdict(before, &after("13,1003,52"), &steps));
        assert!(!verdict(before, &after("13,1004,52"), &steps));
    }

    #[test]
    fn json_keeps_every_scalar() {
        let before = r#"[ {"id": 10, "name": "a\"b"}, {"id": 1e400, "name": "é"} ]"#;
        assert!(verdict(before, r#"[{"id":10,"name":"a\"b"},{"id":1e400,"name":"é"}]"#, &[Transform::Json]));
        assert!(!verdict(before, r#"[{"id":1e400,"name":"a\"b"},{"id":10,"name":"é"}]"#, &[Transform::Json]));
        assert!(verdict(before, "id | name\n10 | a\"b\n1e400 | é", &[Transform::Json]));
        assert!(!verdict(before, "id | name\n100 | a\"b\n1e400 | é", &[Transform::Json]));
        assert!(!verdict(before, "id | name\n10 | a\"b\n1e400 | e", &[Transform::Json]));
    }
}
