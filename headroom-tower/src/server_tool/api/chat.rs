//! OpenAI Chat Completions, and everything compatible with it.

use headroom_store::json::{Value, quote};

use super::{
    Anchors, Answer, AssistantTurn, BufferedStitcher, Call, EventAction, Failure, Head, MAX_ROUND,
    ProviderFormat, RETRIEVE, Root, Round, StreamStitcher, array, kind, may_have, merge,
};
use crate::server_tool::{
    edit::{Edits, set},
    record::Record,
};

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
        Box::new(ChatStream { head, ..ChatStream::default() })
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(ChatBuffered { head, ..ChatBuffered::default() })
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

/// A call while it is received.
#[derive(Debug, Default)]
struct ChatPart {
    index: u64,
    /// The call's index for the client; `None` if it is ours.
    shown: Option<u64>,
    /// The call as it began.
    first: String,
    id: String,
    name: String,
    /// Still escaped.
    arguments: String,
}

/// Knowledge of a call ahead of its events.
#[derive(Debug, Default)]
struct Ahead {
    index: u64,
    id: String,
    name: String,
    /// Whether it is ours; `None` while its name may still be incomplete.
    is_ours: Option<bool>,
}

impl Ahead {
    /// Adds a piece of the call. Some servers send the name in pieces, or after the id, or after the arguments; some
    /// repeat it in every piece.
    fn add(&mut self, piece: &Piece<'_>) {
        if let Some(id) = &piece.id {
            self.id = id.clone();
        }
        if let Some(name) = piece.name.as_ref().filter(|name| **name != self.name) {
            self.name.push_str(name);
        }
        let begins = piece.arguments.is_some_and(|arguments| !arguments.is_empty());
        // The name is usually complete when the arguments begin, and a client may well have a tool `head`.
        let is_whole = self.name == RETRIEVE || (!self.name.is_empty() && "head".starts_with(&self.name));
        if !RETRIEVE.starts_with(&self.name) || (begins && is_whole) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.is_ours = self.is_ours.or(Some(self.name == RETRIEVE));
    }
}

/// A piece of a call in a delta.
struct Piece<'a> {
    index: u64,
    id: Option<String>,
    name: Option<String>,
    /// Still escaped.
    arguments: Option<&'a str>,
}

impl<'a> Piece<'a> {
    fn new(call: Value<'a>, position: usize) -> Self {
        let text = |value: Option<Value<'a>>| {
            value.and_then(Value::text).filter(|text| !text.is_empty()).map(|text| text.into_owned())
        };
        let function = call.get("function");
        Self {
            index: call.get("index").and_then(Value::count).unwrap_or(position as u64),
            id: text(call.get("id")),
            name: text(function.and_then(|function| function.get("name"))),
            arguments: function.and_then(|function| function.get("arguments")?.inner()),
        }
    }

    /// Whether it continues a call of this index and id. Servers that do not number calls give each its own id.
    fn goes_on(&self, index: u64, id: &str) -> bool {
        index == self.index && self.id.as_ref().is_none_or(|own| id.is_empty() || own == id)
    }
}

impl ChatPart {
    fn whole(&self) -> String {
        let function = format!("{{\"name\":{},\"arguments\":\"{}\"}}", quote(&self.name), self.arguments);
        let first = Value::parse(&self.first);
        let kind = first.is_some_and(|first| first.get("type").is_none()).then(|| "\"function\"".to_owned());
        let mut members = vec![("index", None), ("function", Some(function))];
        if kind.is_some() {
            members.push(("type", kind));
        }
        first.map(|first| set(first, &members)).unwrap_or_default()
    }
}

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
struct ChatStream {
    head: Head,
    hidden: u32,
    /// `id` and `created` of the first chunk.
    id: Option<String>,
    created: Option<String>,
    parts: Vec<ChatPart>,
    /// Knowledge of calls whose events may not have come yet; the first are those of `parts`.
    ahead: Vec<Ahead>,
    ours: bool,
    /// Strings of the message, still escaped, in the order of [`STRINGS`].
    strings: [Option<String>; STRINGS.len()],
    details: Vec<String>,
    bytes: usize,
    unknown: bool,
    stop: Option<String>,
    /// Whether chunks are held, because this may not be the last round.
    holding: bool,
    usage: Option<String>,
    usage_before: Vec<String>,
    ended: bool,
    failed: bool,
}

impl ChatStream {
    /// Handles a delta. Returns the client's part of it, if any, and whether it differs.
    fn delta(&mut self, delta: Value<'_>) -> Option<(String, bool)> {
        self.bytes += delta.raw().len();
        let whole = self.bytes <= MAX_ROUND;
        self.unknown |= !whole;
        for (key, so_far) in STRINGS.iter().zip(&mut self.strings) {
            if let (Some(more), true) = (delta.get(key).and_then(Value::inner), whole) {
                so_far.get_or_insert_default().push_str(more);
            }
        }
        if let (Some(details), true) = (delta.get("reasoning_details"), whole) {
            self.details.extend(details.items().map(|detail| detail.raw().to_owned()));
        }
        let mut members = Vec::new();
        if let Some(calls) = delta.get("tool_calls").filter(|calls| calls.is_array()) {
            let mut shown = Vec::new();
            let mut changed = false;
            for (position, call) in calls.items().enumerate() {
                match self.call(call, position, whole) {
                    Some((text, other)) => {
                        shown.push(text);
                        changed |= other;
                    }
                    None => changed = true,
                }
            }
            if changed {
                members.push(("tool_calls", (!shown.is_empty()).then(|| array(&shown))));
            }
        }
        if self.hidden > 0 && delta.get("role").is_some() {
            members.push(("role", None));
        }
        if members.is_empty() {
            return Some((delta.raw().to_owned(), false));
        }
        let delta = set(delta, &members);
        let says = Value::parse(&delta).is_some_and(|delta| {
            delta.members().any(|member| {
                !member.value.is_null() && member.value.inner() != Some("") && !member.key.is("obfuscation")
            })
        });
        says.then_some((delta, true))
    }

    fn call(&mut self, call: Value<'_>, position: usize, whole: bool) -> Option<(String, bool)> {
        let piece = Piece::new(call, position);
        let known = self.parts.iter().rposition(|part| piece.goes_on(part.index, &part.id));
        let at = known.unwrap_or_else(|| {
            let ours = self.ahead.get(self.parts.len()).is_some_and(|ahead| ahead.is_ours == Some(true));
            self.ours |= ours;
            // If nothing was removed, indexes stay unchanged, whatever they are.
            let dense = self.parts.iter().filter(|part| part.shown.is_some()).count() as u64;
            let shown = (!ours).then_some(if self.ours { dense } else { piece.index });
            self.parts.push(ChatPart {
                index: piece.index,
                shown,
                first: call.raw().to_owned(),
                ..ChatPart::default()
            });
            self.parts.len() - 1
        });
        let name = self.ahead.get(at).map(|ahead| ahead.name.clone());
        let part = self.parts.get_mut(at)?;
        if let Some(id) = piece.id {
            part.id = id;
        }
        part.name = name.or(piece.name).unwrap_or_default();
        if whole {
            part.arguments.push_str(piece.arguments.unwrap_or_default());
        }
        let shown = part.shown?;
        if shown == piece.index {
            Some((call.raw().to_owned(), false))
        } else {
            Some((set(call, &[("index", Some(shown.to_string()))]), true))
        }
    }

    /// Whether the owner of every call so far is known.
    fn all_known(&self) -> bool {
        self.ahead.iter().all(|ahead| ahead.is_ours.is_some())
    }

    /// Returns the chunk with the first round's identity.
    fn same(&self, chunk: Value<'_>, members: &mut Vec<(&'static str, Option<String>)>) {
        if self.hidden > 0 && chunk.get("id").is_some() {
            members.extend(self.id.clone().map(|id| ("id", Some(id))));
            members.extend(self.created.clone().map(|created| ("created", Some(created))));
        }
    }

    fn holds(&self) -> bool {
        self.ours || self.hidden > 0 || self.holding
    }
}

impl StreamStitcher for ChatStream {
    fn reads(&self, data: &str) -> bool {
        data.trim() == "[DONE]" || Value::parse(data).is_some()
    }

    fn is_clear(&mut self, data: &str) -> bool {
        // Most events are text, and not worth parsing twice.
        if self.ahead.is_empty() && !may_have(data, "tool_calls") {
            return true;
        }
        let chunk = Value::parse(data);
        let choice = chunk.and_then(|chunk| chunk.get("choices")?.items().next());
        let calls = choice.and_then(|choice| choice.get("delta")?.get("tool_calls"));
        for (position, call) in calls.into_iter().flat_map(Value::items).enumerate() {
            let piece = Piece::new(call, position);
            match self.ahead.iter_mut().rfind(|ahead| piece.goes_on(ahead.index, &ahead.id)) {
                Some(ahead) => ahead.add(&piece),
                None => {
                    let mut ahead = Ahead { index: piece.index, ..Ahead::default() };
                    ahead.add(&piece);
                    self.ahead.push(ahead);
                }
            }
        }
        let finish = choice.and_then(|choice| choice.get("finish_reason"));
        if data.trim() == "[DONE]" || finish.is_some_and(|finish| !finish.is_null()) {
            self.settle();
        }
        self.all_known()
    }

    fn settle(&mut self) {
        self.ahead.iter_mut().for_each(Ahead::settle);
    }

    fn event(&mut self, data: &str) -> EventAction {
        if data.trim() == "[DONE]" {
            self.ended = true;
            return if self.holds() { EventAction::Hold } else { EventAction::Pass };
        }
        let Some(chunk) = Value::parse(data) else { return EventAction::Pass };
        // Some servers begin with a chunk without an id.
        let id = chunk.get("id").filter(|id| id.inner() != Some(""));
        if let (Some(id), true) = (id, self.hidden == 0 && self.id.is_none()) {
            self.id = Some(id.raw().to_owned());
            self.created = chunk.get("created").map(|created| created.raw().to_owned());
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            self.usage = Some(usage.raw().to_owned());
        }
        let choice = chunk.get("choices").and_then(|choices| choices.items().next());
        self.failed |= chunk.get("error").is_some_and(|error| !error.is_null());
        let mut members = Vec::new();
        self.same(chunk, &mut members);
        let Some(choice) = choice else {
            return if chunk.get("usage").is_some_and(Value::is_object) && self.holds() {
                EventAction::Hold
            } else if members.is_empty() {
                EventAction::Pass
            } else {
                EventAction::Instead(set(chunk, &members))
            };
        };
        let delta = choice.get("delta").filter(|delta| delta.is_object());
        let shown = delta.map_or(Some((String::new(), false)), |delta| self.delta(delta));
        let finish = choice.get("finish_reason").and_then(Value::text);
        if let Some(finish) = &finish {
            self.stop = Some(finish.clone().into_owned());
        }
        let text = delta.and_then(|delta| delta.get("content")).and_then(Value::inner);
        self.holding |= self.head.structured && text.is_some_and(|text| !text.is_empty());
        let with = |delta: String, finish: Option<&str>, mut members: Vec<(&'static str, Option<String>)>| {
            let mut set_choice = vec![("delta", Some(delta))];
            if let Some(finish) = finish {
                set_choice.push(("finish_reason", Some(finish.to_owned())));
            }
            members.push(("choices", Some(array(&[set(choice, &set_choice)]))));
            set(chunk, &members)
        };
        match (shown, finish.is_some() && self.holds()) {
            (None, false) if self.holding => EventAction::Drop,
            (Some((_, false)), _) if self.holding && members.is_empty() => EventAction::Hold,
            (Some((delta, _)), _) if self.holding => EventAction::HoldAs(with(delta, None, members)),
            (None, false) => EventAction::Drop,
            (None, true) => EventAction::HoldAs(with("{}".to_owned(), None, members)),
            (Some((delta, _)), true) if is_silent(&delta) => EventAction::Hold,
            // Pass the content of the last chunk; hold its end.
            (Some((delta, _)), true) => {
                members.push(("usage", None));
                EventAction::Split(with(delta, Some("null"), members))
            }
            (Some((_, false)), false) if members.is_empty() => EventAction::Pass,
            (Some((delta, _)), false) => EventAction::Instead(with(delta, None, members)),
        }
    }

    fn hold_no_more(&mut self) {
        self.head.structured = false;
        self.holding = false;
    }

    fn failed(&self) -> bool {
        self.failed
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn close(&mut self) {
        self.ended |= self.stop.is_some();
    }

    fn round(&mut self) -> Round {
        if self.unknown {
            let others = self.parts.iter().any(|part| part.shown.is_some());
            let calls = if self.ours { vec![Call::default()] } else { Vec::new() };
            let text = self.strings.first().cloned().flatten().unwrap_or_default();
            let shown = Anchors { text, ..Anchors::default() };
            return Round { calls, others, shown, ..Round::default() };
        }
        let mut members = vec!["\"role\":\"assistant\"".to_owned()];
        for (key, text) in STRINGS.iter().zip(&self.strings) {
            match text {
                Some(text) if !text.is_empty() => members.push(format!("\"{key}\":\"{text}\"")),
                _ if *key == "content" => members.push("\"content\":null".to_owned()),
                _ => {}
            }
        }
        if !self.details.is_empty() {
            members.push(format!("\"reasoning_details\":{}", array(&self.details)));
        }
        let calls: Vec<_> = self.parts.iter().map(ChatPart::whole).collect();
        if !calls.is_empty() {
            members.push(format!("\"tool_calls\":{}", array(&calls)));
        }
        let message = format!("{{{}}}", members.join(","));
        round_of(&message, self.stop.as_deref().unwrap_or_default()).unwrap_or_default()
    }

    fn again(&mut self) {
        let this = std::mem::take(self);
        *self = Self {
            head: this.head,
            hidden: this.hidden + 1,
            id: this.id,
            created: this.created,
            usage_before: this.usage_before.into_iter().chain(this.usage).collect(),
            ..Self::default()
        };
    }

    fn last(&mut self, data: &str, give_up: bool) -> EventAction {
        let Some(chunk) = Value::parse(data).filter(|chunk| chunk.is_object()) else {
            return EventAction::Pass;
        };
        let mut members = Vec::new();
        self.same(chunk, &mut members);
        if let (Some(usage), true) = (chunk.get("usage").filter(|usage| usage.is_object()), self.hidden > 0) {
            members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
        }
        if let Some(choice) = chunk.get("choices").and_then(|choices| choices.items().next()) {
            let ends = choice.get("finish_reason").is_some_and(|finish| !finish.is_null());
            let mut choice_members = Vec::new();
            // The content of an end chunk has passed already, unless everything was held.
            if ends && !self.holding {
                choice_members.push(("delta", Some("{}".to_owned())));
            } else if let (Some(delta), true) = (choice.get("delta"), self.hidden > 0) {
                choice_members.push(("delta", Some(set(delta, &[("role", None)]))));
            }
            if ends && give_up {
                choice_members.push(("finish_reason", Some("\"stop\"".to_owned())));
            }
            if !choice_members.is_empty() {
                members.push(("choices", Some(array(&[set(choice, &choice_members)]))));
            }
        }
        if members.is_empty() { EventAction::Pass } else { EventAction::Instead(set(chunk, &members)) }
    }

    fn failure(&self, failure: &Failure) -> String {
        format!("data: {{\"error\":{}}}\n\n", failure.error("server_error"))
    }

    fn ping(&self) -> Option<&'static str> {
        Some(": ping\n\n")
    }
}

/// Whether a delta is empty.
fn is_silent(delta: &str) -> bool {
    let members = Value::parse(delta).into_iter().flat_map(Value::members);
    members.into_iter().all(|member| member.value.is_null() || member.value.inner() == Some(""))
}

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
struct ChatBuffered {
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
