//! Edits elements of arrays; every other byte is preserved.

use std::ops::Range;

use serde_json::{Value, json};

use super::{
    edit::{Reader, cut, locate, place, put, set},
    parse, plain,
};

/// Returns the text with this value as a new first element of the array at this path, which is created if missing. `None`
/// if that cannot be done safely.
pub(crate) fn push(text: &str, path: &[&str], value: &Value) -> Option<String> {
    let plain = plain(text);
    let Some(array) = locate(&plain, path) else { return set(text, path, &json!([value])) };
    let next = elements(&plain, array.start)?.first().map(|next| next.start);
    let after = put(text, &plain, array.start, next, &value.to_string())?;
    let mut wanted = parse(text)?;
    place(&mut wanted, path)?.as_array_mut()?.insert(0, value.clone());
    (parse(&after)? == wanted).then_some(after)
}

/// Returns the text without the first element of the array at this path that equals this value. `None` if there is none,
/// or if that cannot be done safely.
pub(crate) fn take(text: &str, path: &[&str], value: &Value) -> Option<String> {
    let plain = plain(text);
    let elements = elements(&plain, locate(&plain, path)?.start)?;
    let is_it = |place: &Range<usize>| {
        let element = plain.get(place.clone()).and_then(|text| serde_json::from_str::<Value>(text).ok());
        element.as_ref() == Some(value)
    };
    let at = elements.iter().position(is_it)?;
    let after = cut(text, &plain, &elements, at)?;
    let mut wanted = parse(text)?;
    let array = place(&mut wanted, path)?.as_array_mut()?;
    (at < array.len()).then(|| array.remove(at))?;
    (parse(&after)? == wanted).then_some(after)
}

/// The elements of the array that begins at this offset of a JSON text without comments.
fn elements(plain: &str, at: usize) -> Option<Vec<Range<usize>>> {
    let mut reader = Reader { text: plain, at };
    reader.take('[')?;
    let mut elements = Vec::new();
    loop {
        reader.skip_space();
        if reader.take(']').is_some() {
            return Some(elements);
        }
        if !elements.is_empty() {
            reader.take(',')?;
            reader.skip_space();
        }
        let start = reader.at;
        elements.push(start..reader.value()?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_go_in_first_and_out_again() {
        let value = json!({"a": [1, "]"]});
        for (text, after) in [
            ("{}", "{\n  \"x\": {\"y\": [{\"a\":[1,\"]\"]}]}\n}"),
            ("{\"x\": {\"y\": []}}", "{\"x\": {\"y\": [\n  {\"a\":[1,\"]\"]}\n]}}"),
            (
                "{\"x\": {\"y\": [\n    1, // one\n    2,\n  ]}}",
                "{\"x\": {\"y\": [\n    {\"a\":[1,\"]\"]},\n    1, // one\n    2,\n  ]}}",
            ),
            ("{\"x\": {\"y\": [-1]}}", "{\"x\": {\"y\": [{\"a\":[1,\"]\"]},-1]}}"),
        ] {
            let pushed = push(text, &["x", "y"], &value);
            assert_eq!(pushed.as_deref(), Some(after), "{text}");
            let taken = take(after, &["x", "y"], &value).unwrap();
            let mut before = parse(text).unwrap();
            if before == json!({}) {
                before = json!({"x": {"y": []}});
            }
            assert_eq!(parse(&taken), Some(before), "{taken}");
        }
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        for text in ["[]", "nonsense", "{\"x\": 1}", "{\"x\": {\"y\": {}}}", "{\"x\": {\"y\": null}}"] {
            assert_eq!(push(text, &["x", "y"], &json!(1)), None, "{text}");
            assert_eq!(take(text, &["x", "y"], &json!(1)), None, "{text}");
        }
        assert_eq!(take("{\"x\": [2, 3]}", &["x"], &json!(1)), None);
        assert_eq!(take("{\"x\": [2, 1, 3]}", &["x"], &json!(1)).as_deref(), Some("{\"x\": [2, 3]}"));
        assert_eq!(take("{\"x\": [2, 1]}", &["x"], &json!(1)).as_deref(), Some("{\"x\": [2 ]}"));
    }
}
