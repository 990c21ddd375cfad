//! Reads OpenAI Chat Completions: `tool` messages.

use headroom_json::{TapeValue, Text};

use super::{
    Arguments, BlockPath, Call, Conversation, Item, Items, ToolResult, Toolbox, is, items::Speaker, list,
    part, push_all_or_none, raw, text, text_protocol::TextProtocol, tool_name, tools,
};
use crate::UnchangedReason;

pub(super) fn read<'a>(body: TapeValue<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
    let [model, messages, tools, tool_choice] = body.fields(["model", "messages", "tools", "tool_choice"])?;
    let mut conversation = Conversation {
        model: text(model),
        clears_tool_results: false,
        is_partial: false,
        caches_long: false,
        toolbox: Toolbox::from_request(tools, None, Some(tools::CHAT)).only_if(is_free(tool_choice)),
        items: Items::default(),
    };
    let mut protocol = TextProtocol::new(tools);
    for (index, message) in list(messages)?.items().enumerate() {
        push_all_or_none(&mut conversation.items, |items| read_message(message, index, &mut protocol, items));
    }
    conversation.items.end_turn();
    Ok(conversation)
}

/// Whether the model may call any tool: no choice, or `auto` or `required`.
pub(super) fn is_free(choice: Option<TapeValue<'_, '_>>) -> bool {
    choice.is_none_or(|choice| choice.is_null()) || is(choice, "auto") || is(choice, "required")
}

fn read_message<'a>(
    message: TapeValue<'a, '_>,
    index: usize,
    protocol: &mut TextProtocol<'a>,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [role, content, tool_calls, id, name, thinking, reasoning] = message.fields([
        "role",
        "content",
        "tool_calls",
        "tool_call_id",
        "name",
        "thinking_blocks",
        "reasoning_details",
    ])?;
    match raw(role) {
        Some("user") => {
            items.begin(Speaker::User);
            if let Some(words) = text(content) {
                protocol.user(items, words, BlockPath::new("messages[#].content", [index]));
            }
            for (part_index, part) in content.into_iter().flat_map(TapeValue::items).enumerate() {
                let [words] = part.fields(["text"])?;
                if let Some(words) = text(words) {
                    let place = BlockPath::new("messages[#].content[#].text", [index, part_index]);
                    protocol.user(items, words, place);
                }
            }
            Ok(())
        }
        Some("assistant") => {
            items.begin(Speaker::Model);
            if thinking.or(reasoning).is_some_and(|thinking| !thinking.is_null()) {
                // It may be bound to the content before it, and nothing says how it could be removed.
                items.think(None, 0);
            }
            read_turn(content, tool_calls, protocol, items)
        }
        Some("tool") => {
            items.begin(Speaker::User);
            read_results(content, (raw(id), tool_name(name)), index, items)
        }
        // The form before tools had ids.
        Some("function") => {
            items.begin(Speaker::User);
            items.push(Item::OtherResult { id: None, name: tool_name(name) });
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Reads the words and the calls of the model.
fn read_turn<'a>(
    content: Option<TapeValue<'a, '_>>,
    tool_calls: Option<TapeValue<'a, '_>>,
    protocol: &mut TextProtocol<'a>,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    if let Some(words) = text(content) {
        protocol.assistant(words);
        items.push(Item::Said(words));
    }
    for part in content.into_iter().flat_map(TapeValue::items) {
        let [words] = part.fields(["text"])?;
        if let Some(words) = text(words) {
            protocol.assistant(words);
            items.push(Item::Said(words));
        }
    }
    for call in tool_calls.into_iter().flat_map(TapeValue::items) {
        protocol.call();
        read_call(call, items)?;
    }
    Ok(())
}

/// Reads the texts of a tool's result, given the call's id and the tool's name.
fn read_results<'a>(
    content: Option<TapeValue<'a, '_>>,
    (id, name): (Option<&'a str>, Option<Text<'a>>),
    index: usize,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let result = |text, place, part_index, continues| {
        let part = part(part_index);
        Item::Result(ToolResult { text, place, id, name, continues, part, protected: None, json: false })
    };
    let mut continues = false;
    if let Some(text) = text(content) {
        items.push(result(text, BlockPath::new("messages[#].content", [index]), 0, false));
        continues = true;
    }
    for (part_index, part) in content.into_iter().flat_map(TapeValue::items).enumerate() {
        let [kind, words] = part.fields(["type", "text"])?;
        if let (true, Some(words)) = (is(kind, "text"), text(words)) {
            let place = BlockPath::new("messages[#].content[#].text", [index, part_index]);
            items.push(result(words, place, part_index, continues));
            continues = true;
        }
    }
    if !continues {
        items.push(Item::OtherResult { id, name });
    }
    Ok(())
}

fn read_call<'a>(call: TapeValue<'a, '_>, items: &mut Items<'a>) -> Result<(), UnchangedReason> {
    let [id, function, custom] = call.fields(["id", "function", "custom"])?;
    let (name, arguments) = match (function, custom) {
        (Some(function), _) => {
            let [name, arguments] = function.fields(["name", "arguments"])?;
            (name, arguments)
        }
        (None, Some(custom)) => {
            let [name, input] = custom.fields(["name", "input"])?;
            (name, input)
        }
        (None, None) => (None, None),
    };
    items.push(Item::Call(Call {
        id: raw(id),
        name: tool_name(name),
        arguments: arguments.map(Arguments::from_value),
    }));
    Ok(())
}
