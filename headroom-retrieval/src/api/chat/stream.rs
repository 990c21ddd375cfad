//! Streams of server-sent events.

use headroom_json::Value;

use super::{
    STRINGS,
    calls::{Ahead, Piece, StreamedCall},
    round_of,
};
use crate::{
    api::{
        Anchors, Call, EventAction, Failure, Head, Round, StreamState, StreamStitcher, array, may_have, merge,
    },
    edit::set,
};

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
pub(super) struct ChatStream {
    pub(super) state: StreamState,
    /// `id` and `created` of the first chunk.
    pub(super) id: Option<String>,
    pub(super) created: Option<String>,
    pub(super) parts: Vec<StreamedCall>,
    /// Knowledge of calls whose events may not have come yet; the first are those of `parts`.
    pub(super) ahead: Vec<Ahead>,
    /// Strings of the message, still escaped, in the order of [`STRINGS`].
    pub(super) strings: [Option<String>; STRINGS.len()],
    pub(super) details: Vec<String>,
    pub(super) bytes: usize,
    pub(super) unknown: bool,
    pub(super) stop: Option<String>,
    pub(super) usage: Option<String>,
    pub(super) usage_before: Vec<String>,
}

impl ChatStream {
    pub(super) fn new(head: Head) -> Self {
        Self { state: StreamState::new(head), ..Self::default() }
    }

    /// Whether the owner of every call so far is known.
    fn all_known(&self) -> bool {
        self.ahead.iter().all(|ahead| ahead.is_ours.is_some())
    }

    /// Returns the chunk with the first round's identity.
    fn same(&self, chunk: Value<'_>, members: &mut Vec<(&'static str, Option<String>)>) {
        if self.state.hidden > 0 && chunk.get("id").is_some() {
            members.extend(self.id.clone().map(|id| ("id", Some(id))));
            members.extend(self.created.clone().map(|created| ("created", Some(created))));
        }
    }
}

impl StreamStitcher for ChatStream {
    fn state(&self) -> &StreamState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut StreamState {
        &mut self.state
    }

    fn reads(&self, data: &str) -> bool {
        data.trim() == "[DONE]" || Value::parse(data).is_some()
    }

    fn is_clear(&mut self, data: &str) -> bool {
        // Most events are text, and not worth parsing twice.
        if self.ahead.is_empty() && !may_have(data, "tool_calls") {
            return true;
        }
        let chunk = Value::parse(data);
        let choice = chunk.and_then(|chunk| chunk.get("choices")?.items().next());
        let calls = choice.and_then(|choice| choice.get("delta")?.get("tool_calls"));
        for (position, call) in calls.into_iter().flat_map(Value::items).enumerate() {
            let piece = Piece::new(call, position);
            match self.ahead.iter_mut().rfind(|ahead| piece.goes_on(ahead.index, &ahead.id)) {
                Some(ahead) => ahead.add(&piece),
                None => {
                    let mut ahead = Ahead { index: piece.index, ..Ahead::default() };
                    ahead.add(&piece);
                    self.ahead.push(ahead);
                }
            }
        }
        let finish = choice.and_then(|choice| choice.get("finish_reason"));
        if data.trim() == "[DONE]" || finish.is_some_and(|finish| !finish.is_null()) {
            self.settle();
        }
        self.all_known()
    }

    fn settle(&mut self) {
        self.ahead.iter_mut().for_each(Ahead::settle);
    }

    fn event(&mut self, data: &str) -> EventAction {
        if data.trim() == "[DONE]" {
            self.state.ended = true;
            return if self.state.holds() { EventAction::Hold } else { EventAction::Pass };
        }
        let Some(chunk) = Value::parse(data) else { return EventAction::Pass };
        // Some servers begin with a chunk without an id.
        let id = chunk.get("id").filter(|id| id.inner() != Some(""));
        if let (Some(id), true) = (id, self.state.hidden == 0 && self.id.is_none()) {
            self.id = Some(id.raw().to_owned());
            self.created = chunk.get("created").map(|created| created.raw().to_owned());
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            self.usage = Some(usage.raw().to_owned());
        }
        let choice = chunk.get("choices").and_then(|choices| choices.items().next());
        self.state.failed |= chunk.get("error").is_some_and(|error| !error.is_null());
        let mut members = Vec::new();
        self.same(chunk, &mut members);
        let Some(choice) = choice else {
            return if chunk.get("usage").is_some_and(Value::is_object) && self.state.holds() {
                EventAction::Hold
            } else if members.is_empty() {
                EventAction::Pass
            } else {
                EventAction::Instead(set(chunk, &members))
            };
        };
        let delta = choice.get("delta").filter(|delta| delta.is_object());
        let shown = delta.map_or(Some((String::new(), false)), |delta| self.delta(delta));
        let finish = choice.get("finish_reason").and_then(Value::text);
        if let Some(finish) = &finish {
            self.stop = Some(finish.clone().into_owned());
        }
        let text = delta.and_then(|delta| delta.get("content")).and_then(Value::inner);
        self.state.holding |= self.state.head.structured && text.is_some_and(|text| !text.is_empty());
        let with = |delta: String, finish: Option<&str>, mut members: Vec<(&'static str, Option<String>)>| {
            let mut set_choice = vec![("delta", Some(delta))];
            if let Some(finish) = finish {
                set_choice.push(("finish_reason", Some(finish.to_owned())));
            }
            members.push(("choices", Some(array(&[set(choice, &set_choice)]))));
            set(chunk, &members)
        };
        match (shown, finish.is_some() && self.state.holds()) {
            (None, false) if self.state.holding => EventAction::Drop,
            (Some((_, false)), _) if self.state.holding && members.is_empty() => EventAction::Hold,
            (Some((delta, _)), _) if self.state.holding => EventAction::HoldAs(with(delta, None, members)),
            (None, false) => EventAction::Drop,
            (None, true) => EventAction::HoldAs(with("{}".to_owned(), None, members)),
            (Some((delta, _)), true) if is_silent(&delta) => EventAction::Hold,
            // Pass the content of the last chunk; hold its end.
            (Some((delta, _)), true) => {
                members.push(("usage", None));
                EventAction::Split(with(delta, Some("null"), members))
            }
            (Some((_, false)), false) if members.is_empty() => EventAction::Pass,
            (Some((delta, _)), false) => EventAction::Instead(with(delta, None, members)),
        }
    }

    fn close(&mut self) {
        self.state.ended |= self.stop.is_some();
    }

    fn round(&mut self) -> Round {
        if self.unknown {
            let others = self.parts.iter().any(|part| part.shown.is_some());
            let calls = if self.state.ours { vec![Call::default()] } else { Vec::new() };
            let text = self.strings.first().cloned().flatten().unwrap_or_default();
            let shown = Anchors { text, ..Anchors::default() };
            return Round { calls, others, shown, ..Round::default() };
        }
        let mut members = vec!["\"role\":\"assistant\"".to_owned()];
        for (key, text) in STRINGS.iter().zip(&self.strings) {
            match text {
                Some(text) if !text.is_empty() => members.push(format!("\"{key}\":\"{text}\"")),
                _ if *key == "content" => members.push("\"content\":null".to_owned()),
                _ => {}
            }
        }
        if !self.details.is_empty() {
            members.push(format!("\"reasoning_details\":{}", array(&self.details)));
        }
        let calls: Vec<_> = self.parts.iter().map(StreamedCall::whole).collect();
        if !calls.is_empty() {
            members.push(format!("\"tool_calls\":{}", array(&calls)));
        }
        let message = format!("{{{}}}", members.join(","));
        round_of(&message, self.stop.as_deref().unwrap_or_default()).unwrap_or_default()
    }

    fn again(&mut self) {
        let this = std::mem::take(self);
        *self = Self {
            state: this.state.next_round(),
            id: this.id,
            created: this.created,
            usage_before: this.usage_before.into_iter().chain(this.usage).collect(),
            ..Self::default()
        };
    }

    fn last(&mut self, data: &str, give_up: bool) -> EventAction {
        let Some(chunk) = Value::parse(data).filter(|chunk| chunk.is_object()) else {
            return EventAction::Pass;
        };
        let mut members = Vec::new();
        self.same(chunk, &mut members);
        if let (Some(usage), true) =
            (chunk.get("usage").filter(|usage| usage.is_object()), self.state.hidden > 0)
        {
            members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
        }
        if let Some(choice) = chunk.get("choices").and_then(|choices| choices.items().next()) {
            let ends = choice.get("finish_reason").is_some_and(|finish| !finish.is_null());
            let mut choice_members = Vec::new();
            // The content of an end chunk has passed already, unless everything was held.
            if ends && !self.state.holding {
                choice_members.push(("delta", Some("{}".to_owned())));
            } else if let (Some(delta), true) = (choice.get("delta"), self.state.hidden > 0) {
                choice_members.push(("delta", Some(set(delta, &[("role", None)]))));
            }
            if ends && give_up {
                choice_members.push(("finish_reason", Some("\"stop\"".to_owned())));
            }
            if !choice_members.is_empty() {
                members.push(("choices", Some(array(&[set(choice, &choice_members)]))));
            }
        }
        if members.is_empty() { EventAction::Pass } else { EventAction::Instead(set(chunk, &members)) }
    }

    fn failure(&self, failure: &Failure) -> String {
        format!("data: {{\"error\":{}}}\n\n", failure.error("server_error"))
    }

    fn ping(&self) -> Option<&'static str> {
        Some(": ping\n\n")
    }
}

/// Whether a delta is empty.
fn is_silent(delta: &str) -> bool {
    let members = Value::parse(delta).into_iter().flat_map(Value::members);
    members.into_iter().all(|member| member.value.is_null() || member.value.inner() == Some(""))
}
