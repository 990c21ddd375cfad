//! Answers in one document.

use headroom_json::Value;

use super::{STRINGS, is_ours, round_of};
use crate::{
    api::{BufferedStitcher, Head, Round, array, merge},
    edit::set,
};

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
pub(super) struct ChatBuffered {
    head: Head,
    /// The strings of the messages before, still escaped, in the order of [`STRINGS`].
    strings: [String; STRINGS.len()],
    /// Those messages, the answers that they came in, and their usage.
    messages_before: Vec<String>,
    answers_before: Vec<String>,
    usage_before: Vec<String>,
    last: String,
}

impl ChatBuffered {
    pub(super) fn new(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

    fn message(body: &str) -> Option<(Value<'_>, Value<'_>, Value<'_>)> {
        let answer = Value::parse(body)?;
        let mut choices = answer.get("choices")?.items();
        let choice = choices.next()?;
        let message = choice.get("message").filter(|message| message.is_object())?;
        choices.next().is_none().then_some((answer, choice, message))
    }

    /// Moves the last answer to the earlier ones.
    fn shift(&mut self) {
        let Some((answer, _, message)) = Self::message(&self.last) else { return };
        for (key, so_far) in STRINGS.iter().zip(&mut self.strings) {
            if !(self.head.structured && *key == "content") {
                so_far.push_str(message.get(key).and_then(Value::inner).unwrap_or_default());
            }
        }
        self.messages_before.push(message.raw().to_owned());
        self.answers_before.push(answer.raw().to_owned());
        self.usage_before.extend(answer.get("usage").map(|usage| usage.raw().to_owned()));
    }
}

impl BufferedStitcher for ChatBuffered {
    fn add(&mut self, body: &str) -> Option<Round> {
        let (_, choice, message) = Self::message(body)?;
        let stop = choice.get("finish_reason").and_then(Value::text).unwrap_or_default();
        let round = round_of(message.raw(), &stop)?;
        self.shift();
        self.last = body.to_owned();
        Some(round)
    }

    fn finish(&mut self, give_up: bool) -> Option<String> {
        const OWN: [&str; 7] = ["id", "object", "created", "model", "choices", "usage", "error"];
        const OWN_OF_MESSAGE: [&str; 7] =
            ["role", "tool_calls", "function_call", "content", "reasoning_content", "reasoning", "refusal"];

        let (answer, choice, message) = Self::message(&self.last)?;
        let calls = message.get("tool_calls").into_iter().flat_map(Value::items);
        let calls: Vec<_> = calls.filter(|call| !is_ours(*call)).map(|call| call.raw().to_owned()).collect();
        let carried = merge::carried(message, &self.messages_before, &OWN_OF_MESSAGE);
        let mut members = merge::members(&carried);
        members.push(("tool_calls", (!calls.is_empty()).then(|| array(&calls))));
        for (key, before) in STRINGS.iter().zip(&self.strings).filter(|(_, before)| !before.is_empty()) {
            let own = message.get(key).and_then(Value::inner).unwrap_or_default();
            members.push((key, Some(format!("\"{before}{own}\""))));
        }
        let mut choice_members = vec![("message", Some(set(message, &members)))];
        if give_up {
            choice_members.push(("finish_reason", Some("\"stop\"".to_owned())));
        }
        let carried = merge::carried(answer, &self.answers_before, &OWN);
        let mut members = merge::members(&carried);
        members.push(("choices", Some(array(&[set(choice, &choice_members)]))));
        if let (Some(usage), false) =
            (answer.get("usage").filter(|usage| usage.is_object()), self.usage_before.is_empty())
        {
            members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
        }
        Some(set(answer, &members))
    }
}
