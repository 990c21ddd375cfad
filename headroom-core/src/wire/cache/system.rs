//! Splits a system prompt before what changes from conversation to conversation.

use std::ops::Range;

use headroom_json::{TapeValue, Text};

/// Bytes that must come before the split: a provider caches no less than 1,024 tokens.
const MIN_BYTES: usize = 4096;
/// Words that say that a date, a time or an id is of now, and not of the subject.
const OF_NOW: [&str; 8] = ["conversation", "current", "date", "now", "session", "time", "timestamp", "today"];

/// Returns the place of the system prompt and two blocks to put there, the first with a breakpoint; `None` if the prompt has
/// several blocks or no line that changes.
pub(super) fn split(root: TapeValue<'_, '_>) -> Option<(Range<usize>, String)> {
    let [system] = root.fields(["system"]).ok()?;
    let system = system?;
    let text = system.text().or_else(|| only_text(system))?;
    let (before, after) = text.raw.split_at_checked(changing_line(text.raw)?)?;
    let json = format!(
        r#"[{{"type":"text","text":"{before}","cache_control":{{"type":"ephemeral"}}}},{{"type":"text","text":"{after}"}}]"#
    );
    Some((system.start()..system.end(), json))
}

/// Returns the text of a list of one block that has nothing else.
fn only_text<'a>(system: TapeValue<'a, '_>) -> Option<Text<'a>> {
    let mut items = system.items();
    let only = items.next().filter(|_| items.next().is_none() && system.is_dense())?;
    let is_plain = only.members().all(|(key, _)| matches!(key.raw, "type" | "text"));
    let [kind, text] = only.fields(["type", "text"]).ok()?;
    text?.text().filter(|_| is_plain && kind.and_then(TapeValue::text).is_some_and(|kind| kind.raw == "text"))
}

/// Returns where the first line begins, far enough into a JSON string, that tells a date, a time or an id of now.
fn changing_line(raw: &str) -> Option<usize> {
    let mut start = 0;
    for line in lines(raw) {
        if changes(line) {
            return (start >= MIN_BYTES).then_some(start);
        }
        start += line.len();
    }
    None
}

/// Returns the lines of the raw content of a JSON string, each with its end.
fn lines(raw: &str) -> impl Iterator<Item = &str> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let bytes = rest.as_bytes();
        let mut at = 0;
        let end = loop {
            match bytes.get(at) {
                None => break rest.len(),
                Some(b'\\') if bytes.get(at + 1) == Some(&b'n') => break at + 2,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
            }
        };
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

/// Whether a line tells a date, a time or an id, and says that it is of now.
fn changes(line: &str) -> bool {
    let mut words = line.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| OF_NOW.iter().any(|known| word.eq_ignore_ascii_case(known))) && has_value(line)
}

/// Whether a line has a date (`2026-11-30`, `30.11.2026`, `November 30, 2026`), a time (`10:15`) or an id of many digits.
fn has_value(line: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '/');
    line.split(|c| !is_part(c)).any(|word| {
        let word = word.trim_end_matches(['.', ':', '-']);
        let (digits, marks) =
            (count(word, |byte| byte.is_ascii_digit()), count(word, |byte| !byte.is_ascii_alphanumeric()));
        let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let is_year = word.len() == 4 && digits == 4 && (word.starts_with("19") || word.starts_with("20"));
        let is_date_or_time = digits >= 3 && marks >= 1 && word.starts_with(|c: char| c.is_ascii_digit());
        is_year || is_date_or_time || digits >= 9 || is_hex && digits >= 3 && word.len() >= 12
    })
}

fn count(word: &str, is: fn(u8) -> bool) -> usize {
    word.bytes().filter(|byte| is(*byte)).count()
}
