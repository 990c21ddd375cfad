//! OpenAI Responses.

mod buffered;
mod owners;
mod stream;

use headroom_json::{Value, quote};

use self::{buffered::ResponsesBuffered, stream::ResponsesStream};
use super::{
    Anchors, Answer, AssistantTurn, BufferedStitcher, Call, Head, ProviderFormat, RETRIEVE, Record, Root,
    Round, StreamStitcher, kind,
};
use crate::edit::{Edits, set};

pub(super) struct Responses;

impl ProviderFormat for Responses {
    fn list(&self) -> &'static str {
        "input"
    }

    fn head(&self, body: &Root<'_>) -> Option<Head> {
        let background = body.get("background").is_some_and(Value::is_true);
        // The provider writes the rounds into a history that the layer cannot complete.
        let conversation = body.get("conversation").is_some_and(|value| !value.is_null());
        let format = body.get("text").and_then(|text| text.get("format")).map(kind).unwrap_or_default();
        let structured = matches!(format, "json_schema" | "json_object");
        let stateless = body.get("store").is_some_and(|store| store.raw() == "false");
        (!background && !conversation).then_some(Head { structured, stateless })
    }

    fn item(&self, text: Value<'_>) -> Option<String> {
        let text = text.is_string().then(|| text.raw())?;
        Some(format!("{{\"type\":\"message\",\"role\":\"user\",\"content\":{text}}}"))
    }

    fn continues(&self) -> bool {
        true
    }

    fn previous<'a>(&self, body: &Root<'a>) -> Option<Value<'a>> {
        body.get("previous_response_id").filter(|id| id.is_string())
    }

    fn results(&self, answers: &[Answer]) -> String {
        let result = |answer: &Answer| {
            let (id, text) = (quote(&answer.call.id), quote(&answer.text));
            format!("{{\"type\":\"function_call_output\",\"call_id\":{id},\"output\":{text}}}")
        };
        answers.iter().map(result).collect::<Vec<_>>().join(",")
    }

    fn mixed(&self, said: &str, answers: &[Answer]) -> Record {
        let results = self.results(answers);
        Record { items: format!("{said},{results}"), prepend: results, ..Record::default() }
    }

    fn stream(&self, head: Head) -> Box<dyn StreamStitcher> {
        Box::new(ResponsesStream::new(head))
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(ResponsesBuffered::new(head))
    }

    /// Returns runs of items by the assistant.
    fn assistant_turns(&self, items: &[Value<'_>]) -> Vec<AssistantTurn> {
        let mut turns: Vec<AssistantTurn> = Vec::new();
        let mut follows = false;
        for item in items {
            let own = is_assistants(*item);
            match turns.last_mut().filter(|_| own && follows) {
                Some(turn) => {
                    turn.range.end = item.end();
                    turn.anchors.extend(anchors(*item));
                }
                None if own => {
                    turns.push(AssistantTurn {
                        range: item.start()..item.end(),
                        next: None,
                        anchors: anchors(*item),
                    });
                }
                None => {}
            }
            follows = own;
        }
        turns
    }

    /// Items after the provider's reasoning are refused without it, unless they have no id.
    fn strip_thinking(&self, items: &str) -> String {
        let list = format!("[{items}]");
        let Some(list) = Value::parse(&list) else { return items.to_owned() };
        let reasons = |item: Value<'_>| kind(item) == "reasoning";
        if !list.items().any(reasons) {
            return items.to_owned();
        }
        let rest = list.items().filter(|item| !reasons(*item));
        let rest: Vec<_> = rest
            .map(|item| if is_assistants(item) { set(item, &[("id", None)]) } else { item.raw().to_owned() })
            .collect();
        rest.join(",")
    }

    fn splice_record(&self, _: &str, turn: &AssistantTurn, record: &Record, edits: &mut Edits) {
        // A client that puts results between parallel calls has other calls in its copy, and keeps its order.
        edits.replace(turn.range.clone(), record.items.clone());
    }
}

fn is_ours(item: Value<'_>) -> bool {
    kind(item) == "function_call" && item.get("name").is_some_and(|name| name.is(RETRIEVE))
}

/// Whether an item is a call that the client answers.
fn is_call(item: Value<'_>) -> bool {
    matches!(
        kind(item),
        "function_call"
            | "custom_tool_call"
            | "local_shell_call"
            | "shell_call"
            | "apply_patch_call"
            | "computer_call"
    )
}

fn is_assistants(item: Value<'_>) -> bool {
    match kind(item) {
        "" | "message" => item.get("role").is_some_and(|role| role.is("assistant")),
        kind => kind == "reasoning" || kind.ends_with("_call"),
    }
}

/// Returns the text of a message in any of its forms.
fn words(item: Value<'_>) -> String {
    let Some(content) = item.get("content") else { return String::new() };
    let parts = content.items().filter_map(|part| part.get("text")?.text());
    content.text().into_iter().chain(parts).collect()
}

fn anchors(item: Value<'_>) -> Anchors {
    let mut anchors = Anchors::default();
    let member = |key: &str| item.get(key).and_then(Value::text).map(|text| text.into_owned());
    if is_ours(item) {
    } else if is_call(item) {
        anchors.ids.push(member("call_id").unwrap_or_default());
        // Some calls name no tool and describe the action in a member of their own.
        let name = item.get("name").or_else(|| item.get("type"));
        let arguments = ["arguments", "input"].into_iter().find_map(|key| item.get(key)?.text());
        let own = || ["action", "operation"].into_iter().find_map(|key| Some(item.get(key)?.raw().into()));
        anchors.add_call(name, &arguments.or_else(own).unwrap_or_default());
    } else if kind(item) == "reasoning" {
        let signature = member("encrypted_content").or_else(|| member("id"));
        signature.into_iter().for_each(|own| anchors.add_signature(own));
    } else if is_assistants(item) {
        anchors.add_text(&words(item));
    }
    anchors
}

/// Builds a round from its items.
fn round_of(items: &[String], waits: bool, id: Option<String>, head: Head) -> Round {
    let mut round = Round { id, ..Round::default() };
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    for raw in items {
        let Some(item) = Value::parse(raw) else { continue };
        // Without provider state, unencrypted reasoning is only an id.
        let lost = kind(item) == "reasoning"
            && head.stateless
            && !item.get("encrypted_content").is_some_and(Value::is_string);
        if !lost {
            said.push(raw.as_str());
        }
        if is_ours(item) {
            if waits {
                let member = |key: &str| item.get(key).and_then(Value::text).unwrap_or_default();
                let (id, arguments) = (member("call_id").into_owned(), member("arguments").into_owned());
                round.calls.push(Call { id, arguments });
            }
            continue;
        }
        round.others |= waits && is_call(item);
        if !lost {
            rest.push(raw.as_str());
        }
        round.shown.extend(anchors(item));
    }
    // Reasoning must not come without the item that it led to.
    while rest.last().and_then(|raw| Value::parse(raw)).is_some_and(|item| kind(item) == "reasoning") {
        rest.pop();
    }
    let list = |items: &[&str]| (!items.is_empty()).then(|| items.join(","));
    round.said = list(&said);
    round.rest = list(&rest);
    round
}

/// Members of a response that are not carried over from earlier rounds, or not joined.
const OWN: [&str; 13] = [
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "error",
    "incomplete_details",
    "output",
    "output_text",
    "tools",
    "include",
    "input",
    "usage",
];
