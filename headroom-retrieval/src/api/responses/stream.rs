//! Streams of server-sent events.

use headroom_json::Value;

use super::{OWN, is_ours, owners::CallOwners, round_of, words};
use crate::{
    api::{
        Anchors, Call, EventAction, Failure, Head, MAX_ROUND, Round, StreamState, StreamStitcher, array,
        kind, may_have, merge,
    },
    edit::set,
};

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
pub(super) struct ResponsesStream {
    state: StreamState,
    /// The response id for the client.
    id: Option<String>,
    /// The provider's response id in this round.
    own_id: Option<String>,
    /// The number of the next event.
    sequence: Option<u64>,
    /// The index of the client's next item.
    next: u64,
    items: Vec<Item>,
    bytes: usize,
    /// Complete items that the client saw, in all rounds.
    shown: Vec<String>,
    /// The values of `next` and of the length of `shown` when holding events for a structured answer began.
    held_from: (u64, usize),
    completed: bool,
    owners: CallOwners,
    usage: Option<String>,
    usage_before: Vec<String>,
    /// The response of this round, without its output, followed by those before.
    response: Option<String>,
    responses_before: Vec<String>,
}

#[derive(Debug)]
struct Item {
    index: u64,
    /// The item's index for the client; `None` if it is ours.
    shown: Option<u64>,
    done: Option<String>,
}

impl Item {
    /// Whether an item of the complete output may be this one.
    fn is_kind(&self, item: Value<'_>) -> bool {
        self.shown.is_none() == is_ours(item)
    }
}

impl ResponsesStream {
    pub(super) fn new(head: Head) -> Self {
        Self { state: StreamState::new(head), ..Self::default() }
    }

    /// Renumbers an event for the client.
    fn placed(
        &mut self,
        event: Value<'_>,
        index: Option<u64>,
        more: &[(&str, Option<String>)],
    ) -> EventAction {
        let mut members: Vec<_> = more.to_vec();
        if let Some(number) = event.get("sequence_number").and_then(Value::count) {
            // If nothing was removed, numbers stay unchanged, whatever they are.
            let next = if !self.state.holds() { number } else { self.sequence.unwrap_or(number) };
            self.sequence = Some(next.saturating_add(1));
            if next != number {
                members.push(("sequence_number", Some(next.to_string())));
            }
        }
        let own = event.get("output_index").and_then(Value::count);
        if let Some(index) = index.filter(|index| own != Some(*index)) {
            members.push(("output_index", Some(index.to_string())));
        }
        if members.is_empty() { EventAction::Pass } else { EventAction::Instead(set(event, &members)) }
    }

    fn item(&self, event: Value<'_>) -> Option<&Item> {
        let index = event.get("output_index")?.count()?;
        self.items.iter().rev().find(|item| item.index == index)
    }

    fn shown(&mut self, event: Value<'_>) -> EventAction {
        match self.item(event).map(|item| item.shown) {
            Some(None) => EventAction::Drop,
            None if self.owners.is_ours(event) => EventAction::Drop,
            Some(index) if self.state.holding && index.is_some() => EventAction::Hold,
            index => self.placed(event, index.flatten(), &[]),
        }
    }

    fn added(&mut self, event: Value<'_>) -> EventAction {
        let (Some(index), Some(item)) = (event.get("output_index").and_then(Value::count), event.get("item"))
        else {
            return self.placed(event, None, &[]);
        };
        self.begin(index, item);
        self.shown(event)
    }

    /// Begins an item.
    fn begin(&mut self, index: u64, item: Value<'_>) {
        let known = self.owners.owner(index);
        let ours = is_ours(item) || (kind(item) == "function_call" && known == Some(true));
        self.state.ours |= ours;
        let shown = (!ours).then_some(if self.state.is_plain() { index } else { self.next });
        self.next = shown.unwrap_or(self.next);
        if !ours && self.state.head.structured && kind(item) == "message" && !self.state.holding {
            self.state.holding = true;
            self.held_from = (self.next, self.shown.len());
        }
        self.next = self.next.saturating_add(u64::from(!ours));
        self.items.push(Item { index, shown, done: None });
    }

    fn done(&mut self, event: Value<'_>) -> EventAction {
        if let (Some(index), Some(item)) =
            (event.get("output_index").and_then(Value::count), event.get("item"))
        {
            if !self.items.iter().any(|known| known.index == index) {
                self.begin(index, item);
            }
            self.complete(index, item);
        }
        self.shown(event)
    }

    /// Completes an item with its final form.
    fn complete(&mut self, index: u64, item: Value<'_>) {
        let whole = self.bytes <= MAX_ROUND;
        let known = self.items.iter_mut().rev().find(|known| known.index == index);
        let Some(known) = known.filter(|known| whole && known.done.is_none()) else { return };
        self.bytes += item.raw().len();
        known.done = Some(item.raw().to_owned());
        if known.shown.is_some() {
            self.shown.push(item.raw().to_owned());
        }
    }

    /// Handles the last event of a round. Some servers list items, or complete them, only here.
    fn finished(&mut self, event: Value<'_>) -> EventAction {
        let response = event.get("response").filter(|response| response.is_object());
        let output = response.and_then(|response| response.get("output"));
        for (index, item) in (0..).zip(output.into_iter().flat_map(Value::items)) {
            let is_new = !self.items.iter().any(|known| known.index == index);
            // Items that came under other indexes are not new.
            if is_new && self.items.len() as u64 <= index {
                self.begin(index, item);
            }
            if self.items.iter().any(|known| known.index == index && known.is_kind(item)) {
                self.complete(index, item);
            }
        }
        self.state.ended = true;
        self.completed = kind(event) == "response.completed";
        self.usage = response.and_then(|response| Some(response.get("usage")?.raw().to_owned()));
        self.own_id = response.and_then(|response| response.get("id")?.text()).map(|id| id.into_owned());
        if !self.state.holds() {
            return self.placed(event, None, &[]);
        }
        self.response = response.map(|response| set(response, &[("output", None)]));
        EventAction::Hold
    }
}

impl StreamStitcher for ResponsesStream {
    fn state(&self) -> &StreamState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut StreamState {
        &mut self.state
    }

    fn is_clear(&mut self, data: &str) -> bool {
        // Most events are text, and not worth parsing twice.
        if self.owners.all_known() && !may_have(data, "function_call") {
            return true;
        }
        if let Some(event) = Value::parse(data) {
            self.owners.look_ahead(event);
        }
        self.owners.all_known()
    }

    fn settle(&mut self) {
        self.owners.settle();
    }

    fn event(&mut self, data: &str) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        match kind(event) {
            "response.created" | "response.in_progress" | "response.queued" => {
                if self.state.hidden > 0 {
                    return EventAction::Drop;
                }
                let id = event.get("response").and_then(|response| response.get("id"));
                self.id = id.map(|id| id.raw().to_owned()).or(self.id.take());
                self.placed(event, None, &[])
            }
            "response.output_item.added" => self.added(event),
            "response.output_item.done" => self.done(event),
            "response.completed" | "response.incomplete" | "response.failed" => self.finished(event),
            kind => {
                self.state.failed |= kind == "error";
                self.shown(event)
            }
        }
    }

    fn round(&mut self) -> Round {
        let items: Option<Vec<String>> = self.items.iter().map(|item| item.done.clone()).collect();
        match items {
            Some(items) => round_of(&items, self.completed, self.own_id.clone(), self.state.head),
            None => {
                let shown = self.shown.iter().filter_map(|raw| Value::parse(raw)).map(words).collect();
                Round {
                    calls: if self.state.ours && self.completed { vec![Call::default()] } else { Vec::new() },
                    shown: Anchors { text: shown, ..Anchors::default() },
                    ..Round::default()
                }
            }
        }
    }

    fn again(&mut self) {
        let mut this = std::mem::take(self);
        if this.state.holding {
            let (next, shown) = this.held_from;
            this.next = next;
            this.shown.truncate(shown);
        }
        *self = Self {
            state: this.state.next_round(),
            id: this.id,
            sequence: this.sequence,
            next: this.next,
            shown: this.shown,
            bytes: this.bytes,
            usage_before: this.usage_before.into_iter().chain(this.usage).collect(),
            responses_before: this.responses_before.into_iter().chain(this.response).collect(),
            ..Self::default()
        };
    }

    fn last(&mut self, data: &str, _: bool) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        let Some(response) = event.get("response").filter(|response| response.is_object()) else {
            let index = self.item(event).and_then(|item| item.shown);
            return self.placed(event, index, &[]);
        };
        if self.state.is_plain() {
            return self.placed(event, None, &[]);
        }
        let carried = merge::carried(response, &self.responses_before, &OWN);
        let mut members = merge::members(&carried);
        members.push(("output", Some(array(&self.shown))));
        if self.state.hidden > 0 {
            members.extend(self.id.clone().map(|id| ("id", Some(id))));
            if let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) {
                members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
            }
        }
        self.placed(event, None, &[("response", Some(set(response, &members)))])
    }

    fn failure(&self, failure: &Failure) -> String {
        let error = failure.error("server_error");
        let error = Value::parse(&error);
        let member = |key: &str| error.and_then(|error| error.get(key)).map_or("null", Value::raw);
        let code = if member("code") == "null" { member("type") } else { member("code") };
        format!(
            "event: error\ndata: {{\"type\":\"error\",\"code\":{code},\"message\":{},\"param\":null,\"sequence_number\":{}}}\n\n",
            member("message"),
            self.sequence.unwrap_or(0)
        )
    }

    fn ping(&self) -> Option<&'static str> {
        Some(": ping\n\n")
    }
}
