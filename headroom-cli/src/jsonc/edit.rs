//! Inserts and removes members of an object by editing the text, so that comments, order and spacing are preserved.

use std::ops::Range;

use serde_json::Value;

use super::{parse, plain};

/// Returns the text with `value` under `name` in the object `parent` of the outermost object, which is created if
/// missing. `None` if that cannot be done safely, or if the name is taken.
pub(crate) fn insert(text: &str, parent: &str, name: &str, value: &Value) -> Option<String> {
    if raw(text, &[parent, name]).is_some() {
        return None;
    }
    set(text, &[parent, name], value)
}

/// Returns the text with `value` at the end of this path of names. Missing objects on the way are created, and an
/// existing value is replaced. `None` if that cannot be done safely.
pub(crate) fn set(text: &str, path: &[&str], value: &Value) -> Option<String> {
    let before = if text.trim().is_empty() { "{}\n" } else { text };
    let plain = plain(before);
    let mut target = plain.find('{')?;
    let mut rest = path;
    let after = loop {
        let members = object(&plain, target)?;
        let (name, deeper) = rest.split_first()?;
        match members.iter().find(|member| member.name == *name) {
            Some(member) if deeper.is_empty() => {
                let mut after = before.to_owned();
                after.replace_range(member.value.clone(), &value.to_string());
                break after;
            }
            Some(member) => (target, rest) = (member.value.start, deeper),
            None => {
                let entry = format!("{}: {}", Value::from(*name), nested(deeper, value));
                break put(before, &plain, target, members.first().map(|next| next.key), &entry)?;
            }
        }
    };
    let mut wanted = parse(before)?;
    place(&mut wanted, path)?.clone_from(value);
    (parse(&after)? == wanted).then_some(after)
}

/// Nests the value in objects of these names.
fn nested(path: &[&str], value: &Value) -> String {
    path.iter().rfold(value.to_string(), |inner, name| format!("{{{}: {inner}}}", Value::from(*name)))
}

/// Returns the text with a new first entry in the object or array at `target`. `next` is where its first entry begins now.
pub(super) fn put(
    before: &str,
    plain: &str,
    target: usize,
    next: Option<usize>,
    entry: &str,
) -> Option<String> {
    let at = target + 1;
    // Indented like the next entry; two spaces deeper than the bracket's line if there is none.
    let lead = match next {
        Some(next) => plain
            .get(at..next)?
            .rsplit_once('\n')
            .map_or_else(String::new, |(_, indent)| format!("\n{indent}")),
        None => {
            let line = before.get(..target)?.rsplit('\n').next()?;
            let indent: String = line.chars().take_while(|c| *c == ' ' || *c == '\t').collect();
            format!("\n{indent}  ")
        }
    };
    let end = match next {
        Some(_) => ",".to_owned(),
        // The bracket that closes an empty object moves to a line of its own, unless it has one.
        None if before.get(at..)?.starts_with(['}', ']']) => {
            lead.strip_suffix("  ").unwrap_or_default().to_owned()
        }
        None => String::new(),
    };
    let (head, tail) = before.split_at_checked(at)?;
    Some(format!("{head}{lead}{entry}{end}{tail}"))
}

/// The value at this path, created if missing.
pub(super) fn place<'a>(root: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter().try_fold(root, |value, name| {
        if value.is_null() {
            *value = Value::Object(serde_json::Map::new());
        }
        Some(value.as_object_mut()?.entry(*name).or_insert(Value::Null))
    })
}

/// The text of the value at this path; `None` if there is none.
pub(crate) fn raw<'a>(text: &'a str, path: &[&str]) -> Option<&'a str> {
    text.get(locate(&plain(text), path)?)
}

/// Where the value at this path is in a JSON text without comments.
pub(super) fn locate(plain: &str, path: &[&str]) -> Option<Range<usize>> {
    let mut value = plain.find('{')?..plain.len();
    for name in path {
        value = object(plain, value.start)?.into_iter().find(|member| member.name == *name)?.value;
    }
    Some(value)
}

/// Returns the text without the member at this path. `None` if that cannot be done safely.
pub(crate) fn remove(text: &str, path: &[&str]) -> Option<String> {
    let plain = plain(text);
    let (name, parents) = path.split_last()?;
    let mut parent = plain.find('{')?;
    for name in parents {
        let members = object(&plain, parent)?;
        parent = members.iter().find(|member| member.name == *name)?.value.start;
    }
    let members = object(&plain, parent)?;
    let at = members.iter().position(|member| member.name == *name)?;
    let places: Vec<_> = members.iter().map(|member| member.key..member.value.end).collect();
    let after = cut(text, &plain, &places, at)?;
    let mut wanted = parse(text)?;
    let object = parents.iter().try_fold(&mut wanted, |value, name| value.get_mut(*name))?;
    object.as_object_mut()?.remove(*name)?;
    (parse(&after)? == wanted).then_some(after)
}

/// Returns the text without one of the entries of an object or array.
pub(super) fn cut(text: &str, plain: &str, entries: &[Range<usize>], at: usize) -> Option<String> {
    let entry = entries.get(at)?;
    let mut after = text.to_owned();
    match (entries.get(at + 1), at.checked_sub(1).and_then(|before| entries.get(before))) {
        // With its comma and the space after that; comments are preserved.
        (Some(next), _) => {
            let comma = entry.end + plain.get(entry.end..next.start)?.find(',')? + 1;
            let rest = text.get(comma..)?;
            after.replace_range(entry.start..comma + rest.len() - rest.trim_start().len(), "");
        }
        (None, Some(last)) => {
            let comma = last.end + plain.get(last.end..entry.start)?.find(',')?;
            after.replace_range(entry.clone(), "");
            after.replace_range(comma..=comma, "");
        }
        (None, None) => after.replace_range(entry.clone(), ""),
    }
    Some(after)
}

/// The position of a member.
struct JsoncMember {
    name: String,
    key: usize,
    value: Range<usize>,
}

/// The members of the object that begins at or after this offset of a JSON text without comments.
fn object(plain: &str, at: usize) -> Option<Vec<JsoncMember>> {
    let mut reader = Reader { text: plain, at };
    reader.skip_space();
    reader.take('{')?;
    let mut members = Vec::new();
    loop {
        reader.skip_space();
        if reader.take('}').is_some() {
            return Some(members);
        }
        if !members.is_empty() {
            reader.take(',')?;
            reader.skip_space();
        }
        let key = reader.at;
        let end = reader.value()?;
        let name = serde_json::from_str(plain.get(key..end)?).ok()?;
        reader.skip_space();
        reader.take(':')?;
        reader.skip_space();
        let start = reader.at;
        let end = reader.value()?;
        members.push(JsoncMember { name, key, value: start..end });
    }
}

/// Walks over a text that is known to be JSON.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    pub(super) fn take(&mut self, c: char) -> Option<()> {
        self.rest().starts_with(c).then(|| self.at += c.len_utf8())
    }

    /// Skips a value and returns its end.
    pub(super) fn value(&mut self) -> Option<usize> {
        let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
        for (offset, c) in self.rest().char_indices() {
            let end = self.at + offset;
            if in_string {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '"' => in_string = false,
                    _ => continue,
                }
                if !in_string && depth == 0 {
                    self.at = end + 1;
                    return Some(self.at);
                }
                continue;
            }
            match c {
                '"' => in_string = true,
                '{' | '[' => depth += 1,
                '}' | ']' if depth > 0 => {
                    depth -= 1;
                    if depth == 0 {
                        self.at = end + 1;
                        return Some(self.at);
                    }
                }
                ',' | '}' | ']' | ' ' | '\t' | '\n' | '\r' | ':' if depth == 0 => {
                    self.at = end;
                    return (offset > 0).then_some(end);
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_go_in_where_the_text_has_room() {
        let value = json!({"command": "h"});
        for (text, after) in [
            ("", "{\n  \"servers\": {\"headroom\": {\"command\":\"h\"}}\n}\n"),
            ("{}", "{\n  \"servers\": {\"headroom\": {\"command\":\"h\"}}\n}"),
            (
                "{\n    // mine\n    \"a\": 1, // one\n}\n",
                "{\n    \"servers\": {\"headroom\": {\"command\":\"h\"}},\n    // mine\n    \"a\": 1, // one\n}\n",
            ),
            (
                "{\"servers\": {\"x\": {\"a\": [\"}\", 1]}}}",
                "{\"servers\": {\"headroom\": {\"command\":\"h\"},\"x\": {\"a\": [\"}\", 1]}}}",
            ),
            (
                "{\n\t\"servers\": {\n\t\t\"x\": {}, /* , */\n\t}\n}",
                "{\n\t\"servers\": {\n\t\t\"headroom\": {\"command\":\"h\"},\n\t\t\"x\": {}, /* , */\n\t}\n}",
            ),
            (
                "{\n  \"servers\": {},\n  \"b\": 2\n}",
                "{\n  \"servers\": {\n    \"headroom\": {\"command\":\"h\"}\n  },\n  \"b\": 2\n}",
            ),
        ] {
            assert_eq!(insert(text, "servers", "headroom", &value).as_deref(), Some(after), "{text}");
            let removed = remove(after, &["servers", "headroom"]).unwrap();
            let mut without = parse(after).unwrap();
            without["servers"].as_object_mut().unwrap().remove("headroom");
            assert_eq!(parse(&removed), Some(without), "{removed}");
            for comment in ["// mine", "// one", "/* , */"] {
                assert_eq!(removed.contains(comment), text.contains(comment));
            }
        }
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        let value = json!(1);
        for text in [
            "[]",
            "{",
            "nonsense",
            "{\"servers\": []}",
            "{\"servers\": {\"headroom\": 2}}",
            // The first one is found, but the second one counts.
            "{\"servers\": {}, \"servers\": {\"x\": 1}}",
        ] {
            assert_eq!(insert(text, "servers", "headroom", &value), None, "{text}");
        }
        for text in ["{}", "{\"servers\": {}}", "{\"servers\": {\"headroom\": 1, \"headroom\": 2}}"] {
            assert_eq!(remove(text, &["servers", "headroom"]), None, "{text}");
        }
    }

    #[test]
    fn a_member_goes_wherever_it_stands() {
        for (text, after) in [
            ("{\"s\": {\"a\": 1, \"h\": {}, \"b\": -2}}", "{\"s\": {\"a\": 1, \"b\": -2}}"),
            ("{\"s\": {\"a\": true, \"h\": \"x\\\"}\"}}", "{\"s\": {\"a\": true }}"),
            ("{\"s\": {\"h\": 1, // c\n \"b\": 2}}", "{\"s\": {// c\n \"b\": 2}}"),
            ("{\"s\": {\"h\": 1}}", "{\"s\": {}}"),
        ] {
            assert_eq!(remove(text, &["s", "h"]).as_deref(), Some(after));
        }
    }

    #[test]
    fn a_value_is_set_at_any_depth() {
        let url = json!("http://p");
        for (text, after) in [
            ("{}", "{\n  \"a\": {\"b\": {\"c\": \"http://p\"}}\n}"),
            ("{\"a\": {\"b\": {\"c\": 1}}} // x", "{\"a\": {\"b\": {\"c\": \"http://p\"}}} // x"),
            ("{\"a\": {\"x\": 1}}", "{\"a\": {\"b\": {\"c\": \"http://p\"},\"x\": 1}}"),
        ] {
            assert_eq!(set(text, &["a", "b", "c"], &url).as_deref(), Some(after), "{text}");
            assert_eq!(raw(after, &["a", "b", "c"]), Some("\"http://p\""));
        }
        assert_eq!(set("{\"a\": [1]}", &["a", "b"], &url), None);
        assert_eq!(set("{\"a\": null}", &["a", "b"], &url), None);
        assert_eq!(raw("{\"a\": {\"b\": /* c */ [1, {}] }}", &["a", "b"]), Some("[1, {}]"));
        assert_eq!(raw("nonsense", &["a"]), None);
    }
}
