//! Finds the call that a tool result answers, in a request of Anthropic Messages.

use serde_json::Value;

/// The call whose result is at this path, as `run cargo test`.
pub(super) fn answered(request: &Value, path: &str) -> Option<String> {
    let messages = request.get("messages")?.as_array()?;
    let numbers: Vec<usize> = path.split(['[', ']']).filter_map(|part| part.parse().ok()).collect();
    let [message, block, ..] = numbers.as_slice() else { return None };
    let id = messages.get(*message)?.get("content")?.get(block)?.get("tool_use_id")?;
    let blocks = messages.iter().filter_map(|message| message.get("content")?.as_array()).flatten();
    let call = blocks.into_iter().find(|block| block.get("id") == Some(id))?;
    let name = call.get("name")?.as_str()?;
    let argument = ["command", "path", "site"].iter().find_map(|key| call.get("input")?.get(key)?.as_str());
    Some(argument.map_or_else(|| name.to_owned(), |argument| format!("{name} {argument}")))
}
