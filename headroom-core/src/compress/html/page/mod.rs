//! Splits a page into blocks of text, each with its links and its element.

mod marks;
mod math;
mod number;
mod reader;
mod row;
mod script;

use std::ops::Range;

pub(super) use number::ItemNumber;

use super::token::{HtmlToken, HtmlTokens};
use reader::PageReader;

/// The kind of a block of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HtmlBlockKind {
    Paragraph,
    Heading(u8),
    /// The start of a list item, with the depth of the list and, in an ordered list, the item's number.
    Item {
        depth: u8,
        number: Option<ItemNumber>,
    },
    /// A term of a definition list, and the start of its definition.
    Term,
    Definition,
    /// A table row, with [`SEPARATOR`] between its cells.
    Row {
        head: bool,
        cells: u16,
    },
    Preformatted,
    Quote,
    /// The tag of an input, as written in the page.
    Field,
}

/// Separates the cells of a row.
pub(super) const SEPARATOR: &str = " | ";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HtmlBlock {
    pub(super) kind: HtmlBlockKind,
    /// Its range in the text of the page.
    pub(super) text: Range<usize>,
    /// The indices of its links.
    pub(super) links: Range<usize>,
    /// The index of its element.
    pub(super) node: usize,
    /// Bytes of its text within links.
    pub(super) linked: usize,
}

impl HtmlBlock {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link<'p> {
    /// Its range in the text of the page.
    pub(super) text: Range<usize>,
    /// Its target, as written in the attribute.
    pub(super) href: &'p str,
}

/// An element that holds blocks. Elements come before their descendants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HtmlNode {
    pub(super) parent: usize,
    pub(super) frame: Frame,
}

/// Whether an element is a frame around the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    No,
    /// According to its classes.
    Named,
    /// According to its name.
    Yes,
}

/// The readable content of a page.
#[derive(Debug, Default)]
pub(super) struct Page<'p> {
    /// The concatenated text of all blocks.
    pub(super) text: String,
    pub(super) blocks: Vec<HtmlBlock>,
    pub(super) links: Vec<Link<'p>>,
    pub(super) nodes: Vec<HtmlNode>,
    /// The contents of `<title>`.
    pub(super) title: String,
}

impl<'p> Page<'p> {
    pub(super) fn parse(source: &'p str) -> Self {
        let mut reader = PageReader::new(source.len());
        let mut tokens = HtmlTokens::new(source);
        while let Some(token) = tokens.next() {
            match token {
                HtmlToken::Text(text) => reader.text(text),
                HtmlToken::Open(tag) => reader.open(&tag, tokens.rest()),
                HtmlToken::Close(name) => reader.close(name),
            }
        }
        reader.finish()
    }

    pub(super) fn text_of(&self, block: &HtmlBlock) -> &str {
        self.text.get(block.text.clone()).unwrap_or_default()
    }
}
