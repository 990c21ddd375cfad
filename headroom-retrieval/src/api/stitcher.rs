//! The two ways to join rounds into one answer.

use headroom_json::Value;

use super::{Failure, Head, Round};

/// The handling of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventAction {
    /// Pass it unchanged.
    Pass,
    /// Drop it, because it is ours.
    Drop,
    /// Hold it until it is known whether this round is the last.
    Hold,
    /// Hold it in this form.
    HoldAs(String),
    /// Pass this part, and hold the rest.
    Split(String),
    /// Pass it with this data.
    Instead(String),
}

/// State of a stream that does not depend on its format.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StreamState {
    pub(super) head: Head,
    /// Number of hidden rounds so far.
    pub(super) hidden: u32,
    /// Whether our tool was called in this round.
    pub(super) ours: bool,
    /// Whether events of a structured answer are held, because this may not be the last round.
    pub(super) holding: bool,
    /// Whether the provider's round has ended.
    pub(super) ended: bool,
    /// Whether the provider reported a failure.
    pub(super) failed: bool,
}

impl StreamState {
    pub(super) fn new(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

    /// Whether the client got everything that the provider sent.
    pub(super) fn is_plain(&self) -> bool {
        self.hidden == 0 && !self.ours
    }

    /// Whether the layer writes the end of the round.
    pub(super) fn holds(&self) -> bool {
        !self.is_plain() || self.holding
    }

    /// Returns the state of the next round.
    pub(super) fn next_round(self) -> Self {
        Self { hidden: self.hidden + 1, ..Self::new(self.head) }
    }
}

/// Stitches streams. It gets the data of one event after the other.
pub(crate) trait StreamStitcher: Send {
    /// Whether this is the data of a whole event.
    fn reads(&self, data: &str) -> bool {
        Value::parse(data).is_some()
    }

    /// Looks ahead at an event, before [`event`](Self::event) gets it. Returns whether the owner of every call is known
    /// by now; events wait until then.
    fn is_clear(&mut self, data: &str) -> bool {
        let _ = data;
        true
    }

    /// Assigns every call of unknown owner by its apparent name.
    fn settle(&mut self) {}

    fn event(&mut self, data: &str) -> EventAction;

    fn state(&self) -> &StreamState;

    fn state_mut(&mut self) -> &mut StreamState;

    /// Whether the round has ended and the next step decides about held events.
    fn ended(&self) -> bool {
        self.state().ended
    }

    /// Handles the end of the provider's stream.
    fn close(&mut self) {}

    /// Returns the provider's answer in the round that ended.
    fn round(&mut self) -> Round;

    /// Begins another round; held events are dropped.
    fn again(&mut self);

    /// Handles a held event, now that no round follows. If the provider still needs an answer of ours, `give_up` ends
    /// the turn.
    fn last(&mut self, data: &str, give_up: bool) -> EventAction;

    /// Stops holding events for a structured answer, which has become too long.
    fn hold_no_more(&mut self) {
        let state = self.state_mut();
        state.head.structured = false;
        state.holding = false;
    }

    /// Whether the provider reported that the stream has failed.
    fn failed(&self) -> bool {
        self.state().failed
    }

    /// Returns a complete server-sent event that reports a failure to the client.
    fn failure(&self, failure: &Failure) -> String;

    /// Returns a complete server-sent event that only keeps the connection alive.
    fn ping(&self) -> Option<&'static str>;
}

/// Stitches whole answers.
pub(crate) trait BufferedStitcher: Send {
    /// Reads the answer of a round; `None` if its format is unknown.
    fn add(&mut self, body: &str) -> Option<Round>;

    /// Returns the client's answer.
    fn finish(&mut self, give_up: bool) -> Option<String>;
}
