//! Reads OpenAI Chat Completions: `tool` messages.

use super::{
    Arguments, BlockPath, Call, Conversation, Item, Items, ToolResult, Toolbox, is, list, push_all_or_none,
    raw, text, text_protocol::TextProtocol, tool_name, tools,
};
use crate::{UnchangedReason, json::tape::Value};

pub(super) fn read<'a>(body: Value<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
    let [model, messages, tools, tool_choice] = body.fields(["model", "messages", "tools", "tool_choice"])?;
    let mut conversation = Conversation {
        model: text(model),
        clears_tool_results: false,
        toolbox: Toolbox::from_request(tools, None, Some(tools::CHAT)).only_if(is_free(tool_choice)),
        items: Items::default(),
    };
    let mut protocol = TextProtocol::new(tools);
    for (index, message) in list(messages)?.items().enumerate() {
        push_all_or_none(&mut conversation.items, |items| read_message(message, index, &mut protocol, items));
    }
    Ok(conversation)
}

/// Whether the model may call any tool: no choice, or `auto` or `required`.
pub(super) fn is_free(choice: Option<Value<'_, '_>>) -> bool {
    choice.is_none_or(|choice| choice.is_null()) || is(choice, "auto") || is(choice, "required")
}

fn read_message<'a>(
    message: Value<'a, '_>,
    index: usize,
    protocol: &mut TextProtocol<'a>,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [role, content, tool_calls, id, name] =
        message.fields(["role", "content", "tool_calls", "tool_call_id", "name"])?;
    match raw(role) {
        Some("user") => {
            if let Some(words) = text(content) {
                protocol.user(items, words, BlockPath::new("messages[#].content", [index]));
            }
            for (part_index, part) in content.into_iter().flat_map(Value::items).enumerate() {
                let [words] = part.fields(["text"])?;
                if let Some(words) = text(words) {
                    let place = BlockPath::new("messages[#].content[#].text", [index, part_index]);
                    protocol.user(items, words, place);
                }
            }
        }
        Some("assistant") => {
            if let Some(words) = text(content) {
                protocol.assistant(words);
            }
            for part in content.into_iter().flat_map(Value::items) {
                let [words] = part.fields(["text"])?;
                if let Some(words) = text(words) {
                    protocol.assistant(words);
                }
            }
            for call in tool_calls.into_iter().flat_map(Value::items) {
                protocol.call();
                read_call(call, items)?;
            }
        }
        Some("tool") => {
            let result = |text, place, continues| {
                let (id, name) = (raw(id), tool_name(name));
                Item::Result(ToolResult { text, place, id, name, continues, protected: None, json: false })
            };
            if let Some(text) = text(content) {
                items.push(result(text, BlockPath::new("messages[#].content", [index]), false));
            }
            let mut continues = false;
            for (part_index, part) in content.into_iter().flat_map(Value::items).enumerate() {
                let [kind, words] = part.fields(["type", "text"])?;
                if let (true, Some(words)) = (is(kind, "text"), text(words)) {
                    let place = BlockPath::new("messages[#].content[#].text", [index, part_index]);
                    items.push(result(words, place, continues));
                    continues = true;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn read_call<'a>(call: Value<'a, '_>, items: &mut Items<'a>) -> Result<(), UnchangedReason> {
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
