//! What providers refuse.

use serde_json::{Value, json};

/// A message with its content as blocks, without cache markers.
fn blocks(message: &Value) -> Vec<Value> {
    match &message["content"] {
        Value::String(text) => vec![json!({"type":"text","text":text})],
        content => content.as_array().cloned().unwrap_or_default(),
    }
}

fn is_thinking(block: &Value) -> bool {
    block["type"] == "thinking"
}

fn hash(value: &Value) -> String {
    blake3::hash(value.to_string().as_bytes()).to_hex().as_str()[..32].to_owned()
}

/// All that stands before a block, as thinking is bound to it.
fn prefix(body: &Value, messages: &[Value], within: &[Value]) -> String {
    let bare =
        |blocks: Vec<Value>| blocks.into_iter().filter(|block| !is_thinking(block)).collect::<Vec<_>>();
    let mut before: Vec<_> =
        messages.iter().map(|message| json!([message["role"], bare(blocks(message))])).collect();
    if !within.iter().all(is_thinking) {
        before.push(json!(["assistant", bare(within.to_vec())]));
    }
    hash(&json!([body["system"], body["tools"], before]))
}

/// A signature as the provider makes it: bound to what came before, and to the thinking before.
pub(in crate::server_tool::tests) fn sign(body: &Value, n: usize) -> String {
    let messages = body["messages"].as_array().unwrap();
    let before = messages.iter().flat_map(blocks).rfind(is_thinking);
    let before = before.map(|block| hash(&block["signature"])).unwrap_or_default();
    format!("{}:{before}:{n}", prefix(body, messages, &[]))
}

pub(in crate::server_tool::tests) fn anthropic_refuses(body: &Value, messages: &[Value]) -> Option<String> {
    let mut last: Option<String> = None;
    for (i, message) in messages.iter().enumerate() {
        let blocks = blocks(message);
        let of = |blocks: &[Value], kind: &str, key: &str| -> Vec<String> {
            let own = blocks.iter().filter(|block| block["type"] == kind);
            own.map(|block| block[key].as_str().unwrap().to_owned()).collect()
        };
        let calls = of(&blocks, "tool_use", "id");
        let next = messages.get(i + 1).map(self::blocks).unwrap_or_default();
        let results = of(&next, "tool_result", "tool_use_id");
        if calls != results {
            return Some(format!(
                "messages.{i}: `tool_use` ids were found without `tool_result` blocks immediately after"
            ));
        }
        for (j, block) in blocks.iter().enumerate().filter(|(_, block)| is_thinking(block)) {
            let signature = block["signature"].as_str().unwrap();
            let bound: Vec<_> = signature.split(':').collect();
            let fits = bound[0] == prefix(body, &messages[..i], &blocks[..j])
                && last.as_ref().is_none_or(|last| bound[1] == *last);
            if !fits {
                return Some(format!(
                    "messages.{i}.content.{j}: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to \"drop_block\"."
                ));
            }
            last = Some(hash(&block["signature"]));
        }
    }
    None
}

pub(super) fn chat_refuses(messages: &[Value]) -> Option<String> {
    let calls =
        messages.iter().flat_map(|message| message["tool_calls"].as_array().cloned().unwrap_or_default());
    let calls: Vec<_> = calls.map(|call| call["id"].clone()).collect();
    let results: Vec<_> = messages
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| message["tool_call_id"].clone())
        .collect();
    (calls != results)
        .then(|| "An assistant message with 'tool_calls' must be followed by tool messages".to_owned())
}

pub(super) fn gemini_refuses(contents: &[Value]) -> Option<String> {
    let of = |content: &Value, key: &str| -> Vec<Value> {
        let parts = content["parts"].as_array().cloned().unwrap_or_default();
        parts.into_iter().filter(|part| part.get(key).is_some()).collect()
    };
    for (at, content) in contents.iter().enumerate() {
        let calls = of(content, "functionCall");
        let results = contents.get(at + 1).map(|next| of(next, "functionResponse").len()).unwrap_or_default();
        if calls.len() != results {
            return Some(
                "The number of function response parts must be equal to that of function call parts"
                    .to_owned(),
            );
        }
        if calls.first().is_some_and(|call| call.get("thoughtSignature").is_none()) {
            return Some("Function call is missing a thought_signature in functionCall parts.".to_owned());
        }
    }
    None
}
