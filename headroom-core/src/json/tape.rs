//! Scans a JSON text once and records the positions of its values.
//!
//! The result is a flat tape of nodes in document order: no tree, no copies, sixteen bytes per value. Navigation is
//! by index; a container knows where its subtree ends, so a value is skipped in one step. Numbers and literals in
//! arrays are checked but not recorded: they are never read, and there may be millions.

use std::collections::HashSet;

use crate::{UnchangedReason, json::string_scan::string_stop};

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    Object,
    Array,
    /// A string or key; the span excludes the quotes.
    String,
    /// A string or key with at least one backslash.
    Escaped,
    /// A number, `true`, `false` or `null`.
    Scalar,
}

#[derive(Clone, Copy, Debug)]
struct TapeNode {
    start: u32,
    end: u32,
    /// Index after this node's subtree.
    next: u32,
    kind: NodeKind,
}

/// Limits of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) depth: usize,
    pub(crate) values: usize,
}

impl Limits {
    /// Deeper than any API needs, and far from overflowing any stack.
    const DEPTH: usize = 512;

    /// Returns the limits for a body of this length. Real bodies have at most one recorded value per twenty bytes.
    pub(crate) const fn for_length(bytes: usize) -> Self {
        Self { depth: Self::DEPTH, values: bytes / 5 + 4096 }
    }
}

/// The values of one JSON text, in document order.
#[derive(Debug)]
pub(crate) struct Tape<'a> {
    text: &'a str,
    nodes: Vec<TapeNode>,
}

/// Scans a JSON text, and checks all of it against the grammar of RFC 8259.
pub(crate) fn scan(text: &str, limits: Limits) -> Result<Tape<'_>, UnchangedReason> {
    if u32::try_from(text.len()).is_err() {
        return Err(UnchangedReason::TooLarge);
    }
    let mut scanner = TapeScanner {
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::new(),
        open: Vec::new(),
        opened: false,
        in_array: false,
        limits,
    };
    scanner.document()?;
    Ok(Tape { text, nodes: scanner.nodes })
}

impl<'a> Tape<'a> {
    pub(crate) fn root(&self) -> Value<'a, '_> {
        Value { tape: self, at: 0 }
    }
}

/// A value on a tape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a, 't> {
    tape: &'t Tape<'a>,
    at: u32,
}

/// The raw content of a JSON string, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    pub(crate) raw: &'a str,
    /// Offset of `raw` in the scanned text.
    pub(crate) start: usize,
    pub(crate) escaped: bool,
}

impl<'a, 't> Value<'a, 't> {
    fn node(self) -> TapeNode {
        let nothing = TapeNode { start: 0, end: 0, next: self.at + 1, kind: NodeKind::Scalar };
        self.tape.nodes.get(self.at as usize).copied().unwrap_or(nothing)
    }

    /// Returns the value as written in the text, without the quotes of a string.
    pub(crate) fn raw(self) -> &'a str {
        let node = self.node();
        self.tape.text.get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    /// Returns the offset after the value; for an array or object, after its closing bracket.
    pub(crate) fn end(self) -> usize {
        self.node().end as usize
    }

    /// Returns the string content, if this is a string.
    pub(crate) fn text(self) -> Option<Text<'a>> {
        let node = self.node();
        let escaped = match node.kind {
            NodeKind::String => false,
            NodeKind::Escaped => true,
            _ => return None,
        };
        Some(Text { raw: self.raw(), start: node.start as usize, escaped })
    }

    pub(crate) fn is_object(self) -> bool {
        self.node().kind == NodeKind::Object
    }

    pub(crate) fn is_array(self) -> bool {
        self.node().kind == NodeKind::Array
    }

    /// Whether this is the literal `null`.
    pub(crate) fn is_null(self) -> bool {
        self.node().kind == NodeKind::Scalar && self.raw() == "null"
    }

    /// Whether this is the literal `true`.
    pub(crate) fn is_true(self) -> bool {
        self.node().kind == NodeKind::Scalar && self.raw() == "true"
    }

    /// Iterates over the strings, arrays and objects in an array, in order. Empty for any other value.
    pub(crate) fn items(self) -> impl Iterator<Item = Value<'a, 't>> {
        let node = self.node();
        let mut at = self.at + 1;
        let end = if node.kind == NodeKind::Array { node.next } else { at };
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let item = Value { tape: self.tape, at };
                at = item.node().next;
                item
            })
        })
    }

    /// Iterates over the members of an object, in order. Empty for any other value.
    pub(crate) fn members(self) -> impl Iterator<Item = (Text<'a>, Value<'a, 't>)> {
        let node = self.node();
        let mut at = self.at + 1;
        let end = if node.kind == NodeKind::Object { node.next } else { at };
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let key = Value { tape: self.tape, at }.text()?;
            let value = Value { tape: self.tape, at: at + 1 };
            at = value.node().next;
            Some((key, value))
        })
    }

    /// Returns the values of these keys. A duplicate key is an error, because readers of JSON disagree about it.
    pub(crate) fn fields<const N: usize>(
        self,
        names: [&str; N],
    ) -> Result<[Option<Value<'a, 't>>; N], UnchangedReason> {
        let mut found = [None; N];
        for (key, value) in self.members() {
            let slot = if key.escaped {
                let key = key.decode();
                names.iter().position(|name| key.as_ref().is_some_and(|key| key == name))
            } else {
                names.iter().position(|name| key.raw == *name)
            };
            if let Some(slot) = slot.and_then(|slot| found.get_mut(slot))
                && slot.replace(value).is_some()
            {
                return Err(UnchangedReason::DuplicateKey);
            }
        }
        Ok(found)
    }

    /// Whether no object in this value has a duplicate key.
    pub(crate) fn has_distinct_keys(self) -> bool {
        let mut seen = HashSet::new();
        let node = self.node();
        (self.at..node.next).map(|at| Value { tape: self.tape, at }).all(|value| {
            seen.clear();
            value.members().all(|(key, _)| key.decode().is_none_or(|key| seen.insert(key)))
        })
    }

    /// Iterates over all string values in this value, in document order, without keys.
    pub(crate) fn strings(self) -> impl Iterator<Item = Text<'a>> {
        let end = self.node().next;
        let mut at = self.at;
        // The open containers around the current value: the end, whether it is an object, whether a key comes next.
        let mut open: Vec<(u32, bool, bool)> = Vec::new();
        std::iter::from_fn(move || {
            while at < end {
                while open.last().is_some_and(|(end, ..)| *end <= at) {
                    open.pop();
                }
                let value = Value { tape: self.tape, at };
                let node = value.node();
                let mut is_key = false;
                if let Some((_, true, key_next)) = open.last_mut() {
                    is_key = *key_next;
                    *key_next = !*key_next;
                }
                at += 1;
                match node.kind {
                    NodeKind::Object => open.push((node.next, true, true)),
                    NodeKind::Array => open.push((node.next, false, false)),
                    NodeKind::String | NodeKind::Escaped if !is_key => return value.text(),
                    _ => {}
                }
            }
            None
        })
    }
}

struct TapeScanner<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<TapeNode>,
    /// Indexes of the open containers.
    open: Vec<u32>,
    /// Whether the last step opened the innermost container: it may close, and may not continue with a comma.
    opened: bool,
    /// Whether the current value is an element of an array.
    in_array: bool,
    limits: Limits,
}

impl TapeScanner<'_> {
    fn document(&mut self) -> Result<(), UnchangedReason> {
        self.space();
        self.value()?;
        while let Some(container) = self.open.last().copied() {
            self.space();
            let in_object =
                self.nodes.get(container as usize).is_some_and(|node| node.kind == NodeKind::Object);
            let empty = std::mem::take(&mut self.opened);
            match self.peek() {
                Some(b'}') if in_object => self.close(container),
                Some(b']') if !in_object => self.close(container),
                Some(b',') if !empty => {
                    self.at += 1;
                    self.space();
                    self.member(in_object)?;
                }
                Some(_) if empty => self.member(in_object)?,
                _ => return Err(UnchangedReason::NotJson),
            }
        }
        self.space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(UnchangedReason::NotJson) }
    }

    fn member(&mut self, in_object: bool) -> Result<(), UnchangedReason> {
        self.in_array = !in_object;
        if in_object {
            if self.peek() != Some(b'"') {
                return Err(UnchangedReason::NotJson);
            }
            self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(UnchangedReason::NotJson);
            }
            self.at += 1;
            self.space();
        }
        self.value()
    }

    fn value(&mut self) -> Result<(), UnchangedReason> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.open(NodeKind::Object),
            Some(b'[') => self.open(NodeKind::Array),
            Some(b'-' | b'0'..=b'9') => {
                let end = number_end(self.bytes, self.at).ok_or(UnchangedReason::NotJson)?;
                self.scalar(end)
            }
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            _ => Err(UnchangedReason::NotJson),
        }
    }

    fn open(&mut self, kind: NodeKind) -> Result<(), UnchangedReason> {
        if self.open.len() >= self.limits.depth {
            return Err(UnchangedReason::TooDeep);
        }
        self.open.push(index(self.nodes.len()));
        self.push(self.at, self.at + 1, kind)?;
        self.at += 1;
        self.opened = true;
        Ok(())
    }

    fn close(&mut self, container: u32) {
        self.at += 1;
        self.open.pop();
        let next = index(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(container as usize) {
            node.end = index(self.at);
            node.next = next;
        }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), UnchangedReason> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) != Some(word) {
            return Err(UnchangedReason::NotJson);
        }
        self.scalar(end)
    }

    fn string(&mut self) -> Result<(), UnchangedReason> {
        let start = self.at + 1;
        let (end, escaped) = string_end(self.bytes, start).ok_or(UnchangedReason::NotJson)?;
        self.push(start, end, if escaped { NodeKind::Escaped } else { NodeKind::String })?;
        self.at = end + 1;
        Ok(())
    }

    /// Skips a number or literal.
    fn scalar(&mut self, end: usize) -> Result<(), UnchangedReason> {
        if !self.in_array {
            self.push(self.at, end, NodeKind::Scalar)?;
        }
        self.at = end;
        Ok(())
    }

    fn push(&mut self, start: usize, end: usize, kind: NodeKind) -> Result<(), UnchangedReason> {
        if self.nodes.len() >= self.limits.values {
            return Err(UnchangedReason::TooManyValues);
        }
        let next = index(self.nodes.len() + 1);
        self.nodes.push(TapeNode { start: index(start), end: index(end), next, kind });
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }
}

/// Converts an offset. It fits: `scan` accepts only texts shorter than 4 GiB.
#[expect(clippy::cast_possible_truncation, reason = "bounded by the length check of `scan`")]
const fn index(offset: usize) -> u32 {
    offset as u32
}

/// Returns the offset of the quote that ends the string whose content starts at `start`, and whether it has escapes.
fn string_end(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at += string_stop(bytes.get(at..)?)?;
        match bytes.get(at)? {
            b'"' => return Some((at, escaped)),
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

/// Returns the offset after the number at `start`, by the grammar of RFC 8259 §6.
fn number_end(bytes: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let count = bytes.get(from..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    };
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepts(text: &str) -> bool {
        scan(text, Limits::for_length(text.len())).is_ok()
    }

    #[test]
    fn accepts_what_the_grammar_allows() {
        for text in
            ["null", " [ ] ", "{}", r#"{"a":[1,-0,1.5e-3,"\u00e9\n",{"b":null}],"":true}"#, "1e400", "\"\""]
        {
            assert!(accepts(text), "{text}");
        }
    }

    #[test]
    fn declines_what_it_does_not() {
        for text in [
            "",
            " ",
            "[",
            "]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "01",
            "-",
            "1.",
            "1e",
            "+1",
            "tru",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "[1]]",
            "{]",
            "[}",
            "{\"a\":1]",
            "nullx",
            "[1}",
            "\"a\nb\"",
            "\"\0\"",
            "{\"a\u{1f}\":1}",
            "\u{feff}{}",
            "\u{a0}{}",
        ] {
            assert!(!accepts(text), "{text}");
        }
    }

    #[test]
    fn bounds_depth_and_count() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(scan(&deep, Limits::for_length(deep.len())).err(), Some(UnchangedReason::TooDeep));
        let many = format!("[{}1]", "[],".repeat(1_000_000));
        assert_eq!(scan(&many, Limits::for_length(many.len())).err(), Some(UnchangedReason::TooManyValues));
        let numbers = format!("[{}1]", "1,".repeat(1_000_000));
        assert_eq!(scan(&numbers, Limits::for_length(numbers.len())).unwrap().nodes.len(), 1);
    }

    #[test]
    fn fields_refuses_a_key_that_stands_twice() {
        let tape = scan(r#"{"a":1,"b":2,"\u0061":3,"c":4,"c":5}"#, Limits::for_length(64)).unwrap();
        let root = tape.root();
        assert_eq!(root.fields(["b"]).unwrap()[0].unwrap().raw(), "2");
        assert_eq!(root.fields(["a"]).err(), Some(UnchangedReason::DuplicateKey));
        assert_eq!(root.fields(["x", "c"]).err(), Some(UnchangedReason::DuplicateKey));
    }

    #[test]
    fn strings_skips_keys() {
        let tape =
            scan(r#"{"a":"b","c":{"d":["e",{"f":"g"},[]],"h":1},"i":"j"}"#, Limits::for_length(64)).unwrap();
        let found: Vec<_> = tape.root().strings().map(|text| text.raw).collect();
        assert_eq!(found, ["b", "e", "g", "j"]);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}":,0-9a-e.\\ntru -]{0,24}"#) {
            prop_assert_eq!(accepts(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn agrees_with_serde_json_on_broken_documents(
            filler in "[a-z]{0,80}",
            at in 0.0..1.0_f64,
            with in prop::sample::select(&[
                "", "\0", "\n", "\t", "\x08", "\x1b", "\x1f", "\x7f", "\r", "\"", "\\", "\\x", "\\u12", "\\ud83d", ",", ",,", ":",
                "[", "]", "{", "}", "0", "00", "-", ".", "e", "+", "null", "nul", "NaN", "'", " ", "\u{a0}", "\u{feff}", "/**/", "é",
            ][..]),
        ) {
            let document = format!(
                r#"{{"model":"m","n":[-0.5e+3,1,true,null],"messages":[{{"role":"user","content":"{filler}\n\u00e9"}}, {{}}]}}"#
            );
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let at = (document.len() as f64 * at) as usize;
            for end in [at, at + 1] {
                let mut text = document.clone();
                text.replace_range(at..end, with);
                prop_assert_eq!(accepts(&text), serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{:?}", text);
            }
        }

        #[test]
        fn never_panics(text in ".{0,200}") {
            let _ = accepts(&text);
        }
    }
}
