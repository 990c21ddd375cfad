//! Splits a page into blocks of text, each with its links and its element.

use std::ops::Range;

use super::{
    element::{Element, is_frame, is_hidden},
    entity,
    token::{HtmlToken, HtmlTokens, Tag},
};

/// The kind of a block of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HtmlBlockKind {
    Paragraph,
    Heading(u8),
    /// The start of a list item, with the depth of the list and, in an ordered list, the item's number.
    Item {
        depth: u8,
        number: Option<u32>,
    },
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
        let mut reader = PageReader::new();
        for token in HtmlTokens::new(source) {
            match token {
                HtmlToken::Text(text) => reader.text(text),
                HtmlToken::Open(tag) => reader.open(&tag),
                HtmlToken::Close(name) => reader.close(name),
            }
        }
        reader.end_row();
        reader.page
    }

    pub(super) fn text_of(&self, block: &HtmlBlock) -> &str {
        self.text.get(block.text.clone()).unwrap_or_default()
    }
}

/// An open element.
#[derive(Clone, Copy, Debug)]
struct OpenElement {
    /// Its name, truncated to a length that distinguishes all relevant names.
    name: [u8; 8],
    element: Element,
    node: usize,
    hidden: bool,
    /// The number of the next list item.
    next: u32,
}

/// Text of a row up to the next cell or paragraph.
#[derive(Clone, Copy, Debug)]
struct InlinePiece {
    start: usize,
    end: usize,
    links: usize,
}

#[derive(Debug, Default)]
struct RowState {
    start: usize,
    pieces: Vec<InlinePiece>,
    cells: u16,
    head: bool,
    /// Start of the current cell, and the length of the longest cell so far.
    cell: usize,
    longest: usize,
}

struct PageReader<'p> {
    page: Page<'p>,
    stack: Vec<OpenElement>,
    /// Number of open elements that are hidden or unreadable.
    hidden: usize,
    lists: usize,
    quotes: usize,
    preformatted: usize,
    heading: u8,
    /// The item whose first block comes next.
    item: Option<(u8, Option<u32>)>,
    row: Option<RowState>,
    /// Start of the current block, and its first link.
    start: usize,
    links: usize,
    /// Whether white space precedes the next character.
    space: bool,
    link: Option<(usize, &'p str)>,
    in_title: bool,
}

/// Maximum depth of open elements; elements nested deeper are not distinguished. Browsers have the same limit.
const MAX_DEPTH: usize = 512;
/// Number of open elements that are searched for the one that an end tag closes.
const REACH: usize = 64;
/// A row with a longer cell is layout, not a table row.
const LONGEST_CELL: usize = 400;

impl<'p> PageReader<'p> {
    fn new() -> Self {
        let root = HtmlNode { parent: 0, frame: Frame::No };
        Self {
            page: Page { nodes: vec![root], ..Page::default() },
            stack: Vec::new(),
            hidden: 0,
            lists: 0,
            quotes: 0,
            preformatted: 0,
            heading: 0,
            item: None,
            row: None,
            start: 0,
            links: 0,
            space: false,
            link: None,
            in_title: false,
        }
    }

    fn node(&self) -> usize {
        self.stack.last().map_or(0, |open| open.node)
    }

    fn text(&mut self, text: &'p str) {
        if self.in_title {
            if self.page.title.is_empty() {
                let title = entity::decode(text);
                self.page.title = title.split_whitespace().collect::<Vec<_>>().join(" ");
            }
        } else if self.hidden == 0 {
            if self.preformatted > 0 { self.exact(text) } else { self.folded(text) }
        }
    }

    fn exact(&mut self, text: &str) {
        let text =
            if self.page.text.len() == self.start { text.trim_start_matches(['\r', '\n']) } else { text };
        self.page.text.push_str(&entity::decode(text).replace('\r', ""));
    }

    fn folded(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            // Most text has single spaces and nothing to decode.
            let plain = rest.bytes().position(|byte| byte <= b' ' || byte == b'&' || byte == 0xc2);
            let (run, behind) = rest.split_at_checked(plain.unwrap_or(rest.len())).unwrap_or((rest, ""));
            if !run.is_empty() {
                self.word(run);
            }
            let Some(c) = behind.chars().next() else { return };
            let (c, length) = match c {
                '&' => entity::reference(behind).unwrap_or((c, 1)),
                c => (c, c.len_utf8()),
            };
            if c.is_whitespace() || c.is_control() {
                self.space = true;
            } else {
                self.word(c.encode_utf8(&mut [0; 4]));
            }
            rest = behind.get(length..).unwrap_or_default();
        }
    }

    fn word(&mut self, word: &str) {
        if self.space {
            let text = &mut self.page.text;
            if text.len() > self.start && !text.ends_with(['\n', ' ']) {
                text.push(' ');
                // A link starts at its first word.
                if let Some((start, _)) = &mut self.link
                    && *start + 1 == text.len()
                {
                    *start = text.len();
                }
            }
            self.space = false;
        }
        self.page.text.push_str(word);
    }

    fn open(&mut self, tag: &Tag<'p>) {
        let element = Element::from_name(tag.name);
        match element {
            Element::Inline => {}
            Element::Title => self.in_title = self.hidden == 0 && self.page.title.is_empty(),
            Element::Break => self.line_break(),
            Element::Link => {
                self.end_link();
                self.link = tag.raw("href").map(|href| (self.page.text.len(), href));
            }
            Element::Paragraph => self.end_piece(),
            Element::Field => self.field(tag),
            Element::Heading(level) => {
                self.end_block();
                self.heading = level;
            }
            Element::Item => self.open_item(tag),
            Element::Row => {
                self.end_row();
                self.row = Some(RowState { start: self.start, cell: self.start, ..RowState::default() });
            }
            Element::Cell { head } => self.open_cell(head),
            element if self.stack.len() < MAX_DEPTH => self.open_block(element, tag),
            _ => self.end_piece(),
        }
    }

    /// Opens an element that may contain other elements.
    fn open_block(&mut self, element: Element, tag: &Tag<'p>) {
        let leaves_picture = element.holds_blocks() && self.stack.last().is_some_and(|open| is(open, b"svg"));
        if leaves_picture {
            self.pop();
        }
        match element {
            Element::Unread => {}
            Element::Container | Element::Main | Element::Header => self.end_piece(),
            _ => self.end_block(),
        }
        let mut node = self.node();
        let hidden = element == Element::Unread || is_hidden(tag);
        if element.holds_blocks() {
            let frame = match element {
                Element::Frame => Frame::Yes,
                Element::Select => Frame::Named,
                Element::Header
                    if !self.stack.iter().rev().take(REACH).any(|open| open.element == Element::Main) =>
                {
                    Frame::Named
                }
                _ if !tag.name.eq_ignore_ascii_case("body") && is_frame(tag) => Frame::Named,
                _ => Frame::No,
            };
            self.page.nodes.push(HtmlNode { parent: node, frame });
            node = self.page.nodes.len() - 1;
        }
        match element {
            Element::List { .. } => self.lists += 1,
            Element::Quote => self.quotes += 1,
            Element::Preformatted => self.preformatted += 1,
            Element::Form | Element::Select if self.hidden == 0 && !hidden => self.source(tag),
            _ => {}
        }
        self.hidden += usize::from(hidden);
        let next = tag.raw("start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
        self.stack.push(OpenElement { name: short(tag.name), element, node, hidden, next });
    }

    fn open_item(&mut self, tag: &Tag<'p>) {
        self.end_block();
        let depth = u8::try_from(self.lists.saturating_sub(1)).unwrap_or(u8::MAX);
        let number = self.stack.iter_mut().rev().take(REACH).find_map(|open| {
            let Element::List { ordered } = open.element else { return None };
            if let Some(value) = tag.raw("value").and_then(|value| value.trim().parse().ok()) {
                open.next = value;
            }
            let number = open.next;
            open.next = number.saturating_add(1);
            Some(ordered.then_some(number))
        });
        self.item = Some((depth, number.flatten()));
    }

    fn open_cell(&mut self, head: bool) {
        self.end_piece();
        self.space = false;
        let Some(row) = &mut self.row else { return };
        let end = self.page.text.trim_end().len().max(row.start);
        self.page.text.truncate(end);
        if row.cells == 0 {
            row.head = true;
        } else {
            self.page.text.push_str(SEPARATOR);
        }
        row.head &= head;
        row.cells = row.cells.saturating_add(1);
        row.cell = self.page.text.len();
        self.start = self.page.text.len();
    }

    fn close(&mut self, name: &str) {
        let element = Element::from_name(name);
        match element {
            Element::Inline | Element::Break => {}
            Element::Title => self.in_title = false,
            Element::Link => _ = self.end_link(),
            Element::Paragraph => self.end_piece(),
            Element::Heading(_) => {
                self.end_block();
                self.heading = 0;
            }
            Element::Item => {
                self.end_block();
                self.item = None;
            }
            Element::Field | Element::Cell { .. } => {}
            Element::Row => self.end_row(),
            element => self.close_block(element, name),
        }
    }

    fn close_block(&mut self, element: Element, name: &str) {
        match element {
            Element::Unread => {}
            Element::Container | Element::Main | Element::Header => self.end_piece(),
            Element::Table => self.end_row(),
            _ => self.end_block(),
        }
        let name = short(name);
        // Only the end tag of a table closes elements around that table.
        let mut reached = self.stack.iter().rev().take(REACH);
        let mut depth = None;
        for (at, open) in reached.by_ref().enumerate() {
            if open.name == name && open.element == element {
                depth = Some(at + 1);
                break;
            }
            if open.element == Element::Table {
                break;
            }
        }
        for _ in 0..depth.unwrap_or(0) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(open) = self.stack.pop() else { return };
        self.hidden -= usize::from(open.hidden);
        match open.element {
            Element::List { .. } => self.lists -= 1,
            Element::Quote => self.quotes -= 1,
            Element::Preformatted => self.preformatted -= 1,
            _ => {}
        }
    }

    fn line_break(&mut self) {
        if self.hidden > 0 {
            return;
        }
        if self.row.is_some() {
            self.end_piece();
        } else if self.page.text.ends_with('\n') && self.page.text.len() > self.start {
            // Two line breaks end a paragraph.
            self.end_block();
        } else if self.page.text.len() > self.start {
            self.page.text.push('\n');
            self.space = false;
        }
    }

    fn field(&mut self, tag: &Tag<'p>) {
        let unseen = tag.raw("type").is_some_and(|kind| kind.eq_ignore_ascii_case("hidden"));
        if self.hidden == 0 && !unseen && !is_hidden(tag) {
            self.end_block();
            self.source(tag);
        }
    }

    /// Adds a tag as written in the page.
    fn source(&mut self, tag: &Tag<'_>) {
        let (start, links) = (self.page.text.len(), self.page.links.len());
        for (at, word) in tag.source.split_whitespace().enumerate() {
            if at > 0 {
                self.page.text.push(' ');
            }
            self.page.text.push_str(word);
        }
        self.push(HtmlBlockKind::Field, InlinePiece { start, end: self.page.text.len(), links });
        self.start = self.page.text.len();
    }

    /// Ends the current link and returns its target.
    fn end_link(&mut self) -> Option<&'p str> {
        let (start, href) = self.link.take()?;
        let end = self.page.text.trim_end().len();
        if start < end {
            self.page.links.push(Link { text: start..end, href });
        }
        Some(href)
    }

    /// Ends a paragraph; a table cell may have several.
    fn end_piece(&mut self) {
        if self.row.is_none() {
            self.end_block();
            return;
        }
        let href = self.end_link();
        let (start, end) = (self.start, self.page.text.trim_end().len().max(self.start));
        if let Some(row) = &mut self.row {
            row.longest = row.longest.max(end.saturating_sub(row.cell));
            if start < end {
                row.pieces.push(InlinePiece { start, end, links: self.links });
            }
        }
        self.start = self.page.text.len();
        self.links = self.page.links.len();
        self.space = true;
        self.link = href.map(|href| (self.start, href));
        if start < end && !self.page.text.ends_with(' ') {
            self.page.text.push(' ');
            self.start = self.page.text.len();
        }
    }

    /// Ends a block. A row that contains a block is layout, not a table row.
    fn end_block(&mut self) {
        if self.row.is_some() {
            self.end_piece();
            if let Some(row) = self.row.take() {
                self.lay_out(&row);
            }
            return;
        }
        let href = self.end_link();
        let kind = if self.preformatted > 0 {
            HtmlBlockKind::Preformatted
        } else if let Some((depth, number)) = self.item {
            HtmlBlockKind::Item { depth, number }
        } else if self.heading > 0 {
            HtmlBlockKind::Heading(self.heading)
        } else if self.quotes > 0 {
            HtmlBlockKind::Quote
        } else {
            HtmlBlockKind::Paragraph
        };
        let end = self.page.text.trim_end().len();
        if self.start < end {
            self.push(kind, InlinePiece { start: self.start, end, links: self.links });
            self.item = None;
        }
        self.page.text.truncate(end.max(self.start));
        self.start = self.page.text.len();
        self.links = self.page.links.len();
        self.space = false;
        self.link = href.map(|href| (self.start, href));
    }

    fn push(&mut self, kind: HtmlBlockKind, piece: InlinePiece) {
        let links = piece.links..self.page.links.len();
        let found = self.page.links.get(links.clone()).unwrap_or_default();
        let linked = found.iter().map(|link| link.text.len()).sum();
        let block = HtmlBlock { kind, text: piece.start..piece.end, links, node: self.node(), linked };
        self.page.blocks.push(block);
    }

    /// Ends the row, if there is one, and the block.
    fn end_row(&mut self) {
        if self.row.is_some() {
            self.end_piece();
        } else {
            self.end_block();
        }
        let Some(row) = self.row.take() else { return };
        if row.cells < 2 || row.longest > LONGEST_CELL {
            self.lay_out(&row);
        } else if let (Some(first), Some(last)) = (row.pieces.first(), row.pieces.last()) {
            let whole = InlinePiece { start: row.start, end: last.end, links: first.links };
            self.push(HtmlBlockKind::Row { head: row.head, cells: row.cells }, whole);
        }
        self.start = self.page.text.len();
        self.links = self.page.links.len();
    }

    /// Writes the pieces of a row as paragraphs.
    fn lay_out(&mut self, row: &RowState) {
        for (at, piece) in row.pieces.iter().enumerate() {
            self.push(HtmlBlockKind::Paragraph, *piece);
            let next = row.pieces.get(at + 1).map_or(self.page.links.len(), |next| next.links);
            if let Some(block) = self.page.blocks.last_mut() {
                block.links.end = next;
                let links = self.page.links.get(block.links.clone()).unwrap_or_default();
                block.linked = links.iter().map(|link| link.text.len()).sum();
            }
        }
        self.start = self.page.text.len();
        self.links = self.page.links.len();
    }
}

fn short(name: &str) -> [u8; 8] {
    let mut short = [0; 8];
    short.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from.to_ascii_lowercase());
    short
}

fn is(open: &OpenElement, name: &[u8]) -> bool {
    open.name.starts_with(name) && open.name.get(name.len()) == Some(&0)
}
