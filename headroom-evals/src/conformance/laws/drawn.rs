//! Reads terminal output without escape sequences, independently of the engine.

use std::collections::HashMap;

/// Words that are, or accompany, a unit of size, rate or time.
const LOOSE: [&str; 12] =
    ["eta", "left", "remaining", "elapsed", "bytes", "kib", "mib", "gib", "kib/s", "mib/s", "gib/s", "done"];

/// Whether a line is the marker for overwritten frames that no later frame repeats.
pub(super) fn is_mark(line: &str) -> bool {
    line.starts_with("[headroom:") && line.contains(" overwritten frames of progress displays; ")
}

/// Replaces each line of `before` by its form in `after`, if that form is true: the states that it shows are in order,
/// byte for byte, and include the last; each missing state is repeated by a later one or covered by a marker. Other
/// lines only lose their escape sequences.
pub(super) fn like(before: &str, after: &str) -> String {
    let marked = after.lines().next().is_some_and(is_mark);
    let mut written: HashMap<String, Vec<&str>> = HashMap::new();
    for line in after.split('\n') {
        let (text, _) = without_end(line);
        let last = text.rsplit('\r').next().unwrap_or_default();
        written.entry(last.to_owned()).or_default().push(text);
        if last.contains("[-") || last.contains("{+") {
            written.entry(without_signs(last)).or_default().push(text);
        }
    }
    let line = |line: &str| {
        let (text, end) = without_end(line);
        let states = states(text);
        let last = states.iter().rfind(|state| !state.trim().is_empty()).or(states.last());
        let last = last.cloned().unwrap_or_default();
        let raw = written.get(text.rsplit('\r').next().unwrap_or_default()).into_iter().flatten();
        if raw.clone().any(|own| *own == text) {
            return line.to_owned();
        }
        let own = written.get(&last).into_iter().flatten().find(|own| is_form_of(own, &states, marked));
        // A line that is not in the output may have any form that is not.
        own.map_or_else(|| format!("{}{end}", states.join("\r")), |own| format!("{own}{end}"))
    };
    before.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Splits the carriage return off the end of a line.
fn without_end(line: &str) -> (&str, &str) {
    line.strip_suffix('\r').map_or((line, ""), |text| (text, "\r"))
}

fn is_form_of(own: &str, states: &[String], marked: bool) -> bool {
    if let [state] = states
        && without_signs(own) == *state
    {
        return true;
    }
    let kept: Vec<&str> = own.split('\r').collect();
    let mut next = kept.iter().peekable();
    let stays: Vec<bool> =
        states.iter().map(|state| next.next_if(|kept| **kept == state).is_some()).collect();
    let covered = |at: usize| {
        let words = words(&states[at]);
        words.is_empty()
            || (at + 1..states.len()).any(|later| {
                let later = if stays[later] { self::words(&states[later]) } else { Vec::new() };
                words.iter().all(|word| later.contains(word))
            })
    };
    next.peek().is_none() && (marked || (0..states.len()).all(|at| stays[at] || covered(at)))
}

/// `[-a-]{+b+}` as `ab`.
fn without_signs(text: &str) -> String {
    ["[-", "-]", "{+", "+}"].iter().fold(text.to_owned(), |text, sign| text.replace(sign, ""))
}

/// Returns the words of a state, except numbers, units and drawings.
fn words(state: &str) -> Vec<String> {
    let words = state
        .split(|c: char| !c.is_alphanumeric() && !"=._/-".contains(c))
        .map(|word| word.trim_matches(['.', '/', '-', '=']));
    let words = words.filter(|word| {
        word.len() > 3
            && word.contains(char::is_alphabetic)
            && !word.starts_with(|c: char| c.is_ascii_digit())
    });
    words.map(str::to_lowercase).filter(|word| !LOOSE.contains(&&**word)).collect()
}

/// Returns the text of a line before each carriage return and at its end, without escape sequences.
fn states(line: &str) -> Vec<String> {
    let mut states = vec![String::new()];
    let mut rest = line.chars().peekable();
    while let Some(letter) = rest.next() {
        match (letter, rest.peek()) {
            ('\u{1b}', Some('[')) => {
                rest.next();
                let mut sequence = String::new();
                for letter in rest.by_ref() {
                    sequence.push(letter);
                    if ('@'..='~').contains(&letter) {
                        break;
                    }
                }
                if sequence == "G" || sequence == "1G" {
                    states.push(String::new());
                }
            }
            ('\u{1b}', Some('(')) => _ = rest.nth(1),
            ('\r', _) => states.push(String::new()),
            ('\u{8}', _) => _ = states.last_mut().and_then(String::pop),
            _ => states.last_mut().expect("there is one").push(letter),
        }
    }
    states
}

/// Returns a line as the terminal last shows it: its final state, without control sequences.
#[must_use]
pub fn as_drawn(line: &str) -> String {
    let (text, end) = without_end(line);
    let states = states(text);
    let last = states.iter().rfind(|state| !state.is_empty());
    format!("{}{end}", last.map_or("", |state| state))
}
