//! Detects the format of a body from its shape.

use headroom_json::TapeValue;

use super::{is, raw};
use crate::Api;

/// Returns the format of this body, if it is a request of a known API.
pub(crate) fn detect(body: TapeValue<'_, '_>) -> Option<Api> {
    let has = |key: &str| body.members().any(|(name, _)| name.raw == key);
    let array = |key: &str| body.members().find(|(name, value)| name.raw == key && value.is_array());
    if array("contents").is_some() {
        return Some(Api::Gemini);
    }
    let Some((_, messages)) = array("messages") else {
        return has("input").then_some(Api::OpenAiResponses);
    };
    if has("toolConfig") || has("inferenceConfig") {
        return Some(Api::Converse);
    }
    if has("anthropic_version") || has("system") {
        return Some(Api::Anthropic);
    }
    if let Some((_, tools)) = array("tools") {
        for tool in tools.items() {
            if let Ok([input_schema, function]) = tool.fields(["input_schema", "function"]) {
                match (input_schema, function) {
                    (Some(_), None) => return Some(Api::Anthropic),
                    (None, Some(_)) => return Some(Api::OpenAiChat),
                    _ => {}
                }
            }
        }
    }
    messages.items().find_map(detect_message).or(Some(Api::OpenAiChat))
}

/// Returns the format that a single message shows.
fn detect_message(message: TapeValue<'_, '_>) -> Option<Api> {
    let [role, content, tool_calls] = message.fields(["role", "content", "tool_calls"]).ok()?;
    if tool_calls.is_some() || matches!(raw(role), Some("tool" | "developer" | "function")) {
        return Some(Api::OpenAiChat);
    }
    content.into_iter().flat_map(TapeValue::items).find_map(|block| {
        let [kind, tool_use, tool_result] = block.fields(["type", "toolUse", "toolResult"]).ok()?;
        if tool_use.is_some() || tool_result.is_some() {
            return Some(Api::Converse);
        }
        let anthropic = ["tool_use", "tool_result", "thinking", "redacted_thinking"];
        anthropic.iter().any(|name| is(kind, name)).then_some(Api::Anthropic)
    })
}
