//! Gemini `generateContent` and `streamGenerateContent`.

mod buffered;
mod stream;
mod usage;
mod visible;

use headroom_json::{Value, quote};

use self::{buffered::GeminiBuffered, stream::GeminiStream, visible::Visible};
use super::{
    Anchors, Answer, AssistantTurn, BufferedStitcher, Call, Head, ProviderFormat, RETRIEVE, Record, Root,
    Round, StreamStitcher, array,
};
use crate::edit::Edits;

pub(super) struct Gemini;

impl ProviderFormat for Gemini {
    fn list(&self) -> &'static str {
        "contents"
    }

    fn head(&self, body: &Root<'_>) -> Option<Head> {
        let config = body.get("generationConfig").or_else(|| body.get("generation_config"));
        let member = |camel: &str, snake: &str| config?.get(camel).or_else(|| config?.get(snake));
        let several =
            member("candidateCount", "candidate_count").and_then(Value::count).is_some_and(|n| n > 1);
        let cached = body.get("cachedContent").or_else(|| body.get("cached_content")).is_some();
        let kind = member("responseMimeType", "response_mime_type");
        let structured = kind.is_some_and(|kind| !kind.is("text/plain"));
        // Arguments that come in pieces do not name their call.
        let in_pieces = body.get("toolConfig").or_else(|| body.get("tool_config")).and_then(|config| {
            let calling =
                config.get("functionCallingConfig").or_else(|| config.get("function_calling_config"))?;
            let streams = calling.get("streamFunctionCallArguments");
            streams.or_else(|| calling.get("stream_function_call_arguments"))
        });
        let in_pieces = in_pieces.is_some_and(Value::is_true);
        (!several && !cached && !in_pieces).then_some(Head { structured, ..Head::default() })
    }

    fn results(&self, answers: &[Answer]) -> String {
        format!("{{\"role\":\"user\",\"parts\":[{}]}}", results(answers))
    }

    fn mixed(&self, said: &str, answers: &[Answer]) -> Record {
        Record { items: said.to_owned(), prepend: results(answers), ..Record::default() }
    }

    fn stream(&self, head: Head) -> Box<dyn StreamStitcher> {
        Box::new(GeminiStream::new(head))
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(GeminiBuffered::new(head))
    }

    fn assistant_turns(&self, contents: &[Value<'_>]) -> Vec<AssistantTurn> {
        let mut turns = Vec::new();
        for (index, content) in contents.iter().enumerate() {
            if content.get("role").is_some_and(|role| role.is("model")) {
                turns.push(AssistantTurn {
                    range: content.start()..content.end(),
                    next: contents.get(index + 1).map(|next| next.start()..next.end()),
                    anchors: anchors(parts(*content)),
                });
            }
        }
        turns
    }

    fn splice_record(&self, body: &str, turn: &AssistantTurn, record: &Record, edits: &mut Edits) {
        if !record.prepend.is_empty() {
            let next = turn.next.clone().and_then(|next| Some((next.start, Value::parse(body.get(next)?)?)));
            let Some((start, parts)) = next.and_then(|(start, next)| Some((start, next.get("parts")?)))
            else {
                return;
            };
            let comma = if parts.items().next().is_some() { "," } else { "" };
            let at = start + parts.start() + 1;
            edits.replace(at..at, format!("{}{comma}", record.prepend));
        }
        edits.replace(turn.range.clone(), record.items.clone());
    }
}

const CALL: [&str; 2] = ["functionCall", "function_call"];
const SIGNATURE: [&str; 2] = ["thoughtSignature", "thought_signature"];

fn member<'a>(part: Value<'a>, names: [&str; 2]) -> Option<Value<'a>> {
    let [camel, snake] = names;
    part.get(camel).or_else(|| part.get(snake))
}

fn parts(content: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    content.get("parts").into_iter().flat_map(Value::items)
}

fn is_ours(part: Value<'_>) -> bool {
    member(part, CALL).and_then(|call| call.get("name")).is_some_and(|name| name.is(RETRIEVE))
}

fn anchors<'a>(parts: impl Iterator<Item = Value<'a>>) -> Anchors {
    let mut anchors = Anchors::default();
    for part in parts.filter(|part| !is_ours(*part)) {
        let signature = member(part, SIGNATURE).and_then(Value::text);
        if let Some(signature) = signature.filter(|text| !text.is_empty() && !is_placeholder(text)) {
            anchors.add_signature(signature.into_owned());
        }
        // Clients drop ids and omit thoughts; names and arguments of calls stay.
        if let Some(call) = member(part, CALL) {
            anchors.add_call(call.get("name"), call.get("args").map_or("", Value::raw));
        }
        let words = part.get("text").filter(|_| !is_thought(part)).and_then(Value::text);
        anchors.add_text(&words.unwrap_or_default());
    }
    anchors
}

/// Whether this is a placeholder that clients use for a missing signature:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>.
fn is_placeholder(signature: &str) -> bool {
    const PLACEHOLDERS: [&str; 4] = [
        "context_engineering_is_the_way_to_go",
        "skip_thought_signature_validator",
        // The same in base64, as some gateways write them.
        "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv",
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
    ];

    PLACEHOLDERS.contains(&signature)
}

fn is_thought(part: Value<'_>) -> bool {
    part.get("thought").is_some_and(Value::is_true)
}

fn results(answers: &[Answer]) -> String {
    let result = |answer: &Answer| {
        let id = if answer.call.id.is_empty() {
            String::new()
        } else {
            format!("\"id\":{},", quote(&answer.call.id))
        };
        let text = quote(&answer.text);
        format!("{{\"functionResponse\":{{{id}\"name\":\"{RETRIEVE}\",\"response\":{{\"output\":{text}}}}}}}")
    };
    answers.iter().map(result).collect::<Vec<_>>().join(",")
}

/// Builds a round from its parts.
fn round_of(all: &[String], stop: &str) -> Round {
    // Servers that only imitate Gemini's format put the call into the stop reason.
    let waits = matches!(stop, "STOP" | "FUNCTION_CALL" | "");
    let mut round = Round::default();
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    let mut visible = Visible::default();
    for raw in all {
        let Some(part) = Value::parse(raw) else { continue };
        let shown = visible.part(part);
        // Summaries of thoughts are for people; the thoughts that the provider wants back are signed.
        if is_thought(part) && member(part, SIGNATURE).is_none() {
            continue;
        }
        said.push(raw.clone());
        let Some(call) = member(part, CALL).filter(|_| is_ours(part)) else {
            round.others |= waits && member(part, CALL).is_some();
            rest.extend(shown);
            continue;
        };
        if waits {
            let id = call.get("id").and_then(Value::text).unwrap_or_default().into_owned();
            let arguments = call.get("args").map_or("{}", Value::raw).to_owned();
            round.calls.push(Call { id, arguments });
        }
    }
    round.shown = anchors(rest.iter().filter_map(|raw| Value::parse(raw)));
    let content = |parts: &[String]| {
        (!parts.is_empty()).then(|| format!("{{\"role\":\"model\",\"parts\":{}}}", array(parts)))
    };
    round.said = content(&said);
    round.rest = content(&rest);
    round
}
