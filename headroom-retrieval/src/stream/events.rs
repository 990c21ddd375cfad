//! Events of a round: each passes, is dropped, or waits.

use bytes::Bytes;

use super::StitchedStream;
use crate::{
    api::EventAction,
    framing::{Event, without_mark},
    limits::MAX_HELD,
};

impl StitchedStream {
    /// Handles a chunk. Returns whether the round has ended.
    pub(super) fn chunk(&mut self, chunk: Bytes) -> bool {
        let whole = (self.events.held() == 0 && self.waiting.is_empty()).then(|| chunk.clone());
        let mut all_pass = !self.strips_mark;
        let mut passing = Vec::new();
        self.events.push(chunk);
        while let Some(event) = self.events.next_event() {
            all_pass &= self.admit(event, &mut passing);
            if self.has_ended() {
                break;
            }
        }
        match whole.filter(|_| all_pass && self.events.held() == 0) {
            // Pass on the chunk itself, without a copy.
            Some(chunk) => self.out.push(chunk),
            None => passing.into_iter().for_each(|bytes| self.out.push(bytes)),
        }
        self.has_ended()
    }

    /// Whether the round has ended and the next step decides about held events.
    pub(super) fn has_ended(&self) -> bool {
        self.stitch.ended() && !self.held.is_empty()
    }

    /// Handles an event, or lets it wait. Returns whether it passes unchanged.
    pub(super) fn admit(&mut self, mut event: Event, passing: &mut Vec<Bytes>) -> bool {
        if std::mem::take(&mut self.strips_mark) {
            event = Event::new(self.framing, without_mark(event.raw));
        }
        let is_clear = match event.data() {
            Some(data) => self.stitch.is_clear(data),
            None => self.waiting.is_empty(),
        };
        if is_clear && self.waiting.is_empty() {
            return self.event(event, passing);
        }
        self.waiting_bytes += event.raw.len();
        self.waiting.push(event);
        if is_clear || self.waiting_bytes > MAX_HELD {
            self.settle(passing);
        }
        false
    }

    /// Handles the waiting events, since nothing more will be known of their calls.
    pub(super) fn settle(&mut self, passing: &mut Vec<Bytes>) {
        self.stitch.settle();
        self.waiting_bytes = 0;
        for event in std::mem::take(&mut self.waiting) {
            self.event(event, passing);
        }
    }

    /// Handles an event. Returns whether it passes unchanged.
    fn event(&mut self, event: Event, passing: &mut Vec<Bytes>) -> bool {
        let verdict = event.data().map_or(EventAction::Pass, |data| self.stitch.event(data));
        self.failed |= self.stitch.failed() || event.is_failure();
        let passes = verdict == EventAction::Pass;
        match verdict {
            EventAction::Pass => passing.push(event.raw),
            EventAction::Drop => {}
            EventAction::Hold => self.hold(event),
            EventAction::HoldAs(data) => self.hold(event.replaced(&data)),
            EventAction::Split(data) => {
                passing.push(event.with(&data));
                self.hold(event);
            }
            EventAction::Instead(data) => passing.push(event.with(&data)),
        }
        if self.held_bytes > MAX_HELD {
            self.let_go(false, passing);
            self.stitch.hold_no_more();
        }
        passes
    }

    fn hold(&mut self, event: Event) {
        self.held_bytes += event.raw.len();
        self.held.push(event);
    }

    /// Releases held events in the client's form.
    pub(super) fn let_go(&mut self, give_up: bool, out: &mut Vec<Bytes>) {
        self.held_bytes = 0;
        for event in std::mem::take(&mut self.held) {
            match event.data().map_or(EventAction::Pass, |data| self.stitch.last(data, give_up)) {
                EventAction::Pass | EventAction::Hold => out.push(event.raw),
                EventAction::Instead(data) | EventAction::HoldAs(data) | EventAction::Split(data) => {
                    out.push(event.with(&data));
                }
                EventAction::Drop => {}
            }
        }
    }
}
