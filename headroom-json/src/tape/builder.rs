//! Records tokens on a tape.

use super::{NodeKind, TapeNode};
use crate::{
    Error,
    lexeme::StringContent,
    tokenizer::{Container, Position, Sink},
};

/// Records the strings, arrays and objects of a text, and the scalars in its objects.
pub(super) struct TapeBuilder {
    pub(super) nodes: Vec<TapeNode>,
    /// Indexes of the open arrays and objects.
    open: Vec<u32>,
    /// Whether the last token was a key.
    is_member: bool,
    max_values: usize,
}

impl TapeBuilder {
    pub(super) const fn new(max_values: usize) -> Self {
        Self { nodes: Vec::new(), open: Vec::new(), is_member: false, max_values }
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize, kind: NodeKind) -> Result<(), Error> {
        if self.nodes.len() >= self.max_values {
            return Err(Error::TooManyValues);
        }
        self.is_member = false;
        let next = index(self.nodes.len() + 1);
        self.nodes.push(TapeNode { start: index(start), end: index(end), next, kind });
        Ok(())
    }

    #[inline]
    fn push_string(&mut self, StringContent { start, end, escaped }: StringContent) -> Result<(), Error> {
        self.push(start, end, if escaped { NodeKind::Escaped } else { NodeKind::String })
    }
}

impl Sink for TapeBuilder {
    #[inline]
    fn open(&mut self, container: Container, start: Position) -> Result<(), Error> {
        let kind = match container {
            Container::Array => NodeKind::Array,
            Container::Object => NodeKind::Object,
        };
        self.open.push(index(self.nodes.len()));
        self.push(start.at, start.at + 1, kind)
    }

    #[inline]
    fn close(&mut self, end: Position) -> Result<(), Error> {
        let next = index(self.nodes.len());
        let container = self.open.pop().and_then(|container| self.nodes.get_mut(container as usize));
        if let Some(node) = container {
            node.end = index(end.at);
            node.next = next;
        }
        Ok(())
    }

    #[inline]
    fn key(&mut self, key: StringContent) -> Result<(), Error> {
        self.push_string(key)?;
        self.is_member = true;
        Ok(())
    }

    #[inline]
    fn string(&mut self, string: StringContent) -> Result<(), Error> {
        self.push_string(string)
    }

    #[inline]
    fn scalar(&mut self, start: usize, end: usize) -> Result<(), Error> {
        let is_recorded = self.is_member || self.open.is_empty();
        if is_recorded { self.push(start, end, NodeKind::Scalar) } else { Ok(()) }
    }
}

/// Converts an offset. It fits: only texts shorter than 4 GiB are parsed.
#[expect(clippy::cast_possible_truncation, reason = "bounded by the length check of `Tape::parse_with`")]
const fn index(offset: usize) -> u32 {
    offset as u32
}
