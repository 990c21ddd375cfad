//! A strict JSON scanner (RFC 8259) that records the position of each value.
//!
//! The lexemes are not copied.

use std::{borrow::Cow, ops::Range};

use memchr::memchr;

use super::{MIN_ELEMENTS, MIN_ROWS};
use crate::{
    json::string_scan::{quote_or_backslash, string_stop},
    text::reserve::push,
};

/// Deeper nesting is rejected, so that recursion over the document is bounded.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentNodeKind {
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// A string without backslashes.
    Plain,
    /// A string with at least one escape.
    Escaped,
    Array,
    Object,
}

/// A value.
#[derive(Clone, Copy, Debug)]
pub(super) struct DocumentNode {
    pub(super) kind: DocumentNodeKind,
    /// Whether it contains an array that could be written in another form than compact.
    pub(super) has_rows: bool,
    start: usize,
    end: usize,
    /// Index of the first node after this one and its descendants.
    next: u32,
    /// Length in bytes without insignificant white space.
    compact: usize,
}

/// A [`DocumentNode`] in as few bytes as possible, since there may be millions.
#[derive(Clone, Copy, Debug)]
struct Packed {
    start: u32,
    /// The lowest bits are the kind of a leaf, or [`CONTAINER`]; the bits above are the length of a leaf, or the index
    /// of an array or object among the containers.
    rest: u32,
}

const KIND_BITS: u32 = 2;
const SCALAR: u32 = 0;
const PLAIN: u32 = 1;
const ESCAPED: u32 = 2;
const CONTAINER: u32 = 3;
/// Lengths and indices must leave room for the kind.
const MAX_BYTES: usize = 1 << (u32::BITS - KIND_BITS);

/// The fields that do not fit into a packed node.
#[derive(Clone, Copy, Debug)]
struct Container {
    end: u32,
    next: u32,
    compact: u32,
    is_object: bool,
    has_rows: bool,
}

/// One or more JSON values, as offsets into their text.
///
/// Keys are not nodes: they are read from the text before their values.
#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    nodes: Vec<Packed>,
    containers: Vec<Container>,
    /// The top-level values.
    pub(super) roots: Vec<u32>,
    /// Number of arrays that are long enough for a selection; the values of a stream count as one.
    pub(super) long_arrays: usize,
    /// Length in bytes of the longest string with an escape, keys excluded.
    longest_string: usize,
}

impl<'a> Document<'a> {
    /// Parses one value, or a stream of arrays and objects separated by line ends or nothing.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() >= MAX_BYTES {
            return None;
        }
        let mut scanner = DocumentScanner {
            text,
            pos: 0,
            space: 0,
            open: Vec::new(),
            doc: Self {
                text,
                nodes: Vec::new(),
                containers: Vec::new(),
                roots: Vec::new(),
                long_arrays: 0,
                longest_string: 0,
            },
        };
        scanner.document()?;
        scanner.doc.long_arrays += usize::from(scanner.doc.roots.len() >= MIN_ELEMENTS);
        Some(scanner.doc)
    }

    pub(super) fn node(&self, index: u32) -> Option<DocumentNode> {
        let packed = self.nodes.get(index as usize)?;
        let start = packed.start as usize;
        let rest = packed.rest >> KIND_BITS;
        let kind = match packed.rest & CONTAINER {
            SCALAR => DocumentNodeKind::Scalar,
            PLAIN => DocumentNodeKind::Plain,
            ESCAPED => DocumentNodeKind::Escaped,
            _ => {
                let Container { end, next, compact, is_object, has_rows } =
                    *self.containers.get(rest as usize)?;
                let kind = if is_object { DocumentNodeKind::Object } else { DocumentNodeKind::Array };
                let (end, compact) = (end as usize, compact as usize);
                return Some(DocumentNode { kind, has_rows, start, end, next, compact });
            }
        };
        let length = rest as usize;
        Some(DocumentNode {
            kind,
            has_rows: false,
            start,
            end: start + length,
            next: index + 1,
            compact: length,
        })
    }

    /// Returns the exact lexeme of a leaf, or the compact form of an array or object.
    pub(super) fn slice(&self, index: u32) -> Cow<'a, str> {
        let Some(node) = self.node(index) else { return Cow::Borrowed("") };
        let span = self.text.get(node.start..node.end).unwrap_or_default();
        if span.len() == node.compact {
            return Cow::Borrowed(span);
        }
        let mut compact = String::with_capacity(node.compact);
        minify(span, &mut compact);
        Cow::Owned(compact)
    }

    /// Returns the exact lexeme of a leaf; empty for an array or object.
    pub(super) fn lexeme(&self, index: u32) -> &'a str {
        let leaf = self
            .node(index)
            .filter(|node| !matches!(node.kind, DocumentNodeKind::Array | DocumentNodeKind::Object));
        leaf.and_then(|node| self.text.get(node.start..node.end)).unwrap_or_default()
    }

    /// Appends what [`Self::slice`] returns.
    pub(super) fn write(&self, index: u32, out: &mut String) {
        let Some(node) = self.node(index) else { return };
        let span = self.text.get(node.start..node.end).unwrap_or_default();
        if span.len() == node.compact { out.push_str(span) } else { minify(span, out) }
    }

    /// Returns the length in bytes of what [`Self::slice`] returns.
    pub(super) fn length(&self, index: u32) -> usize {
        self.node(index).map_or(0, |node| node.compact)
    }

    /// Iterates over the direct children of an array or object.
    pub(super) fn children(&self, index: u32) -> impl Iterator<Item = (u32, DocumentNode)> {
        let end = self.node(index).map_or(0, |node| node.next);
        let mut at = index + 1;
        std::iter::from_fn(move || {
            let node = (at < end).then(|| self.node(at)).flatten()?;
            let child = (at, node);
            at = node.next;
            Some(child)
        })
    }

    /// Iterates over the members of an object: the exact lexemes of the keys, and the values.
    pub(super) fn members(&self, index: u32) -> impl Iterator<Item = (&'a str, u32, DocumentNodeKind)> {
        self.named(index).map(|(key, value, kind)| (key.lexeme(), value, kind))
    }

    /// Iterates over the members of an object, with keys that are read on demand.
    pub(super) fn named(&self, index: u32) -> impl Iterator<Item = (DocumentKey<'a>, u32, DocumentNodeKind)> {
        let mut at = self.node(index).map_or(0, |node| node.start + 1);
        self.children(index).map(move |(value, node)| {
            let key = DocumentKey::first_in(self.text.get(at..node.start).unwrap_or_default());
            at = node.end;
            (key, value, node.kind)
        })
    }

    /// Returns the string values with an escape and at least this many bytes, in order, keys and top-level values
    /// excluded.
    pub(super) fn long_strings(&self, bytes: usize) -> Vec<u32> {
        if self.longest_string < bytes || !self.is_container(0) {
            return Vec::new();
        }
        let is_long = |packed: &Packed| {
            packed.rest & CONTAINER == ESCAPED && (packed.rest >> KIND_BITS) as usize >= bytes
        };
        (0..).zip(&self.nodes).filter(|(_, packed)| is_long(packed)).map(|(index, _)| index).collect()
    }

    /// Returns the compact text with some lexemes replaced, given in order.
    pub(super) fn with(&self, lexemes: &[(u32, &str)]) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut from = 0;
        for (node, lexeme) in lexemes.iter().filter_map(|(index, lexeme)| Some((self.node(*index)?, lexeme)))
        {
            minify(self.text.get(from..node.start).unwrap_or_default(), &mut out);
            out.push_str(lexeme);
            from = node.end;
        }
        minify(self.text.get(from..).unwrap_or_default(), &mut out);
        out
    }

    pub(super) fn is_container(&self, index: u32) -> bool {
        self.node(index)
            .is_some_and(|node| matches!(node.kind, DocumentNodeKind::Array | DocumentNodeKind::Object))
    }

    pub(super) fn is_empty(&self, index: u32) -> bool {
        self.node(index).is_none_or(|node| node.next == index + 1)
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Returns the end of the string that starts with these bytes.
fn string_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let rest = bytes.get(at..)?;
        let end = quote_or_backslash(rest)?;
        match rest.get(end)? {
            b'"' => return Some(at + end + 1),
            _ => at += end + 2,
        }
    }
}

/// A key, followed by the text up to its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct DocumentKey<'a>(&'a str);

impl<'a> DocumentKey<'a> {
    /// Finds the first string in the text between two values.
    fn first_in(between: &'a str) -> Self {
        let start = between.bytes().position(|byte| byte == b'"');
        Self(start.and_then(|start| between.get(start..)).unwrap_or_default())
    }

    pub(super) fn lexeme(self) -> &'a str {
        let end = string_end(self.0.as_bytes());
        end.and_then(|end| self.0.get(..end)).unwrap_or_default()
    }

    /// Whether this is the key's lexeme. Compares the closing quote too, so a longer key does not match.
    pub(super) fn is(self, lexeme: &str) -> bool {
        !lexeme.is_empty() && self.0.starts_with(lexeme)
    }
}

/// Appends a piece of valid JSON without the white space between its tokens.
fn minify(text: &str, out: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr(b'"', rest.as_bytes()).unwrap_or(rest.len());
        let (between, strings) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let words = between.split(|c: char| u8::try_from(c).is_ok_and(is_space));
        words.for_each(|word| out.push_str(word));
        let end = string_end(strings.as_bytes()).unwrap_or(strings.len());
        let (string, behind) = strings.split_at_checked(end).unwrap_or((strings, ""));
        out.push_str(string);
        rest = behind;
    }
}

/// Returns the length of the JSON number at the start of these bytes.
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

/// An array or object that is still open.
#[derive(Clone, Copy, Debug)]
struct OpenContainer {
    /// Its index among the containers.
    place: u32,
    start: usize,
    /// Insignificant white space before it.
    space: usize,
    is_object: bool,
    children: u32,
    /// Whether a child is an object.
    objects: bool,
    has_rows: bool,
}

struct DocumentScanner<'a> {
    text: &'a str,
    pos: usize,
    /// Bytes of insignificant white space so far.
    space: usize,
    /// The arrays and objects that are open.
    open: Vec<OpenContainer>,
    doc: Document<'a>,
}

impl DocumentScanner<'_> {
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

    /// Scans one value with all its descendants.
    fn value(&mut self) -> Option<()> {
        let floor = self.open.len();
        loop {
            // A value is expected here.
            match self.peek()? {
                b'{' => {
                    self.enter(true)?;
                    if self.peek()? != b'}' {
                        self.key()?;
                        continue;
                    }
                    self.leave()?;
                }
                b'[' => {
                    self.enter(false)?;
                    if self.peek()? != b']' {
                        continue;
                    }
                    self.leave()?;
                }
                b'"' => {
                    let (kind, span) = self.string_span()?;
                    if kind == ESCAPED {
                        self.doc.longest_string = self.doc.longest_string.max(span.len());
                    }
                    self.leaf(kind, span)?;
                }
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
                        self.punctuation();
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
        self.pos = self.string_span()?.1.end;
        self.white_space();
        if self.peek()? != b':' {
            return None;
        }
        self.punctuation();
        Some(())
    }

    fn enter(&mut self, is_object: bool) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            return None;
        }
        self.count(is_object);
        let place = u32::try_from(self.doc.containers.len()).ok()?;
        let (start, space) = (self.pos, self.space);
        self.open.push(OpenContainer {
            place,
            start,
            space,
            is_object,
            children: 0,
            objects: false,
            has_rows: false,
        });
        self.push(start, place, CONTAINER)?;
        let container = Container { end: 0, next: 0, compact: 0, is_object, has_rows: false };
        push(&mut self.doc.containers, container, self.pos, self.text.len());
        self.punctuation();
        Some(())
    }

    fn push(&mut self, start: usize, rest: u32, kind: u32) -> Option<()> {
        let start = u32::try_from(start).ok()?;
        push(
            &mut self.doc.nodes,
            Packed { start, rest: rest << KIND_BITS | kind },
            self.pos,
            self.text.len(),
        );
        Some(())
    }

    /// Counts a child of the innermost open container.
    fn count(&mut self, is_object: bool) {
        if let Some(open) = self.open.last_mut() {
            open.children += 1;
            open.objects |= is_object;
        }
    }

    fn leave(&mut self) -> Option<()> {
        let next = self.len();
        let OpenContainer { place, start, space, is_object, children, objects, has_rows } =
            self.open.pop()?;
        let children = children as usize;
        let is_long = children >= MIN_ELEMENTS && !is_object;
        self.doc.long_arrays += usize::from(is_long);
        let has_rows = has_rows || is_long || (objects && children >= MIN_ROWS && !is_object);
        if let Some(open) = self.open.last_mut() {
            open.has_rows |= has_rows;
        }
        self.pos += 1;
        let compact = (self.pos - start).checked_sub(self.space - space)?;
        let container = self.doc.containers.get_mut(place as usize)?;
        *container = Container {
            end: u32::try_from(self.pos).ok()?,
            next,
            compact: u32::try_from(compact).ok()?,
            is_object,
            has_rows,
        };
        Some(())
    }

    /// Consumes one structural byte and the white space after it.
    fn punctuation(&mut self) {
        self.pos += 1;
        self.white_space();
    }

    /// Validates the string at this position; returns its kind and range.
    fn string_span(&self) -> Option<(u32, Range<usize>)> {
        let mut kind = PLAIN;
        let mut at = self.pos + 1;
        loop {
            at += string_stop(self.text.as_bytes().get(at..)?)?;
            match self.text.as_bytes().get(at)? {
                b'"' => break,
                b'\\' => {
                    kind = ESCAPED;
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
        Some((kind, self.pos..at + 1))
    }

    fn scalar(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.pos..)?;
        let word = [&b"true"[..], b"false", b"null"].into_iter().find(|word| rest.starts_with(word));
        let len = word.map_or_else(|| number_len(rest), |word| Some(word.len()))?;
        self.leaf(SCALAR, self.pos..self.pos + len)
    }

    fn leaf(&mut self, kind: u32, span: Range<usize>) -> Option<()> {
        self.pos = span.end;
        self.count(false);
        self.push(span.start, u32::try_from(span.len()).ok()?, kind)
    }

    fn white_space(&mut self) {
        let rest = self.text.as_bytes().get(self.pos..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| is_space(**byte)).count();
        self.pos += count;
        self.space += count;
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn len(&self) -> u32 {
        // Cannot fail: there are fewer nodes than bytes, and their number was checked to fit.
        u32::try_from(self.doc.nodes.len()).unwrap_or(u32::MAX)
    }
}
