//! A request as the provider sees it: a head and a list of blocks, independent of spelling.

use headroom_core::Api;

use crate::conformance::json::{Id, Json, Kind};

/// Returns the blocks of a conversation in order, each in one canonical spelling.
///
/// A string as content equals one text block, and adjacent messages of one role equal one message. `cache_control` and
/// the like, white space and escapes are ignored. Turns of real clients differ in these without losing prompt cache
/// hits.
#[must_use]
pub fn blocks(api: Api, json: &Json<'_>) -> Vec<String> {
    let root = json.root();
    let mut out = Vec::new();
    let list = |key| json.array(root, key).unwrap_or_default();
    match api {
        Api::OpenAiChat => out.extend(list("messages").iter().map(|id| canonical(json, *id))),
        Api::OpenAiResponses => match json.text_of(root, "input") {
            Some(text) => out.push(format!("user {text}")),
            None => out.extend(list("input").iter().map(|id| canonical(json, *id))),
        },
        _ => {
            let (key, inner) =
                if api == Api::Gemini { ("contents", "parts") } else { ("messages", "content") };
            for message in list(key) {
                let role = json.text_of(*message, "role").unwrap_or_default();
                match json.member(*message, inner).one() {
                    Some(id) if json.kind(id) == Kind::Array => {
                        out.extend(
                            json.children(id).iter().map(|id| format!("{role} {}", canonical(json, *id))),
                        );
                    }
                    Some(id) => out.push(format!("{role} {}", text_block(json, id))),
                    None => out.push(format!("{role} {}", canonical(json, *message))),
                }
            }
        }
    }
    out
}

/// Whether a block that [`blocks`] returned may be words of the user rather than a result.
#[must_use]
pub fn is_words_of_user(block: &str) -> bool {
    let result = ["\"tool_result\"", "\"toolResult\"", "\"functionResponse\"", "\"function_response\""];
    (block.starts_with("user ") || block.contains("\"role\":\"user\""))
        && !result.iter().any(|name| block.contains(name))
}

/// Returns everything in the head that may affect how blocks are edited: the model, the instructions, and the tools
/// that are not deferred.
#[must_use]
pub fn head(api: Api, json: &Json<'_>) -> String {
    let root = json.root();
    let mut out = String::new();
    for key in [
        "model",
        "system",
        "instructions",
        "systemInstruction",
        "toolConfig",
        "context_management",
        "truncation",
        "previous_response_id",
        "conversation",
        "cachedContent",
        "tool_choice",
        "thread",
    ] {
        if let Some(id) = json.member(root, key).one() {
            out.push_str(&format!("{key}={} ", canonical(json, id)));
        }
    }
    for tool in json.array(root, "tools").unwrap_or_default() {
        if json.member(*tool, "defer_loading").one().is_none() {
            out.push_str(&canonical(json, *tool));
        }
    }
    if api == Api::OpenAiResponses {
        // Some clients put their tools into the first item. It is a block too, but affects edits as the head does.
        out.extend(json.array(root, "input").and_then(<[Id]>::first).map(|id| canonical(json, *id)));
    }
    out
}

/// Returns the canonical spelling of a value.
#[must_use]
pub fn canonical(json: &Json<'_>, id: Id) -> String {
    enum Task<'t> {
        Value(Id),
        Text(&'t str),
        Key(String),
    }
    let mut out = String::new();
    let mut open = vec![Task::Value(id)];
    while let Some(task) = open.pop() {
        let id = match task {
            Task::Value(id) => id,
            Task::Text(text) => {
                out.push_str(text);
                continue;
            }
            Task::Key(key) => {
                out.push_str(&key);
                continue;
            }
        };
        let (children, brackets): (Vec<Id>, _) = match json.kind(id) {
            Kind::Array => (json.children(id).to_vec(), ("[", "]")),
            Kind::Object => {
                let counts = |child: &Id| {
                    !matches!(json.key(*child).as_deref(), Some("cache_control" | "prompt_cache_breakpoint"))
                };
                (json.children(id).iter().copied().filter(counts).collect(), ("{", "}"))
            }
            _ => {
                out.push_str(&scalar(json, id));
                continue;
            }
        };
        out.push_str(brackets.0);
        open.push(Task::Text(brackets.1));
        for (n, child) in children.into_iter().enumerate().rev() {
            let key = json.key(child);
            let text = key.as_deref() == Some("content") && json.kind(child) == Kind::String;
            if text {
                // As content, a string equals one text block.
                open.push(Task::Key(format!("[{}]", text_block(json, child))));
            } else {
                open.push(Task::Value(child));
            }
            if let Some(key) = key {
                open.push(Task::Key(format!("{key:?}:")));
            }
            if n > 0 {
                open.push(Task::Text(","));
            }
        }
    }
    out
}

/// Spells a value that has no others within it. A string is spelled by what it says, where it says something.
fn scalar(json: &Json<'_>, id: Id) -> String {
    let text = if json.kind(id) == Kind::String { json.text(id) } else { None };
    match text {
        Some(text) => String::from_utf8_lossy(&crate::conformance::json::encode(&text)).into_owned(),
        None => String::from_utf8_lossy(json.raw(id)).into_owned(),
    }
}

fn text_block(json: &Json<'_>, id: Id) -> String {
    format!("{{\"type\":\"text\",\"text\":{}}}", canonical(json, id))
}

/// Counts the blocks that two requests share from the start.
#[must_use]
pub fn common(a: &[String], b: &[String]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation_texts(api: Api, body: &str) -> Vec<String> {
        blocks(api, &Json::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn spelling_does_not_count() {
        let a = r#"{"messages":[{"role":"user","content":"é"},{"role":"user","content":[{"type":"tool_result","content":"x"}]}]}"#;
        let b = r#"{"messages":[{"content":[{"type":"text", "text":"\u00e9","cache_control":{"type":"ephemeral"}},
            {"type":"tool_result","content":[{"type":"text","text":"x"}],"cache_control":null}],"role":"user"}]}"#;
        assert_eq!(conversation_texts(Api::Anthropic, a), conversation_texts(Api::Anthropic, b));
        assert_eq!(conversation_texts(Api::Anthropic, a).len(), 2);
    }

    #[test]
    fn text_does_count() {
        let body = |text: &str| format!(r#"{{"messages":[{{"role":"tool","content":"{text}"}}]}}"#);
        assert_ne!(
            conversation_texts(Api::OpenAiChat, &body("a")),
            conversation_texts(Api::OpenAiChat, &body("b"))
        );
        assert_ne!(
            conversation_texts(Api::OpenAiChat, &body(r"\ud800")),
            conversation_texts(Api::OpenAiChat, &body(r"\ud801"))
        );
    }

    #[test]
    fn appended_blocks_leave_a_common_prefix() {
        let a = conversation_texts(Api::OpenAiResponses, r#"{"input":[1,2]}"#);
        let b = conversation_texts(Api::OpenAiResponses, r#"{"input":[1,2,3]}"#);
        assert_eq!(common(&a, &b), 2);
    }
}
