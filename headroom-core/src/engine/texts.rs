//! The texts of a request's items as the model sees them.

use std::{
    borrow::Cow,
    cell::{OnceCell, RefCell},
    rc::Rc,
    sync::Arc,
};

use rustc_hash::FxHashMap;

use crate::{
    decide::Decision,
    wire::{Item, conversation::MAX_CALL_TEXTS},
};

pub(super) fn source_id(item: usize, leaf: usize) -> Option<u32> {
    u32::try_from(item.checked_mul(MAX_CALL_TEXTS)?.checked_add(leaf)?).ok()
}

/// Returns the item of a source.
pub(super) const fn item_of(source: u32) -> u32 {
    source / MAX_CALL_TEXTS as u32
}

/// How many bytes are read at each end of a longer question. The question is read once per result, so reading all of
/// it would cost the product of both.
pub(super) const QUESTION_END_BYTES: usize = 16 << 10;

/// The texts of the items as the model sees them, computed on demand.
pub(super) struct Texts<'a, 'c> {
    items: &'c [Item<'a>],
    arrivals: &'c [OnceCell<Arc<Decision>>],
    /// The results that are written otherwise since an epoch.
    replaced: Arc<FxHashMap<u32, Arc<Decision>>>,
    cells: Vec<OnceCell<Vec<Cow<'a, str>>>>,
    /// The last question read, with the index of its item.
    question: RefCell<Option<(u32, Option<Rc<str>>)>>,
}

impl<'a, 'c> Texts<'a, 'c> {
    pub(super) fn new(
        items: &'c [Item<'a>],
        arrivals: &'c [OnceCell<Arc<Decision>>],
        replaced: Arc<FxHashMap<u32, Arc<Decision>>>,
    ) -> Self {
        let cells = items.iter().map(|_| OnceCell::new()).collect();
        Self { items, arrivals, replaced, cells, question: RefCell::new(None) }
    }

    /// Returns the user's question in this item, or both ends of a long one.
    pub(super) fn question(&self, item: u32) -> Option<Rc<str>> {
        let mut last = self.question.borrow_mut();
        if let Some((_, question)) = last.as_ref().filter(|(of, _)| *of == item) {
            return question.clone();
        }
        let question = match self.items.get(item as usize) {
            Some(Item::User(text)) => text.decode().map(|text| Rc::from(both_ends(&text))),
            _ => None,
        };
        last.insert((item, question)).1.clone()
    }

    pub(super) fn get(&self, item: usize) -> &[Cow<'a, str>] {
        let Some(cell) = self.cells.get(item) else { return &[] };
        cell.get_or_init(|| match self.items.get(item) {
            Some(Item::User(text)) => text.decode().into_iter().collect(),
            Some(Item::Call(call)) => call.texts().into_iter().map(Cow::Owned).collect(),
            Some(Item::Result(result)) => {
                let replaced = u32::try_from(item).ok().and_then(|item| self.replaced.get(&item));
                let decision = replaced.or_else(|| self.arrivals.get(item)?.get());
                decision.and_then(|decision| decision.output(result.text)).into_iter().collect()
            }
            _ => Vec::new(),
        })
    }

    pub(super) fn read(&self, source: u32) -> Option<&str> {
        let source = source as usize;
        self.get(source / MAX_CALL_TEXTS).get(source % MAX_CALL_TEXTS).map(AsRef::as_ref)
    }
}

/// Returns the start and the end of a long text, and a short text whole.
pub(super) fn both_ends(text: &str) -> Cow<'_, str> {
    if text.len() <= 2 * QUESTION_END_BYTES {
        return Cow::Borrowed(text);
    }
    let start = (0..=QUESTION_END_BYTES).rev().find_map(|end| text.get(..end)).unwrap_or_default();
    let end = (text.len() - QUESTION_END_BYTES..text.len()).find_map(|start| text.get(start..));
    Cow::Owned(format!("{start}\n{}", end.unwrap_or_default()))
}
