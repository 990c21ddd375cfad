//! Splits a page into blocks of text, each with its links and its element.

mod grid;
mod marks;
mod math;
mod number;
mod reader;
mod row;
mod script;
mod wraps;

use std::ops::Range;

pub(super) use number::ItemNumber;

use super::{token::HtmlToken, visible::VisibleTokens};
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
    /// A term of a definition list, with the depth of the list.
    Term {
        depth: u8,
    },
    /// The start of a definition, and what follows in it.
    Definition {
        depth: u8,
        is_start: bool,
    },
    /// A table row, with [`SEPARATOR`] between its cells.
    Row {
        /// The number of its table in the page.
        table: usize,
        head: bool,
        /// How many cells its table has more.
        missing: u16,
        columns: u16,
    },
    Preformatted,
    /// The tag of an input, as written in the page.
    Field,
    /// The tag of a table, a row or a cell around blocks.
    Tag,
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
    /// The index of the quote that it is in.
    pub(super) quote: usize,
    /// The number of lists that it is in.
    pub(super) lists: u8,
    /// The number of the outermost list or table that it is in, from one on.
    pub(super) group: usize,
    /// Whether all of it is bold, as a heading is.
    pub(super) bold: bool,
}

/// A quote. Quotes come before those within them; the first is none, which all others are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HtmlQuote {
    pub(super) parent: usize,
    pub(super) depth: usize,
    /// Itself, or the innermost quote around it that is not nested too deep to be shown.
    pub(super) shown: usize,
    /// The number of lists that it is in.
    pub(super) lists: u8,
}

impl HtmlQuote {
    /// Quotes nested deeper are not told apart.
    pub(super) const MAX_DEPTH: usize = 16;
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
    pub(super) quotes: Vec<HtmlQuote>,
    /// Number of words that a browser does not show.
    pub(super) hidden_words: usize,
    /// The contents of `<title>`.
    pub(super) title: String,
}

impl<'p> Page<'p> {
    pub(super) fn parse(source: &'p str) -> Self {
        let mut reader = PageReader::new(grid::shapes(source));
        let mut tokens = VisibleTokens::new(source);
        while let Some(token) = tokens.next() {
            match token {
                HtmlToken::Text(text) => reader.text(text),
                HtmlToken::Open(tag) => reader.open(&tag, tokens.rest()),
                HtmlToken::Close(name) => reader.close(name),
            }
        }
        let mut page = reader.finish();
        page.hidden_words = tokens.hidden_words;
        page
    }

    pub(super) fn text_of(&self, block: &HtmlBlock) -> &str {
        self.text.get(block.text.clone()).unwrap_or_default()
    }
}
