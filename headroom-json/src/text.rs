//! Decodes and encodes JSON strings, and maps decoded offsets back to raw ones.

use std::borrow::Cow;

use memchr::memchr;

/// The content of a JSON string as it is written, without its quotes.
///
/// Its escapes must be those of RFC 8259, as in all strings of a [`Tape`](crate::Tape).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The content with its escapes.
    pub raw: &'a str,
    /// Offset of `raw` in the text that was parsed.
    pub start: usize,
    /// Whether `raw` has escapes. If not, it is the text.
    pub escaped: bool,
}

impl<'a> Text<'a> {
    /// Decodes the string. Returns `None` if it contains half of a surrogate pair.
    ///
    /// ```
    /// use headroom_json::Text;
    ///
    /// let text = |raw| Text { raw, start: 0, escaped: true };
    /// assert_eq!(text(r"caf\u00e9").decode().as_deref(), Some("café"));
    /// assert_eq!(text(r"\ud83d").decode(), None);
    /// ```
    #[must_use]
    pub fn decode(self) -> Option<Cow<'a, str>> {
        if !self.escaped {
            return Some(Cow::Borrowed(self.raw));
        }
        let mut text = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = memchr(b'\\', rest.as_bytes()) {
            let (plain, escape) = rest.split_at_checked(at)?;
            text.push_str(plain);
            let (character, length) = unescape(escape)?;
            text.push(character);
            rest = escape.get(length..)?;
        }
        text.push_str(rest);
        // Decoded JSON in JSON is a fifth shorter than its raw form, and lives as long as its block is processed.
        text.shrink_to_fit();
        Some(Cow::Owned(text))
    }
}

/// Returns the character of the escape at the start of `raw`, and the length of the escape.
fn unescape(raw: &str) -> Option<(char, usize)> {
    let simple = |character| Some((character, 2));
    match raw.as_bytes().get(1)? {
        b'n' => simple('\n'),
        b't' => simple('\t'),
        b'r' => simple('\r'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        byte @ (b'"' | b'\\' | b'/') => simple(char::from(*byte)),
        b'u' => {
            let first = unit(raw)?;
            if let Some(character) = char::from_u32(first) {
                return Some((character, 6));
            }
            let second = raw.get(6..).filter(|rest| rest.starts_with("\\u")).and_then(unit)?;
            let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
            Some((char::decode_utf16(pair).next()?.ok()?, 12))
        }
        _ => None,
    }
}

/// Returns the UTF-16 code unit of the `\uXXXX` at the start of `raw`.
fn unit(raw: &str) -> Option<u32> {
    u32::from_str_radix(raw.get(2..6)?, 16).ok()
}

/// Maps offsets of a decoded text to offsets of its raw string, in ascending order.
///
/// ```
/// use headroom_json::{RawOffsets, Text};
///
/// let mut offsets = RawOffsets::new(Text { raw: r"a\u00e9b", start: 0, escaped: true });
/// assert_eq!(offsets.at("aé".len()), Some(r"a\u00e9".len()));
/// assert_eq!(offsets.at(0), None, "an earlier call had a greater offset");
/// ```
#[derive(Clone, Debug)]
pub struct RawOffsets<'a> {
    rest: &'a str,
    escaped: bool,
    raw: usize,
    decoded: usize,
}

impl<'a> RawOffsets<'a> {
    /// Starts at the beginning of a string.
    #[must_use]
    pub const fn new(text: Text<'a>) -> Self {
        Self { rest: text.raw, escaped: text.escaped, raw: 0, decoded: 0 }
    }

    /// Returns the raw offset of this decoded offset, or `None` if it is inside a character, past the end, or before an
    /// earlier call's offset.
    pub fn at(&mut self, decoded: usize) -> Option<usize> {
        let mut missing = decoded.checked_sub(self.decoded)?;
        while missing > 0 {
            let plain = if self.escaped { memchr(b'\\', self.rest.as_bytes()) } else { None };
            let plain = plain.unwrap_or(self.rest.len()).min(missing);
            let (raw, text) = if plain > 0 {
                (plain, plain)
            } else {
                let (character, length) = unescape(self.rest)?;
                (length, character.len_utf8())
            };
            missing = missing.checked_sub(text)?;
            self.rest = self.rest.get(raw..)?;
            self.raw += raw;
            self.decoded += text;
        }
        Some(self.raw)
    }
}

/// Appends `text` as the content of a JSON string.
///
/// ```
/// let mut out = String::new();
/// headroom_json::escape_into("say \"hi\"\n", &mut out);
/// assert_eq!(out, r#"say \"hi\"\n"#);
/// ```
pub fn escape_into(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'\n' => 'n',
            b'\t' => 't',
            b'\r' => 'r',
            0x08 => 'b',
            0x0c => 'f',
            0..=0x1f => 'u',
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push('\\');
        out.push(short);
        if short == 'u' {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            out.extend(['0', '0', digit(byte >> 4), digit(byte & 15)]);
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

/// Returns a text as a JSON string.
///
/// ```
/// assert_eq!(headroom_json::quote("a\tb"), r#""a\tb""#);
/// ```
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16 + 2);
    out.push('"');
    escape_into(text, &mut out);
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(raw: &str) -> Text<'_> {
        Text { raw, start: 0, escaped: raw.contains('\\') }
    }

    #[test]
    fn half_a_surrogate_pair_is_not_decoded() {
        assert_eq!(text(r"a\ud83d").decode(), None);
        assert_eq!(text(r"\ude00\ud83d").decode(), None);
        assert_eq!(text(r"\ud83d\u0041").decode(), None);
        assert_eq!(text(r"\ud83d\ude00").decode().unwrap(), "😀");
    }

    proptest! {
        #[test]
        fn escaping_is_undone_by_decoding(original in any::<String>()) {
            let mut raw = String::new();
            escape_into(&original, &mut raw);
            prop_assert_eq!(text(&raw).decode().unwrap(), original.as_str());
            prop_assert_eq!(serde_json::from_str::<String>(&quote(&original)).unwrap(), original.as_str());
            prop_assert_eq!(quote(&original), serde_json::Value::from(original).to_string());
        }

        #[test]
        fn raw_offsets_split_where_the_text_splits(pieces in prop::collection::vec(
            prop::sample::select(vec!["a", "é", r"\n", r"\u00e9", r"\ud83d\ude00", r"\/", "😀", r#"\""#]), 0..40)) {
            let raw = pieces.concat();
            let whole = text(&raw).decode().unwrap().into_owned();
            let mut offsets = RawOffsets::new(text(&raw));
            for (at, _) in whole.char_indices() {
                let (left, right) = raw.split_at(offsets.at(at).unwrap());
                prop_assert_eq!(text(left).decode().unwrap(), &whole[..at]);
                prop_assert_eq!(text(right).decode().unwrap(), &whole[at..]);
            }
        }
    }
}
