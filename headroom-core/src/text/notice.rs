//! Finds the notes that agents put in the place of output that they cut: `... [1039 lines truncated] ...`,
//! `…2010 tokens truncated…`, `[... 8,113 characters omitted ...]`, `[truncated]`.

use std::ops::Range;

use memchr::memmem;

/// What such notes say of the missing part, without the first letter, which may be a capital.
const WORDS: [&str; 5] = ["runcated", "mitted", "lided", "lipped", "kipped"];
/// What is counted.
const UNITS: [&str; 12] = [
    "byte",
    "bytes",
    "char",
    "character",
    "characters",
    "chars",
    "item",
    "items",
    "line",
    "lines",
    "token",
    "tokens",
];

/// What is cut, if the note says so without a count.
const NOUNS: [&str; 4] = ["content", "output", "response", "text"];

/// Returns the notes in a text, in order.
pub(crate) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = WORDS
        .iter()
        .flat_map(|word| memmem::find_iter(text.as_bytes(), word).map(|at| (at, word.len())))
        .filter_map(|(at, length)| note(text, at.checked_sub(1)?, at + length))
        .collect();
    found.sort_unstable_by_key(|note| note.start);
    found
}

/// Returns the notes that may join the text on both sides of them into one JSON string. A note between the lines
/// of a text in a string belongs to that string, and one on a line of its own ends any string.
pub(crate) fn inside_strings(text: &str) -> Vec<Range<usize>> {
    let is_line = |note: &Range<usize>| {
        let (before, behind) = (text.get(..note.start), text.get(note.end..));
        before.is_some_and(|before| before.ends_with("\\n"))
            && behind.is_some_and(|behind| behind.starts_with("\\n"))
    };
    find(text).into_iter().filter(|note| !is_line(note)).collect()
}

/// Returns the note around this word.
fn note(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let (before, behind) = (text.get(..start)?, text.get(end..)?);
    if behind.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let spaced = before.strip_suffix(' ').unwrap_or(before);
    let counted = count_before(spaced);
    let noun = NOUNS.iter().find_map(|noun| spaced.strip_suffix(noun)).unwrap_or(spaced);
    let (spaced, start) = if noun.len() < spaced.len() { (noun, noun.len()) } else { (spaced, start) };
    let opens = spaced.ends_with(['[', '(', '<', '…']) || spaced.ends_with("...");
    let rest = behind.trim_start_matches([' ', ':']);
    let closes = rest.starts_with([']', ')', '>', '…']) || rest.starts_with("...");
    let says_count = rest.starts_with(|c: char| c.is_ascii_digit());
    let first = match counted {
        Some(first) => first,
        None if opens && (closes || says_count) => start,
        None => return None,
    };
    let is_frame = |c: char| matches!(c, '.' | '…' | '[' | ']' | '(' | ')' | '<' | '>' | ' ');
    let before = text.get(..first)?;
    let open = before.trim_end_matches(is_frame).len();
    let behind = if says_count { behind.find(['\n', ']', ')', '…']).unwrap_or(0) } else { 0 };
    let rest = text.get(end + behind..)?;
    let close = rest.len() - rest.trim_start_matches(is_frame).len();
    Some(open..end + behind + close)
}

/// Returns where `1,039 lines` or `12 more lines` at the end of a text begins.
fn count_before(text: &str) -> Option<usize> {
    let (rest, unit) = text.rsplit_once(' ')?;
    if !UNITS.contains(&unit) {
        return None;
    }
    let rest = rest.strip_suffix(" more").unwrap_or(rest);
    let digits = rest.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '_' | '.'));
    let number = rest.get(digits.len()..)?;
    number.bytes().any(|byte| byte.is_ascii_digit()).then_some(digits.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|note| &text[note]).collect()
    }

    #[test]
    fn notes_of_agents_are_found() {
        for note in [
            "... [1039 lines truncated] ...",
            "…2010 tokens truncated…",
            "... [8,113 characters omitted] ...",
            "[... 12 more lines omitted ...]",
            "[truncated]",
            "…(truncated)…",
            "<truncated>",
            "[Truncated: 500 characters]",
            "... [output truncated] ...",
        ] {
            for (before, behind) in [("a", "b"), ("\"x\": \"y", "z\""), ("é\n", "\né")] {
                let text = format!("{before}{note}{behind}");
                assert_eq!(notes(&text), [note], "{text}");
            }
        }
    }

    #[test]
    fn other_words_are_no_notes() {
        for text in [
            "",
            "the lines are truncated",
            "3 tests skipped",
            "truncated_at",
            "omitted, as said",
            "42 truncated",
        ] {
            assert_eq!(notes(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_note_between_the_lines_of_a_string_belongs_to_it() {
        assert!(inside_strings(r#"{"log": "a\n... [5 lines truncated] ...\nb"}"#).is_empty());
        assert_eq!(inside_strings(r#"{"log": "a…5 tokens truncated…b"}"#).len(), 1);
    }
}
