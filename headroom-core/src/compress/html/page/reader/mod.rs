//! Reads the tokens of a page into blocks.

mod blocks;
mod cells;
mod fields;
mod inline;
mod lists;

use super::{
    super::{
        element::{Element, is_one_of},
        entity,
        token::Tag,
    },
    Frame, HtmlBlockKind, HtmlNode, HtmlQuote, Page,
    grid::{TableForm, TableShape},
    marks::Marks,
    math::Formula,
    number::{ItemNumber, NumberStyle},
    row::RowState,
    wraps::Wraps,
};
use cells::ReadTable;
use lists::FallingList;

/// An open element.
#[derive(Clone, Copy, Debug)]
struct OpenElement {
    /// Its name, truncated to a length that distinguishes all relevant names.
    name: [u8; 8],
    element: Element,
    node: usize,
    /// Whether it is a list or a table whose parts belong together.
    is_group: bool,
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
    Term {
        depth: u8,
    },
    Definition {
        depth: u8,
        is_start: bool,
    },
}

impl Lead {
    fn kind(self) -> HtmlBlockKind {
        match self {
            Self::Item { depth, number, .. } => HtmlBlockKind::Item { depth, number },
            Self::Term { depth } => HtmlBlockKind::Term { depth },
            Self::Definition { depth, is_start } => HtmlBlockKind::Definition { depth, is_start },
        }
    }
}

pub(super) struct PageReader<'p> {
    page: Page<'p>,
    stack: Vec<OpenElement>,
    /// The number of open lists, of any kind.
    lists: usize,
    /// The index of the open quote.
    quote: usize,
    preformatted: usize,
    heading: u8,
    /// What precedes the next block.
    lead: Option<Lead>,
    falling: Vec<FallingList>,
    /// How many lists and tables are open whose parts belong together, and how many there were that are in no other.
    grouped: usize,
    groups: usize,
    /// The shapes of all tables, and how many tables there were so far.
    shapes: Vec<TableShape>,
    table: usize,
    tables: Vec<ReadTable>,
    row: Option<RowState>,
    marks: Marks,
    wraps: Wraps,
    formula: Option<Formula<'p>>,
    /// What ends each open script.
    scripts: Vec<&'static str>,
    /// Whether the upper part of a fraction came last.
    in_fraction: bool,
    /// Start of the current block, and its first link.
    start: usize,
    links: usize,
    /// Whether white space precedes the next character.
    space: bool,
    link: Option<(usize, &'p str)>,
    /// End of the last link.
    link_end: usize,
    /// How many elements for bold text are open, and whether the block has other text.
    bold: usize,
    has_plain: bool,
    in_title: bool,
}

/// Maximum depth of open elements; elements nested deeper are not distinguished. Browsers have the same limit.
const MAX_DEPTH: usize = 512;
/// Number of open elements that are searched for the one that an end tag closes.
const REACH: usize = 64;

impl<'p> PageReader<'p> {
    /// `shapes` are those of the tables of the page, in the order of their start tags.
    pub(super) fn new(shapes: Vec<TableShape>) -> Self {
        let root = HtmlNode { parent: 0, frame: Frame::No };
        Self {
            page: Page { nodes: vec![root], quotes: vec![HtmlQuote::default()], ..Page::default() },
            stack: Vec::new(),
            lists: 0,
            quote: 0,
            preformatted: 0,
            heading: 0,
            lead: None,
            falling: Vec::new(),
            grouped: 0,
            groups: 0,
            shapes,
            table: 0,
            tables: Vec::new(),
            row: None,
            marks: Marks::default(),
            wraps: Wraps::default(),
            formula: None,
            scripts: Vec::new(),
            in_fraction: false,
            start: 0,
            links: 0,
            space: false,
            link: None,
            link_end: 0,
            bold: 0,
            has_plain: false,
            in_title: false,
        }
    }

    pub(super) fn finish(mut self) -> Page<'p> {
        self.end_formula();
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
        } else if let Some(formula) = &mut self.formula {
            formula.text(text);
        } else if self.preformatted > 0 {
            self.exact(text);
        } else {
            self.folded(text);
        }
    }

    /// `rest` is the page behind the tag.
    pub(super) fn open(&mut self, tag: &Tag<'p>, rest: &str) {
        let element = Element::from_name(tag.name);
        if let Some(formula) = &mut self.formula {
            if !element.ends_formula() {
                return formula.open(tag);
            }
            self.end_formula();
        }
        match element {
            Element::Inline | Element::Wrapped => self.open_inline(tag),
            Element::Formula => self.open_formula(tag),
            Element::Title => self.in_title = self.page.title.is_empty(),
            Element::Break => self.line_break(),
            Element::Link => self.open_link(tag),
            Element::Picture => self.open_picture(tag),
            Element::Drawing => self.drawing(tag, rest),
            Element::Script { raised } => self.open_script(raised, rest),
            Element::Paragraph => {
                self.end_paragraph();
                self.mark(tag);
                // What they say holds for all that follows in their element.
                self.bold += usize::from(is_one_of(tag.name, &["caption", "legend", "summary"]));
            }
            Element::Field => self.field(tag),
            Element::Choices => {
                self.end_block();
                self.word(&super::wraps::folded(tag.raw("label").unwrap_or_default()));
                self.end_block();
            }
            Element::Heading(level) => {
                self.end_block();
                self.mark(tag);
                self.heading = level;
            }
            Element::Item | Element::Term | Element::Definition => self.open_lead(element, tag),
            Element::Rows => self.end_rows(tag.name.eq_ignore_ascii_case("thead")),
            Element::Row => {
                self.open_row();
                self.mark(tag);
            }
            Element::Cell { head } => {
                self.open_cell(head, tag);
                self.mark(tag);
            }
            element => {
                self.table += usize::from(element == Element::Table);
                if self.stack.len() < MAX_DEPTH {
                    self.open_block(element, tag);
                } else {
                    self.end_paragraph();
                }
            }
        }
    }

    /// Opens an element that may contain other elements.
    fn open_block(&mut self, element: Element, tag: &Tag<'p>) {
        match element {
            Element::Container | Element::Main | Element::Header => self.end_paragraph(),
            Element::Table => self.end_row(),
            _ => self.end_block(),
        }
        let mut node = self.node();
        if element.holds_blocks() {
            let frame = self.frame(element, tag);
            self.page.nodes.push(HtmlNode { parent: node, frame });
            node = self.page.nodes.len() - 1;
        }
        let falls = matches!(element, Element::List { ordered: true })
            && tag.raw("reversed").is_some()
            && tag.raw("start").is_none();
        let shape =
            self.table.checked_sub(1).and_then(|table| self.shapes.get(table)).copied().unwrap_or_default();
        let is_group = match element {
            Element::List { .. } | Element::Definitions => true,
            Element::Table => shape.form != TableForm::Layout,
            _ => false,
        };
        if is_group || matches!(element, Element::Quote | Element::Preformatted) {
            self.flush_lead();
        }
        self.groups += usize::from(is_group && self.grouped == 0);
        self.grouped += usize::from(is_group);
        match element {
            Element::List { .. } | Element::Definitions => {
                self.lists += 1;
                self.falling.push(FallingList::default());
            }
            Element::Table => self.tables.push(ReadTable::new(self.table, shape)),
            Element::Quote => self.open_quote(),
            Element::Preformatted => self.preformatted += 1,
            Element::Form | Element::Select => self.source(tag),
            _ => {}
        }
        let steps = if tag.raw("reversed").is_some() { -1 } else { 1 };
        let value = tag.raw("start").and_then(|start| start.trim().parse().ok());
        let value = value.unwrap_or(if falls { 0 } else { 1 });
        let style = NumberStyle::from_attribute(tag.raw("type"));
        let next = NextItem { number: ItemNumber { value, style }, steps, falls };
        self.mark(tag);
        self.stack.push(OpenElement { name: short(tag.name), element, node, is_group, next });
        if element == Element::Table && shape.form == TableForm::Tags {
            self.tag("<table>");
        }
    }

    pub(super) fn close(&mut self, name: &str) {
        let element = Element::from_name(name);
        if let Some(formula) = &mut self.formula {
            let ends = element.ends_formula();
            if ends || formula.close(name) {
                self.end_formula();
            }
            if !ends {
                return;
            }
        }
        match element {
            Element::Inline | Element::Wrapped => self.close_inline(name),
            Element::Break | Element::Field | Element::Picture | Element::Drawing | Element::Formula => {}
            Element::Script { .. } => self.close_script(),
            Element::Title => self.in_title = false,
            Element::Link => {
                self.end_link();
                self.unmark(name);
            }
            Element::Paragraph => {
                self.end_paragraph();
                self.unmark(name);
            }
            Element::Choices => self.end_block(),
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
                self.close_in_table();
                self.end_cell();
                self.unmark(name);
            }
            Element::Rows => self.end_rows(false),
            Element::Row => {
                self.close_in_table();
                self.end_row();
                self.unmark(name);
            }
            element => self.close_block(element, name),
        }
    }

    fn close_block(&mut self, element: Element, name: &str) {
        match element {
            Element::Container | Element::Main | Element::Header => self.end_paragraph(),
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
        let Some(open) = self.stack.last().copied() else { return };
        if open.element == Element::Table && self.table_form() == TableForm::Tags {
            self.tag("</table>");
        }
        self.stack.pop();
        self.grouped -= usize::from(open.is_group);
        match open.element {
            Element::List { .. } | Element::Definitions => {
                self.lists -= 1;
                self.lead = None;
                self.end_falling();
            }
            Element::Table => _ = self.tables.pop(),
            Element::Quote => self.quote = self.page.quotes.get(self.quote).map_or(0, |quote| quote.parent),
            Element::Preformatted => self.preformatted -= 1,
            _ => {}
        }
    }
}

fn short(name: &str) -> [u8; 8] {
    let mut short = [0; 8];
    short.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from.to_ascii_lowercase());
    short
}
