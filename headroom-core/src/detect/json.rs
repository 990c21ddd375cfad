use crate::json::string_scan::quote_or_backslash;

/// Whether the text looks like one JSON object or array: the brackets close at the end of the text, and the
/// start is unlike that of a log line or a list. The parser decides.
pub(super) fn is_plausible(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t', '\r', '\n']).as_bytes();
    match text {
        [b'{', inside @ .., b'}'] => starts_object(inside.trim_ascii_start()) && is_one_value(text),
        [b'[', inside @ .., b']'] => starts_array(inside.trim_ascii_start()) && is_one_value(text),
        _ => false,
    }
}

fn starts_object(inside: &[u8]) -> bool {
    match inside {
        [] => true,
        [b'"', rest @ ..] => string_end(rest)
            .and_then(|end| rest.get(end..))
            .is_some_and(|rest| rest.trim_ascii_start().starts_with(b":")),
        _ => false,
    }
}

fn starts_array(inside: &[u8]) -> bool {
    let rest = match inside {
        [] | [b'{' | b'[', ..] => return true,
        [b'"', rest @ ..] => string_end(rest).and_then(|end| rest.get(end..)),
        [b'-' | b'0'..=b'9', ..] => {
            let number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
            inside.get(inside.iter().take_while(|byte| number(byte)).count()..)
        }
        _ => ["true", "false", "null"].iter().find_map(|word| inside.strip_prefix(word.as_bytes())),
    };
    // The closing bracket is not in `inside`.
    rest.is_some_and(|rest| matches!(rest.trim_ascii_start(), [] | [b',', ..]))
}

/// Whether the brackets are balanced and close only at the end.
fn is_one_value(text: &[u8]) -> bool {
    value_length(text) == Some(text.len())
}

/// Returns the length of the array or object that starts here, by its brackets.
pub(crate) fn value_length(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            b'"' => at += text.get(at..).and_then(string_end)?,
            _ => {}
        }
    }
    None
}

/// Returns the offset after the closing quote of the string whose inside starts here.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += quote_or_backslash(text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
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
