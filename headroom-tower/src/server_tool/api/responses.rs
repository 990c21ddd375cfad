//! OpenAI Responses.

use headroom_store::json::{Value, quote};

use super::{
    Anchors, Answer, AssistantTurn, BufferedStitcher, Call, EventAction, Failure, Head, MAX_ROUND,
    ProviderFormat, RETRIEVE, Root, Round, StreamStitcher, array, kind, may_have, merge,
};
use crate::server_tool::{
    edit::{Edits, set},
    record::Record,
};

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
        Box::new(ResponsesStream { head, ..ResponsesStream::default() })
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(ResponsesBuffered { head, ..ResponsesBuffered::default() })
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

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
struct ResponsesStream {
    head: Head,
    hidden: u32,
    /// The response id for the client.
    id: Option<String>,
    /// The provider's response id in this round.
    own_id: Option<String>,
    /// The number of the next event.
    sequence: Option<u64>,
    /// The index of the client's next item.
    next: u64,
    items: Vec<Item>,
    bytes: usize,
    /// Complete items that the client saw, in all rounds.
    shown: Vec<String>,
    held_from: Option<(u64, usize)>,
    ours: bool,
    completed: bool,
    /// Indexes of items with events so far, and whether they are ours, if known.
    ahead: Vec<(u64, Option<bool>)>,
    usage: Option<String>,
    usage_before: Vec<String>,
    /// The response of this round, without its output, followed by those before.
    response: Option<String>,
    responses_before: Vec<String>,
    ended: bool,
    failed: bool,
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

#[derive(Debug)]
struct Item {
    index: u64,
    /// The item's index for the client; `None` if it is ours.
    shown: Option<u64>,
    done: Option<String>,
}

impl Item {
    /// Whether an item of the complete output may be this one.
    fn is_kind(&self, item: Value<'_>) -> bool {
        self.shown.is_none() == is_ours(item)
    }
}

impl ResponsesStream {
    fn holds(&self) -> bool {
        self.ours || self.hidden > 0 || self.held_from.is_some()
    }

    /// Renumbers an event for the client.
    fn placed(
        &mut self,
        event: Value<'_>,
        index: Option<u64>,
        more: &[(&str, Option<String>)],
    ) -> EventAction {
        let mut members: Vec<_> = more.to_vec();
        if let Some(number) = event.get("sequence_number").and_then(Value::count) {
            // If nothing was removed, numbers stay unchanged, whatever they are.
            let plain = self.hidden == 0 && !self.ours && self.held_from.is_none();
            let next = if plain { number } else { self.sequence.unwrap_or(number) };
            self.sequence = Some(next + 1);
            if next != number {
                members.push(("sequence_number", Some(next.to_string())));
            }
        }
        let own = event.get("output_index").and_then(Value::count);
        if let Some(index) = index.filter(|index| own != Some(*index)) {
            members.push(("output_index", Some(index.to_string())));
        }
        if members.is_empty() { EventAction::Pass } else { EventAction::Instead(set(event, &members)) }
    }

    fn item(&self, event: Value<'_>) -> Option<&Item> {
        let index = event.get("output_index")?.count()?;
        self.items.iter().rev().find(|item| item.index == index)
    }

    fn shown(&mut self, event: Value<'_>) -> EventAction {
        match self.item(event).map(|item| item.shown) {
            Some(None) => EventAction::Drop,
            None if self.is_ours_ahead(event) => EventAction::Drop,
            Some(index) if self.held_from.is_some() && index.is_some() => EventAction::Hold,
            index => self.placed(event, index.flatten(), &[]),
        }
    }

    fn added(&mut self, event: Value<'_>) -> EventAction {
        let (Some(index), Some(item)) = (event.get("output_index").and_then(Value::count), event.get("item"))
        else {
            return self.placed(event, None, &[]);
        };
        self.begin(index, item);
        self.shown(event)
    }

    /// Begins an item.
    fn begin(&mut self, index: u64, item: Value<'_>) {
        let known = self.ahead.iter().rev().find(|(known, _)| *known == index).and_then(|(_, ours)| *ours);
        let ours = is_ours(item) || (kind(item) == "function_call" && known == Some(true));
        self.ours |= ours;
        let plain = self.hidden == 0 && !self.ours;
        let shown = (!ours).then_some(if plain { index } else { self.next });
        self.next = shown.unwrap_or(self.next);
        if !ours && self.head.structured && kind(item) == "message" && self.held_from.is_none() {
            self.held_from = Some((self.next, self.shown.len()));
        }
        self.next += u64::from(!ours);
        self.items.push(Item { index, shown, done: None });
    }

    fn done(&mut self, event: Value<'_>) -> EventAction {
        if let (Some(index), Some(item)) =
            (event.get("output_index").and_then(Value::count), event.get("item"))
        {
            if !self.items.iter().any(|known| known.index == index) {
                self.begin(index, item);
            }
            self.complete(index, item);
        }
        self.shown(event)
    }

    /// Completes an item with its final form.
    fn complete(&mut self, index: u64, item: Value<'_>) {
        let whole = self.bytes <= MAX_ROUND;
        let known = self.items.iter_mut().rev().find(|known| known.index == index);
        let Some(known) = known.filter(|known| whole && known.done.is_none()) else { return };
        self.bytes += item.raw().len();
        known.done = Some(item.raw().to_owned());
        if known.shown.is_some() {
            self.shown.push(item.raw().to_owned());
        }
    }

    /// Handles the last event of a round. Some servers list items, or complete them, only here.
    fn finished(&mut self, event: Value<'_>) -> EventAction {
        let response = event.get("response").filter(|response| response.is_object());
        let output = response.and_then(|response| response.get("output"));
        for (index, item) in (0..).zip(output.into_iter().flat_map(Value::items)) {
            let is_new = !self.items.iter().any(|known| known.index == index);
            // Items that came under other indexes are not new.
            if is_new && self.items.len() as u64 <= index {
                self.begin(index, item);
            }
            if self.items.iter().any(|known| known.index == index && known.is_kind(item)) {
                self.complete(index, item);
            }
        }
        self.ended = true;
        self.completed = kind(event) == "response.completed";
        self.usage = response.and_then(|response| Some(response.get("usage")?.raw().to_owned()));
        self.own_id = response.and_then(|response| response.get("id")?.text()).map(|id| id.into_owned());
        if !self.holds() {
            return self.placed(event, None, &[]);
        }
        self.response = response.map(|response| set(response, &[("output", None)]));
        EventAction::Hold
    }

    /// Whether an event precedes our item that it belongs to.
    fn is_ours_ahead(&self, event: Value<'_>) -> bool {
        let index = event.get("output_index").and_then(Value::count);
        self.ahead.iter().any(|(known, ours)| Some(*known) == index && *ours == Some(true))
    }

    /// Notes which call an event belongs to. Returns whether the owner of every call so far is known.
    fn look_ahead(&mut self, event: Value<'_>) -> bool {
        let kind_of_event = kind(event);
        let Some(index) = event.get("output_index").and_then(Value::count) else { return self.all_known() };
        let item = event.get("item").filter(|item| kind(*item) == "function_call");
        let name = item.map_or_else(|| event.get("name"), |item| item.get("name"));
        let name = name.and_then(Value::inner).unwrap_or_default();
        let ours = match (kind_of_event, item) {
            // The name may come only at the end of the item.
            ("response.output_item.added", Some(_)) if name.is_empty() => None,
            ("response.function_call_arguments.delta", _) => None,
            ("response.function_call_arguments.done", _) if name.is_empty() => None,
            ("response.function_call_arguments.done", _) => Some(name == RETRIEVE),
            ("response.output_item.added" | "response.output_item.done", Some(item)) => Some(is_ours(item)),
            ("response.output_item.added" | "response.output_item.done", None) => Some(false),
            _ => return self.all_known(),
        };
        match self.ahead.iter_mut().rev().find(|(known, _)| *known == index) {
            Some((_, known)) => *known = known.or(ours),
            None => self.ahead.push((index, ours)),
        }
        self.all_known()
    }

    fn all_known(&self) -> bool {
        self.ahead.iter().all(|(_, ours)| ours.is_some())
    }
}

impl StreamStitcher for ResponsesStream {
    fn is_clear(&mut self, data: &str) -> bool {
        // Most events are text, and not worth parsing twice.
        if self.all_known() && !may_have(data, "function_call") {
            return true;
        }
        let Some(event) = Value::parse(data) else { return self.all_known() };
        if matches!(kind(event), "response.completed" | "response.incomplete" | "response.failed" | "error") {
            let output = event.get("response").and_then(|response| response.get("output"));
            for (index, item) in (0..).zip(output.into_iter().flat_map(Value::items)) {
                let known = self.ahead.iter_mut().find(|(known, ours)| *known == index && ours.is_none());
                known.into_iter().for_each(|(_, ours)| *ours = Some(is_ours(item)));
            }
            self.settle();
        }
        self.look_ahead(event)
    }

    fn settle(&mut self) {
        self.ahead.iter_mut().for_each(|(_, ours)| *ours = ours.or(Some(false)));
    }

    fn event(&mut self, data: &str) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        match kind(event) {
            "response.created" | "response.in_progress" | "response.queued" => {
                if self.hidden > 0 {
                    return EventAction::Drop;
                }
                let id = event.get("response").and_then(|response| response.get("id"));
                self.id = id.map(|id| id.raw().to_owned()).or(self.id.take());
                self.placed(event, None, &[])
            }
            "response.output_item.added" => self.added(event),
            "response.output_item.done" => self.done(event),
            "response.completed" | "response.incomplete" | "response.failed" => self.finished(event),
            kind => {
                self.failed |= kind == "error";
                self.shown(event)
            }
        }
    }

    fn hold_no_more(&mut self) {
        self.head.structured = false;
        self.held_from = None;
    }

    fn failed(&self) -> bool {
        self.failed
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn round(&mut self) -> Round {
        let items: Option<Vec<String>> = self.items.iter().map(|item| item.done.clone()).collect();
        match items {
            Some(items) => round_of(&items, self.completed, self.own_id.clone(), self.head),
            None => {
                let shown = self.shown.iter().filter_map(|raw| Value::parse(raw)).map(words).collect();
                Round {
                    calls: if self.ours && self.completed { vec![Call::default()] } else { Vec::new() },
                    shown: Anchors { text: shown, ..Anchors::default() },
                    ..Round::default()
                }
            }
        }
    }

    fn again(&mut self) {
        let mut this = std::mem::take(self);
        if let Some((next, shown)) = this.held_from {
            this.next = next;
            this.shown.truncate(shown);
        }
        *self = Self {
            head: this.head,
            hidden: this.hidden + 1,
            id: this.id,
            sequence: this.sequence,
            next: this.next,
            shown: this.shown,
            bytes: this.bytes,
            usage_before: this.usage_before.into_iter().chain(this.usage).collect(),
            responses_before: this.responses_before.into_iter().chain(this.response).collect(),
            ..Self::default()
        };
    }

    fn last(&mut self, data: &str, _: bool) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        let Some(response) = event.get("response").filter(|response| response.is_object()) else {
            let index = self.item(event).and_then(|item| item.shown);
            return self.placed(event, index, &[]);
        };
        if self.hidden == 0 && !self.ours {
            return self.placed(event, None, &[]);
        }
        let carried = merge::carried(response, &self.responses_before, &OWN);
        let mut members = merge::members(&carried);
        members.push(("output", Some(array(&self.shown))));
        if self.hidden > 0 {
            members.extend(self.id.clone().map(|id| ("id", Some(id))));
            if let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) {
                members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
            }
        }
        self.placed(event, None, &[("response", Some(set(response, &members)))])
    }

    fn failure(&self, failure: &Failure) -> String {
        let error = failure.error("server_error");
        let error = Value::parse(&error);
        let member = |key: &str| error.and_then(|error| error.get(key)).map_or("null", Value::raw);
        let code = if member("code") == "null" { member("type") } else { member("code") };
        format!(
            "event: error\ndata: {{\"type\":\"error\",\"code\":{code},\"message\":{},\"param\":null,\"sequence_number\":{}}}\n\n",
            member("message"),
            self.sequence.unwrap_or(0)
        )
    }

    fn ping(&self) -> Option<&'static str> {
        Some(": ping\n\n")
    }
}

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
struct ResponsesBuffered {
    head: Head,
    shown: Vec<String>,
    /// The responses of earlier rounds without their output, and their usage.
    before: Vec<String>,
    usage_before: Vec<String>,
    last: String,
}

impl ResponsesBuffered {
    /// Moves the last response to the earlier ones.
    fn shift(&mut self) {
        let Some(response) = Value::parse(&self.last) else { return };
        let items = response.get("output").into_iter().flat_map(Value::items);
        let items = items.filter(|item| !is_ours(*item));
        let items = items.filter(|item| !(self.head.structured && kind(*item) == "message"));
        self.shown.extend(items.map(|item| item.raw().to_owned()));
        self.before.push(set(response, &[("output", None)]));
        self.usage_before.extend(response.get("usage").map(|usage| usage.raw().to_owned()));
    }
}

impl BufferedStitcher for ResponsesBuffered {
    fn add(&mut self, body: &str) -> Option<Round> {
        let response = Value::parse(body)?;
        let output = response.get("output").filter(|output| output.is_array())?;
        let items: Vec<_> = output.items().map(|item| item.raw().to_owned()).collect();
        let completed = response.get("status").is_none_or(|status| status.is("completed"));
        let id = response.get("id").and_then(Value::text).map(|id| id.into_owned());
        let round = round_of(&items, completed, id, self.head);
        self.shift();
        self.last = body.to_owned();
        Some(round)
    }

    fn finish(&mut self, _: bool) -> Option<String> {
        let response = Value::parse(&self.last)?;
        let own = response.get("output")?.items().filter(|item| !is_ours(*item));
        let own = own.map(|item| item.raw().to_owned());
        let shown: Vec<_> = self.shown.iter().cloned().chain(own).collect();
        let carried = merge::carried(response, &self.before, &OWN);
        let mut members = merge::members(&carried);
        members.push(("output", Some(array(&shown))));
        if let (Some(usage), false) =
            (response.get("usage").filter(|usage| usage.is_object()), self.usage_before.is_empty())
        {
            members.push(("usage", Some(merge::usage(usage, &self.usage_before))));
        }
        Some(set(response, &members))
    }
}
