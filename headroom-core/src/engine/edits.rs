//! The files that the agent edits.

use std::{cell::OnceCell, collections::HashMap};

use headroom_json::Text;

use crate::{
    detect,
    wire::{Call, Item},
};

/// Longer arguments name the file near their start.
const MAX_ARGUMENT_BYTES: usize = 256 << 10;

/// The names of the files that calls of a request edit, each with the first such call. Read on demand.
#[derive(Debug, Default)]
pub(super) struct Edits {
    first: OnceCell<HashMap<String, usize>>,
}

impl Edits {
    /// Whether a call before this one edits a file of this name. Names are in lower case and without directories.
    pub(super) fn is_edited(&self, name: &str, before: Option<u32>, items: &[Item<'_>]) -> bool {
        let first = self.first.get_or_init(|| read(items)).get(name);
        first.is_some_and(|first| before.is_some_and(|call| *first < call as usize))
    }
}

fn read(items: &[Item<'_>]) -> HashMap<String, usize> {
    let mut first = HashMap::new();
    let calls = items.iter().enumerate().filter_map(|(at, item)| match item {
        Item::Call(call) => Some((at, call)),
        _ => None,
    });
    for (at, call) in calls {
        let tool = call.name.and_then(Text::decode);
        let Some(arguments) = Call::arguments(call) else { continue };
        let end =
            (0..=arguments.len().min(MAX_ARGUMENT_BYTES)).rev().find(|end| arguments.is_char_boundary(*end));
        let arguments = arguments.get(..end.unwrap_or(0)).unwrap_or_default();
        for name in detect::edited_names(tool.as_deref(), arguments) {
            first.entry(name).or_insert(at);
        }
    }
    first
}
