//! Compares a decoded rendering with its original.

use super::decode::ASIDE;

/// Checks that the decoded text equals the original, except for elided rows and strings with a marker.
pub(in super::super) fn covers(decoded: &str, original: &str) -> Result<(), String> {
    let (mut decoded, mut original) = (decoded, original);
    loop {
        decoded = decoded.trim_start_matches('\n');
        let Some(first) = decoded.chars().next() else {
            return if original.is_empty() { Ok(()) } else { Err(format!("missing: {original:.80?}")) };
        };
        let (left, right) = match first {
            '~' => (ASIDE, one_value(original)),
            '"' => (one_value(decoded), one_value(original)),
            _ => (&decoded[..first.len_utf8()], &original[..original.len().min(first.len_utf8())]),
        };
        let partial = left == ASIDE || left.contains("[headroom:");
        if left != right && !partial {
            return Err(format!("{left:.80?} is {right:.80?} in the original"));
        }
        decoded = &decoded[left.len()..];
        original = &original[right.len()..];
    }
}

/// Returns the JSON value at the start of a text without white space.
fn one_value(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => {
                quoted = !quoted;
                if !quoted && depth == 0 {
                    return &text[..=at];
                }
            }
            _ if quoted => {}
            '[' | '{' => depth += 1,
            ']' | '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return &text[..=at];
                }
            }
            ',' | ']' | '}' if depth == 0 => return &text[..at],
            _ => {}
        }
    }
    text
}

/// Removes the white space between tokens of valid JSON.
pub(in super::super) fn minify(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\n' | '\r' | '\t' => {}
            '"' => {
                out.push('"');
                loop {
                    let c = chars.next().unwrap();
                    out.push(c);
                    match c {
                        '\\' => out.push(chars.next().unwrap()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            _ => out.push(c),
        }
    }
    out
}
