//! Anthropic Messages.

use std::fmt::Write;

use headroom_store::json::{Value, quote};

use super::{
    Anchors, Answer, AssistantTurn, BufferedStitcher, Call, EventAction, Failure, Head, MAX_ROUND,
    ProviderFormat, RETRIEVE, Root, Round, StreamStitcher, Thread, array, breakpoint, kind, merge,
};
use crate::server_tool::{
    edit::{Edits, set},
    record::Record,
};

pub(super) struct Anthropic;

impl ProviderFormat for Anthropic {
    fn list(&self) -> &'static str {
        "messages"
    }

    fn head(&self, body: &Root<'_>) -> Option<Head> {
        let format = body.get("output_config").and_then(|config| config.get("format"));
        let format = format.or_else(|| body.get("output_format"));
        Some(Head { structured: format.is_some_and(|format| !format.is_null()), ..Head::default() })
    }

    fn previous<'a>(&self, body: &Root<'a>) -> Option<Value<'a>> {
        body.get("diagnostics")?.get("previous_message_id").filter(|id| id.is_string())
    }

    fn results(&self, answers: &[Answer]) -> String {
        format!("{{\"role\":\"user\",\"content\":[{}]}}", results(answers))
    }

    fn breakpoint(&self, body: &Root<'_>) -> Option<String> {
        breakpoint::last(body)
    }

    fn marked(&self, results: &str, breakpoint: &str) -> Option<String> {
        let open = results.strip_suffix("}]}")?;
        Some(format!("{open},\"cache_control\":{breakpoint}}}]}}"))
    }

    fn mixed(&self, said: &str, answers: &[Answer]) -> Record {
        Record { items: said.to_owned(), prepend: results(answers), ..Record::default() }
    }

    fn stream(&self, head: Head) -> Box<dyn StreamStitcher> {
        Box::new(AnthropicStream { head, ..AnthropicStream::default() })
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(AnthropicBuffered { head, ..AnthropicBuffered::default() })
    }

    fn assistant_turns(&self, messages: &[Value<'_>]) -> Vec<AssistantTurn> {
        let mut turns = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            if !message.get("role").is_some_and(|role| role.is("assistant")) {
                continue;
            }
            turns.push(AssistantTurn {
                range: message.start()..message.end(),
                next: messages.get(index + 1).map(|next| next.start()..next.end()),
                anchors: anchors(blocks(*message)),
            });
        }
        turns
    }

    fn thread(&self, body: &Root<'_>) -> Option<Thread> {
        match kind(body.get("thread")?) {
            "create" => Some(Thread::Begins(body.span("thread")?)),
            "continue" => Some(Thread::GoesOn),
            _ => None,
        }
    }

    /// A request may specify the handling of such thinking itself.
    fn thinking_is_bound(&self, body: &Root<'_>) -> bool {
        body.get("thinking").is_none_or(|thinking| thinking.get("block_binding").is_none())
    }

    fn strip_thinking(&self, items: &str) -> String {
        with_thinking(items, &[])
    }

    /// Claude Code removes redundant parts of a command, such as the folder that it runs in.
    fn with_arguments_of(&self, items: &str, copy: &str) -> Option<String> {
        let copy = Value::parse(copy)?.get("content")?;
        let calls: Vec<_> = copy.items().filter(|block| kind(*block) == "tool_use").collect();
        let text = format!("[{items}]");
        let mut edits = Edits::default();
        for block in
            Value::parse(&text)?.items().filter_map(|item| item.get("content")).flat_map(Value::items)
        {
            let id = block
                .get("id")
                .and_then(Value::text)
                .filter(|_| kind(block) == "tool_use" && !is_ours(block));
            let Some(id) = id else { continue };
            let own = calls.iter().find(|call| call.get("id").is_some_and(|own| own.is(&id)))?;
            edits.value(block.get("input")?, own.get("input")?.raw());
        }
        let changed = edits.apply(&text)?;
        Some(changed.strip_prefix('[')?.strip_suffix(']')?.to_owned())
    }

    fn splice_record(&self, body: &str, turn: &AssistantTurn, record: &Record, edits: &mut Edits) {
        let next = turn.next.clone().and_then(|range| Some((range.start, Value::parse(body.get(range)?)?)));
        let content = next.and_then(|(start, next)| {
            let user = next.get("role").is_some_and(|role| role.is("user"));
            Some((start, next.get("content").filter(|_| user)?))
        });
        if !record.prepend.is_empty() {
            let Some((start, content)) = content else { return };
            if content.is_array() {
                let comma = if content.items().next().is_some() { "," } else { "" };
                let at = start + content.start() + 1;
                edits.replace(at..at, format!("{}{comma}", record.prepend));
            } else {
                let range = start + content.start()..start + content.end();
                let text = format!("[{},{{\"type\":\"text\",\"text\":{}}}]", record.prepend, content.raw());
                edits.replace(range, text);
            }
        }
        let Some(copy) = body.get(turn.range.clone()).and_then(Value::parse) else { return };
        // A client that removed thinking does not want it back.
        let mut items = with_thinking(&record.items, &turn.anchors.signatures);
        let marker =
            copy.get("content").and_then(|content| content.items().find_map(|b| b.get("cache_control")));
        if let Some(marked) = marker.and_then(|marker| with_marker(&items, marker.raw())) {
            items = marked;
        }
        edits.replace(turn.range.clone(), items);
    }
}

enum Block<'a> {
    Text(String),
    Json(Value<'a>),
}

/// Returns the blocks of a message; a string is one block of text.
fn blocks(message: Value<'_>) -> impl Iterator<Item = Block<'_>> {
    let content = message.get("content");
    let text = content.and_then(Value::text).map(|text| Block::Text(text.into_owned()));
    text.into_iter().chain(content.into_iter().flat_map(Value::items).map(Block::Json))
}

fn is_thinking(block: Value<'_>) -> bool {
    matches!(kind(block), "thinking" | "redacted_thinking")
}

fn is_ours(block: Value<'_>) -> bool {
    kind(block) == "tool_use" && block.get("name").is_some_and(|name| name.is(RETRIEVE))
}

fn anchors<'a>(blocks: impl Iterator<Item = Block<'a>>) -> Anchors {
    let mut anchors = Anchors::default();
    for block in blocks {
        let block = match block {
            Block::Text(text) => {
                anchors.add_text(&text);
                continue;
            }
            Block::Json(block) => block,
        };
        let member = |key: &str| block.get(key).and_then(Value::text).map(|text| text.into_owned());
        match kind(block) {
            "text" => anchors.add_text(&member("text").unwrap_or_default()),
            "tool_use" => {
                anchors.ids.push(member("id").unwrap_or_default());
                anchors.add_call(block.get("name"), block.get("input").map_or("", Value::raw));
            }
            "thinking" | "redacted_thinking" => anchors.add_signature(signature(block)),
            _ => {}
        }
    }
    anchors
}

fn results(answers: &[Answer]) -> String {
    let mut out = String::new();
    for answer in answers {
        let comma = if out.is_empty() { "" } else { "," };
        let (id, text) = (quote(&answer.call.id), quote(&answer.text));
        let _ = write!(out, "{comma}{{\"type\":\"tool_result\",\"tool_use_id\":{id},\"content\":{text}}}");
    }
    out
}

/// Returns the signature that proves thinking to be the provider's own.
fn signature(block: Value<'_>) -> String {
    let key = if kind(block) == "thinking" { "signature" } else { "data" };
    block.get(key).and_then(Value::text).unwrap_or_default().into_owned()
}

/// Keeps only the thinking with these signatures, and drops messages that contained nothing else.
fn with_thinking(items: &str, signatures: &[String]) -> String {
    let goes = |block: Value<'_>| is_thinking(block) && !signatures.contains(&signature(block));
    let list = format!("[{items}]");
    let Some(list) = Value::parse(&list) else { return items.to_owned() };
    let mut kept = Vec::new();
    for message in list.items() {
        let Some(content) = message.get("content").filter(|content| content.items().any(goes)) else {
            kept.push(message.raw().to_owned());
            continue;
        };
        let rest = content.items().filter(|block| !goes(*block));
        let rest: Vec<_> = rest.map(|block| block.raw().to_owned()).collect();
        if !rest.is_empty() {
            kept.push(set(message, &[("content", Some(array(&rest)))]));
        }
    }
    kept.join(",")
}

/// Adds the client's cache marker to the last block that can have one.
fn with_marker(items: &str, marker: &str) -> Option<String> {
    let text = format!("[{items}]");
    let list = Value::parse(&text)?;
    let block = list.items().last()?.get("content")?.items().filter(|block| !is_thinking(*block)).last()?;
    let mut edits = Edits::default();
    edits.value(block, set(block, &[("cache_control", Some(marker.to_owned()))]));
    let marked = edits.apply(&text)?;
    Some(marked.strip_prefix('[')?.strip_suffix(']')?.to_owned())
}

/// Builds a round from complete blocks.
fn round_of(blocks: &[String], stop: &str) -> Round {
    let waits = stop == "tool_use";
    let mut round = Round::default();
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    for raw in blocks {
        let Some(block) = Value::parse(raw) else { continue };
        let empty = kind(block) == "text"
            && block.get("text").and_then(Value::text).is_some_and(|text| text.trim().is_empty());
        // Providers send empty text, but do not accept it.
        if empty {
            continue;
        }
        if is_ours(block) {
            said.push(raw.clone());
            if waits {
                let id = block.get("id").and_then(Value::text).unwrap_or_default().into_owned();
                let arguments = block.get("input").map_or("{}", Value::raw).to_owned();
                round.calls.push(Call { id, arguments });
            }
            continue;
        }
        round.others |= waits && kind(block) == "tool_use";
        said.push(raw.clone());
        rest.push(raw.clone());
        round.shown.extend(anchors([Block::Json(block)].into_iter()));
    }
    let message = |blocks: &[String]| {
        (!blocks.is_empty()).then(|| format!("{{\"role\":\"assistant\",\"content\":{}}}", array(blocks)))
    };
    round.said = message(&said);
    round.rest = message(&rest);
    round
}

/// A block while it is received.
#[derive(Debug, Default)]
struct AnthropicPart {
    index: u64,
    /// The block's index for the client; `None` if it is ours.
    shown: Option<u64>,
    /// The block as it began.
    start: String,
    /// The text of its deltas, still escaped.
    words: String,
    thinking: String,
    input: String,
    signature: Option<String>,
    citations: Vec<String>,
    /// Whether an unknown delta was received.
    unknown: bool,
}

impl AnthropicPart {
    fn add(&mut self, delta: Value<'_>) {
        let inner = |key: &str| delta.get(key).and_then(Value::inner);
        match kind(delta) {
            "text_delta" => self.words.push_str(inner("text").unwrap_or_default()),
            "thinking_delta" => self.thinking.push_str(inner("thinking").unwrap_or_default()),
            "input_json_delta" => self.input.push_str(inner("partial_json").unwrap_or_default()),
            "signature_delta" => self.signature = delta.get("signature").map(|raw| raw.raw().to_owned()),
            "citations_delta" => {
                self.citations.extend(delta.get("citation").map(|citation| citation.raw().to_owned()));
            }
            _ => self.unknown = true,
        }
    }

    /// Returns the block's text; for an unknown block, the block as it began.
    fn words(&self) -> &str {
        if self.unknown { &self.start } else { &self.words }
    }

    fn id(&self) -> Option<String> {
        Some(Value::parse(&self.start)?.get("id")?.text()?.into_owned())
    }

    /// Returns the block as a request repeats it.
    fn whole(&self) -> Option<String> {
        let start = Value::parse(&self.start).filter(|_| !self.unknown)?;
        let mut members = Vec::new();
        let mut grown = |key: &'static str, more: &str| {
            if !more.is_empty() {
                let begun = start.get(key).and_then(Value::inner).unwrap_or_default();
                members.push((key, Some(format!("\"{begun}{more}\""))));
            }
        };
        grown("text", &self.words);
        grown("thinking", &self.thinking);
        if !self.input.is_empty() {
            let quoted = format!("\"{}\"", self.input);
            let input = Value::parse(&quoted).and_then(Value::text)?;
            let input = if Value::parse(&input).is_some_and(Value::is_object) { &*input } else { "{}" };
            members.push(("input", Some(input.to_owned())));
        }
        if let Some(signature) = &self.signature {
            members.push(("signature", Some(signature.clone())));
        }
        if !self.citations.is_empty() {
            members.push(("citations", Some(array(&self.citations))));
        }
        Some(if members.is_empty() { self.start.clone() } else { set(start, &members) })
    }
}

/// Merges the usage members of an event.
fn updated(usage: Option<&str>, news: Value<'_>) -> String {
    let members: Vec<_> = news.members().filter(|member| !member.value.is_null()).collect();
    let members: Vec<_> = members
        .iter()
        .filter_map(|member| Some((member.key.inner()?, Some(member.value.raw().to_owned()))))
        .collect();
    let before = usage.and_then(Value::parse).or(Value::parse("{}"));
    before.map(|before| set(before, &members)).unwrap_or_default()
}

/// Removes all mentions of these calls from the lists of an event.
fn without(event: &str, ids: &[String]) -> String {
    fn is_of(item: Value<'_>, ids: &[String]) -> bool {
        let id = item.get("tool_use_id").or_else(|| item.get("id"));
        id.is_some_and(|id| ids.iter().any(|own| id.is(own)))
    }

    let Some(root) = Value::parse(event) else { return event.to_owned() };
    let mut edits = Edits::default();
    let objects = [Some(root), root.get("delta")].into_iter().flatten();
    let members = objects.flat_map(Value::members).filter(|member| !member.key.is("content"));
    let lists = members.map(|member| member.value).filter(|value| value.is_array());
    for list in lists.filter(|list| list.items().any(|item| is_of(item, ids))) {
        let kept: Vec<_> =
            list.items().filter(|item| !is_of(*item, ids)).map(|item| item.raw().to_owned()).collect();
        edits.value(list, array(&kept));
    }
    edits.apply(event).unwrap_or_else(|| event.to_owned())
}

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
struct AnthropicStream {
    head: Head,
    /// Number of hidden rounds so far.
    hidden: u32,
    /// The index of the client's next block.
    next: u64,
    parts: Vec<AnthropicPart>,
    bytes: usize,
    /// The value of `next` when holding events for a structured answer began.
    held_from: Option<u64>,
    ours: bool,
    /// `usage` of the round, as its last event reports it.
    usage: Option<String>,
    /// The same for the rounds before.
    usage_before: Vec<String>,
    /// The last `message_delta` of the round, followed by those of the rounds before.
    end: Option<String>,
    ends_before: Vec<String>,
    id: Option<String>,
    stop: String,
    ended: bool,
    failed: bool,
}

impl AnthropicStream {
    /// Returns the ids of our calls in this round.
    fn own_ids(&self) -> Vec<String> {
        self.parts.iter().filter(|part| part.shown.is_none()).filter_map(AnthropicPart::id).collect()
    }

    fn index(&self, event: Value<'_>) -> Option<u64> {
        event.get("index").and_then(Value::count)
    }

    fn start(&mut self, event: Value<'_>) -> EventAction {
        let (Some(index), Some(block)) = (self.index(event), event.get("content_block")) else {
            return EventAction::Pass;
        };
        let ours = is_ours(block);
        let text = kind(block) == "text";
        let mut part = AnthropicPart { index, start: block.raw().to_owned(), ..AnthropicPart::default() };
        self.bytes += part.start.len();
        self.ours |= ours;
        if ours {
            self.parts.push(part);
            return EventAction::Drop;
        }
        if text && self.head.structured && self.held_from.is_none() {
            self.held_from = Some(self.next);
        }
        // If nothing was removed, indexes stay unchanged, whatever they are.
        let shown = if self.is_plain() { index } else { self.next };
        part.shown = Some(shown);
        self.next = shown + 1;
        self.parts.push(part);
        self.renumber(event)
    }

    /// Returns the event in the client's form, or `Hold` while its block may still turn out to be hidden.
    fn renumber(&self, event: Value<'_>) -> EventAction {
        let shown = self.part(event).and_then(|part| part.shown);
        if self.held_from.is_some() && shown.is_some() {
            return EventAction::Hold;
        }
        self.shown(event)
    }

    fn shown(&self, event: Value<'_>) -> EventAction {
        let (Some(part), Some(index)) = (self.part(event), event.get("index")) else {
            return EventAction::Pass;
        };
        match part.shown {
            None => EventAction::Drop,
            Some(shown) if shown == part.index => EventAction::Pass,
            Some(shown) => {
                let mut edits = Edits::default();
                // The event was parsed from its first byte that is not white space.
                let base = event.start();
                edits.replace(index.start() - base..index.end() - base, shown.to_string());
                edits.apply(event.raw()).map_or(EventAction::Pass, EventAction::Instead)
            }
        }
    }

    fn part(&self, event: Value<'_>) -> Option<&AnthropicPart> {
        let index = self.index(event)?;
        self.parts.iter().rev().find(|part| part.index == index)
    }

    fn delta(&mut self, event: Value<'_>) -> EventAction {
        let index = self.index(event);
        let whole = self.bytes <= MAX_ROUND;
        let part = self.parts.iter_mut().rev().find(|part| Some(part.index) == index);
        if let (Some(part), Some(delta)) = (part, event.get("delta")) {
            if whole {
                part.add(delta);
            } else {
                part.unknown = true;
            }
            self.bytes += delta.raw().len();
        }
        self.renumber(event)
    }

    /// Whether the client got everything that the provider sent.
    fn is_plain(&self) -> bool {
        self.hidden == 0 && !self.ours
    }

    /// Whether the layer writes the end of the round.
    fn holds(&self) -> bool {
        self.ours || self.hidden > 0 || self.held_from.is_some()
    }

    /// Whether an event refers to one of our calls.
    fn is_of_ours(&self, event: Value<'_>) -> bool {
        let id = event.get("tool_use_id").or_else(|| event.get("id")).filter(|id| id.is_string());
        let ours = self.parts.iter().filter(|part| part.shown.is_none());
        id.is_some_and(|id| ours.filter_map(AnthropicPart::id).any(|own| id.is(&own)))
    }

    /// Builds the last `message_delta`: the context of this round, the output of all, and all other members.
    fn final_delta(&self, event: Value<'_>, give_up: bool) -> EventAction {
        const OWN: [&str; 3] = ["type", "delta", "usage"];
        const OWN_OF_DELTA: [&str; 3] = ["stop_reason", "stop_sequence", "stop_details"];

        let text = without(event.raw(), &self.own_ids());
        let Some(event) = Value::parse(&text) else { return EventAction::Pass };
        let carried = merge::carried(event, &self.ends_before, &OWN);
        let mut members = merge::members(&carried);
        if self.hidden > 0 {
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
        if self.ours { EventAction::Instead(text) } else { EventAction::Pass }
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

impl StreamStitcher for AnthropicStream {
    fn event(&mut self, data: &str) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        match kind(event) {
            "message_start" => {
                let message = event.get("message");
                self.id = message.and_then(|message| message.get("id")?.text()).map(|id| id.into_owned());
                let usage = message.and_then(|message| message.get("usage"));
                self.usage = usage.map(|usage| usage.raw().to_owned());
                if self.hidden > 0 { EventAction::Drop } else { EventAction::Pass }
            }
            "content_block_start" => self.start(event),
            "content_block_delta" => self.delta(event),
            "content_block_stop" => self.renumber(event),
            "message_delta" => {
                if let Some(stop) = event.get("delta").and_then(|delta| delta.get("stop_reason")) {
                    self.stop = stop.text().unwrap_or_default().into_owned();
                }
                if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
                    self.usage = Some(updated(self.usage.as_deref(), usage));
                }
                self.end = Some(event.raw().to_owned());
                if self.holds() { EventAction::Hold } else { EventAction::Pass }
            }
            "message_stop" => {
                self.ended = true;
                if self.holds() { EventAction::Hold } else { EventAction::Pass }
            }
            kind => {
                self.failed |= kind == "error";
                if self.is_of_ours(event) { EventAction::Drop } else { self.renumber(event) }
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
        let blocks: Option<Vec<String>> = self.parts.iter().map(AnthropicPart::whole).collect();
        match blocks {
            Some(blocks) => Round { id: self.id.take(), ..round_of(&blocks, &self.stop) },
            // A round that cannot be repeated cannot be answered either.
            None => Round {
                shown: Anchors {
                    text: self
                        .parts
                        .iter()
                        .filter(|part| part.shown.is_some())
                        .map(AnthropicPart::words)
                        .collect(),
                    ..Anchors::default()
                },
                calls: if self.ours && self.stop == "tool_use" { vec![Call::default()] } else { Vec::new() },
                others: self
                    .parts
                    .iter()
                    .any(|part| part.shown.is_some() && part.start.contains("\"tool_use\"")),
                ..Round::default()
            },
        }
    }

    fn again(&mut self) {
        self.hidden += 1;
        self.next = self.held_from.take().unwrap_or(self.next);
        self.usage_before.extend(self.usage.take());
        self.ends_before.extend(self.end.take().map(|end| without(&end, &self.own_ids())));
        self.parts.clear();
        self.bytes = 0;
        self.ours = false;
        self.stop.clear();
        self.ended = false;
    }

    fn last(&mut self, data: &str, give_up: bool) -> EventAction {
        let Some(event) = Value::parse(data) else { return EventAction::Pass };
        match kind(event) {
            "message_delta" => self.final_delta(event, give_up),
            _ => self.shown(event),
        }
    }

    fn failure(&self, failure: &Failure) -> String {
        let kind = match failure.status {
            429 => "rate_limit_error",
            529 => "overloaded_error",
            504 => "timeout_error",
            _ => "api_error",
        };
        format!("event: error\ndata: {{\"type\":\"error\",\"error\":{}}}\n\n", failure.error(kind))
    }

    fn ping(&self) -> Option<&'static str> {
        Some("event: ping\ndata: {\"type\": \"ping\"}\n\n")
    }
}

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
struct AnthropicBuffered {
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
