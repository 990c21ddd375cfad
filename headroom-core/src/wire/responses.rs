//! Reads OpenAI Responses: the `*_call_output` items of the client's tools.

use headroom_json::{TapeValue, Text};

use super::{
    Arguments, BlockPath, Call, Conversation, Item, Items, ToolResult, Toolbox, chat::is_free, is,
    items::Speaker, part, push_all_or_none, raw, text, tool_name, tools,
};
use crate::UnchangedReason;

pub(super) fn read<'a>(body: TapeValue<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
    let [model, input, tools, tool_choice, instructions, truncation, previous, kept, management] = body
        .fields([
            "model",
            "input",
            "tools",
            "tool_choice",
            "instructions",
            "truncation",
            "previous_response_id",
            "conversation",
            "context_management",
        ])?;
    let input = input.ok_or(UnchangedReason::UnknownShape)?;
    // Tools may be sent as an item. If it comes first, it belongs to the head.
    let mut tools = tools;
    if let Some(first) = input.items().next() {
        let [kind, added] = first.fields(["type", "tools"])?;
        if is(kind, "additional_tools") {
            tools = tools.filter(|tools| tools.items().next().is_some()).or(added);
        }
    }
    let mut conversation = Conversation {
        model: text(model),
        clears_tool_results: is(truncation, "auto"),
        is_partial: [previous, kept, management].into_iter().flatten().any(|value| !value.is_null()),
        caches_long: false,
        toolbox: Toolbox::from_request(tools, instructions, Some(tools::RESPONSES))
            .only_if(is_free(tool_choice)),
        items: Items::default(),
    };
    conversation.items.extend(input.text().map(Item::User));
    for (index, item) in input.items().enumerate() {
        push_all_or_none(&mut conversation.items, |items| read_item(item, index, items));
    }
    conversation.items.end_turn();
    Ok(conversation)
}

fn read_item<'a>(
    item: TapeValue<'a, '_>,
    index: usize,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    let [kind, role] = item.fields(["type", "role"])?;
    match raw(kind) {
        // A message may omit its type.
        None | Some("message") if is(role, "user") => {
            items.begin(Speaker::User);
            read_words(item, items, Item::User)?;
        }
        None | Some("message") if is(role, "assistant") => {
            items.begin(Speaker::Model);
            read_words(item, items, Item::Said)?;
        }
        Some("compaction") => items.push(Item::Compaction),
        Some("reasoning") => items.begin(Speaker::Model),
        Some(kind) if kind.ends_with("_call_output") => {
            items.begin(Speaker::User);
            read_output(item, kind, index, items)?;
        }
        Some(
            "function_call" | "custom_tool_call" | "local_shell_call" | "shell_call" | "apply_patch_call",
        ) => {
            items.begin(Speaker::Model);
            read_call(item, items)?;
        }
        // Calls of the provider's own tools.
        Some(kind) if kind.ends_with("_call") => items.push(Item::OtherCall),
        _ => {}
    }
    Ok(())
}

fn read_words<'a>(
    item: TapeValue<'a, '_>,
    items: &mut Items<'a>,
    as_item: fn(Text<'a>) -> Item<'a>,
) -> Result<(), UnchangedReason> {
    let [content] = item.fields(["content"])?;
    items.extend(text(content).map(as_item));
    for part in content.into_iter().flat_map(TapeValue::items) {
        let [words] = part.fields(["text"])?;
        items.extend(text(words).map(as_item));
    }
    Ok(())
}

fn read_call<'a>(item: TapeValue<'a, '_>, items: &mut Items<'a>) -> Result<(), UnchangedReason> {
    let [id, call_id, kind, name, arguments, input, action, operation] =
        item.fields(["id", "call_id", "type", "name", "arguments", "input", "action", "operation"])?;
    items.push(Item::Call(Call {
        id: raw(call_id).or(raw(id)),
        name: tool_name(name).or(tool_name(kind)),
        arguments: arguments.or(input).or(action).or(operation).map(Arguments::from_value),
    }));
    Ok(())
}

fn read_output<'a>(
    item: TapeValue<'a, '_>,
    kind: &str,
    index: usize,
    items: &mut Items<'a>,
) -> Result<(), UnchangedReason> {
    // Results of the provider's own tools, screenshots and future types are not editable.
    let (shell, json) = match kind {
        "function_call_output" | "custom_tool_call_output" | "apply_patch_call_output" => (false, false),
        "local_shell_call_output" => (false, true),
        "shell_call_output" => (true, false),
        _ => {
            items.push(Item::OtherResult { id: None, name: None });
            return Ok(());
        }
    };
    let [id, call_id, name, output, status] = item.fields(["id", "call_id", "name", "output", "status"])?;
    let protected = is(status, "failed").then_some(UnchangedReason::ToolError);
    let (id, name) = (raw(call_id).or(raw(id)), tool_name(name));
    let mut continues = false;
    let mut push = |text, place, part_index| {
        let part = part(part_index);
        items.push(Item::Result(ToolResult { text, place, id, name, continues, part, protected, json }));
        continues = true;
    };
    if let Some(text) = text(output) {
        push(text, BlockPath::new("input[#].output", [index]), 0);
    }
    for (part_index, part) in output.into_iter().flat_map(TapeValue::items).enumerate() {
        if shell {
            let [stdout, stderr] = part.fields(["stdout", "stderr"])?;
            if let Some(text) = text(stdout) {
                push(text, BlockPath::new("input[#].output[#].stdout", [index, part_index]), part_index * 2);
            }
            if let Some(text) = text(stderr) {
                let place = BlockPath::new("input[#].output[#].stderr", [index, part_index]);
                push(text, place, part_index * 2 + 1);
            }
        } else {
            let [kind, words] = part.fields(["type", "text"])?;
            if let (true, Some(words)) = (is(kind, "input_text"), text(words)) {
                push(words, BlockPath::new("input[#].output[#].text", [index, part_index]), part_index);
            }
        }
    }
    if !continues {
        items.push(Item::OtherResult { id, name });
    }
    Ok(())
}
