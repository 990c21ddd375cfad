//! Scans a JSON text once and records the positions of its values.
//!
//! The result is a flat tape of nodes in document order: no tree, no copies, sixteen bytes per value. Navigation is
//! by index; a container knows where its subtree ends, so a value is skipped in one step. Numbers and literals in
//! arrays are checked but not recorded: they are never read, and there may be millions.

mod builder;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::{Error, Text, tokenizer::Tokenizer};
use builder::TapeBuilder;

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeKind {
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

impl TapeNode {
    /// Whether quotes belong to the value, which its span excludes.
    const fn is_string(self) -> bool {
        matches!(self.kind, NodeKind::String | NodeKind::Escaped)
    }
}

/// Limits on what [`Tape::parse_with`] accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many arrays and objects may be open at once.
    pub depth: usize,
    /// How many values may be recorded, keys included.
    pub values: usize,
}

impl Limits {
    /// Deeper than any API needs, and far from overflowing any stack.
    const DEPTH: usize = 512;

    /// Returns the limits for a text of this length: a depth of 512, and a value per five bytes and 4096 more. Real
    /// requests have at most one recorded value per twenty bytes.
    #[must_use]
    pub const fn for_length(bytes: usize) -> Self {
        Self { depth: Self::DEPTH, values: bytes / 5 + 4096 }
    }
}

/// The values of one JSON text, in document order.
///
/// ```
/// use headroom_json::{Error, Tape};
///
/// let tape = Tape::parse(r#"{"model": "m", "messages": [{"role": "user"}, 7]}"#)?;
/// let [messages, seed] = tape.root().fields(["messages", "seed"])?;
/// let first = messages.and_then(|list| list.items().next()).expect("a list with an object");
/// assert_eq!(first.raw(), r#"{"role": "user"}"#);
/// assert!(seed.is_none());
/// assert_eq!(Tape::parse("[1,]").err(), Some(Error::NotJson));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Tape<'a> {
    text: &'a str,
    nodes: Vec<TapeNode>,
}

impl<'a> Tape<'a> {
    /// Parses a text within the [`Limits::for_length`] of it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotJson`] for what RFC 8259 does not allow, and the other errors for what is over a limit.
    #[inline]
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        Self::parse_with(text, Limits::for_length(text.len()))
    }

    /// Parses a text within these limits.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_with(text: &'a str, limits: Limits) -> Result<Self, Error> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::TooLarge);
        }
        let mut tokens = Tokenizer::new(text, limits.depth);
        let mut tape = TapeBuilder::new(limits.values);
        tokens.skip_space();
        tokens.value(&mut tape)?;
        tokens.skip_space();
        if tokens.is_at_end() { Ok(Self { text, nodes: tape.nodes }) } else { Err(Error::NotJson) }
    }

    /// Returns the value that is the whole text.
    #[must_use]
    pub const fn root(&self) -> TapeValue<'a, '_> {
        TapeValue { tape: self, at: 0 }
    }
}

/// A value on a [`Tape`]. Numbers, `true`, `false` and `null` are values where they are members of an object, but not where
/// they are elements of an array.
#[derive(Clone, Copy, Debug)]
pub struct TapeValue<'a, 't> {
    tape: &'t Tape<'a>,
    at: u32,
}

impl<'a, 't> TapeValue<'a, 't> {
    #[inline]
    fn node(self) -> TapeNode {
        let nothing = TapeNode { start: 0, end: 0, next: self.at + 1, kind: NodeKind::Scalar };
        self.tape.nodes.get(self.at as usize).copied().unwrap_or(nothing)
    }

    /// Returns the value as written in the text, without the quotes of a string.
    #[inline]
    #[must_use]
    pub fn raw(self) -> &'a str {
        let node = self.node();
        self.tape.text.get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    /// Returns the offset of the value, with its bracket or quote.
    #[must_use]
    pub fn start(self) -> usize {
        let node = self.node();
        (node.start as usize).saturating_sub(usize::from(node.is_string()))
    }

    /// Whether this is an array of objects only.
    #[must_use]
    pub fn is_dense(self) -> bool {
        let mut end = None;
        self.is_array()
            && self.items().all(|item| {
                let gap = end.map(|end| self.tape.text.get(end..item.start()).unwrap_or_default());
                end = Some(item.end());
                item.is_object() && gap.is_none_or(|gap| gap.trim() == ",")
            })
            && end
                .is_none_or(|end| self.tape.text.get(end..self.end()).is_some_and(|rest| rest.trim() == "]"))
    }

    /// Returns the offset after the value, with its bracket or quote.
    ///
    /// ```
    /// let text = r#"{"a": "b"}"#;
    /// let tape = headroom_json::Tape::parse(text).unwrap();
    /// let (_, b) = tape.root().members().next().unwrap();
    /// assert_eq!(&text[b.start()..b.end()], "\"b\"");
    /// ```
    #[inline]
    #[must_use]
    pub fn end(self) -> usize {
        let node = self.node();
        node.end as usize + usize::from(node.is_string())
    }

    /// Returns the string content, if this is a string.
    #[inline]
    #[must_use]
    pub fn text(self) -> Option<Text<'a>> {
        let node = self.node();
        let escaped = match node.kind {
            NodeKind::String => false,
            NodeKind::Escaped => true,
            _ => return None,
        };
        Some(Text { raw: self.raw(), start: node.start as usize, escaped })
    }

    /// Whether this is an object.
    #[inline]
    #[must_use]
    pub fn is_object(self) -> bool {
        self.node().kind == NodeKind::Object
    }

    /// Whether this is an array.
    #[inline]
    #[must_use]
    pub fn is_array(self) -> bool {
        self.node().kind == NodeKind::Array
    }

    /// Whether this is the literal `null`.
    #[inline]
    #[must_use]
    pub fn is_null(self) -> bool {
        self.node().kind == NodeKind::Scalar && self.raw() == "null"
    }

    /// Whether this is the literal `true`.
    #[inline]
    #[must_use]
    pub fn is_true(self) -> bool {
        self.node().kind == NodeKind::Scalar && self.raw() == "true"
    }

    /// Iterates over the strings, arrays and objects in an array, in order. Empty for any other value.
    #[inline]
    pub fn items(self) -> impl Iterator<Item = TapeValue<'a, 't>> {
        let node = self.node();
        let mut at = self.at + 1;
        let end = if node.kind == NodeKind::Array { node.next } else { at };
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let item = TapeValue { tape: self.tape, at };
                at = item.node().next;
                item
            })
        })
    }

    /// Iterates over the members of an object, in order. Empty for any other value.
    #[inline]
    pub fn members(self) -> impl Iterator<Item = (Text<'a>, TapeValue<'a, 't>)> {
        let node = self.node();
        let mut at = self.at + 1;
        let end = if node.kind == NodeKind::Object { node.next } else { at };
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let key = TapeValue { tape: self.tape, at }.text()?;
            let value = TapeValue { tape: self.tape, at: at + 1 };
            at = value.node().next;
            Some((key, value))
        })
    }

    /// Returns the values of these keys, `None` for each that is absent.
    ///
    /// # Errors
    ///
    /// Returns [`Error::DuplicateKey`] if one of them occurs twice, because readers of JSON disagree about which counts.
    pub fn fields<const N: usize>(self, names: [&str; N]) -> Result<[Option<TapeValue<'a, 't>>; N], Error> {
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
                return Err(Error::DuplicateKey);
            }
        }
        Ok(found)
    }

    /// Whether no object in this value has a duplicate key.
    #[must_use]
    pub fn has_distinct_keys(self) -> bool {
        let mut seen = HashSet::new();
        let node = self.node();
        (self.at..node.next).map(|at| TapeValue { tape: self.tape, at }).all(|value| {
            seen.clear();
            value.members().all(|(key, _)| key.decode().is_none_or(|key| seen.insert(key)))
        })
    }

    /// Iterates over all string values in this value, in document order, without keys.
    pub fn strings(self) -> impl Iterator<Item = Text<'a>> {
        let end = self.node().next;
        let mut at = self.at;
        // The open containers around the current value: the end, whether it is an object, whether a key comes next.
        let mut open: Vec<(u32, bool, bool)> = Vec::new();
        std::iter::from_fn(move || {
            while at < end {
                while open.last().is_some_and(|(end, ..)| *end <= at) {
                    open.pop();
                }
                let value = TapeValue { tape: self.tape, at };
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
