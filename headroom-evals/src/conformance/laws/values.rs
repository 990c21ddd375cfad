//! Compares JSON with what was made of it, by its values.

use headroom_core::Transform;

use super::{TruthCase, Verdict, truthful::MARKER};
use crate::conformance::{
    json::{Json, Kind},
    semantic,
};

/// Checks that JSON output equals the original value; in other forms, that no string or number is lost.
pub(super) fn json(case: &TruthCase<'_>) -> Verdict {
    if !case.has(Transform::Json) {
        return Verdict::Other;
    }
    let partial = case.has(Transform::Elision) || case.has(Transform::Reference);
    let Some(before) = Json::parse(case.before.as_bytes()) else {
        let lines = if partial { Verdict::Other } else { json_lines(case) };
        return if lines == Verdict::Other { nothing_new(case) } else { lines };
    };
    if !partial && let Some(after) = Json::parse(case.after.as_bytes()) {
        let same = semantic::canonical(&before, before.root()) == semantic::canonical(&after, after.root());
        return if same { Verdict::Holds } else { Verdict::Fails("another JSON value".to_owned()) };
    }
    if partial {
        return nothing_new(case);
    }
    missing_scalar(&before, case.after)
        .map_or(Verdict::Holds, |raw| Verdict::Fails(format!("{raw} is missing")))
}

/// Checks text that is partly JSON, or shown in part: every number in it is one of the original's.
fn nothing_new(case: &TruthCase<'_>) -> Verdict {
    let invented = said(case.after).into_iter().flat_map(numbers);
    match invented.into_iter().find(|number| !case.before.contains(number)) {
        Some(number) => Verdict::Fails(format!("{number} is not in the original")),
        None => Verdict::Holds,
    }
}

/// Checks a text with one JSON value per line.
fn json_lines(case: &TruthCase<'_>) -> Verdict {
    for line in case.before.lines().filter(|line| !line.trim().is_empty()) {
        let Some(value) = Json::parse(line.as_bytes()) else { return Verdict::Other };
        if let Some(raw) = missing_scalar(&value, case.after) {
            return Verdict::Fails(format!("{raw} is missing"));
        }
    }
    Verdict::Holds
}

/// Returns the first number or string that is missing in `after`.
fn missing_scalar(before: &Json<'_>, after: &str) -> Option<String> {
    let mut open = vec![before.root()];
    while let Some(id) = open.pop() {
        open.extend(before.children(id));
        let raw = String::from_utf8_lossy(before.raw(id)).into_owned();
        let found = match before.kind(id) {
            Kind::Number => has_word(after, &raw),
            Kind::String => {
                after.contains(&raw[1..raw.len() - 1])
                    || is_in_pattern(&raw[1..raw.len() - 1], after)
                    || before.text(id).is_some_and(|text| after.contains(&text))
            }
            _ => true,
        };
        if !found {
            return Some(raw);
        }
    }
    None
}

/// Whether a pattern of a table's header gives this text: `name~before(column)behind`, with a cell of the table.
fn is_in_pattern(text: &str, after: &str) -> bool {
    after.split('~').skip(1).any(|rest| {
        let pattern = rest.split([',', '|', '\t', ';', '\n']).next().unwrap_or_default();
        pattern.split_once('(').is_some_and(|(before, rest)| {
            let behind = rest.split_once(')').map_or(rest, |(_, behind)| behind);
            let cell = text.strip_prefix(before).and_then(|text| text.strip_suffix(behind));
            cell.is_some_and(|cell| !before.is_empty() && !cell.is_empty() && has_word(after, cell))
        })
    })
}

/// Returns the lines without markers, row counts, and the numbers before selected rows.
fn said(after: &str) -> Vec<&str> {
    const HEADERS: [&str; 3] = [" rows", " elements", " JSON values"];
    let mut numbered = false;
    let mut said = Vec::new();
    for line in after.lines().filter(|line| !line.contains(MARKER)) {
        let header = HEADERS.iter().find_map(|what| {
            let (before, after) = line.split_once(what)?;
            let count = before.trim_end_matches(|c: char| c.is_ascii_digit());
            (count.len() < before.len()).then_some((count, after))
        });
        match header {
            Some((before, after)) => {
                numbered = after.contains(" here by number");
                said.extend([before, after.split_once(": ").map_or("", |(_, columns)| columns)]);
            }
            None if numbered => said.push(line.trim_start_matches(|c: char| c.is_ascii_digit())),
            None => said.push(line),
        }
    }
    said
}

fn numbers(line: &str) -> Vec<&str> {
    line.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() > 1).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    let bounds = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.');
    text.match_indices(word).any(|(at, _)| {
        bounds(text[..at].chars().next_back()) && bounds(text[at + word.len()..].chars().next())
    })
}
