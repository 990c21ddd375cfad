//! Finds the strings of a request that may be edited. Based on the wire formats alone, so that it can judge the engine.

use std::{collections::HashMap, ops::Range};

use headroom_core::Api;

use crate::conformance::json::{Id, Json, Kind, Member};

/// A string of a request that may be edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The byte range of the token, quotes included.
    pub range: Range<usize>,
    /// The decoded text.
    pub text: String,
}

/// Returns the strings that may be edited, in the order of the body.
///
/// Excludes strings with half of a surrogate pair, which have no exact decoded form, and everything under a deciding
/// key that occurs twice.
#[must_use]
pub fn editable(api: Api, json: &Json<'_>) -> Vec<Span> {
    let mut ids = Vec::new();
    let root = json.root();
    match api {
        Api::Anthropic => {
            observations(json, root, &mut ids);
            for message in json.array(root, "messages").unwrap_or_default() {
                if json.text_of(*message, "role").as_deref() == Some("user") {
                    for block in json.array(*message, "content").unwrap_or_default() {
                        anthropic_result(json, *block, &mut ids);
                    }
                }
            }
        }
        Api::OpenAiChat => {
            observations(json, root, &mut ids);
            for message in json.array(root, "messages").unwrap_or_default() {
                if json.text_of(*message, "role").as_deref() == Some("tool") {
                    text_or_parts(json, *message, "content", "text", &mut ids);
                }
            }
        }
        Api::OpenAiResponses => {
            for item in json.array(root, "input").unwrap_or_default() {
                responses_output(json, *item, &mut ids);
            }
        }
        Api::Gemini => {
            for content in json.array(root, "contents").unwrap_or_default() {
                gemini_responses(json, *content, &mut ids);
            }
        }
        Api::Converse => {
            for message in json.array(root, "messages").unwrap_or_default() {
                if json.text_of(*message, "role").as_deref() == Some("user") {
                    for block in json.array(*message, "content").unwrap_or_default() {
                        converse_result(json, *block, &mut ids);
                    }
                }
            }
        }
        _ => {}
    }
    let mut spans: Vec<Span> =
        ids.into_iter().filter_map(|id| Some(Span { range: json.range(id), text: json.text(id)? })).collect();
    spans.sort_by_key(|span| span.range.start);
    spans
}

fn gemini_responses(json: &Json<'_>, content: Id, ids: &mut Vec<Id>) {
    let role = json.member(content, "role");
    if role == Member::Twice || role.one().is_some_and(|id| json.text(id).as_deref() == Some("model")) {
        return;
    }
    for part in json.array(content, "parts").unwrap_or_default() {
        for name in ["functionResponse", "function_response"] {
            if let Some(call) = json.member(*part, name).one()
                && let Some(response) = json.member(call, "response").one()
                && json.kind(response) == Kind::Object
                && json.member(response, "error") == Member::Absent
            {
                leaves(json, response, ids);
            }
        }
    }
}

/// Returns where a tool definition may be appended: before the closing bracket of each tool array.
#[must_use]
pub fn tool_list_ends(api: Api, json: &Json<'_>) -> Vec<usize> {
    let root = json.root();
    let mut lists: Vec<Id> = Vec::new();
    let mut add = |id: Option<Id>| lists.extend(id.filter(|id| json.kind(*id) == Kind::Array));
    match api {
        Api::Converse => {
            add(json.member(root, "toolConfig").one().and_then(|config| json.member(config, "tools").one()));
        }
        Api::Gemini => {
            add(json.member(root, "tools").one());
            for tool in json.array(root, "tools").unwrap_or_default() {
                add(json.member(*tool, "functionDeclarations").one());
                add(json.member(*tool, "function_declarations").one());
            }
        }
        Api::OpenAiResponses => {
            add(json.member(root, "tools").one());
            if let Some(first) = json.array(root, "input").and_then(<[Id]>::first)
                && json.text_of(*first, "type").as_deref() == Some("additional_tools")
            {
                add(json.member(*first, "tools").one());
            }
        }
        _ => add(json.member(root, "tools").one()),
    }
    let mut ends: Vec<usize> = lists.into_iter().map(|id| json.range(id).end - 1).collect();
    ends.sort_unstable();
    ends
}

/// Returns the runs of thinking that may be removed, with the comma beside each: those of the model's messages before the
/// last prompt of the user, which are followed by something else in their message.
#[must_use]
pub fn thinking(api: Api, json: &Json<'_>) -> Vec<Range<usize>> {
    if api != Api::Anthropic {
        return Vec::new();
    }
    let kind = |id: Id| json.text_of(id, "type").unwrap_or_default();
    let thinks = |id: Id| matches!(kind(id).as_str(), "thinking" | "redacted_thinking");
    let messages = json.array(json.root(), "messages").unwrap_or_default();
    let role = |id: Id| json.text_of(id, "role").unwrap_or_default();
    let prompts = |id: &Id| {
        let blocks = json.array(*id, "content").unwrap_or_default();
        let text = json.text_of(*id, "content").is_some() || blocks.iter().any(|id| kind(*id) == "text");
        role(*id) == "user" && text && !blocks.iter().any(|id| kind(*id) == "tool_result")
    };
    let last = messages.iter().rposition(prompts).unwrap_or_default();
    let mut runs = Vec::new();
    for message in messages.iter().take(last).filter(|id| role(**id) == "assistant") {
        let blocks = json.array(*message, "content").unwrap_or_default();
        if blocks.iter().all(|id| thinks(*id)) {
            continue;
        }
        let mut at = 0;
        for run in blocks.chunk_by(|a, b| thinks(*a) == thinks(*b)) {
            let (first, next) = (at, at + run.len());
            at = next;
            if !thinks(run[0]) {
                continue;
            }
            runs.push(match blocks.get(next) {
                Some(next) => json.range(run[0]).start..json.range(*next).start,
                None => json.range(blocks[first - 1]).end..json.range(blocks[next - 1]).end,
            });
        }
    }
    runs
}

/// Finds tool output that agents without tool calls send as user text: the first text after a model turn that holds a
/// command, in requests that have no tools and no calls.
fn observations(json: &Json<'_>, root: Id, ids: &mut Vec<Id>) {
    if json.array(root, "tools").is_some_and(|tools| !tools.is_empty()) {
        return;
    }
    let mut commands = false;
    for message in json.array(root, "messages").unwrap_or_default() {
        let mut texts = Vec::new();
        text_or_parts(json, *message, "content", "text", &mut texts);
        let calls = json.array(*message, "tool_calls").is_some_and(|calls| !calls.is_empty());
        let parts = json.array(*message, "content").unwrap_or_default();
        if calls || parts.iter().any(|part| json.text_of(*part, "type").as_deref() == Some("tool_use")) {
            return;
        }
        let first = texts.first().and_then(|id| json.text(*id));
        match json.text_of(*message, "role").as_deref() {
            Some("assistant") => {
                let last = texts.last().and_then(|id| json.text(*id));
                commands = last.is_some_and(|text| text.contains("```") || text.contains("<function="));
            }
            // The first message after the command answers it, whatever it is.
            Some("user") if std::mem::take(&mut commands) && first.is_some_and(|text| is_framed(&text)) => {
                ids.extend(texts.first());
            }
            _ => {}
        }
    }
}

fn is_framed(text: &str) -> bool {
    let shell = text.contains("\n(Current directory: ") && text.trim_end().ends_with("\nbash-$");
    let tagged = text.starts_with("<returncode>") || text.starts_with("The last command <command>");
    let named = text.starts_with("OBSERVATION:\n") || text.starts_with("EXECUTION RESULT of [");
    shell || named || tagged && text.contains("<output") && text.contains("</output")
}

fn anthropic_result(json: &Json<'_>, block: Id, ids: &mut Vec<Id>) {
    if json.text_of(block, "type").as_deref() != Some("tool_result") {
        return;
    }
    let failed = match json.member(block, "is_error") {
        Member::Absent => false,
        Member::One(id) => json.raw(id) == b"true",
        Member::Twice => true,
    };
    if !failed {
        text_or_parts(json, block, "content", "text", ids);
    }
}

fn responses_output(json: &Json<'_>, item: Id, ids: &mut Vec<Id>) {
    let Some(kind) = json.text_of(item, "type") else { return };
    match kind.as_str() {
        "function_call_output" | "custom_tool_call_output" => {
            text_or_parts(json, item, "output", "input_text", ids);
        }
        "local_shell_call_output" | "apply_patch_call_output"
            if json.text_of(item, "status").as_deref() != Some("failed") =>
        {
            ids.extend(json.member(item, "output").one().filter(|id| json.kind(*id) == Kind::String));
        }
        "shell_call_output" => {
            for chunk in json.array(item, "output").unwrap_or_default() {
                ids.extend(["stdout", "stderr"].iter().filter_map(|key| json.member(*chunk, key).one()));
            }
        }
        _ => {}
    }
}

fn converse_result(json: &Json<'_>, block: Id, ids: &mut Vec<Id>) {
    let Some(result) = json.member(block, "toolResult").one() else { return };
    let failed = match json.member(result, "status") {
        Member::Absent => false,
        Member::One(id) => json.text(id).as_deref() == Some("error"),
        Member::Twice => true,
    };
    if failed {
        return;
    }
    for part in json.array(result, "content").unwrap_or_default() {
        ids.extend(json.member(*part, "text").one());
        if let Some(value) = json.member(*part, "json").one() {
            leaves(json, value, ids);
        }
    }
}

/// Collects the string under `key`, or the `text` of every part of this type in the array under `key`.
fn text_or_parts(json: &Json<'_>, owner: Id, key: &str, part_type: &str, ids: &mut Vec<Id>) {
    let Some(value) = json.member(owner, key).one() else { return };
    match json.kind(value) {
        Kind::String => ids.push(value),
        Kind::Array => {
            for part in json.children(value) {
                if json.text_of(*part, "type").as_deref() == Some(part_type) {
                    ids.extend(json.member(*part, "text").one());
                }
            }
        }
        _ => {}
    }
}

fn leaves(json: &Json<'_>, from: Id, ids: &mut Vec<Id>) {
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        match json.kind(id) {
            Kind::String => ids.push(id),
            Kind::Array => open.extend(json.children(id)),
            Kind::Object => {
                let mut seen: HashMap<String, Vec<Id>> = HashMap::new();
                for child in json.children(id) {
                    seen.entry(json.key(*child).unwrap_or_default()).or_default().push(*child);
                }
                open.extend(seen.into_values().filter(|same| same.len() == 1).flatten());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(api: Api, body: &str) -> Vec<String> {
        let json = Json::parse(body.as_bytes()).unwrap();
        editable(api, &json).into_iter().map(|span| span.text).collect()
    }

    #[test]
    fn anthropic_results_of_users_only() {
        let body = r#"{"system":"s","messages":[
            {"role":"user","content":"u"},
            {"role":"assistant","content":[{"type":"tool_result","content":"no"},{"type":"text","text":"no"}]},
            {"role":"user","content":[
              {"type":"tool_result","tool_use_id":"a","content":"yes 1"},
              {"type":"tool_result","content":[{"type":"text","text":"yes 2"},{"type":"image","text":"no"},{"type":"text","text":"\ud800"}]},
              {"type":"tool_result","is_error":true,"content":"no"},
              {"type":"tool_result","is_error":false,"content":"yes 3","cache_control":{"type":"ephemeral"}},
              {"type":"tool_result","content":"no","content":"no"},
              {"type":"mcp_tool_result","content":"no"},
              {"type":"text","text":"no"}]}]}"#;
        assert_eq!(texts(Api::Anthropic, body), ["yes 1", "yes 2", "yes 3"]);
    }

    #[test]
    fn chat_tool_messages_only() {
        let body = r#"{"messages":[{"role":"user","content":"no"},{"role":"tool","content":"yes 1"},
            {"content":[{"type":"text","text":"yes 2"},{"type":"image_url","text":"no"}],"role":"tool"},
            {"role":"function","content":"no"}]}"#;
        assert_eq!(texts(Api::OpenAiChat, body), ["yes 1", "yes 2"]);
    }

    #[test]
    fn observations_behind_a_command_of_the_model() {
        let body = r#"{"messages":[{"role":"user","content":"<returncode>0</returncode>\n<output>\nno\n</output>"},
            {"role":"assistant","content":"run it"},
            {"role":"user","content":"<returncode>0</returncode>\n<output>\nno\n</output>"},
            {"role":"assistant","content":"run it\n```bash\nls\n```"},
            {"role":"user","content":"<returncode>0</returncode>\n<output>\nyes\n</output>"},
            {"role":"user","content":"OBSERVATION:\nno"},
            {"role":"assistant","content":"run it\n```\nls\n```"},
            {"role":"user","content":[{"type":"text","text":"OBSERVATION:\nyes"},{"type":"text","text":"no"}]}]}"#;
        for api in [Api::Anthropic, Api::OpenAiChat] {
            let found = texts(api, body);
            assert!(found.len() == 2 && found.iter().all(|text| text.contains("yes")), "{found:?}");
            let tools = body.replacen('{', r#"{"tools":[{"name":"x"}],"#, 1);
            assert!(texts(api, &tools).is_empty());
        }
    }

    #[test]
    fn responses_outputs_of_client_tools_only() {
        let body = r#"{"input":[{"type":"message","role":"user","content":"no"},
            {"type":"function_call_output","output":"yes 1"},
            {"type":"custom_tool_call_output","output":[{"type":"input_text","text":"yes 2"},{"type":"input_image","text":"no"}]},
            {"type":"local_shell_call_output","output":"yes 3"},
            {"type":"shell_call_output","output":[{"stdout":"yes 4","stderr":"yes 5","outcome":{"type":"exit"}}]},
            {"type":"apply_patch_call_output","status":"completed","output":"yes 6"},
            {"type":"apply_patch_call_output","status":"failed","output":"no"},
            {"type":"mcp_call","output":"no"},{"type":"reasoning","encrypted_content":"no"}]}"#;
        assert_eq!(texts(Api::OpenAiResponses, body), ["yes 1", "yes 2", "yes 3", "yes 4", "yes 5", "yes 6"]);
    }

    #[test]
    fn gemini_leaves_of_responses_only() {
        let body = r#"{"contents":[{"role":"user","parts":[{"text":"no"}]},
            {"role":"model","parts":[{"functionResponse":{"response":{"output":"no"}}}]},
            {"role":"user","parts":[{"functionResponse":{"name":"no","response":{"output":"yes 1","more":["yes 2",1]}}},
            {"function_response":{"response":{"a":{"b":"yes 3"}}}},
            {"functionResponse":{"response":{"error":"no"}}}]}]}"#;
        assert_eq!(texts(Api::Gemini, body), ["yes 1", "yes 2", "yes 3"]);
    }

    #[test]
    fn converse_text_and_json_of_results_only() {
        let body = r#"{"messages":[{"role":"user","content":[{"text":"no"},
            {"toolResult":{"toolUseId":"no","content":[{"text":"yes 1"},{"json":{"k":"yes 2","n":1}},{"document":{"name":"no"}}]}},
            {"toolResult":{"status":"error","content":[{"text":"no"}]}}]}]}"#;
        assert_eq!(texts(Api::Converse, body), ["yes 1", "yes 2"]);
    }

    #[test]
    fn other_shapes_have_no_spans() {
        for &api in Api::ALL {
            for body in [
                "[]",
                "1",
                r#"{"messages":"hi","input":"hi","contents":"hi"}"#,
                r#"{"messages":[1,[],null]}"#,
            ] {
                assert_eq!(texts(api, body), [""; 0], "{api} {body}");
            }
        }
    }
}
