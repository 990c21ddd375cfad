//! Items of lists and their numbers, quotes, and frames around the content.

use super::{
    super::{
        super::{
            element::{Element, is_frame},
            token::Tag,
        },
        Frame, HtmlBlockKind, HtmlQuote,
    },
    Lead, PageReader, REACH,
};

/// A list whose numbers fall to one.
#[derive(Debug, Default)]
pub(super) struct FallingList {
    /// The blocks that start its items.
    pub(super) blocks: Vec<usize>,
    pub(super) items: i32,
}

impl<'p> PageReader<'p> {
    /// Opens an item, a term or a definition.
    pub(super) fn open_lead(&mut self, element: Element, tag: &Tag<'p>) {
        self.end_block();
        let depth = u8::try_from(self.lists.saturating_sub(1)).unwrap_or(u8::MAX);
        match element {
            Element::Term => self.lead = Some(Lead::Term { depth }),
            Element::Definition => self.lead = Some(Lead::Definition { depth, is_start: true }),
            // A choice is an item of no list around its field.
            _ if tag.name.eq_ignore_ascii_case("option") => {
                let depth = u8::try_from(self.lists).unwrap_or(u8::MAX);
                self.lead = Some(Lead::Item { depth, number: None, falls: false });
            }
            _ => self.open_item(tag),
        }
        self.mark(tag);
        if tag.raw("selected").is_some() {
            self.word("[x]");
            self.space = true;
        }
    }

    fn open_item(&mut self, tag: &Tag<'p>) {
        let depth = u8::try_from(self.lists.saturating_sub(1)).unwrap_or(u8::MAX);
        let found = self.stack.iter_mut().rev().take(REACH).find_map(|open| {
            let Element::List { ordered } = open.element else { return None };
            let next = &mut open.next;
            if let Some(value) = tag.raw("value").and_then(|value| value.trim().parse().ok()) {
                next.number.value = value;
                next.falls = false;
            }
            let number = next.number;
            next.number.value = number.value.saturating_add(next.steps);
            Some((ordered.then_some(number), next.falls))
        });
        let (number, falls) = found.unwrap_or((None, false));
        if let Some(list) = self.falling.last_mut() {
            list.items = list.items.saturating_add(1);
        }
        self.lead = Some(Lead::Item { depth, number, falls });
    }

    /// Returns whether an element is a frame.
    pub(super) fn frame(&self, element: Element, tag: &Tag<'_>) -> Frame {
        let in_main = || self.stack.iter().rev().take(REACH).any(|open| open.element == Element::Main);
        match element {
            Element::Frame => Frame::Yes,
            Element::Select => Frame::Named,
            Element::Header if !in_main() => Frame::Named,
            _ if !tag.name.eq_ignore_ascii_case("body") && is_frame(tag) => Frame::Named,
            _ => Frame::No,
        }
    }

    pub(super) fn open_quote(&mut self) {
        let outer = self.page.quotes.get(self.quote).copied().unwrap_or_default();
        let depth = outer.depth + 1;
        let shown = if depth > HtmlQuote::MAX_DEPTH { outer.shown } else { self.page.quotes.len() };
        let lists = u8::try_from(self.lists).unwrap_or(u8::MAX);
        self.page.quotes.push(HtmlQuote { parent: self.quote, depth, shown, lists });
        self.quote = self.page.quotes.len() - 1;
    }

    /// Numbers the items of a list whose numbers fall to one.
    pub(super) fn end_falling(&mut self) {
        let Some(list) = self.falling.pop() else { return };
        for block in list.blocks {
            let kind = self.page.blocks.get_mut(block).map(|block| &mut block.kind);
            if let Some(HtmlBlockKind::Item { number: Some(number), .. }) = kind {
                number.value = number.value.saturating_add(list.items);
            }
        }
    }
}
