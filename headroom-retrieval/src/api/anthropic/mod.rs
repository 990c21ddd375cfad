//! Anthropic Messages.

mod block;
mod buffered;
mod end;
mod history;
mod round;
mod stream;

use headroom_json::Value;

use self::{
    buffered::AnthropicBuffered,
    history::{anchors, blocks, results, with_marker, with_thinking},
    stream::AnthropicStream,
};
use super::{
    Answer, AssistantTurn, BufferedStitcher, Head, ProviderFormat, RETRIEVE, Record, Root, StreamStitcher,
    Thread, breakpoint, kind,
};
use crate::edit::Edits;

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
        Box::new(AnthropicStream::new(head))
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(AnthropicBuffered::new(head))
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

fn is_thinking(block: Value<'_>) -> bool {
    matches!(kind(block), "thinking" | "redacted_thinking")
}

fn is_ours(block: Value<'_>) -> bool {
    kind(block) == "tool_use" && block.get("name").is_some_and(|name| name.is(RETRIEVE))
}
