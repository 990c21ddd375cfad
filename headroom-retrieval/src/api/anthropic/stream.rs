//! Streams of server-sent events.

use headroom_json::Value;

use super::{
    block::StreamedBlock,
    end::updated,
    is_ours,
    round::{round_of, without},
};
use crate::{
    api::{Anchors, Call, EventAction, Failure, Head, MAX_ROUND, Round, StreamState, StreamStitcher, kind},
    edit::Edits,
};

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
pub(super) struct AnthropicStream {
    pub(super) state: StreamState,
    /// The index of the client's next block.
    pub(super) next: u64,
    pub(super) parts: Vec<StreamedBlock>,
    pub(super) bytes: usize,
    /// The value of `next` when holding events for a structured answer began.
    pub(super) held_from: u64,
    /// `usage` of the round, as its last event reports it.
    pub(super) usage: Option<String>,
    /// The same for the rounds before.
    pub(super) usage_before: Vec<String>,
    /// The last `message_delta` of the round, followed by those of the rounds before.
    pub(super) end: Option<String>,
    pub(super) ends_before: Vec<String>,
    pub(super) id: Option<String>,
    pub(super) stop: String,
}

impl AnthropicStream {
    pub(super) fn new(head: Head) -> Self {
        Self { state: StreamState::new(head), ..Self::default() }
    }

    /// Returns the ids of our calls in this round.
    pub(super) fn own_ids(&self) -> Vec<String> {
        self.parts.iter().filter(|part| part.shown.is_none()).filter_map(StreamedBlock::id).collect()
    }

    fn index(&self, event: Value<'_>) -> Option<u64> {
        event.get("index").and_then(Value::count)
    }

    fn start(&mut self, event: Value<'_>) -> EventAction {
        let (Some(index), Some(block)) = (self.index(event), event.get("content_block")) else {
            return EventAction::Pass;
        };
        let ours = is_ours(block);
        let text = kind(block) == "text";
        let mut part = StreamedBlock { index, start: block.raw().to_owned(), ..StreamedBlock::default() };
        self.bytes += part.start.len();
        self.state.ours |= ours;
        if ours {
            self.parts.push(part);
            return EventAction::Drop;
        }
        if text && self.state.head.structured && !self.state.holding {
            self.state.holding = true;
            self.held_from = self.next;
        }
        // If nothing was removed, indexes stay unchanged, whatever they are.
        let shown = if self.state.is_plain() { index } else { self.next };
        part.shown = Some(shown);
        self.next = shown.saturating_add(1);
        self.parts.push(part);
        self.renumber(event)
    }

    /// Returns the event in the client's form, or `Hold` while its block may still turn out to be hidden.
    fn renumber(&self, event: Value<'_>) -> EventAction {
        let shown = self.part(event).and_then(|part| part.shown);
        if self.state.holding && shown.is_some() {
            return EventAction::Hold;
        }
        self.shown(event)
    }

    fn shown(&self, event: Value<'_>) -> EventAction {
        let (Some(part), Some(index)) = (self.part(event), event.get("index")) else {
            return EventAction::Pass;
        };
        match part.shown {
            None => EventAction::Drop,
            Some(shown) if shown == part.index => EventAction::Pass,
            Some(shown) => {
                let mut edits = Edits::default();
                // The event was parsed from its first byte that is not white space.
                let base = event.start();
                edits.replace(index.start() - base..index.end() - base, shown.to_string());
                edits.apply(event.raw()).map_or(EventAction::Pass, EventAction::Instead)
            }
        }
    }

    fn part(&self, event: Value<'_>) -> Option<&StreamedBlock> {
        let index = self.index(event)?;
        self.parts.iter().rev().find(|part| part.index == index)
    }

    fn delta(&mut self, event: Value<'_>) -> EventAction {
        let index = self.index(event);
        let whole = self.bytes <= MAX_ROUND;
        let part = self.parts.iter_mut().rev().find(|part| Some(part.index) == index);
        if let (Some(part), Some(delta)) = (part, event.get("delta")) {
            if whole {
                part.add(delta);
            } else {
                part.unknown = true;
            }
            self.bytes += delta.raw().len();
        }
        self.renumber(event)
    }

    /// Whether an event refers to one of our calls.
    fn is_of_ours(&self, event: Value<'_>) -> bool {
        let id = event.get("tool_use_id").or_else(|| event.get("id")).filter(|id| id.is_string());
        let ours = self.parts.iter().filter(|part| part.shown.is_none());
        id.is_some_and(|id| ours.filter_map(StreamedBlock::id).any(|own| id.is(&own)))
    }
}

impl StreamStitcher for AnthropicStream {
    fn state(&self) -> &StreamState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut StreamState {
        &mut self.state
    }

    fn event(&mut self, data: &str) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        match kind(event) {
            "message_start" => {
                let message = event.get("message");
                self.id = message.and_then(|message| message.get("id")?.text()).map(|id| id.into_owned());
                let usage = message.and_then(|message| message.get("usage"));
                self.usage = usage.map(|usage| usage.raw().to_owned());
                if self.state.hidden > 0 { EventAction::Drop } else { EventAction::Pass }
            }
            "content_block_start" => self.start(event),
            "content_block_delta" => self.delta(event),
            "content_block_stop" => self.renumber(event),
            "message_delta" => {
                if let Some(stop) = event.get("delta").and_then(|delta| delta.get("stop_reason")) {
                    self.stop = stop.text().unwrap_or_default().into_owned();
                }
                if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
                    self.usage = Some(updated(self.usage.as_deref(), usage));
                }
                self.end = Some(event.raw().to_owned());
                if self.state.holds() { EventAction::Hold } else { EventAction::Pass }
            }
            "message_stop" => {
                self.state.ended = true;
                if self.state.holds() { EventAction::Hold } else { EventAction::Pass }
            }
            kind => {
                self.state.failed |= kind == "error";
                if self.is_of_ours(event) { EventAction::Drop } else { self.renumber(event) }
            }
        }
    }

    fn round(&mut self) -> Round {
        let blocks: Option<Vec<String>> = self.parts.iter().map(StreamedBlock::whole).collect();
        match blocks {
            Some(blocks) => Round { id: self.id.take(), ..round_of(&blocks, &self.stop) },
            // A round that cannot be repeated cannot be answered either.
            None => Round {
                shown: Anchors {
                    text: self
                        .parts
                        .iter()
                        .filter(|part| part.shown.is_some())
                        .map(StreamedBlock::words)
                        .collect(),
                    ..Anchors::default()
                },
                calls: if self.state.ours && self.stop == "tool_use" {
                    vec![Call::default()]
                } else {
                    Vec::new()
                },
                others: self
                    .parts
                    .iter()
                    .any(|part| part.shown.is_some() && part.start.contains("\"tool_use\"")),
                ..Round::default()
            },
        }
    }

    fn again(&mut self) {
        if self.state.holding {
            self.next = self.held_from;
        }
        self.usage_before.extend(self.usage.take());
        self.ends_before.extend(self.end.take().map(|end| without(&end, &self.own_ids())));
        self.parts.clear();
        self.bytes = 0;
        self.stop.clear();
        self.state = self.state.next_round();
    }

    fn last(&mut self, data: &str, give_up: bool) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        match kind(event) {
            "message_delta" => self.final_delta(event, give_up),
            _ => self.shown(event),
        }
    }

    fn failure(&self, failure: &Failure) -> String {
        let kind = match failure.status {
            429 => "rate_limit_error",
            529 => "overloaded_error",
            504 => "timeout_error",
            _ => "api_error",
        };
        format!("event: error\ndata: {{\"type\":\"error\",\"error\":{}}}\n\n", failure.error(kind))
    }

    fn ping(&self) -> Option<&'static str> {
        Some("event: ping\ndata: {\"type\": \"ping\"}\n\n")
    }
}
