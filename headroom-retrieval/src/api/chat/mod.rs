//! OpenAI Chat Completions, and everything compatible with it.

mod buffered;
mod calls;
mod delta;
mod stream;

use headroom_json::{Value, quote};

use self::{buffered::ChatBuffered, stream::ChatStream};
use super::{
    Anchors, Answer, AssistantTurn, BufferedStitcher, Call, Head, ProviderFormat, RETRIEVE, Record, Root,
    Round, StreamStitcher, array, kind,
};
use crate::edit::{Edits, set};

/// Members of a delta whose pieces form one string.
const STRINGS: [&str; 4] = ["content", "reasoning_content", "reasoning", "refusal"];

pub(super) struct Chat;

impl ProviderFormat for Chat {
    fn list(&self) -> &'static str {
        "messages"
    }

    fn head(&self, body: &Root<'_>) -> Option<Head> {
        let several = body.get("n").and_then(Value::count).is_some_and(|n| n > 1);
        let format = body.get("response_format").map(kind).unwrap_or_default();
        let structured = matches!(format, "json_schema" | "json_object");
        (!several).then_some(Head { structured, ..Head::default() })
    }

    fn results(&self, answers: &[Answer]) -> String {
        let result = |answer: &Answer| {
            let (id, text) = (quote(&answer.call.id), quote(&answer.text));
            format!("{{\"role\":\"tool\",\"tool_call_id\":{id},\"content\":{text}}}")
        };
        answers.iter().map(result).collect::<Vec<_>>().join(",")
    }

    fn mixed(&self, said: &str, answers: &[Answer]) -> Record {
        Record {
            items: format!("{said},{}", self.results(answers)),
            prepend: String::new(),
            ..Record::default()
        }
    }

    fn stream(&self, head: Head) -> Box<dyn StreamStitcher> {
        Box::new(ChatStream::new(head))
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(ChatBuffered::new(head))
    }

    fn assistant_turns(&self, messages: &[Value<'_>]) -> Vec<AssistantTurn> {
        let mut turns = Vec::new();
        for message in messages {
            if message.get("role").is_some_and(|role| role.is("assistant")) {
                turns.push(AssistantTurn {
                    range: message.start()..message.end(),
                    next: None,
                    anchors: anchors(*message),
                });
            }
        }
        turns
    }

    fn splice_record(&self, _: &str, turn: &AssistantTurn, record: &Record, edits: &mut Edits) {
        edits.replace(turn.range.clone(), record.items.clone());
    }
}

/// Returns the text of a message in any of its forms.
fn words(message: Value<'_>) -> String {
    let Some(content) = message.get("content") else { return String::new() };
    let parts = content.items().filter_map(|part| part.get("text")?.text());
    content.text().into_iter().chain(parts).collect()
}

fn is_ours(call: Value<'_>) -> bool {
    call.get("function").and_then(|function| function.get("name")).is_some_and(|name| name.is(RETRIEVE))
}

fn anchors(message: Value<'_>) -> Anchors {
    let mut anchors = Anchors { text: words(message), ..Anchors::default() };
    let calls = message.get("tool_calls").into_iter().flat_map(Value::items).filter(|call| !is_ours(*call));
    for call in calls {
        anchors.ids.push(call.get("id").and_then(Value::text).unwrap_or_default().into_owned());
        // A custom tool takes any text.
        let function = call.get("function").or_else(|| call.get("custom"));
        let arguments = function.and_then(|own| own.get("arguments").or_else(|| own.get("input"))?.text());
        anchors.add_call(function.and_then(|own| own.get("name")), &arguments.unwrap_or_default());
    }
    anchors
}

/// Builds a round from a complete message.
fn round_of(message: &str, stop: &str) -> Option<Round> {
    // Some servers report `stop` although calls wait.
    let waits = matches!(stop, "tool_calls" | "stop" | "function_call" | "");
    let message = Value::parse(message)?;
    let calls: Vec<_> = message.get("tool_calls").into_iter().flat_map(Value::items).collect();
    let mut round = Round { said: Some(message.raw().to_owned()), ..Round::default() };
    let mut others = Vec::new();
    for call in calls {
        if !is_ours(call) {
            others.push(call.raw().to_owned());
            continue;
        }
        if waits {
            let id = call.get("id").and_then(Value::text).unwrap_or_default().into_owned();
            let arguments = call.get("function").and_then(|function| function.get("arguments")?.text());
            round.calls.push(Call { id, arguments: arguments.unwrap_or_default().into_owned() });
        }
    }
    round.others = waits && !others.is_empty();
    let left = (!others.is_empty()).then(|| array(&others));
    let empty = left.is_none() && words(message).is_empty();
    let rest = set(message, &[("tool_calls", left)]);
    round.shown = Value::parse(&rest).map(anchors).unwrap_or_default();
    round.rest = (!empty).then_some(rest);
    Some(round)
}
