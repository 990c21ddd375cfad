//! Items of lists, and their numbers.

use super::{
    super::{
        super::{element::Element, token::Tag},
        HtmlBlockKind,
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
    pub(super) fn open_item(&mut self, tag: &Tag<'p>) {
        self.end_block();
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
