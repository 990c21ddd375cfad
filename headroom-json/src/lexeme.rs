//! The parts of JSON that are no structure: white space, strings, numbers and literals (RFC 8259 §2, §6, §7).

use crate::string_scan::{quote_or_backslash, string_stop};

/// A string, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StringContent {
    pub(crate) start: usize,
    /// The offset of the closing quote.
    pub(crate) end: usize,
    /// Whether it has a backslash.
    pub(crate) escaped: bool,
}

/// Whether a byte is insignificant white space between tokens.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Returns the offset of the first byte from `at` on that is not white space.
#[inline]
pub(crate) fn skip_space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_space(**byte)).count()
}

/// Reads the string whose opening quote is at `at`, and checks it.
#[inline]
pub(crate) fn string(bytes: &[u8], at: usize) -> Option<StringContent> {
    let start = at + 1;
    let mut at = start;
    let mut escaped = false;
    loop {
        at += string_stop(bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some(StringContent { start, end: at, escaped }),
            b'\\' => escaped = true,
            // A control character must be escaped.
            _ => return None,
        }
        at += match bytes.get(at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
    }
}

/// Returns the offset after the string whose opening quote is at `at`. Its content is not checked.
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += quote_or_backslash(bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Returns the offset after the number at `at`.
pub(crate) fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize| {
        let count = bytes.get(from..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let mut at = at + usize::from(bytes.get(at) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        at = digits(at + usize::from(matches!(bytes.get(at), Some(b'+' | b'-'))))?;
    }
    Some(at)
}

/// Returns the offset after the `true`, `false` or `null` at `at`.
pub(crate) fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let word: &[u8] = match bytes.get(at)? {
        b't' => b"true",
        b'f' => b"false",
        b'n' => b"null",
        _ => return None,
    };
    let end = at + word.len();
    (bytes.get(at..end) == Some(word)).then_some(end)
}

/// Returns the offset after the array or object whose bracket is at `at`. Only brackets and strings are read.
pub(crate) fn container_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Whether a text is one JSON number.
///
/// ```
/// assert!(headroom_json::is_number("-1.50e9"));
/// assert!(!headroom_json::is_number("01") && !headroom_json::is_number("1 "));
/// ```
#[must_use]
#[inline]
pub fn is_number(text: &str) -> bool {
    number_end(text.as_bytes(), 0) == Some(text.len())
}

/// Appends JSON without the white space between its tokens. The text must be JSON, or a part of it that begins and ends
/// between tokens.
///
/// ```
/// let mut out = String::new();
/// headroom_json::minify("{ \"a b\" : [ 1.50 , \"x  y\\n\" ] }", &mut out);
/// assert_eq!(out, r#"{"a b":[1.50,"x  y\n"]}"#);
/// ```
pub fn minify(text: &str, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'"', rest.as_bytes()).unwrap_or(rest.len());
        let (between, strings) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let words = between.split(|c: char| u8::try_from(c).is_ok_and(is_space));
        words.for_each(|word| out.push_str(word));
        let end = string_end(strings.as_bytes(), 0).unwrap_or(strings.len());
        let (string, behind) = strings.split_at_checked(end).unwrap_or((strings, ""));
        out.push_str(string);
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_a_number_agrees_with_serde_json(text in "-?[0-9.eE+-]{0,8}") {
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_number(&text), expected);
        }

        #[test]
        fn a_checked_string_ends_where_an_unchecked_one_does(text in r#""[a\\"/nu0 é\n]{0,24}"#) {
            let bytes = text.as_bytes();
            if let Some(content) = string(bytes, 0) {
                prop_assert_eq!(string_end(bytes, 0), Some(content.end + 1));
                prop_assert_eq!(content.escaped, text[content.start..content.end].contains('\\'));
            }
        }
    }
}
