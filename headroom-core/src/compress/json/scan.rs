//! A strict JSON scanner (RFC 8259) that keeps every lexeme as it was written.

use std::ops::Range;

use memchr::memchr2;

use super::{MIN_ELEMENTS, MIN_ROWS};

/// Deeper nesting is declined, so that what walks the document may recurse.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// A string without backslashes.
    Plain,
    /// A string with at least one escape.
    Escaped,
    Array,
    Object,
}

/// A value, or the key of the value after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Whether there is an array in it that could be written otherwise than compact.
    pub(super) has_rows: bool,
    start: u32,
    end: u32,
    /// Index of the first node behind this one and all it contains.
    pub(super) next: u32,
}

/// One or more JSON values without insignificant white space.
#[derive(Debug)]
pub(super) struct Document {
    compact: String,
    nodes: Vec<Node>,
    /// The top-level values.
    pub(super) roots: Vec<u32>,
    /// How many arrays are long enough for a selection; the values of a stream count as one.
    pub(super) long_arrays: usize,
    /// Bytes of the longest string with an escape.
    longest_string: u32,
}

impl Document {
    /// Reads one value, or a stream of arrays and objects with line ends or nothing between them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let mut scanner = Scanner {
            text,
            pos: 0,
            open: Vec::new(),
            doc: Self {
                compact: String::with_capacity(text.len()),
                nodes: Vec::new(),
                roots: Vec::new(),
                long_arrays: 0,
                longest_string: 0,
            },
        };
        scanner.document()?;
        scanner.doc.long_arrays += usize::from(scanner.doc.roots.len() >= MIN_ELEMENTS);
        Some(scanner.doc)
    }

    pub(super) fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    /// The exact lexeme of a leaf or key, the compact form of an array or object.
    pub(super) fn slice(&self, index: u32) -> &str {
        let span = self.node(index).and_then(|node| self.compact.get(node.start as usize..node.end as usize));
        span.unwrap_or_default()
    }

    /// The nodes directly below an array or object; keys and values take turns in the latter.
    pub(super) fn children(&self, index: u32) -> impl Iterator<Item = (u32, &Node)> {
        let end = self.node(index).map_or(0, |node| node.next);
        let mut at = index + 1;
        std::iter::from_fn(move || {
            let node = (at < end).then(|| self.node(at)).flatten()?;
            let child = (at, node);
            at = node.next;
            Some(child)
        })
    }

    /// The members of an object as pairs of key and value.
    pub(super) fn members(&self, index: u32) -> impl Iterator<Item = (u32, u32, Kind)> {
        let mut children = self.children(index);
        std::iter::from_fn(move || {
            let (key, _) = children.next()?;
            let (value, node) = children.next()?;
            Some((key, value, node.kind))
        })
    }

    /// The strings with an escape and at least so many bytes that are values rather than keys, in order.
    pub(super) fn long_strings(&self, bytes: u32) -> Vec<u32> {
        let mut found = Vec::new();
        if self.longest_string < bytes {
            return found;
        }
        let mut look = |value: u32, node: &Node| {
            if node.kind == Kind::Escaped && node.end - node.start >= bytes {
                found.push(value);
            }
        };
        for (index, node) in (0..).zip(&self.nodes) {
            match node.kind {
                Kind::Array => self.children(index).for_each(|(value, node)| look(value, node)),
                Kind::Object => {
                    let values =
                        self.members(index).filter_map(|(_, value, _)| Some((value, self.node(value)?)));
                    values.for_each(|(value, node)| look(value, node));
                }
                _ => {}
            }
        }
        found.sort_unstable();
        found
    }

    /// The text with other lexemes in the place of some, given in order.
    pub(super) fn with(&self, lexemes: &[(u32, &str)]) -> String {
        let mut out = String::with_capacity(self.compact.len());
        let mut from = 0;
        for (node, lexeme) in lexemes.iter().filter_map(|(index, lexeme)| Some((self.node(*index)?, lexeme)))
        {
            out.push_str(self.compact.get(from..node.start as usize).unwrap_or_default());
            out.push_str(lexeme);
            from = node.end as usize;
        }
        out.push_str(self.compact.get(from..).unwrap_or_default());
        out
    }

    pub(super) fn is_container(&self, index: u32) -> bool {
        self.node(index).is_some_and(|node| matches!(node.kind, Kind::Array | Kind::Object))
    }

    pub(super) fn is_empty(&self, index: u32) -> bool {
        self.node(index).is_none_or(|node| node.next == index + 1)
    }
}

/// Length of the JSON number at the start of these bytes.
pub(super) fn number_len(bytes: &[u8]) -> Option<usize> {
    fn digits(bytes: &[u8], from: usize) -> Option<usize> {
        let count = bytes.get(from..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        (count > 0).then_some(from + count)
    }
    let mut pos = usize::from(bytes.first() == Some(&b'-'));
    pos = if bytes.get(pos) == Some(&b'0') { pos + 1 } else { digits(bytes, pos)? };
    if bytes.get(pos) == Some(&b'.') {
        pos = digits(bytes, pos + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(pos) {
        let sign = usize::from(matches!(bytes.get(pos + 1), Some(b'+' | b'-')));
        pos = digits(bytes, pos + 1 + sign)?;
    }
    Some(pos)
}

/// How many more there will be after `seen` in the first `part` of a `whole`, and some to spare.
pub(super) fn expected(seen: usize, part: usize, whole: usize) -> usize {
    // In 128 bits, since the product of two lengths may not fit into a `usize`.
    let more = seen as u128 * whole.saturating_sub(part) as u128 / part.max(1) as u128;
    usize::try_from(more + more / 16).unwrap_or(seen).max(64)
}

/// An array or object that is not closed yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    index: u32,
    is_object: bool,
    children: u32,
    /// Whether one of the children is an object.
    objects: bool,
    has_rows: bool,
}

struct Scanner<'a> {
    text: &'a str,
    pos: usize,
    /// The arrays and objects that are open.
    open: Vec<Open>,
    doc: Document,
}

impl Scanner<'_> {
    fn document(&mut self) -> Option<()> {
        self.white_space();
        loop {
            let root = self.len();
            self.doc.roots.push(root);
            self.value()?;
            let end = self.pos;
            self.white_space();
            if self.pos == self.text.len() {
                break;
            }
            let gap = self.text.get(end..self.pos)?;
            if !gap.is_empty() && !gap.contains('\n') {
                return None;
            }
        }
        let structured =
            self.doc.roots.len() == 1 || self.doc.roots.iter().all(|root| self.doc.is_container(*root));
        structured.then_some(())
    }

    /// One value with all it contains.
    fn value(&mut self) -> Option<()> {
        let floor = self.open.len();
        loop {
            // A value is due here.
            match self.peek()? {
                b'{' => {
                    self.enter(Kind::Object)?;
                    if self.peek()? != b'}' {
                        self.key()?;
                        continue;
                    }
                    self.leave()?;
                }
                b'[' => {
                    self.enter(Kind::Array)?;
                    if self.peek()? != b']' {
                        continue;
                    }
                    self.leave()?;
                }
                b'"' => self.string()?,
                _ => self.scalar()?,
            }
            // A value has ended here.
            loop {
                if self.open.len() == floor {
                    return Some(());
                }
                self.white_space();
                let object = self.open.last()?.is_object;
                match (self.peek()?, object) {
                    (b',', _) => {
                        self.punctuation(',');
                        if object {
                            self.key()?;
                        }
                        break;
                    }
                    (b'}', true) | (b']', false) => self.leave()?,
                    _ => return None,
                }
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        self.string()?;
        self.white_space();
        if self.peek()? != b':' {
            return None;
        }
        self.punctuation(':');
        Some(())
    }

    fn enter(&mut self, kind: Kind) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            return None;
        }
        let is_object = kind == Kind::Object;
        self.count(is_object);
        self.open.push(Open { index: self.len(), is_object, children: 0, objects: false, has_rows: false });
        let start = u32::try_from(self.doc.compact.len()).ok()?;
        self.push(Node { kind, has_rows: false, start, end: start, next: 0 });
        self.punctuation(if is_object { '{' } else { '[' });
        Some(())
    }

    /// Adds a node, with room for as many as the rest of the text will have if it goes on like this.
    fn push(&mut self, node: Node) {
        const SAMPLE: usize = 4096;
        let nodes = &mut self.doc.nodes;
        if nodes.len() == nodes.capacity() && nodes.len() >= SAMPLE {
            nodes.reserve_exact(expected(nodes.len(), self.pos, self.text.len()));
        }
        nodes.push(node);
    }

    /// Counts a child of what is open.
    fn count(&mut self, is_object: bool) {
        if let Some(open) = self.open.last_mut() {
            open.children += 1;
            open.objects |= is_object;
        }
    }

    fn leave(&mut self) -> Option<()> {
        let next = self.len();
        let Open { index, is_object, children, objects, has_rows } = self.open.pop()?;
        let children = children as usize;
        let is_long = children >= MIN_ELEMENTS && !is_object;
        self.doc.long_arrays += usize::from(is_long);
        let has_rows = has_rows || is_long || (objects && children >= MIN_ROWS && !is_object);
        if let Some(open) = self.open.last_mut() {
            open.has_rows |= has_rows;
        }
        self.doc.compact.push(if is_object { '}' } else { ']' });
        self.pos += 1;
        let end = u32::try_from(self.doc.compact.len()).ok()?;
        let node = self.doc.nodes.get_mut(index as usize)?;
        node.next = next;
        node.end = end;
        node.has_rows = has_rows;
        Some(())
    }

    /// Takes one byte of structure and the white space behind it.
    fn punctuation(&mut self, byte: char) {
        self.doc.compact.push(byte);
        self.pos += 1;
        self.white_space();
    }

    fn string(&mut self) -> Option<()> {
        let mut kind = Kind::Plain;
        let mut at = self.pos + 1;
        loop {
            let rest = self.text.as_bytes().get(at..)?;
            let plain = rest.get(..memchr2(b'"', b'\\', rest)?)?;
            // Without an early end, so that many bytes are compared at once.
            if plain.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < b' ' {
                return None;
            }
            at += plain.len();
            match self.text.as_bytes().get(at)? {
                b'"' => break,
                b'\\' => {
                    kind = Kind::Escaped;
                    at += match self.text.as_bytes().get(at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        b'u' => {
                            let hex = self.text.as_bytes().get(at + 2..at + 6)?;
                            hex.iter().all(u8::is_ascii_hexdigit).then_some(6)?
                        }
                        _ => return None,
                    };
                }
                _ => return None,
            }
        }
        self.leaf(kind, self.pos..at + 1)
    }

    fn scalar(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.pos..)?;
        let word = [&b"true"[..], b"false", b"null"].into_iter().find(|word| rest.starts_with(word));
        let len = word.map_or_else(|| number_len(rest), |word| Some(word.len()))?;
        self.leaf(Kind::Scalar, self.pos..self.pos + len)
    }

    fn leaf(&mut self, kind: Kind, span: Range<usize>) -> Option<()> {
        self.pos = span.end;
        let start = u32::try_from(self.doc.compact.len()).ok()?;
        self.doc.compact.push_str(self.text.get(span)?);
        let end = u32::try_from(self.doc.compact.len()).ok()?;
        if kind == Kind::Escaped {
            self.doc.longest_string = self.doc.longest_string.max(end - start);
        }
        let next = self.len() + 1;
        self.count(false);
        self.push(Node { kind, has_rows: false, start, end, next });
        Some(())
    }

    fn white_space(&mut self) {
        let rest = self.text.as_bytes().get(self.pos..).unwrap_or_default();
        self.pos += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn len(&self) -> u32 {
        // Nodes are fewer than bytes, and these were checked to fit.
        u32::try_from(self.doc.nodes.len()).unwrap_or(u32::MAX)
    }
}
