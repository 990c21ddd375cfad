//! Reads the tokens of a page into blocks.

mod blocks;
mod cells;
mod inline;
mod lists;

use super::{
    super::{
        element::{Element, is_frame, is_hidden},
        entity,
        token::Tag,
    },
    Frame, HtmlBlockKind, HtmlNode, Page,
    marks::Marks,
    math::Formula,
    number::{ItemNumber, NumberStyle},
    row::{InlinePiece, RowState, Spans},
};
use lists::FallingList;

/// An open element.
#[derive(Clone, Copy, Debug)]
struct OpenElement {
    /// Its name, truncated to a length that distinguishes all relevant names.
    name: [u8; 8],
    element: Element,
    node: usize,
    hidden: bool,
    next: NextItem,
}

/// The next item of a list.
#[derive(Clone, Copy, Debug)]
struct NextItem {
    number: ItemNumber,
    /// The difference between numbers.
    steps: i32,
    /// Whether the numbers fall to one, from a number that is not known yet.
    falls: bool,
}

/// What precedes the next block.
#[derive(Clone, Copy, Debug)]
enum Lead {
    Item {
        depth: u8,
        number: Option<ItemNumber>,
        /// Whether the numbers of the list fall, to an end that is not known yet.
        falls: bool,
    },
    Term,
    Definition,
}

pub(super) struct PageReader<'p> {
    page: Page<'p>,
    stack: Vec<OpenElement>,
    /// Number of open elements that are hidden or unreadable.
    hidden: usize,
    lists: usize,
    quotes: usize,
    preformatted: usize,
    heading: u8,
    /// What precedes the next block.
    lead: Option<Lead>,
    falling: Vec<FallingList>,
    row: Option<RowState>,
    /// The spanning cells of each open table.
    spans: Vec<Spans>,
    /// Bytes that cells may still be repeated in.
    repeatable: usize,
    marks: Marks,
    formula: Formula,
    /// What ends each open script.
    scripts: Vec<&'static str>,
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

impl<'p> PageReader<'p> {
    /// `length` is the page's in bytes.
    pub(super) fn new(length: usize) -> Self {
        let root = HtmlNode { parent: 0, frame: Frame::No };
        Self {
            page: Page { nodes: vec![root], ..Page::default() },
            stack: Vec::new(),
            hidden: 0,
            lists: 0,
            quotes: 0,
            preformatted: 0,
            heading: 0,
            lead: None,
            falling: Vec::new(),
            row: None,
            spans: vec![Spans::default()],
            repeatable: length,
            marks: Marks::default(),
            formula: Formula::default(),
            scripts: Vec::new(),
            start: 0,
            links: 0,
            space: false,
            link: None,
            in_title: false,
        }
    }

    pub(super) fn finish(mut self) -> Page<'p> {
        self.end_row();
        self.page
    }

    fn node(&self) -> usize {
        self.stack.last().map_or(0, |open| open.node)
    }

    pub(super) fn text(&mut self, text: &'p str) {
        if self.in_title {
            if self.page.title.is_empty() {
                let title = entity::decode(text);
                self.page.title = title.split_whitespace().collect::<Vec<_>>().join(" ");
            }
        } else if self.hidden == 0 {
            if self.preformatted > 0 { self.exact(text) } else { self.folded(text) }
        }
    }

    /// `rest` is the page behind the tag.
    pub(super) fn open(&mut self, tag: &Tag<'p>, rest: &str) {
        let element = Element::from_name(tag.name);
        match element {
            Element::Inline => {
                self.mark(tag);
                let sign = self.formula.enter(tag.name, tag.source.ends_with("/>"));
                self.sign(sign);
            }
            Element::Title => self.in_title = self.hidden == 0 && self.page.title.is_empty(),
            Element::Break => self.line_break(),
            Element::Link => {
                self.end_link();
                self.mark(tag);
                self.link = tag.raw("href").map(|href| (self.page.text.len(), href));
            }
            Element::Picture => self.picture(tag),
            Element::Script { raised } => self.open_script(raised, rest),
            Element::Paragraph => {
                self.end_piece();
                self.mark(tag);
            }
            Element::Field => self.field(tag),
            Element::Heading(level) => {
                self.end_block();
                self.mark(tag);
                self.heading = level;
            }
            Element::Item => {
                self.open_item(tag);
                self.mark(tag);
            }
            Element::Term | Element::Definition => {
                self.end_block();
                self.mark(tag);
                self.lead = Some(if element == Element::Term { Lead::Term } else { Lead::Definition });
            }
            Element::Rows => self.end_rows(),
            Element::Row => {
                self.end_row();
                self.mark(tag);
                if let Some(spans) = self.spans.last_mut() {
                    spans.begin_row();
                }
                self.row = Some(RowState { start: self.start, cell: self.start, ..RowState::default() });
            }
            Element::Cell { head } => {
                self.open_cell(head, tag);
                self.mark(tag);
            }
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
        let mut falls = false;
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
            Element::List { ordered } => {
                self.lists += 1;
                self.falling.push(FallingList::default());
                falls = ordered && tag.raw("reversed").is_some() && tag.raw("start").is_none();
            }
            Element::Table => self.spans.push(Spans::default()),
            Element::Quote => self.quotes += 1,
            Element::Preformatted => self.preformatted += 1,
            Element::Form | Element::Select if self.hidden == 0 && !hidden => self.source(tag),
            _ => {}
        }
        self.hidden += usize::from(hidden);
        let steps = if tag.raw("reversed").is_some() { -1 } else { 1 };
        let value = tag.raw("start").and_then(|start| start.trim().parse().ok());
        let value = value.unwrap_or(if falls { 0 } else { 1 });
        let style = NumberStyle::from_attribute(tag.raw("type"));
        let next = NextItem { number: ItemNumber { value, style }, steps, falls };
        self.mark(tag);
        self.stack.push(OpenElement { name: short(tag.name), element, node, hidden, next });
    }

    pub(super) fn close(&mut self, name: &str) {
        let element = Element::from_name(name);
        match element {
            Element::Inline => {
                let sign = self.formula.leave();
                self.sign(sign);
                self.unmark(name);
            }
            Element::Break | Element::Field | Element::Picture => {}
            Element::Script { .. } => self.close_script(),
            Element::Title => self.in_title = false,
            Element::Link => {
                self.end_link();
                self.unmark(name);
            }
            Element::Paragraph => {
                self.end_piece();
                self.unmark(name);
            }
            Element::Heading(_) => {
                self.end_block();
                self.unmark(name);
                self.heading = 0;
            }
            Element::Item | Element::Term | Element::Definition => {
                self.end_block();
                self.unmark(name);
                self.lead = None;
            }
            Element::Cell { .. } => {
                self.end_cell();
                self.unmark(name);
            }
            Element::Rows => self.end_rows(),
            Element::Row => {
                self.end_row();
                self.unmark(name);
            }
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
        self.unmark(name);
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
            Element::List { .. } => {
                self.lists -= 1;
                self.end_falling();
            }
            Element::Table if self.spans.len() > 1 => _ = self.spans.pop(),
            Element::Quote => self.quotes -= 1,
            Element::Preformatted => self.preformatted -= 1,
            _ => {}
        }
    }

    fn field(&mut self, tag: &Tag<'p>) {
        let unseen = tag.raw("type").is_some_and(|kind| kind.eq_ignore_ascii_case("hidden"));
        if self.hidden > 0 || unseen || is_hidden(tag) {
            return;
        }
        let is_box = |kind: &str| ["checkbox", "radio"].iter().any(|known| kind.eq_ignore_ascii_case(known));
        if tag.raw("type").is_some_and(is_box) {
            self.word(if tag.raw("checked").is_some() { "[x]" } else { "[ ]" });
            self.space = true;
        } else {
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
}

fn short(name: &str) -> [u8; 8] {
    let mut short = [0; 8];
    short.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from.to_ascii_lowercase());
    short
}

fn is(open: &OpenElement, name: &[u8]) -> bool {
    open.name.starts_with(name) && open.name.get(name.len()) == Some(&0)
}
