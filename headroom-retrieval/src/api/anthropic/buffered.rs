//! Answers in one document.

use headroom_json::Value;

use super::{
    is_ours,
    round::{round_of, without},
};
use crate::{
    api::{BufferedStitcher, Head, Round, array, kind, merge},
    edit::set,
};

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
pub(super) struct AnthropicBuffered {
    head: Head,
    /// The client's blocks of the rounds before.
    shown: Vec<String>,
    /// The answers of those rounds without their content, and their usage.
    before: Vec<String>,
    usage_before: Vec<String>,
    last: String,
}

/// Returns the ids of our calls in a whole answer.
fn own_ids(message: Value<'_>) -> Vec<String> {
    let ours = message.get("content").into_iter().flat_map(Value::items).filter(|block| is_ours(*block));
    ours.filter_map(|block| Some(block.get("id")?.text()?.into_owned())).collect()
}

impl AnthropicBuffered {
    pub(super) fn new(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

    /// Moves the last answer to the earlier ones.
    fn shift(&mut self) {
        let Some(message) = Value::parse(&self.last) else { return };
        let content = message.get("content").into_iter().flat_map(Value::items);
        let shown = content.filter(|block| !is_ours(*block));
        let shown = shown.filter(|block| !(self.head.structured && kind(*block) == "text"));
        self.shown.extend(shown.map(|block| block.raw().to_owned()));
        self.usage_before.extend(message.get("usage").map(|usage| usage.raw().to_owned()));
        let rest = without(&self.last, &own_ids(message));
        self.before.extend(Value::parse(&rest).map(|rest| set(rest, &[("content", None)])));
    }
}

impl BufferedStitcher for AnthropicBuffered {
    fn add(&mut self, body: &str) -> Option<Round> {
        let message = Value::parse(body)?;
        let content = message.get("content").filter(|content| content.is_array())?;
        let blocks: Vec<_> = content.items().map(|block| block.raw().to_owned()).collect();
        let stop = message.get("stop_reason").and_then(Value::text).unwrap_or_default();
        let round = round_of(&blocks, &stop);
        self.shift();
        self.last = body.to_owned();
        Some(round)
    }

    fn finish(&mut self, give_up: bool) -> Option<String> {
        const OWN: [&str; 9] = [
            "id",
            "type",
            "role",
            "model",
            "content",
            "stop_reason",
            "stop_sequence",
            "stop_details",
            "usage",
        ];

        let text = without(&self.last, &own_ids(Value::parse(&self.last)?));
        let message = Value::parse(&text)?;
        let own = message.get("content")?.items().filter(|block| !is_ours(*block));
        let shown: Vec<_> =
            self.shown.iter().cloned().chain(own.map(|block| block.raw().to_owned())).collect();
        let carried = merge::carried(message, &self.before, &OWN);
        let mut members = merge::members(&carried);
        members.push(("content", Some(array(&shown))));
        if give_up {
            members.push(("stop_reason", Some("\"end_turn\"".to_owned())));
        }
        if let (Some(usage), false) = (message.get("usage"), self.usage_before.is_empty()) {
            members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
        }
        Some(set(message, &members))
    }
}
