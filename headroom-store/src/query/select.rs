//! Ranges and paths as models write them.

use std::ops::RangeInclusive;

use headroom_json::Value;

/// The most steps of a path.
const MAX_STEPS: usize = 64;

/// Parses `120-180`, `120`, `120-` and `-180`; also `[120, 180]` and other ways to write two numbers.
pub(super) fn range(text: &str) -> Option<RangeInclusive<usize>> {
    let text = text.trim();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let number = |digits: &str| digits.parse().unwrap_or(usize::MAX);
    let first = numbers.next().map(number)?;
    match numbers.next().map(number) {
        Some(last) => Some(first.min(last)..=first.max(last)),
        None if text.starts_with(['-', '–', ':', '.']) => Some(0..=first),
        None if text.ends_with(|c: char| c.is_ascii_digit() || c == ']') => Some(first..=first),
        None => Some(first..=usize::MAX),
    }
}

/// Returns the value at a path, or the answer if there is none.
pub(super) fn find<'a>(content: &'a str, path: &str) -> Result<Value<'a>, String> {
    let Some(mut value) = Value::parse(content) else {
        return Err("This is no JSON document, so it has no paths; ask for lines or a query.\n".to_owned());
    };
    for step in steps(path).take(MAX_STEPS) {
        let next = match step.parse::<usize>() {
            Ok(index) if value.is_array() => value.items().nth(index),
            _ => value.get(step),
        };
        value = next.ok_or_else(|| missing(value, step))?;
    }
    Ok(value)
}

/// Returns the keys and indexes of `logs[3].message`, tolerating `$` and quotes.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let steps = path.split(['.', '[', ']', '/']).map(|step| step.trim_matches(['"', '\'', ' ']));
    steps.filter(|step| !step.is_empty() && *step != "$")
}

fn missing(value: Value<'_>, step: &str) -> String {
    if value.is_array() {
        return format!("There is no {step} here, but an array with items 0-{}.\n", value.items().count());
    }
    let keys: Vec<_> = value.members().filter_map(|member| member.key.text()).take(40).collect();
    if keys.is_empty() {
        format!("There is no \"{step}\" here; the value has no members.\n")
    } else {
        format!("There is no \"{step}\" here; the members are: {}.\n", keys.join(", "))
    }
}
