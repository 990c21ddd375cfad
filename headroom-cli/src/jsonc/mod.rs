//! Reads JSON with comments and trailing commas, as in the settings of editors and agents.

mod edit;
mod list;

use serde_json::Value;

pub(crate) use self::{
    edit::{insert, raw, remove, set},
    list::{push, take},
};

/// Parses the value; `None` if it is not JSON even without comments.
pub(crate) fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(&plain(text)).ok()
}

/// Replaces every byte of a comment and every trailing comma by a space. Offsets are preserved.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    // The offset of a comma that only white space has followed.
    let mut comma = None;
    if characters.peek() == Some(&'\u{feff}') {
        characters.next();
        plain.push_str("   ");
    }
    while let Some(c) = characters.next() {
        match (c, characters.peek()) {
            ('"', _) => {
                comma = None;
                plain.push('"');
                copy_string(&mut characters, &mut plain);
            }
            ('/', Some('/')) => {
                plain.push(' ');
                while let Some(c) = characters.next_if(|c| *c != '\n') {
                    blank(&mut plain, c);
                }
            }
            ('/', Some('*')) => {
                // The star that opens the comment does not close it.
                characters.next();
                plain.push_str("  ");
                blank_comment(&mut characters, &mut plain);
            }
            (',', _) => {
                // A comma that follows nothing is an error, not a trailing comma.
                comma = Some(plain.len()).filter(|_| !plain.trim_end().ends_with(['{', '[', ',']));
                plain.push(',');
            }
            ('}' | ']', _) => {
                if let Some(at) = comma.take() {
                    plain.replace_range(at..=at, " ");
                }
                plain.push(c);
            }
            _ => {
                if !c.is_whitespace() {
                    comma = None;
                }
                plain.push(c);
            }
        }
    }
    plain
}

/// Copies the rest of a string, up to its closing quote.
fn copy_string(characters: &mut impl Iterator<Item = char>, plain: &mut String) {
    let mut escaped = false;
    for c in characters {
        plain.push(c);
        match c {
            '"' if !escaped => break,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
}

/// Blanks the rest of a comment, up to its end.
fn blank_comment(characters: &mut impl Iterator<Item = char>, plain: &mut String) {
    let mut last = ' ';
    for c in characters {
        blank(plain, c);
        if (last, c) == ('*', '/') {
            break;
        }
        last = c;
    }
}

fn blank(plain: &mut String, c: char) {
    match c {
        '\n' | '\r' => plain.push(c),
        _ => plain.extend(std::iter::repeat_n(' ', c.len_utf8())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn comments_and_trailing_commas_are_read_over() {
        let text =
            "\u{feff}// é\n{\"a\": [1, 2, /* x, */ ], // y\n \"b//\": \"/* \\\" */,]\", /**/ \"c\": {},\n}";
        assert_eq!(parse(text), Some(json!({"a": [1, 2], "b//": "/* \" */,]", "c": {}})));
        assert_eq!(plain(text).len(), text.len());
    }

    #[test]
    fn what_is_no_json_is_none() {
        for text in ["", "{", "{,}", "[1,,]", "// only", "/* open", "\"open"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
