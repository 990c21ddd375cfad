//! Reads Gemini `generateContent`: string values of `functionResponse.response`.
//!
//! Names are camelCase on the wire; snake_case is accepted too.

use headroom_json::{TapeValue, Text};

use super::{
    Arguments, BlockPath, Call, Conversation, Item, Items, MIN_LEAF_BYTES, ToolResult, Toolbox, is,
    items::Speaker, list, part, push_all_or_none, raw, text, tool_name, tools,
};
use crate::UnchangedReason;

pub(super) fn read<'a>(body: TapeValue<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
    let [model, contents, tools, config, config_snake, system, cached] = body.fields([
        "model",
        "contents",
        "tools",
        "toolConfig",
        "tool_config",
        "systemInstruction",
        "cachedContent",
    ])?;
    let (mut calling, mut allowed) = (None, None);
    if let Some(config) = config.or(config_snake) {
        let [camel, snake] = config.fields(["functionCallingConfig", "function_calling_config"])?;
        if let Some(config) = camel.or(snake) {
            [calling, allowed] = config.fields(["mode", "allowedFunctionNames"])?;
        }
    }
    let mut conversation = Conversation {
        model: text(model),
        clears_tool_results: false,
        is_partial: cached.is_some(),
        caches_long: false,
        toolbox: Toolbox::from_request(tools, system, declares(tools).then_some(tools::GEMINI))
            .only_if(!is(calling, "NONE") && allowed.is_none() && cached.is_none()),
        items: Items::default(),
    };
    for (index, content) in list(contents)?.items().enumerate() {
        push_all_or_none(&mut conversation.items, |items| {
            let [role, parts] = content.fields(["role", "parts"])?;
            let model = is(role, "model");
            items.begin(if model { Speaker::Model } else { Speaker::User });
            for (part_index, part) in parts.into_iter().flat_map(TapeValue::items).enumerate() {
                read_part(part, model, [index, part_index], items)?;
            }
            Ok(())
        });
    }
    conversation.items.end_turn();
    Ok(conversation)
}

/// Whether the tools include functions: some models accept none beside the provider's own tools.
fn declares(tools: Option<TapeValue<'_, '_>>) -> bool {
    let mut keys =
        tools.into_iter().flat_map(TapeValue::items).flat_map(TapeValue::members).map(|(key, _)| key.raw);
    keys.any(|key| key == "functionDeclarations")
}

fn read_part<'a>(
    value: TapeValue<'a, '_>,
    model: bool,
    [index, part_index]: [usize; 2],
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [words, call, call_snake, response, response_snake, thought] = value.fields([
        "text",
        "functionCall",
        "function_call",
        "functionResponse",
        "function_response",
        "thought",
    ])?;
    if model {
        if !thought.is_some_and(TapeValue::is_true) {
            items.extend(text(words).map(Item::Said));
        }
        if let Some(call) = call.or(call_snake) {
            let [id, name, args] = call.fields(["id", "name", "args"])?;
            items.push(Item::Call(Call {
                id: raw(id),
                name: tool_name(name),
                arguments: args.map(Arguments::from_value),
            }));
        }
        return Ok(());
    }
    items.extend(text(words).map(Item::User));
    let Some(response) = response.or(response_snake) else { return Ok(()) };
    let [id, name, response] = response.fields(["id", "name", "response"])?;
    let place = BlockPath::new("contents[#].parts[#].functionResponse.response", [index, part_index]);
    let other = Item::OtherResult { id: raw(id), name: tool_name(name) };
    let Some(response) = response.filter(|response| response.has_distinct_keys()) else {
        items.push(other);
        return Ok(());
    };
    if response.strings().next().is_none() {
        items.push(other);
    }
    let [error] = response.fields(["error"])?;
    let protected = error.map(|_| UnchangedReason::ToolError);
    let worth = |(leaf, words): &(usize, Text<'a>)| *leaf == 0 || words.raw.len() >= MIN_LEAF_BYTES;
    for (leaf, words) in response.strings().enumerate().filter(worth) {
        items.push(Item::Result(ToolResult {
            text: words,
            place,
            id: raw(id),
            name: tool_name(name),
            continues: leaf > 0,
            part: part(leaf),
            protected,
            json: false,
        }));
    }
    Ok(())
}
