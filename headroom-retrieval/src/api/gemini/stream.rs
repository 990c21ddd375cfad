//! Streams of server-sent events.

use headroom_json::{Value, compact_into, quote};

use super::{is_ours, is_thought, parts, round_of, usage::OutputTokens, visible::Visible};
use crate::{
    api::{EventAction, Failure, Head, MAX_ROUND, Round, StreamState, StreamStitcher, array},
    edit::set,
};

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
pub(super) struct GeminiStream {
    state: StreamState,
    /// `responseId` of the first chunk.
    id: Option<String>,
    parts: Vec<String>,
    bytes: usize,
    visible: Visible,
    stop: Option<String>,
    output: OutputTokens,
    output_before: OutputTokens,
}

impl GeminiStream {
    pub(super) fn new(head: Head) -> Self {
        Self { state: StreamState::new(head), ..Self::default() }
    }

    fn same(&self, chunk: Value<'_>) -> Vec<(&'static str, Option<String>)> {
        let id = self.id.clone().filter(|_| self.state.hidden > 0 && chunk.get("responseId").is_some());
        id.map(|id| ("responseId", Some(id))).into_iter().collect()
    }
}

impl StreamStitcher for GeminiStream {
    fn state(&self) -> &StreamState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut StreamState {
        &mut self.state
    }

    fn event(&mut self, data: &str) -> EventAction {
        let Some(chunk) = Value::parse(data) else { return EventAction::Pass };
        let id = chunk.get("responseId").filter(|id| id.inner() != Some(""));
        if let (Some(id), true) = (id, self.state.hidden == 0 && self.id.is_none()) {
            self.id = Some(id.raw().to_owned());
        }
        if let Some(usage) = chunk.get("usageMetadata") {
            self.output = OutputTokens::from_usage(usage);
        }
        self.state.failed |= chunk.get("error").is_some_and(|error| !error.is_null());
        let candidate = chunk.get("candidates").and_then(|candidates| candidates.items().next());
        let Some(candidate) = candidate else {
            return if chunk.get("usageMetadata").is_some() && self.state.holds() {
                EventAction::Hold
            } else {
                EventAction::Pass
            };
        };
        let finish = candidate.get("finishReason").and_then(Value::text);
        if let Some(finish) = &finish {
            self.stop = Some(finish.clone().into_owned());
        }
        let content = candidate.get("content").filter(|content| content.is_object());
        let (mut shown, mut taken, mut text) = (Vec::new(), false, false);
        for part in content.into_iter().flat_map(parts) {
            self.bytes += part.raw().len();
            if self.bytes <= MAX_ROUND {
                self.parts.push(part.raw().to_owned());
            }
            text |= part.get("text").is_some() && !is_thought(part);
            self.state.ours |= is_ours(part);
            let visible = self.visible.part(part);
            taken |= visible.as_deref() != Some(part.raw());
            shown.extend(visible);
        }
        self.state.holding |= text && self.state.head.structured;
        let chunk_with = |shown: &[String], ends: bool| {
            let mut members = self.same(chunk);
            let content = content.map(|content| set(content, &[("parts", Some(array(shown)))]));
            let mut of_candidate = vec![("content", content)];
            if !ends {
                of_candidate.push(("finishReason", None));
            }
            members.push(("candidates", Some(array(&[set(candidate, &of_candidate)]))));
            set(chunk, &members)
        };
        if self.state.holding {
            let same = !taken && self.same(chunk).is_empty();
            return if same { EventAction::Hold } else { EventAction::HoldAs(chunk_with(&shown, true)) };
        }
        match (finish.is_some() && self.state.holds(), shown.is_empty()) {
            (true, true) => EventAction::Hold,
            (true, false) => EventAction::Split(chunk_with(&shown, false)),
            (false, true) if taken => EventAction::Drop,
            (false, _) if taken || !self.same(chunk).is_empty() => {
                EventAction::Instead(chunk_with(&shown, true))
            }
            (false, _) => EventAction::Pass,
        }
    }

    fn close(&mut self) {
        self.state.ended = self.stop.is_some();
    }

    fn round(&mut self) -> Round {
        let round = round_of(&self.parts, self.stop.as_deref().unwrap_or_default());
        if self.bytes > MAX_ROUND { Round { said: None, rest: None, ..round } } else { round }
    }

    fn again(&mut self) {
        let this = std::mem::take(self);
        *self = Self {
            state: this.state.next_round(),
            id: this.id,
            output_before: this.output_before.plus(this.output),
            ..Self::default()
        };
    }

    fn last(&mut self, data: &str, _: bool) -> EventAction {
        let Some(chunk) = Value::parse(data) else { return EventAction::Pass };
        let mut members = self.same(chunk);
        if let (Some(usage), true) = (chunk.get("usageMetadata"), self.state.hidden > 0) {
            members.push(("usageMetadata", Some(self.output_before.before(usage))));
        }
        let candidate = chunk.get("candidates").and_then(|candidates| candidates.items().next());
        if let (Some(candidate), false) = (candidate, self.state.holding) {
            // Its content has passed already.
            let content =
                candidate.get("content").map(|content| set(content, &[("parts", Some("[]".to_owned()))]));
            members.push(("candidates", Some(array(&[set(candidate, &[("content", content)])]))));
        }
        if members.is_empty() { EventAction::Pass } else { EventAction::Instead(set(chunk, &members)) }
    }

    fn failure(&self, failure: &Failure) -> String {
        let own = failure.body.as_deref().and_then(Value::parse).and_then(|body| body.get("error"));
        let own = own.filter(|error| error.is_object()).map(|error| {
            let mut compact = String::new();
            compact_into(error, &mut compact);
            compact
        });
        let error = own.unwrap_or_else(|| {
            let message = quote("The provider could not go on with this answer.");
            format!("{{\"code\":{},\"message\":{message},\"status\":\"UNAVAILABLE\"}}", failure.status)
        });
        format!("data: {{\"error\":{error}}}\r\n\r\n")
    }

    /// Some clients parse every line as data.
    fn ping(&self) -> Option<&'static str> {
        None
    }
}
