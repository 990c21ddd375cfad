//! Values with all their elements, in sequences, and in texts that are cut.
//!
//! A [`Document`] is checked by RFC 8259, and its lexemes are not copied. Values are numbered in the order of the text.

mod readable;
mod scanner;

use std::borrow::Cow;

use crate::{Error, lexeme, minify};
pub use readable::{Readable, ReadablePart, readable};
use scanner::DocumentScanner;

/// Deeper nesting is rejected, so that recursion over the document is bounded.
const MAX_DEPTH: usize = 128;

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentNodeKind {
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// A string without backslashes.
    Plain,
    /// A string with at least one escape.
    Escaped,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A value.
#[derive(Clone, Copy, Debug)]
pub struct DocumentNode {
    /// Its kind.
    pub kind: DocumentNodeKind,
    /// Whether it is or contains an array with rows, by [`ArrayLengths`].
    pub has_rows: bool,
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

/// How the values at the top of a text are separated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sequence {
    /// By line ends or nothing.
    #[default]
    Values,
    /// By commas: elements of an array whose brackets are elsewhere, or nowhere.
    Elements,
}

/// The lengths of the arrays that a [`Document`] notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayLengths {
    /// An array of at least this many elements, one of them an object, has rows.
    pub rows: usize,
    /// An array of at least this many elements is long, and has rows whatever they are.
    pub long: usize,
}

/// One or more JSON values, as offsets into their text.
///
/// Keys are not numbered: they are read from the text before their values.
///
/// ```
/// use headroom_json::document::{ArrayLengths, Document, DocumentNodeKind, Sequence};
///
/// let lengths = ArrayLengths { rows: 2, long: 40 };
/// let doc = Document::parse("{\"a\": [1.0, 2]}\n[true]\n", Sequence::Values, lengths)?;
/// let [first, second] = doc.roots() else { panic!("two values") };
/// let (key, list, kind) = doc.members(*first).next().expect("one member");
/// assert_eq!((key, kind), ("\"a\"", DocumentNodeKind::Array));
/// assert_eq!(doc.slice(list), "[1.0,2]", "without insignificant white space");
/// assert_eq!(doc.children(*second).map(|(item, _)| doc.lexeme(item)).collect::<Vec<_>>(), ["true"]);
/// # Ok::<(), headroom_json::Error>(())
/// ```
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    nodes: Vec<Packed>,
    containers: Vec<Container>,
    /// The top-level values.
    roots: Vec<u32>,
    /// Number of long arrays; the values of a stream count as one.
    long_arrays: usize,
    /// Length in bytes of the longest string, keys excluded.
    longest_string: usize,
}

impl<'a> Document<'a> {
    /// Parses one value, a stream of arrays and objects separated by line ends or nothing, or elements of an array.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotJson`] for what RFC 8259 or the sequence does not allow, [`Error::TooDeep`] for more than 128
    /// open arrays and objects, and [`Error::TooLarge`] for texts of 1 GiB and more.
    pub fn parse(text: &'a str, sequence: Sequence, lengths: ArrayLengths) -> Result<Self, Error> {
        let mut scanner = DocumentScanner::new(text, lengths).ok_or(Error::TooLarge)?;
        match sequence {
            Sequence::Values => scanner.document()?,
            Sequence::Elements => scanner.elements()?,
        }
        let mut doc = scanner.into_document();
        doc.long_arrays += usize::from(doc.roots.len() >= lengths.long);
        Ok(doc)
    }

    /// Returns the values at the top.
    #[must_use]
    #[inline]
    pub fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// Returns the number of long arrays, by [`ArrayLengths`]; the values at the top count as one.
    #[must_use]
    pub const fn long_arrays(&self) -> usize {
        self.long_arrays
    }

    /// Returns what is known of a value.
    #[must_use]
    #[inline]
    pub fn node(&self, index: u32) -> Option<DocumentNode> {
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
    #[must_use]
    pub fn slice(&self, index: u32) -> Cow<'a, str> {
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
    #[must_use]
    #[inline]
    pub fn lexeme(&self, index: u32) -> &'a str {
        let leaf = self
            .node(index)
            .filter(|node| !matches!(node.kind, DocumentNodeKind::Array | DocumentNodeKind::Object));
        leaf.and_then(|node| self.text.get(node.start..node.end)).unwrap_or_default()
    }

    /// Appends what [`Self::slice`] returns.
    #[inline]
    pub fn write(&self, index: u32, out: &mut String) {
        let Some(node) = self.node(index) else { return };
        let span = self.text.get(node.start..node.end).unwrap_or_default();
        if span.len() == node.compact { out.push_str(span) } else { minify(span, out) }
    }

    /// Returns the length in bytes of what [`Self::slice`] returns.
    #[must_use]
    #[inline]
    pub fn length(&self, index: u32) -> usize {
        self.node(index).map_or(0, |node| node.compact)
    }

    /// Iterates over the direct children of an array or object.
    #[inline]
    pub fn children(&self, index: u32) -> impl Iterator<Item = (u32, DocumentNode)> {
        let end = self.node(index).map_or(0, |node| node.next);
        let mut at = index.saturating_add(1);
        std::iter::from_fn(move || {
            let node = (at < end).then(|| self.node(at)).flatten()?;
            let child = (at, node);
            at = node.next;
            Some(child)
        })
    }

    /// Iterates over the members of an object: the exact lexemes of the keys, and the values.
    #[inline]
    pub fn members(&self, index: u32) -> impl Iterator<Item = (&'a str, u32, DocumentNodeKind)> {
        self.named(index).map(|(key, value, kind)| (key.lexeme(), value, kind))
    }

    /// Iterates over the members of an object, with keys that are read on demand.
    #[inline]
    pub fn named(&self, index: u32) -> impl Iterator<Item = (DocumentKey<'a>, u32, DocumentNodeKind)> {
        let mut at = self.node(index).map_or(0, |node| node.start + 1);
        self.children(index).map(move |(value, node)| {
            let key = DocumentKey::first_in(self.text.get(at..node.start).unwrap_or_default());
            at = node.end;
            (key, value, node.kind)
        })
    }

    /// Returns the string values with at least this many bytes, in order, keys and top-level values excluded.
    #[must_use]
    pub fn long_strings(&self, bytes: usize) -> Vec<u32> {
        if self.longest_string < bytes || !self.is_container(0) {
            return Vec::new();
        }
        let is_long = |packed: &Packed| {
            matches!(packed.rest & CONTAINER, PLAIN | ESCAPED) && (packed.rest >> KIND_BITS) as usize >= bytes
        };
        (0..).zip(&self.nodes).filter(|(_, packed)| is_long(packed)).map(|(index, _)| index).collect()
    }

    /// Returns the compact text with the lexemes of some values replaced, given in order.
    #[must_use]
    pub fn with_lexemes(&self, lexemes: &[(u32, &str)]) -> String {
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

    /// Whether the text ends with a comma after its last value.
    #[must_use]
    pub fn ends_with_comma(&self) -> bool {
        self.text.trim_end_matches([' ', '\t', '\r', '\n']).ends_with(',')
    }

    /// Whether a value is an array or object.
    #[must_use]
    #[inline]
    pub fn is_container(&self, index: u32) -> bool {
        self.node(index)
            .is_some_and(|node| matches!(node.kind, DocumentNodeKind::Array | DocumentNodeKind::Object))
    }

    /// Whether an array or object has nothing in it.
    #[must_use]
    #[inline]
    pub fn is_empty(&self, index: u32) -> bool {
        self.node(index).is_none_or(|node| node.next == index.saturating_add(1))
    }
}

/// A key, followed by the text up to its value.
#[derive(Clone, Copy, Debug)]
pub struct DocumentKey<'a>(&'a str);

impl<'a> DocumentKey<'a> {
    /// Finds the first string in the text between two values.
    fn first_in(between: &'a str) -> Self {
        let start = between.bytes().position(|byte| byte == b'"');
        Self(start.and_then(|start| between.get(start..)).unwrap_or_default())
    }

    /// Returns the key as it is written, with its quotes.
    #[must_use]
    #[inline]
    pub fn lexeme(self) -> &'a str {
        let end = lexeme::string_end(self.0.as_bytes(), 0);
        end.and_then(|end| self.0.get(..end)).unwrap_or_default()
    }

    /// Whether this is the key's lexeme. Compares the closing quote too, so a longer key does not match.
    #[must_use]
    #[inline]
    pub fn is(self, lexeme: &str) -> bool {
        !lexeme.is_empty() && self.0.starts_with(lexeme)
    }
}
