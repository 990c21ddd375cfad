//! Items of conversations, as clients and providers write them.

use headroom_core::Api;
use serde_json::{Value, json};

use super::Kind;
use crate::server_tool::tests::{anthropic, chat, gemini, responses, support::Say};

/// A turn as the client, or the truth, has it once the client has made it its own.
pub(super) fn copy(kind: Kind, mut items: Vec<Value>) -> Vec<Value> {
    if kind.api != Api::Anthropic {
        return items;
    }
    if kind.strips {
        strip(&mut items);
    }
    for item in &mut items {
        let content = item["content"].as_array_mut().unwrap();
        for block in content.iter_mut().filter(|block| block["name"] == "Bash") {
            // Only where the id tells which call it is.
            if kind.edits && kind.random_ids {
                block["input"] = json!({"command":"edited"});
            }
        }
    }
    items
}

/// Takes all thinking of Anthropic's out.
pub(super) fn strip(items: &mut [Value]) {
    for content in items.iter_mut().filter_map(|item| item.get_mut("content")?.as_array_mut()) {
        content.retain(|block| block["type"] != "thinking");
    }
}

pub(super) fn say(kind: Kind, n: usize, blocks: &[Value]) -> Say {
    let said = || -> chat::Said {
        let text = ["Done. ", "Look. ", ""].into_iter().find(|text| blocks[0] == *text).unwrap();
        (text, blocks[1..].to_vec())
    };
    match (kind.api, kind.streaming) {
        (Api::Anthropic, true) => Say::events(&anthropic::stream(n, blocks)),
        (Api::Anthropic, false) => Say::json(&anthropic::whole(n, blocks)),
        (Api::OpenAiChat, true) => Say::events(&chat::stream(n, &said())),
        (Api::OpenAiChat, false) => Say::json(&chat::whole(n, &said())),
        (Api::OpenAiResponses, true) => Say::events(&responses::stream(n, blocks)),
        (Api::OpenAiResponses, false) => Say::json(&responses::response(n, "completed", blocks).to_string()),
        (_, true) => Say::events(&gemini::stream(n, blocks)),
        (_, false) => Say::json(&gemini::whole(n, blocks)),
    }
}

/// What the provider said in a round, as a request repeats it.
pub(super) fn said(api: Api, blocks: &[Value]) -> Vec<Value> {
    match api {
        Api::Anthropic => vec![json!({"role":"assistant","content":blocks})],
        Api::OpenAiChat => {
            let content = if blocks[0] == "" { Value::Null } else { blocks[0].clone() };
            vec![json!({"role":"assistant","content":content,"tool_calls":blocks[1..]})]
        }
        Api::OpenAiResponses => blocks.to_vec(),
        _ => vec![json!({"role":"model","parts":blocks})],
    }
}

pub(in crate::server_tool::tests) fn user(api: Api, text: &str) -> Value {
    match api {
        Api::OpenAiResponses => json!({"type":"message","role":"user","content":text}),
        Api::Gemini => json!({"role":"user","parts":[{"text":text}]}),
        _ => json!({"role":"user","content":text}),
    }
}

pub(in crate::server_tool::tests) fn results(api: Api, ids: &[String], text: &str) -> Vec<Value> {
    let result = |id: &String| match api {
        Api::Anthropic => json!({"type":"tool_result","tool_use_id":id,"content":text}),
        Api::OpenAiChat => json!({"role":"tool","tool_call_id":id,"content":text}),
        Api::OpenAiResponses => json!({"type":"function_call_output","call_id":id,"output":text}),
        _ => json!({"functionResponse":{"name":"Bash","response":{"output":text}}}),
    };
    let results: Vec<_> = ids.iter().map(result).collect();
    match api {
        Api::Anthropic => vec![json!({"role":"user","content":results})],
        Api::Gemini => vec![json!({"role":"user","parts":results})],
        _ => results,
    }
}

/// The ids of calls in these items.
pub(in crate::server_tool::tests) fn calls(api: Api, items: &[Value]) -> Vec<String> {
    let id = |value: &Value| value.as_str().unwrap_or("gemini").to_owned();
    let of = |item: &Value| -> Vec<String> {
        let list = |key: &str| item[key].as_array().cloned().unwrap_or_default();
        match api {
            Api::Anthropic => {
                list("content").iter().filter(|b| b["type"] == "tool_use").map(|b| id(&b["id"])).collect()
            }
            Api::OpenAiChat => list("tool_calls").iter().map(|call| id(&call["id"])).collect(),
            Api::OpenAiResponses if item["type"] == "function_call" => vec![id(&item["call_id"])],
            Api::OpenAiResponses => Vec::new(),
            _ => list("parts")
                .iter()
                .filter(|p| p.get("functionCall").is_some())
                .map(|_| id(&Value::Null))
                .collect(),
        }
    };
    items.iter().flat_map(of).collect()
}

/// The same items in the one form that all their forms are compared in.
pub(super) fn plain(items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    for item in &mut items {
        if item["content"].is_string() {
            item["content"] = json!([{"type":"text","text":item["content"]}]);
        }
        for block in item.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten() {
            block.as_object_mut().unwrap().remove("cache_control");
            if block["input"]["timeout"].is_number() {
                block["input"]["timeout"] = json!(10);
            }
        }
        for part in item.get_mut("parts").and_then(Value::as_array_mut).into_iter().flatten() {
            if part["functionCall"]["args"]["timeout"].is_number() {
                part["functionCall"]["args"]["timeout"] = json!(10);
            }
        }
        for call in item.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            let mut arguments: Value =
                serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
            if arguments["timeout"].is_number() {
                arguments["timeout"] = json!(10);
            }
            call["function"]["arguments"] = json!(arguments.to_string());
        }
        if item["role"] == "assistant"
            && item
                .get("content")
                .is_some_and(|content| content.is_null() || *content == json!([{"type":"text","text":""}]))
        {
            item["content"] = Value::Null;
        }
        if item["tool_calls"] == json!([]) {
            item.as_object_mut().unwrap().remove("tool_calls");
        }
    }
    items
}

/// The items without results of ours, and their texts.
pub(super) fn without_ours(api: Api, items: &[Value]) -> (Vec<Value>, Vec<String>) {
    let is_ours = |result: &Value| {
        ["tool_use_id", "tool_call_id", "call_id"]
            .iter()
            .any(|key| result[key].as_str().is_some_and(|id| id.contains("headroom_retrieve")))
            || result["functionResponse"]["name"] == "headroom_retrieve"
    };
    let mut texts = Vec::new();
    let mut keep = |result: &Value| {
        let ours = is_ours(result);
        if ours {
            texts.push(result.to_string());
        }
        !ours
    };
    let mut items = items.to_vec();
    match api {
        Api::Anthropic => items
            .iter_mut()
            .filter_map(|item| item.get_mut("content")?.as_array_mut())
            .for_each(|list| list.retain(&mut keep)),
        Api::Gemini => items
            .iter_mut()
            .filter_map(|item| item.get_mut("parts")?.as_array_mut())
            .for_each(|list| list.retain(&mut keep)),
        _ => items.retain(keep),
    }
    (items, texts)
}
