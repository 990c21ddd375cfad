//! Records the tokens of a text as nodes.

use super::{
    ArrayLengths, CONTAINER, Container, Document, ESCAPED, KIND_BITS, MAX_BYTES, MAX_DEPTH, PLAIN, Packed,
    SCALAR,
};
use crate::{
    Error,
    lexeme::StringContent,
    tokenizer::{self, Position, Sink, Tokenizer},
};

/// An array or object that is still open.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenContainer {
    /// Its index among the nodes, and among the containers.
    pub(super) node: u32,
    place: u32,
    start: Position,
    pub(super) is_object: bool,
    children: u32,
    /// Whether a child is an object.
    objects: bool,
    has_rows: bool,
}

/// Reads a text into a document.
pub(super) struct DocumentScanner<'a> {
    tokens: Tokenizer<'a>,
    nodes: NodeBuilder<'a>,
}

impl<'a> DocumentScanner<'a> {
    pub(super) fn new(text: &'a str, lengths: ArrayLengths) -> Option<Self> {
        let doc = Document {
            text,
            nodes: Vec::new(),
            containers: Vec::new(),
            roots: Vec::new(),
            long_arrays: 0,
            longest_string: 0,
        };
        (text.len() < MAX_BYTES).then(|| Self {
            tokens: Tokenizer::new(text, MAX_DEPTH),
            nodes: NodeBuilder { doc, open: Vec::new(), lengths },
        })
    }

    /// Reads values separated by commas up to the end of the text, which may be a comma.
    pub(super) fn elements(&mut self) -> Result<(), Error> {
        self.tokens.skip_space();
        while self.next_element()? && !self.tokens.is_at_end() {}
        if self.tokens.is_at_end() { Ok(()) } else { Err(Error::NotJson) }
    }

    /// Reads one element; returns whether a comma follows.
    pub(super) fn next_element(&mut self) -> Result<bool, Error> {
        let root = self.nodes.len();
        self.tokens.value(&mut self.nodes)?;
        self.nodes.doc.roots.push(root);
        Ok(self.tokens.comma())
    }

    /// Reads one value, or arrays and objects up to the end of the text.
    pub(super) fn document(&mut self) -> Result<(), Error> {
        self.tokens.skip_space();
        loop {
            self.nodes.doc.roots.push(self.nodes.len());
            self.tokens.value(&mut self.nodes)?;
            let end = self.tokens.at();
            self.tokens.skip_space();
            if self.tokens.is_at_end() {
                break;
            }
            let gap = self.document_so_far().text.get(end..self.tokens.at()).unwrap_or_default();
            if !gap.is_empty() && !gap.contains('\n') {
                return Err(Error::NotJson);
            }
        }
        let doc = self.document_so_far();
        let is_structured = doc.roots.len() == 1 || doc.roots.iter().all(|root| doc.is_container(*root));
        if is_structured { Ok(()) } else { Err(Error::NotJson) }
    }

    /// Returns what was read, with the arrays and objects that are open as if nothing were in them.
    pub(super) const fn document_so_far(&self) -> &Document<'a> {
        &self.nodes.doc
    }

    /// Returns the arrays and objects that are open.
    pub(super) fn open(&self) -> &[OpenContainer] {
        &self.nodes.open
    }

    /// Returns where reading ended.
    pub(super) const fn at(&self) -> usize {
        self.tokens.at()
    }

    /// Returns the number of values so far.
    pub(super) fn len(&self) -> u32 {
        self.nodes.len()
    }

    pub(super) fn into_document(self) -> Document<'a> {
        self.nodes.doc
    }
}

/// Makes a node of each token.
struct NodeBuilder<'a> {
    doc: Document<'a>,
    open: Vec<OpenContainer>,
    lengths: ArrayLengths,
}

impl NodeBuilder<'_> {
    fn len(&self) -> u32 {
        // Cannot fail: there are fewer nodes than bytes, and their number was checked to fit.
        u32::try_from(self.doc.nodes.len()).unwrap_or(u32::MAX)
    }

    /// Counts a child of the innermost open container.
    #[inline]
    fn count(&mut self, is_object: bool) {
        if let Some(open) = self.open.last_mut() {
            open.children += 1;
            open.objects |= is_object;
        }
    }

    #[inline]
    fn leaf(&mut self, kind: u32, start: usize, end: usize) -> Result<(), Error> {
        self.count(false);
        let node = Packed { start: index(start)?, rest: index(end - start)? << KIND_BITS | kind };
        push(&mut self.doc.nodes, node, end, self.doc.text.len());
        Ok(())
    }
}

impl Sink for NodeBuilder<'_> {
    #[inline]
    fn open(&mut self, container: tokenizer::Container, start: Position) -> Result<(), Error> {
        let is_object = container == tokenizer::Container::Object;
        self.count(is_object);
        let node = self.len();
        let place = index(self.doc.containers.len())?;
        self.open.push(OpenContainer {
            node,
            place,
            start,
            is_object,
            children: 0,
            objects: false,
            has_rows: false,
        });
        let length = self.doc.text.len();
        let node = Packed { start: index(start.at)?, rest: place << KIND_BITS | CONTAINER };
        push(&mut self.doc.nodes, node, start.at, length);
        let container = Container { end: 0, next: 0, compact: 0, is_object, has_rows: false };
        push(&mut self.doc.containers, container, start.at, length);
        Ok(())
    }

    #[inline]
    fn close(&mut self, end: Position) -> Result<(), Error> {
        let next = self.len();
        let Some(closed) = self.open.pop() else { return Err(Error::NotJson) };
        let OpenContainer { place, start, is_object, children, objects, has_rows, .. } = closed;
        let children = children as usize;
        let is_long = children >= self.lengths.long && !is_object;
        self.doc.long_arrays += usize::from(is_long);
        let has_rows = has_rows || is_long || (objects && children >= self.lengths.rows && !is_object);
        if let Some(open) = self.open.last_mut() {
            open.has_rows |= has_rows;
        }
        let compact = index(end.at - start.at - (end.space - start.space))?;
        if let Some(container) = self.doc.containers.get_mut(place as usize) {
            *container = Container { end: index(end.at)?, next, compact, is_object, has_rows };
        }
        Ok(())
    }

    #[inline]
    fn key(&mut self, _: StringContent) -> Result<(), Error> {
        Ok(())
    }

    #[inline]
    fn string(&mut self, string: StringContent) -> Result<(), Error> {
        let (start, end) = (string.start - 1, string.end + 1);
        self.doc.longest_string = self.doc.longest_string.max(end - start);
        self.leaf(if string.escaped { ESCAPED } else { PLAIN }, start, end)
    }

    #[inline]
    fn scalar(&mut self, start: usize, end: usize) -> Result<(), Error> {
        self.leaf(SCALAR, start, end)
    }
}

/// Converts an offset or length. Cannot fail: texts are shorter than [`MAX_BYTES`].
#[inline]
fn index(offset: usize) -> Result<u32, Error> {
    u32::try_from(offset).map_err(|_| Error::TooLarge)
}

/// Pushes an element at this offset of a text of this length.
///
/// When the vector is full, capacity is reserved for as many as the rest of the text has at this rate. A vector that grows
/// by doubling may leave half of its capacity unused, and holds its elements twice while it grows.
#[inline]
fn push<T>(all: &mut Vec<T>, element: T, at: usize, length: usize) {
    const SAMPLE: usize = 4096;
    if all.len() == all.capacity() && all.len() >= SAMPLE {
        // In 128 bits, because the product of two lengths may not fit into a `usize`.
        let more = all.len() as u128 * length.saturating_sub(at) as u128 / at.max(1) as u128;
        all.reserve_exact(usize::try_from(more + more / 16).unwrap_or(all.len()).max(64));
    }
    all.push(element);
}
