//! Tells JSON from other text by its brackets, without parsing it.

use crate::lexeme::{container_end, string_end};

/// Whether the text looks like one JSON object or array: the brackets close at the end of the text, and the
/// start is unlike that of a log line or a list. The parser decides.
///
/// ```
/// use headroom_json::is_plausible;
///
/// assert!(is_plausible(r#" {"a": [1]} "#));
/// assert!(!is_plausible("[INFO] started [ok]"));
/// ```
#[must_use]
pub fn is_plausible(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t', '\r', '\n']).as_bytes();
    match text {
        [b'{', inside @ .., b'}'] => starts_object(inside.trim_ascii_start()) && is_whole(text),
        [b'[', inside @ .., b']'] => starts_array(inside.trim_ascii_start()) && is_whole(text),
        _ => false,
    }
}

fn starts_object(inside: &[u8]) -> bool {
    match inside {
        [] => true,
        [b'"', ..] => string_end(inside, 0)
            .and_then(|end| inside.get(end..))
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(b":")),
        _ => false,
    }
}

fn starts_array(inside: &[u8]) -> bool {
    let rest = match inside {
        [] | [b'{' | b'[', ..] => return true,
        [b'"', ..] => string_end(inside, 0).and_then(|end| inside.get(end..)),
        [b'-' | b'0'..=b'9', ..] => {
            let number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
            inside.get(inside.iter().take_while(|byte| number(byte)).count()..)
        }
        _ => ["true", "false", "null"].iter().find_map(|word| inside.strip_prefix(word.as_bytes())),
    };
    // The closing bracket is not in `inside`.
    rest.is_some_and(|rest| matches!(rest.trim_ascii_start(), [] | [b',', ..]))
}

/// Whether the first bracket closes at the end.
fn is_whole(text: &[u8]) -> bool {
    container_end(text, 0) == Some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_values_are_plausible() {
        for text in [
            "{}",
            "[]",
            " [ ]\n",
            r#"{"a":1}"#,
            "{\n  \"a\\\"}\" : [1]\n}\r\n",
            "[1, 2]",
            "[-1.5e9]",
            r#"["a"]"#,
            r#"["a]", "b"]"#,
            "[[1],[2]]",
            r#"[{"a":{}}]"#,
            "[true, null]",
            "[null]",
        ] {
            assert!(is_plausible(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        for text in [
            "",
            "1",
            r#""a""#,
            "[INFO] done [ok]",
            "[1] 4242 [2]",
            "[2024-01-01 10:00:00] started [ok]",
            "[====>   ]",
            "{a: 1}",
            "{ return x; }",
            r#"{"a":1"#,
            "{\"a\":1}\n{\"a\":2}",
            "[1]\n[2]",
            "[\"unterminated]",
            "[nullable]",
            r#"{"code" 1}"#,
        ] {
            assert!(!is_plausible(text), "{text}");
        }
    }
}
