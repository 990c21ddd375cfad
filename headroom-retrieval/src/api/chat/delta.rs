//! Deltas of a streamed answer.

use headroom_json::Value;

use super::{
    STRINGS,
    calls::{Piece, StreamedCall},
    stream::ChatStream,
};
use crate::{
    api::{MAX_ROUND, array},
    edit::set,
};

impl ChatStream {
    /// Handles a delta. Returns the client's part of it, if any, and whether it differs.
    pub(super) fn delta(&mut self, delta: Value<'_>) -> Option<(String, bool)> {
        self.bytes += delta.raw().len();
        let whole = self.bytes <= MAX_ROUND;
        self.unknown |= !whole;
        for (key, so_far) in STRINGS.iter().zip(&mut self.strings) {
            if let (Some(more), true) = (delta.get(key).and_then(Value::inner), whole) {
                so_far.get_or_insert_default().push_str(more);
            }
        }
        if let (Some(details), true) = (delta.get("reasoning_details"), whole) {
            self.details.extend(details.items().map(|detail| detail.raw().to_owned()));
        }
        let mut members = Vec::new();
        if let Some(calls) = delta.get("tool_calls").filter(|calls| calls.is_array()) {
            let mut shown = Vec::new();
            let mut changed = false;
            for (position, call) in calls.items().enumerate() {
                match self.call(call, position, whole) {
                    Some((text, other)) => {
                        shown.push(text);
                        changed |= other;
                    }
                    None => changed = true,
                }
            }
            if changed {
                members.push(("tool_calls", (!shown.is_empty()).then(|| array(&shown))));
            }
        }
        if self.state.hidden > 0 && delta.get("role").is_some() {
            members.push(("role", None));
        }
        if members.is_empty() {
            return Some((delta.raw().to_owned(), false));
        }
        let delta = set(delta, &members);
        let says = Value::parse(&delta).is_some_and(|delta| {
            delta.members().any(|member| {
                !member.value.is_null() && member.value.inner() != Some("") && !member.key.is("obfuscation")
            })
        });
        says.then_some((delta, true))
    }

    fn call(&mut self, call: Value<'_>, position: usize, whole: bool) -> Option<(String, bool)> {
        let piece = Piece::new(call, position);
        let known = self.parts.iter().rposition(|part| piece.goes_on(part.index, &part.id));
        let at = known.unwrap_or_else(|| {
            let ours = self.ahead.get(self.parts.len()).is_some_and(|ahead| ahead.is_ours == Some(true));
            self.state.ours |= ours;
            // If nothing was removed, indexes stay unchanged, whatever they are.
            let dense = self.parts.iter().filter(|part| part.shown.is_some()).count() as u64;
            let shown = (!ours).then_some(if self.state.ours { dense } else { piece.index });
            self.parts.push(StreamedCall {
                index: piece.index,
                shown,
                first: call.raw().to_owned(),
                ..StreamedCall::default()
            });
            self.parts.len() - 1
        });
        let name = self.ahead.get(at).map(|ahead| ahead.name.clone());
        let part = self.parts.get_mut(at)?;
        if let Some(id) = piece.id {
            part.id = id;
        }
        part.name = name.or(piece.name).unwrap_or_default();
        if whole {
            part.arguments.push_str(piece.arguments.unwrap_or_default());
        }
        let shown = part.shown?;
        if shown == piece.index {
            Some((call.raw().to_owned(), false))
        } else {
            Some((set(call, &[("index", Some(shown.to_string()))]), true))
        }
    }
}
