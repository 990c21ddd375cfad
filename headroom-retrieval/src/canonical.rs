//! Normalises JSON for comparison and hashing.
//!
//! Clients serialise a conversation differently each time: they move cache markers, write one text as a string or as a
//! list, and reorder members. It is still the same conversation.

use blake3::Hasher;
use headroom_json::{Value, quote};

/// Levels of an item that are normalised. Deeper values are hashed verbatim, so that work stays linear.
const ITEM_DEPTH: usize = 8;
/// Levels of a call's arguments that are normalised.
const ARGUMENTS_DEPTH: usize = 32;

/// Members that control the caching of a block and are not part of its content.
const CACHE_MEMBERS: [&str; 2] = ["cache_control", "prompt_cache_breakpoint"];

/// Adds one item of a conversation to a hash.
pub(crate) fn hash_item(item: Value<'_>, hasher: &mut Hasher) {
    if item.is_string() {
        // A list may be written as the only text of its user.
        hasher.update(b"{");
        token(b'k', "content", hasher);
        hash_content(item, ITEM_DEPTH, hasher);
        token(b'k', "role", hasher);
        token(b's', "user", hasher);
        hasher.update(b"}");
    } else {
        hash(item, ITEM_DEPTH, hasher);
    }
}

/// Adds the value of a member such as `content`: a string is a list of one text.
pub(crate) fn hash_content(content: Value<'_>, depth: usize, hasher: &mut Hasher) {
    match content.inner() {
        Some(text) => {
            hasher.update(b"[");
            token(b't', text, hasher);
            hasher.update(b"]");
        }
        None => hash(content, depth, hasher),
    }
}

fn hash(value: Value<'_>, depth: usize, hasher: &mut Hasher) {
    if let Some(text) = value.inner() {
        token(b's', text, hasher);
    } else if depth == 0 || !(value.is_object() || value.is_array()) {
        token(b'v', value.raw(), hasher);
    } else if let Some(text) = plain_text(value) {
        token(b't', text, hasher);
    } else if value.is_array() {
        hasher.update(b"[");
        value.items().for_each(|item| hash(item, depth - 1, hasher));
        hasher.update(b"]");
    } else {
        hasher.update(b"{");
        let mut members: Vec<_> =
            value.members().filter(|member| !is_silent(member.key, member.value)).collect();
        members.sort_by_key(|member| member.key.inner());
        for member in members {
            token(b'k', member.key.inner().unwrap_or_default(), hasher);
            if member.key.is("content") {
                hash_content(member.value, depth - 1, hasher);
            } else {
                hash(member.value, depth - 1, hasher);
            }
        }
        hasher.update(b"}");
    }
}

/// Returns the text of a part that contains nothing else, still escaped.
fn plain_text(part: Value<'_>) -> Option<&str> {
    let mut text = None;
    for member in part.members() {
        if member.key.is("text") {
            text = member.value.inner();
        } else if member.key.is("type") {
            let kind = member.value.inner()?;
            matches!(kind, "text" | "input_text" | "output_text").then_some(())?;
        } else if !is_silent(member.key, member.value) {
            return None;
        }
    }
    text
}

/// Whether the presence of a member makes no difference.
fn is_silent(key: Value<'_>, value: Value<'_>) -> bool {
    CACHE_MEMBERS.iter().any(|name| key.is(name)) || (key.is("type") && value.is("message"))
}

/// Every token includes its length, so that no two conversations give the same bytes.
fn token(kind: u8, text: &str, hasher: &mut Hasher) {
    hasher.update(&[kind]).update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
}

/// Normalises the arguments of a call: key order, escapes and number formats make no difference. Text that is not JSON
/// is returned as is; missing arguments are an empty object.
pub(crate) fn arguments(text: &str) -> String {
    if text.trim().is_empty() {
        return "{}".to_owned();
    }
    let Some(value) = Value::parse(text) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    write(value, ARGUMENTS_DEPTH, &mut out);
    out
}

fn write(value: Value<'_>, depth: usize, out: &mut String) {
    if value.is_string() {
        match value.text() {
            Some(text) => out.push_str(&quote(&text)),
            None => out.push_str(value.raw()),
        }
    } else if depth > 0 && value.is_object() {
        let mut members: Vec<_> = value.members().map(|member| (member.key.text(), member.value)).collect();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        out.push('{');
        for (at, (key, value)) in members.iter().enumerate() {
            // Readers use the last of several members with the same name.
            if members.get(at + 1).is_some_and(|(next, _)| next == key) {
                continue;
            }
            out.push_str(&quote(key.as_deref().unwrap_or_default()));
            out.push(':');
            write(*value, depth - 1, out);
            out.push(',');
        }
        out.push('}');
    } else if depth > 0 && value.is_array() {
        out.push('[');
        for item in value.items() {
            write(item, depth - 1, out);
            out.push(',');
        }
        out.push(']');
    } else {
        match value.raw().parse::<f64>().ok().filter(|number| number.is_finite()) {
            // Clients write -0 and 1.0 as 1.
            Some(0.0) => out.push('0'),
            Some(number) => out.push_str(&number.to_string()),
            None => out.push_str(value.raw()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hashed(item: &str) -> blake3::Hash {
        let mut hasher = Hasher::new();
        hash_item(Value::parse(item).unwrap(), &mut hasher);
        hasher.finalize()
    }

    #[test]
    fn what_clients_change_without_saying_anything_else_makes_no_difference() {
        let plain = r#"{"role":"user","content":"a\nb"}"#;
        for same in [
            r#"{"role":"user","content":[{"type":"text","text":"a\nb"}]}"#,
            r#"{"role":"user","content":[{"type":"text","text":"a\nb","cache_control":{"type":"ephemeral"}}]}"#,
            r#"{ "type":"message", "role" : "user","content":[{"type":"input_text","text":"a\nb"}] }"#,
            r#""a\nb""#,
        ] {
            assert_eq!(hashed(plain), hashed(same), "{same}");
        }
        for other in [
            r#"{"role":"user","content":"a\nc"}"#,
            r#"{"role":"system","content":"a\nb"}"#,
            r#"{"role":"user","content":[{"type":"text","text":"a\n"},{"type":"text","text":"b"}]}"#,
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":"a\nb"}]}"#,
        ] {
            assert_ne!(hashed(plain), hashed(other), "{other}");
        }
        let result = |content: &str| {
            hashed(&format!(r#"{{"role":"user","content":[{{"type":"tool_result","content":{content}}}]}}"#))
        };
        assert_eq!(result(r#""x""#), result(r#"[{"type":"text","text":"x"}]"#));
        assert_ne!(result(r#""x""#), result(r#"[{"type":"image","source":"x"}]"#));
    }

    #[test]
    fn arguments_are_compared_by_value() {
        let same = [
            r#"{"a": 1.0, "b": ["\u0041", -0.0]}"#,
            r#"{"b":["A",0],"a":1}"#,
            r#"{"b":1,"b":["A",0],"a":1e0}"#,
        ];
        for text in same {
            assert_eq!(arguments(text), arguments(same[0]), "{text}");
        }
        assert_eq!(arguments(""), arguments(" {} "));
        for other in [r#"{"a":1,"b":["A",1]}"#, r#"{"a":"1","b":["A",0]}"#, r#"{"a":1,"b":["A,0"]}"#, "ls"] {
            assert_ne!(arguments(other), arguments(same[0]), "{other}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        let item = format!("{{\"role\":\"user\",\"content\":{deep}}}");
        assert_ne!(hashed(&item), hashed("{}"));
        assert!(arguments(&deep).len() >= deep.len());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in r#"[\[\]{}":, a1e\-.\\]{0,60}"#) {
            arguments(&text);
            if let Some(value) = Value::parse(&text) {
                hash_item(value, &mut Hasher::new());
            }
        }
    }
}
