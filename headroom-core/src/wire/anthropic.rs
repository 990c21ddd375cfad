//! Reads Anthropic Messages: `tool_result` blocks of user turns.

use std::cell::OnceCell;

use headroom_json::TapeValue;

use super::{
    Arguments, BlockPath, Call, Conversation, Item, Items, ToolResult, Toolbox, is, items::Speaker, list,
    part, push_all_or_none, raw, text, text_protocol::TextProtocol, tool_name, tools,
};
use crate::UnchangedReason;

pub(super) fn read<'a>(body: TapeValue<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
    let [model, messages, tools, tool_choice, system, context_management, thread] =
        body.fields(["model", "messages", "tools", "tool_choice", "system", "context_management", "thread"])?;
    // A message thread continues without its history, and is resent in full once the provider has lost it. A block
    // would be written differently in these two requests, and thinking is bound to what was sent.
    if thread.is_some_and(|thread| !thread.is_null()) {
        return Err(UnchangedReason::Stateful);
    }
    let [choice] = tool_choice.map(|choice| choice.fields(["type"])).transpose()?.unwrap_or_default();
    let mut conversation = Conversation {
        model: text(model),
        clears_tool_results: clears_tool_results(context_management)?,
        is_partial: false,
        caches_long: caches_long(system) || caches_long(tools),
        toolbox: Toolbox::from_request(tools, system, Some(tools::ANTHROPIC))
            .only_if(!is(choice, "none") && !is(choice, "tool")),
        items: Items::default(),
    };
    let mut protocol = TextProtocol::new(tools);
    for (index, message) in list(messages)?.items().enumerate() {
        push_all_or_none(&mut conversation.items, |items| read_message(message, index, &mut protocol, items));
    }
    conversation.items.end_turn();
    Ok(conversation)
}

/// Whether a breakpoint in this part of the head asks for cache entries that live for an hour.
fn caches_long(part: Option<TapeValue<'_, '_>>) -> bool {
    part.into_iter().flat_map(TapeValue::items).any(|block| {
        let Ok([Some(control)]) = block.fields(["cache_control"]) else { return false };
        control.fields(["ttl"]).is_ok_and(|[ttl]| is(ttl, "1h"))
    })
}

/// Whether context management on the provider's side may remove tool results. Edits of thinking do not, and a
/// compaction appears as a block.
fn clears_tool_results(management: Option<TapeValue<'_, '_>>) -> Result<bool, UnchangedReason> {
    let Some(management) = management else { return Ok(false) };
    let [edits] = management.fields(["edits"])?;
    for edit in edits.into_iter().flat_map(TapeValue::items) {
        let [kind] = edit.fields(["type"])?;
        if !raw(kind).is_some_and(|kind| kind.starts_with("clear_thinking") || kind.starts_with("compact")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_message<'a>(
    message: TapeValue<'a, '_>,
    index: usize,
    protocol: &mut TextProtocol<'a>,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [role, content] = message.fields(["role", "content"])?;
    let Some(content) = content else { return Ok(()) };
    let (user, model) = (is(role, "user"), is(role, "assistant"));
    if user || model {
        items.begin(if user { Speaker::User } else { Speaker::Model });
    }
    if model {
        read_thinking(content, items);
    }
    let say = |words, items: &mut Items<'a>, protocol: &mut TextProtocol<'a>| {
        protocol.assistant(words);
        if model {
            items.push(Item::Said(words));
        }
    };
    match content.text() {
        Some(words) if user => {
            protocol.user(items, words, BlockPath::new("messages[#].content", [index]));
        }
        Some(words) => say(words, items, protocol),
        None => {}
    }
    for (block_index, block) in content.items().enumerate() {
        let [kind] = block.fields(["type"])?;
        match (raw(kind), user) {
            (Some("text"), _) => {
                let [words] = block.fields(["text"])?;
                let place = BlockPath::new("messages[#].content[#].text", [index, block_index]);
                match text(words) {
                    Some(words) if user => protocol.user(items, words, place),
                    Some(words) => say(words, items, protocol),
                    None => {}
                }
            }
            (Some("tool_result"), true) => read_result(block, [index, block_index], items)?,
            (Some("tool_use"), false) => {
                protocol.call();
                let [id, name, input] = block.fields(["id", "name", "input"])?;
                items.push(Item::Call(Call {
                    id: raw(id),
                    name: tool_name(name),
                    arguments: input.map(Arguments::from_value),
                }));
            }
            (Some("compaction"), _) => items.push(Item::Compaction),
            (Some(kind), _) => items.extend(of_provider(kind)),
            _ => {}
        }
    }
    Ok(())
}

/// Returns the item of a block of this type if it is a result or a call of the provider's own tools.
fn of_provider<'a>(kind: &str) -> Option<Item<'a>> {
    if kind.ends_with("tool_result") {
        Some(Item::OtherResult { id: None, name: None })
    } else {
        kind.ends_with("tool_use").then_some(Item::OtherCall)
    }
}

/// Finds the thinking of an answer. Adjacent blocks of it are removed together, with one comma; an answer without any
/// other block keeps its thinking, because a message may not be empty.
fn read_thinking<'a>(content: TapeValue<'a, '_>, items: &mut Items<'a>) {
    let thinks = |block: &TapeValue<'_, '_>| {
        let kind = block.fields(["type"]).ok().and_then(|[kind]| raw(kind));
        matches!(kind, Some("thinking" | "redacted_thinking"))
    };
    let mut before: Option<usize> = None;
    let is_dense = OnceCell::new();
    let mut blocks = content.items().peekable();
    while let Some(block) = blocks.next() {
        if !thinks(&block) {
            before = Some(block.end());
            continue;
        }
        let (mut end, mut bytes) = (block.end(), bytes_of_thinking(block));
        while let Some(next) = blocks.next_if(thinks) {
            end = next.end();
            bytes += bytes_of_thinking(next);
        }
        // Up to the next block, or else from the block before.
        let cut = match (blocks.peek(), before) {
            (Some(next), _) => Some(block.start()..next.start()),
            (None, Some(before)) => Some(before..end),
            (None, None) => None,
        };
        items.think(cut.filter(|_| *is_dense.get_or_init(|| content.is_dense())), bytes);
    }
}

/// Estimates the text that the model reads of its thinking. Where only a summary or nothing is shown, the whole is in the
/// signature, encrypted.
fn bytes_of_thinking(block: TapeValue<'_, '_>) -> usize {
    let Ok([thinking, signature, data]) = block.fields(["thinking", "signature", "data"]) else { return 0 };
    let length = |value| text(value).map_or(0, |text| text.raw.len());
    length(thinking).max(length(signature) / 2).max(length(data) / 2)
}

fn read_result<'a>(
    block: TapeValue<'a, '_>,
    [message, index]: [usize; 2],
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [id, content, is_error] = block.fields(["tool_use_id", "content", "is_error"])?;
    let protected = is_error.is_some_and(TapeValue::is_true).then_some(UnchangedReason::ToolError);
    let result = |text, place, part_index, protected, continues| {
        let part = part(part_index);
        let id = raw(id);
        Item::Result(ToolResult { text, place, id, name: None, continues, part, protected, json: false })
    };
    let mut continues = false;
    if let Some(text) = text(content) {
        let place = BlockPath::new("messages[#].content[#].content", [message, index]);
        items.push(result(text, place, 0, protected, false));
        continues = true;
    }
    for (part_index, part) in content.into_iter().flat_map(TapeValue::items).enumerate() {
        let [kind, words, citations] = part.fields(["type", "text", "citations"])?;
        if let (true, Some(words)) = (is(kind, "text"), text(words)) {
            let cited = citations.is_some_and(|citations| !citations.is_null());
            let protected = protected.or(cited.then_some(UnchangedReason::Protected));
            let place =
                BlockPath::new("messages[#].content[#].content[#].text", [message, index, part_index]);
            items.push(result(words, place, part_index, protected, continues));
            continues = true;
        }
    }
    if !continues {
        items.push(Item::OtherResult { id: raw(id), name: None });
    }
    Ok(())
}
