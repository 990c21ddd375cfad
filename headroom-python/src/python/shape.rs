//! Tells the API of messages from their shape.

use headroom_core::Api;
use pyo3::{
    prelude::*,
    types::{PyDict, PyList},
};

use super::encode::dump;

/// Blocks that only Anthropic Messages have.
const ANTHROPIC_BLOCKS: [&str; 4] = ["tool_use", "tool_result", "thinking", "redacted_thinking"];
/// Items that only OpenAI Responses have.
const RESPONSES_ITEMS: [&str; 7] = [
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "local_shell_call_output",
    "reasoning",
    "shell_call_output",
];

/// Returns the API that the first telling message shows; if there is none, the messages hold no result of a tool.
pub(super) fn api_of(messages: &Bound<'_, PyList>) -> Api {
    messages.iter().find_map(|message| api_of_message(&message)).unwrap_or(Api::OpenAiChat)
}

fn api_of_message(message: &Bound<'_, PyAny>) -> Option<Api> {
    let message = as_dict(message)?;
    if has(&message, "parts") {
        return Some(Api::Gemini);
    }
    if word(&message, "type").is_some_and(|kind| RESPONSES_ITEMS.contains(&kind.as_str())) {
        return Some(Api::OpenAiResponses);
    }
    let role = word(&message, "role");
    if has(&message, "tool_calls") || matches!(role.as_deref(), Some("tool" | "developer" | "function")) {
        return Some(Api::OpenAiChat);
    }
    let content = message.get_item("content").ok()??;
    content.cast::<PyList>().ok()?.iter().find_map(|block| {
        let block = as_dict(&block)?;
        if has(&block, "toolUse") || has(&block, "toolResult") {
            return Some(Api::Converse);
        }
        let kind = word(&block, "type")?;
        ANTHROPIC_BLOCKS.contains(&kind.as_str()).then_some(Api::Anthropic)
    })
}

fn as_dict<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    match value.cast::<PyDict>() {
        Ok(dict) => Some(dict.clone()),
        Err(_) => dump(value).ok()?,
    }
}

fn has(dict: &Bound<'_, PyDict>, key: &str) -> bool {
    dict.get_item(key).ok().flatten().is_some_and(|value| !value.is_none())
}

fn word(dict: &Bound<'_, PyDict>, key: &str) -> Option<String> {
    dict.get_item(key).ok()??.extract().ok()
}
