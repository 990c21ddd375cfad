//! OpenAI Chat Completions, and everything compatible with it.

use headroom_store::json::{Value, quote};

use super::{
    Anchors, Answer, Call, Failure, Head, MAX_ROUND, RETRIEVE, Root, Round, Stream, Turn, Verdict, Whole,
    Wire, array, kind,
};
use crate::retrieve::{
    edit::{Edits, set},
    record::Record,
};

/// Members of a delta whose pieces make one string.
const STRINGS: [&str; 4] = ["content", "reasoning_content", "reasoning", "refusal"];

pub(super) struct Chat;

impl Wire for Chat {
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

    fn stream(&self, head: Head) -> Box<dyn Stream> {
        Box::new(Stitch { head, ..Stitch::default() })
    }

    fn whole(&self, head: Head) -> Box<dyn Whole> {
        Box::new(Answers { head, ..Answers::default() })
    }

    fn turns(&self, messages: &[Value<'_>]) -> Vec<Turn> {
        let mut turns = Vec::new();
        for message in messages {
            if message.get("role").is_some_and(|role| role.is("assistant")) {
                turns.push(Turn {
                    range: message.start()..message.end(),
                    next: None,
                    anchors: anchors(*message),
                });
            }
        }
        turns
    }

    fn put_back(&self, _: &str, turn: &Turn, record: &Record, edits: &mut Edits) {
        edits.replace(turn.range.clone(), record.items.clone());
    }
}

/// The text of a message, however it is written.
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

/// What a whole message says.
fn round_of(message: &str, stop: &str) -> Option<Round> {
    // Some servers say `stop` where calls wait.
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

/// The context of the last round, the output of all.
fn summed(usage: Value<'_>, before: u64) -> String {
    let count = |key| usage.get(key).and_then(Value::count).unwrap_or(0);
    let output = before + count("completion_tokens");
    let total = count("prompt_tokens") + output;
    set(usage, &[("completion_tokens", Some(output.to_string())), ("total_tokens", Some(total.to_string()))])
}

/// A call while it arrives.
#[derive(Debug, Default)]
struct Part {
    index: u64,
    /// The index that the client knows it by; `None` if it is ours.
    shown: Option<u64>,
    /// The call as it began.
    first: String,
    id: String,
    name: String,
    /// Still escaped.
    arguments: String,
}

impl Part {
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

/// The streams of an exchange as one.
#[derive(Debug, Default)]
struct Stitch {
    head: Head,
    hidden: u32,
    /// `id` and `created` of the first chunk.
    id: Option<String>,
    created: Option<String>,
    parts: Vec<Part>,
    ours: bool,
    /// Strings of the message, still escaped, in the order of [`STRINGS`].
    strings: [Option<String>; STRINGS.len()],
    details: Vec<String>,
    bytes: usize,
    unknown: bool,
    stop: Option<String>,
    /// Chunks are held, for they may not belong to the last round.
    holding: bool,
    output: u64,
    output_before: u64,
    ended: bool,
    failed: bool,
}

impl Stitch {
    /// Takes in a delta. What of it the client gets: `None` for nothing, else with whether it is another.
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
                match self.call(call, position as u64, whole) {
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

    fn call(&mut self, call: Value<'_>, position: u64, whole: bool) -> Option<(String, bool)> {
        let index = call.get("index").and_then(Value::count).unwrap_or(position);
        let id = call.get("id").and_then(Value::text).filter(|id| !id.is_empty());
        let function = call.get("function");
        let name = function.and_then(|function| function.get("name")?.text()).filter(|name| !name.is_empty());
        let known = self.parts.iter().rposition(|part| {
            part.index == index && id.as_ref().is_none_or(|id| part.id.is_empty() || part.id == **id)
        });
        let at = known.unwrap_or_else(|| {
            let ours = name.as_ref().is_some_and(|name| name == RETRIEVE);
            self.ours |= ours;
            // Where nothing was taken out, indexes stay what they are, whatever they are.
            let dense = self.parts.iter().filter(|part| part.shown.is_some()).count() as u64;
            let shown = (!ours).then_some(if self.ours { dense } else { index });
            self.parts.push(Part { index, shown, first: call.raw().to_owned(), ..Part::default() });
            self.parts.len() - 1
        });
        let part = self.parts.get_mut(at)?;
        if let Some(id) = id {
            part.id = id.into_owned();
        }
        if let (Some(name), true) = (name, part.name.is_empty()) {
            part.name = name.into_owned();
        }
        let arguments = function.and_then(|function| function.get("arguments")?.inner());
        if whole {
            part.arguments.push_str(arguments.unwrap_or_default());
        }
        let shown = part.shown?;
        if shown == index {
            Some((call.raw().to_owned(), false))
        } else {
            Some((set(call, &[("index", Some(shown.to_string()))]), true))
        }
    }

    /// The chunk with the first round's identity.
    fn same(&self, members: &mut Vec<(&'static str, Option<String>)>) {
        if self.hidden > 0 {
            members.extend(self.id.clone().map(|id| ("id", Some(id))));
            members.extend(self.created.clone().map(|created| ("created", Some(created))));
        }
    }

    fn holds(&self) -> bool {
        self.ours || self.hidden > 0 || self.holding
    }
}

impl Stream for Stitch {
    fn event(&mut self, data: &str) -> Verdict {
        if data.trim() == "[DONE]" {
            self.ended = true;
            return if self.holds() { Verdict::Hold } else { Verdict::Pass };
        }
        let Some(chunk) = Value::parse(data) else { return Verdict::Pass };
        if self.hidden == 0 && self.id.is_none() {
            self.id = chunk.get("id").map(|id| id.raw().to_owned());
            self.created = chunk.get("created").map(|created| created.raw().to_owned());
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            self.output = usage.get("completion_tokens").and_then(Value::count).unwrap_or(self.output);
        }
        let choice = chunk.get("choices").and_then(|choices| choices.items().next());
        self.failed |= chunk.get("error").is_some_and(|error| !error.is_null());
        let Some(choice) = choice else {
            return if chunk.get("usage").is_some() && self.holds() { Verdict::Hold } else { Verdict::Pass };
        };
        let delta = choice.get("delta").filter(|delta| delta.is_object());
        let shown = delta.map_or(Some((String::new(), false)), |delta| self.delta(delta));
        let finish = choice.get("finish_reason").and_then(Value::text);
        if let Some(finish) = &finish {
            self.stop = Some(finish.clone().into_owned());
        }
        let text = delta.and_then(|delta| delta.get("content")).and_then(Value::inner);
        self.holding |= self.head.structured && text.is_some_and(|text| !text.is_empty());
        let mut members = Vec::new();
        self.same(&mut members);
        let with = |delta: String, finish: Option<&str>, mut members: Vec<(&'static str, Option<String>)>| {
            let mut set_choice = vec![("delta", Some(delta))];
            if let Some(finish) = finish {
                set_choice.push(("finish_reason", Some(finish.to_owned())));
            }
            members.push(("choices", Some(array(&[set(choice, &set_choice)]))));
            set(chunk, &members)
        };
        match (shown, finish.is_some() && self.holds()) {
            (None, false) if self.holding => Verdict::Drop,
            (Some((delta, _)), _) if self.holding => Verdict::HoldAs(with(delta, None, members)),
            (None, false) => Verdict::Drop,
            (None, true) => Verdict::Hold,
            (Some((delta, _)), true) if is_silent(&delta) => Verdict::Hold,
            // What it says passes; that it was the last waits.
            (Some((delta, _)), true) => {
                members.push(("usage", None));
                Verdict::Split(with(delta, Some("null"), members))
            }
            (Some((_, false)), false) if members.is_empty() => Verdict::Pass,
            (Some((delta, _)), false) => Verdict::Instead(with(delta, None, members)),
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
            return Round { calls, others, ..Round::default() };
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
        let calls: Vec<_> = self.parts.iter().map(Part::whole).collect();
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
            output_before: this.output_before + this.output,
            ..Self::default()
        };
    }

    fn last(&mut self, data: &str, give_up: bool) -> Verdict {
        let Some(chunk) = Value::parse(data).filter(|chunk| chunk.is_object()) else { return Verdict::Pass };
        let mut members = Vec::new();
        self.same(&mut members);
        if let (Some(usage), true) = (chunk.get("usage").filter(|usage| usage.is_object()), self.hidden > 0) {
            members.push(("usage", Some(summed(usage, self.output_before))));
        }
        if let Some(choice) = chunk.get("choices").and_then(|choices| choices.items().next()) {
            let ends = choice.get("finish_reason").is_some_and(|finish| !finish.is_null());
            let mut choice_members = Vec::new();
            // What an end said beside that it was one has passed already, unless all was held.
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
        if members.is_empty() { Verdict::Pass } else { Verdict::Instead(set(chunk, &members)) }
    }

    fn failure(&self, failure: &Failure) -> String {
        format!("data: {{\"error\":{}}}\n\n", failure.error("server_error"))
    }

    fn ping(&self) -> Option<&'static str> {
        Some(": ping\n\n")
    }
}

/// Whether a delta says nothing.
fn is_silent(delta: &str) -> bool {
    let members = Value::parse(delta).into_iter().flat_map(Value::members);
    members.into_iter().all(|member| member.value.is_null() || member.value.inner() == Some(""))
}

/// Whole answers of an exchange as one.
#[derive(Debug, Default)]
struct Answers {
    head: Head,
    /// The text of the rounds before, still escaped.
    text: String,
    output: u64,
    last: String,
}

impl Answers {
    fn message(body: &str) -> Option<(Value<'_>, Value<'_>, Value<'_>)> {
        let answer = Value::parse(body)?;
        let mut choices = answer.get("choices")?.items();
        let choice = choices.next()?;
        let message = choice.get("message").filter(|message| message.is_object())?;
        choices.next().is_none().then_some((answer, choice, message))
    }
}

impl Whole for Answers {
    fn add(&mut self, body: &str) -> Option<Round> {
        let (_, choice, message) = Self::message(body)?;
        let stop = choice.get("finish_reason").and_then(Value::text).unwrap_or_default();
        let round = round_of(message.raw(), &stop)?;
        let last = std::mem::replace(&mut self.last, body.to_owned());
        if let Some((answer, _, message)) = Self::message(&last) {
            let text = message.get("content").and_then(Value::inner).filter(|_| !self.head.structured);
            self.text.push_str(text.unwrap_or_default());
            let usage = answer.get("usage");
            self.output +=
                usage.and_then(|usage| usage.get("completion_tokens")?.count()).unwrap_or_default();
        }
        Some(round)
    }

    fn finish(&mut self, give_up: bool) -> Option<String> {
        let (answer, choice, message) = Self::message(&self.last)?;
        let calls = message.get("tool_calls").into_iter().flat_map(Value::items);
        let calls: Vec<_> = calls.filter(|call| !is_ours(*call)).map(|call| call.raw().to_owned()).collect();
        let mut members = vec![("tool_calls", (!calls.is_empty()).then(|| array(&calls)))];
        if !self.text.is_empty() {
            let own = message.get("content").and_then(Value::inner).unwrap_or_default();
            members.push(("content", Some(format!("\"{}{own}\"", self.text))));
        }
        let mut choice_members = vec![("message", Some(set(message, &members)))];
        if give_up {
            choice_members.push(("finish_reason", Some("\"stop\"".to_owned())));
        }
        let mut members = vec![("choices", Some(array(&[set(choice, &choice_members)])))];
        if let (Some(usage), true) = (answer.get("usage").filter(|usage| usage.is_object()), self.output > 0)
        {
            members.push(("usage", Some(summed(usage, self.output))));
        }
        Some(set(answer, &members))
    }
}
