//! Assistant's turns as clients send them back.

use std::fmt::Write;

use headroom_json::{Value, quote};

use super::is_thinking;
use crate::{
    api::{Anchors, Answer, array, kind},
    edit::{Edits, set},
};

pub(super) enum Block<'a> {
    Text(String),
    Json(Value<'a>),
}

/// Returns the blocks of a message; a string is one block of text.
pub(super) fn blocks(message: Value<'_>) -> impl Iterator<Item = Block<'_>> {
    let content = message.get("content");
    let text = content.and_then(Value::text).map(|text| Block::Text(text.into_owned()));
    text.into_iter().chain(content.into_iter().flat_map(Value::items).map(Block::Json))
}

pub(super) fn anchors<'a>(blocks: impl Iterator<Item = Block<'a>>) -> Anchors {
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

pub(super) fn results(answers: &[Answer]) -> String {
    let mut out = String::new();
    for answer in answers {
        let comma = if out.is_empty() { "" } else { "," };
        let (id, text) = (quote(&answer.call.id), quote(&answer.text));
        let _ = write!(out, "{comma}{{\"type\":\"tool_result\",\"tool_use_id\":{id},\"content\":{text}}}");
    }
    out
}

/// Returns the signature that proves thinking to be the provider's own.
pub(super) fn signature(block: Value<'_>) -> String {
    let key = if kind(block) == "thinking" { "signature" } else { "data" };
    block.get(key).and_then(Value::text).unwrap_or_default().into_owned()
}

/// Keeps only the thinking with these signatures, and drops messages that contained nothing else.
pub(super) fn with_thinking(items: &str, signatures: &[String]) -> String {
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
pub(super) fn with_marker(items: &str, marker: &str) -> Option<String> {
    let text = format!("[{items}]");
    let list = Value::parse(&text)?;
    let block = list.items().last()?.get("content")?.items().filter(|block| !is_thinking(*block)).last()?;
    let mut edits = Edits::default();
    edits.value(block, set(block, &[("cache_control", Some(marker.to_owned()))]));
    let marked = edits.apply(&text)?;
    Some(marked.strip_prefix('[')?.strip_suffix(']')?.to_owned())
}
