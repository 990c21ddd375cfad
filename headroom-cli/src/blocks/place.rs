use serde_json::Value;

/// Returns the text at a path such as `messages[2].content[0].content`, before and after.
///
/// If the value is not a string (some APIs have structured results), returns the string in it with index `changed`
/// among those that differ.
pub(crate) fn texts(before: &Value, after: &Value, path: &str, changed: usize) -> Option<(String, String)> {
    let (before, after) = (find(before, path)?, find(after, path)?);
    if let (Some(before), Some(after)) = (before.as_str(), after.as_str()) {
        return Some((before.to_owned(), after.to_owned()));
    }
    let (mut old, mut new) = (Vec::new(), Vec::new());
    strings(before, &mut old);
    strings(after, &mut new);
    let pair = old.into_iter().zip(new).filter(|(old, new)| old != new).nth(changed);
    pair.map(|(old, new)| (old.to_owned(), new.to_owned()))
}

fn find<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = root;
    for step in path.split('.') {
        let (key, indexes) = step.split_once('[').unwrap_or((step, ""));
        if !key.is_empty() {
            value = value.get(key)?;
        }
        for index in indexes.split('[').filter(|index| !index.is_empty()) {
            value = value.get(index.strip_suffix(']')?.parse::<usize>().ok()?)?;
        }
    }
    Some(value)
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(members) => members.values().for_each(|member| strings(member, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_their_texts() {
        let before = json!({"messages": [{}, {"content": [{"content": "old"}]}], "n": 1});
        let after = json!({"messages": [{}, {"content": [{"content": "new"}]}], "n": 1});
        let pair = Some(("old".to_owned(), "new".to_owned()));
        assert_eq!(texts(&before, &after, "messages[1].content[0].content", 0), pair);
        for path in ["messages[2].content", "messages[x]", "n"] {
            assert_eq!(texts(&before, &after, path, 0), None, "{path}");
        }
    }

    #[test]
    fn of_a_value_it_is_what_changed() {
        let before = json!({"response": {"a": "one", "b": ["same", "two"]}});
        let after = json!({"response": {"a": "1", "b": ["same", "2"]}});
        let pair = |n| texts(&before, &after, "response", n);
        assert_eq!(pair(0), Some(("one".to_owned(), "1".to_owned())));
        assert_eq!(pair(1), Some(("two".to_owned(), "2".to_owned())));
        assert_eq!(pair(2), None);
    }
}
