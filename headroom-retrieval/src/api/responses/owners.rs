//! Who answers each call of a streamed answer: the layer or the client.

use headroom_json::Value;

use super::is_ours;
use crate::api::{RETRIEVE, kind};

/// Indexes of items with events so far, and whether they are ours, if known.
#[derive(Debug, Default)]
pub(super) struct CallOwners(Vec<(u64, Option<bool>)>);

impl CallOwners {
    /// Reads an event ahead of its handling.
    pub(super) fn look_ahead(&mut self, event: Value<'_>) {
        if matches!(kind(event), "response.completed" | "response.incomplete" | "response.failed" | "error") {
            let output = event.get("response").and_then(|response| response.get("output"));
            for (index, item) in (0..).zip(output.into_iter().flat_map(Value::items)) {
                let known = self.0.iter_mut().find(|(known, ours)| *known == index && ours.is_none());
                known.into_iter().for_each(|(_, ours)| *ours = Some(is_ours(item)));
            }
            self.settle();
        }
        self.note(event);
    }

    /// Notes which call an event belongs to.
    fn note(&mut self, event: Value<'_>) {
        let Some(index) = event.get("output_index").and_then(Value::count) else { return };
        let item = event.get("item").filter(|item| kind(*item) == "function_call");
        let name = item.map_or_else(|| event.get("name"), |item| item.get("name"));
        let name = name.and_then(Value::inner).unwrap_or_default();
        let ours = match (kind(event), item) {
            // The name may come only at the end of the item.
            ("response.output_item.added", Some(_)) if name.is_empty() => None,
            ("response.function_call_arguments.delta", _) => None,
            ("response.function_call_arguments.done", _) if name.is_empty() => None,
            ("response.function_call_arguments.done", _) => Some(name == RETRIEVE),
            ("response.output_item.added" | "response.output_item.done", Some(item)) => Some(is_ours(item)),
            ("response.output_item.added" | "response.output_item.done", None) => Some(false),
            _ => return,
        };
        match self.0.iter_mut().rev().find(|(known, _)| *known == index) {
            Some((_, known)) => *known = known.or(ours),
            None => self.0.push((index, ours)),
        }
    }

    /// Assigns every call of unknown owner to the client.
    pub(super) fn settle(&mut self) {
        self.0.iter_mut().for_each(|(_, ours)| *ours = ours.or(Some(false)));
    }

    /// Whether the owner of every call so far is known.
    pub(super) fn all_known(&self) -> bool {
        self.0.iter().all(|(_, ours)| ours.is_some())
    }

    /// Whether the item of this index is ours, if known.
    pub(super) fn owner(&self, index: u64) -> Option<bool> {
        self.0.iter().rev().find(|(known, _)| *known == index).and_then(|(_, ours)| *ours)
    }

    /// Whether an event precedes our item that it belongs to.
    pub(super) fn is_ours(&self, event: Value<'_>) -> bool {
        let index = event.get("output_index").and_then(Value::count);
        self.0.iter().any(|(known, ours)| Some(*known) == index && *ours == Some(true))
    }
}
