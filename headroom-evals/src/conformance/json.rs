//! A strict JSON reader that preserves byte ranges.
//!
//! The tests need what the bytes say: duplicate keys, lone surrogates, numbers that fit no machine type. A
//! `serde_json::Value` loses all of these. The reader keeps its nodes in one vector and never recurses, so nesting
//! costs no stack.

use std::ops::Range;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number in any form.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// The index of a value in its document.
pub type Id = usize;

#[derive(Clone, Debug)]
struct SpannedNode {
    kind: Kind,
    range: Range<usize>,
    key: Option<Range<usize>>,
    children: Vec<Id>,
}

/// A parsed JSON text.
#[derive(Clone, Debug)]
pub struct Json<'a> {
    src: &'a [u8],
    nodes: Vec<SpannedNode>,
}

/// The result of looking up a key in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// The key is absent.
    Absent,
    /// The key occurs once.
    One(Id),
    /// The key occurs more than once, so readers disagree about its value.
    Twice,
}

impl Member {
    /// Returns the value, if the key occurs exactly once.
    #[must_use]
    pub const fn one(self) -> Option<Id> {
        match self {
            Self::One(id) => Some(id),
            Self::Absent | Self::Twice => None,
        }
    }
}

impl<'a> Json<'a> {
    /// Parses one whole JSON text; `None` if it violates RFC 8259.
    #[must_use]
    pub fn parse(src: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(src).ok()?;
        Parser { src, at: 0, nodes: Vec::new() }.run()
    }

    /// Returns the outermost value.
    #[must_use]
    pub const fn root(&self) -> Id {
        0
    }

    /// Returns the type of a value.
    #[must_use]
    pub fn kind(&self, id: Id) -> Kind {
        self.nodes[id].kind
    }

    /// Returns the byte range of a value, quotes and brackets included.
    #[must_use]
    pub fn range(&self, id: Id) -> Range<usize> {
        self.nodes[id].range.clone()
    }

    /// Returns the bytes of a value.
    #[must_use]
    pub fn raw(&self, id: Id) -> &'a [u8] {
        &self.src[self.range(id)]
    }

    /// Returns the members or elements of a value, in order.
    #[must_use]
    pub fn children(&self, id: Id) -> &[Id] {
        &self.nodes[id].children
    }

    /// Returns the decoded key of a value in its object.
    #[must_use]
    pub fn key(&self, id: Id) -> Option<String> {
        self.nodes[id].key.clone().map(|range| decode(&self.src[range]).0)
    }

    /// Looks up a key in an object. Escapes in keys are decoded first.
    #[must_use]
    pub fn member(&self, id: Id, key: &str) -> Member {
        if self.kind(id) != Kind::Object {
            return Member::Absent;
        }
        let mut found = self.children(id).iter().filter(|child| self.key(**child).as_deref() == Some(key));
        match (found.next(), found.next()) {
            (None, _) => Member::Absent,
            (Some(id), None) => Member::One(*id),
            (Some(_), Some(_)) => Member::Twice,
        }
    }

    /// Returns the decoded string, if the value is a string without lone surrogates.
    #[must_use]
    pub fn text(&self, id: Id) -> Option<String> {
        if self.kind(id) != Kind::String {
            return None;
        }
        let (text, whole) = decode(self.raw(id));
        whole.then_some(text)
    }

    /// Returns the elements of the array under `key`.
    #[must_use]
    pub fn array(&self, id: Id, key: &str) -> Option<&[Id]> {
        let array = self.member(id, key).one()?;
        (self.kind(array) == Kind::Array).then(|| self.children(array))
    }

    /// Returns the text of the string under `key`.
    #[must_use]
    pub fn text_of(&self, id: Id, key: &str) -> Option<String> {
        self.text(self.member(id, key).one()?)
    }
}

/// Decodes a string token, quotes included. The flag is false if half of a surrogate pair was replaced.
#[must_use]
pub fn decode(token: &[u8]) -> (String, bool) {
    let inner = &token[1..token.len() - 1];
    if !inner.contains(&b'\\') {
        return (String::from_utf8_lossy(inner).into_owned(), true);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut whole = true;
    let mut at = 0;
    let unit = |at: usize| -> Option<u32> {
        let hex = inner.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    while at < inner.len() {
        if inner[at] != b'\\' {
            out.push(inner[at]);
            at += 1;
            continue;
        }
        let simple = match inner[at + 1] {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => 0,
            other => other,
        };
        if simple != 0 {
            out.push(simple);
            at += 2;
            continue;
        }
        let first = unit(at).unwrap_or(0xfffd);
        at += 6;
        let second = if (0xd800..0xdc00).contains(&first) { unit(at) } else { None };
        let code = match second {
            Some(low) if (0xdc00..0xe000).contains(&low) => {
                at += 6;
                0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00)
            }
            _ => first,
        };
        let letter = char::from_u32(code).unwrap_or_else(|| {
            whole = false;
            char::REPLACEMENT_CHARACTER
        });
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    (String::from_utf8_lossy(&out).into_owned(), whole)
}

/// Encodes a text as a string token with as few escapes as possible.
#[must_use]
pub fn encode(text: &str) -> Vec<u8> {
    serde_json::to_vec(text).unwrap_or_default()
}

/// Returns the end of the string token that starts at `at`; `None` if there is none.
#[must_use]
pub fn string_end(src: &[u8], at: usize) -> Option<usize> {
    if src.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match src.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match src.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if src.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => at += 6,
                _ => return None,
            },
            0..=0x1f => return None,
            _ => at += 1,
        }
    }
}

struct Parser<'a> {
    src: &'a [u8],
    at: usize,
    nodes: Vec<SpannedNode>,
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Option<Json<'a>> {
        let mut open: Vec<Id> = Vec::new();
        loop {
            self.space();
            let key = match open.last() {
                Some(id) if self.nodes[*id].kind == Kind::Object => {
                    let end = string_end(self.src, self.at)?;
                    let key = self.at..end;
                    self.at = end;
                    self.space();
                    self.eat(b':')?;
                    self.space();
                    Some(key)
                }
                _ => None,
            };
            let id = self.value(key)?;
            if let Some(parent) = open.last() {
                let parent = *parent;
                self.nodes[parent].children.push(id);
            }
            if matches!(self.nodes[id].kind, Kind::Array | Kind::Object) {
                self.space();
                if self.src.get(self.at) == Some(&self.closer(id)) {
                    self.at += 1;
                    self.nodes[id].range.end = self.at;
                } else {
                    open.push(id);
                    continue;
                }
            }
            loop {
                self.space();
                let Some(parent) = open.last().copied() else {
                    return (self.at == self.src.len()).then_some(Json { src: self.src, nodes: self.nodes });
                };
                if self.src.get(self.at) == Some(&b',') {
                    self.at += 1;
                    break;
                }
                let closer = self.closer(parent);
                self.eat(closer)?;
                self.nodes[parent].range.end = self.at;
                open.pop();
            }
        }
    }

    fn closer(&self, id: Id) -> u8 {
        if self.nodes[id].kind == Kind::Array { b']' } else { b'}' }
    }

    fn space(&mut self) {
        while matches!(self.src.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.src.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    fn value(&mut self, key: Option<Range<usize>>) -> Option<Id> {
        let start = self.at;
        let (kind, end) = match self.src.get(start)? {
            b'{' => (Kind::Object, start + 1),
            b'[' => (Kind::Array, start + 1),
            b'"' => (Kind::String, string_end(self.src, start)?),
            b't' => (Kind::Bool, self.word(b"true")?),
            b'f' => (Kind::Bool, self.word(b"false")?),
            b'n' => (Kind::Null, self.word(b"null")?),
            _ => (Kind::Number, self.number()?),
        };
        self.at = end;
        self.nodes.push(SpannedNode { kind, range: start..end, key, children: Vec::new() });
        Some(self.nodes.len() - 1)
    }

    fn word(&self, word: &[u8]) -> Option<usize> {
        self.src[self.at..].starts_with(word).then(|| self.at + word.len())
    }

    fn number(&self) -> Option<usize> {
        let digits = |mut at: usize| {
            let from = at;
            while self.src.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            (at > from).then_some(at)
        };
        let mut at = self.at + usize::from(self.src.get(self.at) == Some(&b'-'));
        at = if self.src.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
        if self.src.get(at) == Some(&b'.') {
            at = digits(at + 1)?;
        }
        if matches!(self.src.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(self.src.get(at + 1), Some(b'+' | b'-')));
            at = digits(at)?;
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_grammar_allows() {
        for text in
            ["0", "-0", "1e400", "-1.5E-3", " [ ] ", "{}", r#"{"a":[1,{"b":null}],"a":2}"#, r#""\ud800""#]
        {
            assert!(Json::parse(text.as_bytes()).is_some(), "{text}");
        }
    }

    #[test]
    fn refuses_what_the_grammar_forbids() {
        for text in [
            "", "01", "+1", "1.", ".5", "[1,]", "{,}", "[1 2]", "{\"a\"}", "nul", "[]x", "\"\\x\"", "\"\n\"",
            "[",
        ] {
            assert!(Json::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Json::parse(b"\"\xff\"").is_none());
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = [b"[".repeat(1_000_000), b"]".repeat(1_000_000)].concat();
        assert!(Json::parse(&deep).is_some());
    }

    #[test]
    fn decodes_pairs_and_marks_halves() {
        assert_eq!(decode(br#""a\u00e9\ud83d\ude00\/\n""#), ("aé😀/\n".to_owned(), true));
        assert_eq!(decode(br#""\ud83dx""#), ("\u{fffd}x".to_owned(), false));
        assert_eq!(decode(br#""\ude00""#), ("\u{fffd}".to_owned(), false));
    }

    #[test]
    fn members_are_found_by_decoded_key() {
        let json = Json::parse(br#"{"\u0061":1,"b":2,"b":3}"#).unwrap();
        assert!(matches!(json.member(json.root(), "a"), Member::One(_)));
        assert_eq!(json.member(json.root(), "b"), Member::Twice);
        assert_eq!(json.member(json.root(), "c"), Member::Absent);
    }
}
