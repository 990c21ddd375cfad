//! Reads JSON on demand. Values are slices of their text, so they keep its bytes: the order of keys, number formats and
//! every escape.
//!
//! The parser is lenient: it matches brackets and quotes and does not check the rest. Work is linear in the text that
//! is read, and nothing recurses.

use std::{borrow::Cow, fmt};

use crate::{Text, ValueEnds, lexeme, minify};

/// A JSON value within a text.
///
/// ```
/// use headroom_json::Value;
///
/// let text = r#" {"a": [1, {"b": "x\ny"}]} "#;
/// let root = Value::parse(text).expect("one value");
/// let item = root.get("a").and_then(|list| list.items().nth(1)).expect("two items");
/// assert_eq!(item.raw(), r#"{"b": "x\ny"}"#);
/// assert_eq!(&text[item.start()..item.end()], item.raw());
/// assert_eq!(item.get("b").and_then(Value::text).as_deref(), Some("x\ny"));
/// ```
#[derive(Clone, Copy)]
pub struct Value<'a> {
    raw: &'a str,
    start: usize,
    /// Ends of values in the text that was parsed.
    ends: Option<&'a ValueEnds>,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("raw", &self.raw).field("start", &self.start).finish()
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.raw, self.start) == (other.raw, other.start)
    }
}

impl Eq for Value<'_> {}

impl<'a> Value<'a> {
    /// Parses a text that is one value, surrounded by white space at most.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let start = skip_space(text, 0);
        let end = skip_value(text, start)?;
        let value = Self { raw: text.get(start..end)?, start, ends: None };
        (skip_space(text, value.end()) == text.len()).then_some(value)
    }

    /// Parses the object that a text starts with, as if it were all of the text.
    #[must_use]
    pub fn open(text: &'a str) -> Option<Self> {
        let start = skip_space(text, 0);
        let raw = text.get(start..).filter(|raw| raw.starts_with('{'))?;
        Some(Self { raw, start, ends: None })
    }

    /// Does the same as [`open`](Self::open). What is long is not scanned again; the ends must be those of this text.
    #[must_use]
    pub fn open_with(text: &'a str, ends: &'a ValueEnds) -> Option<Self> {
        Some(Self { ends: Some(ends), ..Self::open(text)? })
    }

    /// Returns the value that starts at this byte of this one, ignoring anything after it.
    fn at(self, at: usize) -> Option<Self> {
        let start = self.start + at;
        let known = match self.raw.as_bytes().get(at)? {
            b'"' | b'{' | b'[' => self.ends.and_then(|ends| ends.end(start)),
            _ => None,
        };
        let end = match known {
            Some(end) => end.checked_sub(self.start)?,
            None => skip_value(self.raw, at)?,
        };
        Some(Self { raw: self.raw.get(at..end)?, start, ends: self.ends })
    }

    /// Returns the bytes of the value.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// Returns its start in the text that was parsed.
    #[must_use]
    pub const fn start(self) -> usize {
        self.start
    }

    /// Returns its end in the text that was parsed.
    #[must_use]
    pub const fn end(self) -> usize {
        self.start + self.raw.len()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.raw.starts_with('{')
    }

    /// Whether it is an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        self.raw.starts_with('[')
    }

    /// Whether it is a string.
    #[must_use]
    pub fn is_string(self) -> bool {
        self.raw.starts_with('"')
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.raw == "null"
    }

    /// Whether it is `true`.
    #[must_use]
    pub fn is_true(self) -> bool {
        self.raw == "true"
    }

    /// Returns the content between the quotes of a string, still escaped.
    #[must_use]
    pub fn inner(self) -> Option<&'a str> {
        self.raw.strip_prefix('"')?.strip_suffix('"')
    }

    /// Returns the text of a string. `None` for other values, and for half of a surrogate pair.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.inner()?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        // The parser has not checked the escapes.
        lexeme::string(self.raw.as_bytes(), 0)?;
        Text { raw: inner, start: 1, escaped: true }.decode()
    }

    /// Whether it is this string.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        self.text().is_some_and(|own| own == text)
    }

    /// Returns a number as a count.
    #[must_use]
    pub fn count(self) -> Option<u64> {
        self.raw.parse().ok()
    }

    /// Returns the first member of this name; `None` if there is none or the value is not an object.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.members().find(|member| member.key.is(key)).map(|member| member.value)
    }

    /// Iterates over the members of an object, in order; empty for other values.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        let at = if self.is_object() { 1 } else { self.raw.len() };
        Members { object: self, at }
    }

    /// Returns the members of an object and the items of the array that is the first member of this name. This does the
    /// work of `members` and `items` in one pass.
    #[must_use]
    pub fn members_with_items(self, name: &str) -> (Vec<Member<'a>>, Vec<Self>) {
        let (mut all, mut items) = (Vec::new(), None);
        let mut members = self.members();
        loop {
            let (raw, at) = (self.raw, members.at);
            let wanted = members.key().filter(|(key, value)| {
                items.is_none() && raw.as_bytes().get(*value) == Some(&b'[') && key.is(name)
            });
            let Some((key, start)) = wanted else {
                members.at = at;
                match members.next() {
                    Some(member) => all.push(member),
                    None => return (all, items.unwrap_or_default()),
                }
                continue;
            };
            let mut list = Vec::new();
            let mut end = start + 1;
            while let Some(item) = self.at(skip_separator(raw, end)) {
                end = item.end() - self.start;
                list.push(item);
            }
            end = skip_space(raw, end);
            let array = raw.get(start..end + 1).filter(|array| array.ends_with(']'));
            let Some(array) = array else { return (all, Vec::new()) };
            let value = Self { raw: array, start: start + self.start, ends: self.ends };
            all.push(Member { key, value });
            items = Some(list);
            members.at = end + 1;
        }
    }

    /// Iterates over the items of an array, in order; empty for other values.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        let at = if self.is_array() { 1 } else { self.raw.len() };
        Items { array: self, at }
    }
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Its name, a string.
    pub key: Value<'a>,
    /// Its value.
    pub value: Value<'a>,
}

/// See [`Value::members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    object: Value<'a>,
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        let (key, start) = self.key()?;
        let value = self.object.at(start)?;
        self.at = value.end() - self.object.start;
        Some(Member { key, value })
    }
}

impl<'a> Members<'a> {
    /// Reads the next name, and finds the start of its value.
    fn key(&mut self) -> Option<(Value<'a>, usize)> {
        let raw = self.object.raw;
        let at = std::mem::replace(&mut self.at, raw.len());
        let key = self.object.at(skip_separator(raw, at)).filter(|key| key.is_string())?;
        let colon = skip_space(raw, key.end() - self.object.start);
        (raw.as_bytes().get(colon) == Some(&b':')).then(|| (key, skip_space(raw, colon + 1)))
    }
}

/// See [`Value::items`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    array: Value<'a>,
    at: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let raw = self.array.raw;
        let at = std::mem::replace(&mut self.at, raw.len());
        let item = self.array.at(skip_separator(raw, at))?;
        self.at = item.end() - self.array.start;
        Some(item)
    }
}

/// Writes a value without insignificant white space.
pub fn compact_into(value: Value<'_>, out: &mut String) {
    minify(value.raw, out);
}

fn skip_space(text: &str, at: usize) -> usize {
    lexeme::skip_space(text.as_bytes(), at)
}

fn skip_separator(text: &str, at: usize) -> usize {
    let at = skip_space(text, at);
    if text.as_bytes().get(at) == Some(&b',') { skip_space(text, at + 1) } else { at }
}

/// Returns the end of the value that starts at `at`.
fn skip_value(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.get(at)? {
        b'"' => lexeme::string_end(bytes, at),
        b'{' | b'[' => lexeme::container_end(bytes, at),
        b'-' | b'0'..=b'9' => {
            let part = |byte: &&u8| matches!(byte, b'+' | b'-' | b'.' | b'0'..=b'9' | b'e' | b'E');
            Some(at + bytes.iter().skip(at).take_while(part).count())
        }
        _ => lexeme::literal_end(bytes, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_items_know_their_place() {
        let text = r#" {"a" : [1, {"b":"x\"]}"}, []],"c":null} "#;
        let root = Value::parse(text).unwrap();
        let items: Vec<_> = root.get("a").unwrap().items().collect();
        assert_eq!(items.iter().map(|item| item.raw()).collect::<Vec<_>>(), ["1", r#"{"b":"x\"]}"}"#, "[]"]);
        for item in items {
            assert_eq!(&text[item.start()..item.end()], item.raw());
        }
        let inner = root.get("a").unwrap().items().nth(1).unwrap().get("b").unwrap();
        assert_eq!(inner.text().unwrap(), "x\"]}");
        assert_eq!(&text[inner.start()..inner.end()], inner.raw());
        assert!(root.get("c").unwrap().is_null() && root.get("d").is_none());
    }

    #[test]
    fn what_is_cut_off_is_no_value() {
        for text in ["", "{", "[1", r#""a"#, r#"{"a":"b}"#, "1 2", "[1]]", "x", "truth", r#""\"#] {
            assert!(Value::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn one_pass_gives_what_two_do() {
        for text in [
            r#" {"a":1,"list" : [ {"x":[1]} , "y" ] ,"list":[2],"b":null}"#,
            r#"{"list":[]}"#,
            r#"{"list":"text"}"#,
            r#"{"l":1}"#,
        ] {
            let root = Value::parse(text).unwrap();
            let (members, items) = root.members_with_items("list");
            let pairs = |members: Vec<Member<'_>>| {
                members
                    .iter()
                    .map(|m| (m.key.start(), m.value.start(), m.value.raw().to_owned()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(pairs(members), pairs(root.members().collect()), "{text}");
            let list = root.get("list").into_iter().flat_map(Value::items).collect::<Vec<_>>();
            assert_eq!(items, list, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in r#"[\[\]{}":, a1\\]{0,40}"#) {
            let mut walked = 0;
            if let Some(value) = Value::parse(&text) {
                walked += value.members().count() + value.items().count();
                assert!(value.members_with_items("a").0.len() <= text.len());
            }
            assert!(walked <= text.len());
        }
    }
}
