//! Reads Anthropic Messages: `tool_result` blocks of user turns.

use super::{
    Arguments, BlockPath, Call, Conversation, Item, Items, ToolResult, Toolbox, is, list, push_all_or_none,
    raw, text, text_protocol::TextProtocol, tool_name, tools,
};
use crate::{UnchangedReason, json::tape::Value};

pub(super) fn read<'a>(body: Value<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
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
        toolbox: Toolbox::from_request(tools, system, Some(tools::ANTHROPIC))
            .only_if(!is(choice, "none") && !is(choice, "tool")),
        items: Items::default(),
    };
    let mut protocol = TextProtocol::new(tools);
    for (index, message) in list(messages)?.items().enumerate() {
        push_all_or_none(&mut conversation.items, |items| read_message(message, index, &mut protocol, items));
    }
    Ok(conversation)
}

/// Whether context management on the provider's side may remove tool results. Edits of thinking do not, and a
/// compaction appears as a block.
fn clears_tool_results(management: Option<Value<'_, '_>>) -> Result<bool, UnchangedReason> {
    let Some(management) = management else { return Ok(false) };
    let [edits] = management.fields(["edits"])?;
    for edit in edits.into_iter().flat_map(Value::items) {
        let [kind] = edit.fields(["type"])?;
        if !raw(kind).is_some_and(|kind| kind.starts_with("clear_thinking") || kind.starts_with("compact")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_message<'a>(
    message: Value<'a, '_>,
    index: usize,
    protocol: &mut TextProtocol<'a>,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [role, content] = message.fields(["role", "content"])?;
    let Some(content) = content else { return Ok(()) };
    let user = is(role, "user");
    match content.text() {
        Some(words) if user => {
            protocol.user(items, words, BlockPath::new("messages[#].content", [index]));
        }
        Some(words) => protocol.assistant(words),
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
                    Some(words) => protocol.assistant(words),
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
            _ => {}
        }
    }
    Ok(())
}

fn read_result<'a>(
    block: Value<'a, '_>,
    [message, index]: [usize; 2],
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [id, content, is_error] = block.fields(["tool_use_id", "content", "is_error"])?;
    let Some(content) = content else { return Ok(()) };
    let protected = is_error.is_some_and(Value::is_true).then_some(UnchangedReason::ToolError);
    let result = |text, place, protected, continues| {
        Item::Result(ToolResult { text, place, id: raw(id), name: None, continues, protected, json: false })
    };
    if let Some(text) = content.text() {
        let place = BlockPath::new("messages[#].content[#].content", [message, index]);
        items.push(result(text, place, protected, false));
    }
    let mut continues = false;
    for (part_index, part) in content.items().enumerate() {
        let [kind, words, citations] = part.fields(["type", "text", "citations"])?;
        if let (true, Some(words)) = (is(kind, "text"), text(words)) {
            let cited = citations.is_some_and(|citations| !citations.is_null());
            let protected = protected.or(cited.then_some(UnchangedReason::Protected));
            let place =
                BlockPath::new("messages[#].content[#].content[#].text", [message, index, part_index]);
            items.push(result(words, place, protected, continues));
            continues = true;
        }
    }
    Ok(())
}
