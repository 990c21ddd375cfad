//! The end of a streamed answer.

use headroom_json::Value;

use super::{round::without, stream::AnthropicStream};
use crate::{
    api::{EventAction, merge},
    edit::set,
};

/// Merges the usage members of an event.
pub(super) fn updated(usage: Option<&str>, news: Value<'_>) -> String {
    let members: Vec<_> = news.members().filter(|member| !member.value.is_null()).collect();
    let members: Vec<_> = members
        .iter()
        .filter_map(|member| Some((member.key.inner()?, Some(member.value.raw().to_owned()))))
        .collect();
    let before = usage.and_then(Value::parse).or(Value::parse("{}"));
    before.map(|before| set(before, &members)).unwrap_or_default()
}

impl AnthropicStream {
    /// Builds the last `message_delta`: the context of this round, the output of all, and all other members.
    pub(super) fn final_delta(&self, event: Value<'_>, give_up: bool) -> EventAction {
        const OWN: [&str; 3] = ["type", "delta", "usage"];
        const OWN_OF_DELTA: [&str; 3] = ["stop_reason", "stop_sequence", "stop_details"];

        let text = without(event.raw(), &self.own_ids());
        let Some(event) = Value::parse(&text) else { return EventAction::Pass };
        let carried = merge::carried(event, &self.ends_before, &OWN);
        let mut members = merge::members(&carried);
        if self.state.hidden > 0 {
            members.push(("usage", Some(self.final_usage(event.get("usage")))));
        }
        if let Some(delta) = event.get("delta") {
            let deltas = self.ends_before.iter().filter_map(|end| Value::parse(end)?.get("delta"));
            let deltas: Vec<_> = deltas.map(|delta| delta.raw().to_owned()).collect();
            let carried = merge::carried(delta, &deltas, &OWN_OF_DELTA);
            let mut of_delta = merge::members(&carried);
            if give_up {
                of_delta.push(("stop_reason", Some("\"end_turn\"".to_owned())));
            }
            if !of_delta.is_empty() {
                members.push(("delta", Some(set(delta, &of_delta))));
            }
        }
        if !members.is_empty() {
            return EventAction::Instead(set(event, &members));
        }
        if self.state.ours { EventAction::Instead(text) } else { EventAction::Pass }
    }

    fn final_usage(&self, usage: Option<Value<'_>>) -> String {
        const CONTEXT: [&str; 4] =
            ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation"];

        let empty = Value::parse("{}");
        let Some(usage) = usage.or(empty) else { return "{}".to_owned() };
        let whole = self.usage.as_deref().and_then(Value::parse);
        let mut members = Vec::new();
        for key in CONTEXT.into_iter().chain(["output_tokens"]) {
            if let (None, Some(value)) = (usage.get(key), whole.and_then(|whole| whole.get(key))) {
                members.push((key, Some(value.raw().to_owned())));
            }
        }
        let usage = set(usage, &members);
        Value::parse(&usage).map(|usage| merge::usage(usage, &self.usage_before)).unwrap_or(usage)
    }
}
