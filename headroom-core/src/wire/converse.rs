//! Reads Bedrock Converse: `toolResult` blocks of user turns.

use headroom_json::TapeValue;

use super::{
    Arguments, BlockPath, Call, Conversation, Item, Items, MIN_LEAF_BYTES, ToolResult, Toolbox, is,
    items::Speaker, list, push_all_or_none, raw, text, tool_name,
};
use crate::UnchangedReason;

pub(super) fn read<'a>(body: TapeValue<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
    let [model, messages, tool_config] = body.fields(["modelId", "messages", "toolConfig"])?;
    let [tools] = tool_config.map(|config| config.fields(["tools"])).transpose()?.unwrap_or_default();
    let mut conversation = Conversation {
        model: text(model),
        clears_tool_results: false,
        is_partial: false,
        caches_long: false,
        toolbox: Toolbox::from_request(tools, None, None),
        items: Items::default(),
    };
    for (index, message) in list(messages)?.items().enumerate() {
        push_all_or_none(&mut conversation.items, |items| read_message(message, index, items));
    }
    conversation.items.end_turn();
    Ok(conversation)
}

fn read_message<'a>(
    message: TapeValue<'a, '_>,
    index: usize,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [role, content] = message.fields(["role", "content"])?;
    let user = is(role, "user");
    items.begin(if user { Speaker::User } else { Speaker::Model });
    for (block_index, block) in content.into_iter().flat_map(TapeValue::items).enumerate() {
        let [words, call, result, thinking] =
            block.fields(["text", "toolUse", "toolResult", "reasoningContent"])?;
        items.extend(text(words).map(if user { Item::User } else { Item::Said }));
        if thinking.is_some() {
            // It is bound to the content before it.
            items.think(None, 0);
        }
        if let Some(call) = call {
            let [id, name, input] = call.fields(["toolUseId", "name", "input"])?;
            let arguments = input.map(Arguments::from_value);
            items.push(Item::Call(Call { id: raw(id), name: tool_name(name), arguments }));
        }
        match result {
            Some(result) if user => read_result(result, [index, block_index], items)?,
            Some(_) => items.push(Item::OtherResult { id: None, name: None }),
            None => {}
        }
    }
    Ok(())
}

fn read_result<'a>(
    result: TapeValue<'a, '_>,
    [message, index]: [usize; 2],
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [id, status, content] = result.fields(["toolUseId", "status", "content"])?;
    let protected = is(status, "error").then_some(UnchangedReason::ToolError);
    let mut continues = false;
    let mut push = |text, path, part_index, part| {
        let place = BlockPath::new(path, [message, index, part_index]);
        let id = raw(id);
        items.push(Item::Result(ToolResult {
            text,
            place,
            id,
            name: None,
            continues,
            part,
            protected,
            json: false,
        }));
        continues = true;
    };
    for (part_index, part) in content.into_iter().flat_map(TapeValue::items).enumerate() {
        let [words, json] = part.fields(["text", "json"])?;
        if let Some(text) = text(words) {
            push(
                text,
                "messages[#].content[#].toolResult.content[#].text",
                part_index,
                super::part(part_index),
            );
        }
        for text in json
            .into_iter()
            .filter(|json| json.has_distinct_keys())
            .flat_map(TapeValue::strings)
            .filter(|text| text.raw.len() >= MIN_LEAF_BYTES)
        {
            // A value within a part has no number of its own.
            push(text, "messages[#].content[#].toolResult.content[#].json", part_index, None);
        }
    }
    if !continues {
        items.push(Item::OtherResult { id: raw(id), name: None });
    }
    Ok(())
}
