//! Generates conversations without recorded data: an agent works on generated tool output.

use headroom_core::Api;
use serde_json::{Value, json};

use super::{Needle, Trace, recording};
use crate::conformance::output::{Output, Planted};

/// The agent's steps, turn by turn: it reads a file, searches, runs the tests, and reads the file again.
const WORK: [(Output, usize, u64); 12] = [
    (Output::Listing, 160, 1),
    (Output::FileRead, 180, 2),
    (Output::Search, 90, 3),
    (Output::FileRead, 180, 2),
    (Output::TestRun, 220, 4),
    (Output::ServerLog, 260, 5),
    (Output::Records, 120, 6),
    (Output::FileRead, 180, 2),
    (Output::Table, 60, 7),
    (Output::Diff, 12, 8),
    (Output::TestRun, 220, 4),
    (Output::JsonLines, 140, 9),
];

/// Generates four conversations, two each in the formats of Anthropic and OpenAI. In every result one row is named by
/// the message after the next.
#[must_use]
pub fn made() -> Vec<Trace> {
    let one = |(api, seed)| conversation(api, seed);
    [(Api::Anthropic, 10), (Api::Anthropic, 20), (Api::OpenAiChat, 30), (Api::OpenAiChat, 40)]
        .into_iter()
        .filter_map(one)
        .collect()
}

fn conversation(api: Api, seed: u64) -> Option<Trace> {
    let mut messages =
        vec![json!({"role": "user", "content": "Ships are counted twice. Find out why and mend it."})];
    let mut needles: Vec<Needle> = Vec::new();
    for (n, (output, rows, salt)) in WORK.into_iter().enumerate() {
        // Reading a file again gives the same result.
        let word = format!("kestrel{}", seed * 100 + salt);
        let planted = Planted { at: rows / 3, word: &word, stands_out: output.has_outliers() };
        let text = output.text(rows, seed + salt, Some(planted));
        let (tool, arguments) = output.call(None);
        let said = match needles.last() {
            Some(needle) => format!("Because of {} I look on.", needle.text),
            None => "I look around.".to_owned(),
        };
        if let Some(needle) = needles.last_mut() {
            needle.used = messages.len();
        }
        let id = format!("call_{seed}_{n}");
        messages.extend(exchange(api, &id, &said, tool, &arguments, &text));
        needles.push(Needle { text: word, tool: tool.to_owned(), distance: 1, used: usize::MAX });
    }
    messages.push(json!({"role": "assistant", "content": "It is mended."}));
    needles.retain(|needle| needle.used != usize::MAX);
    let tool = |name: &str| match api {
        Api::Anthropic => {
            json!({"name": name, "description": "Runs it.", "input_schema": {"type": "object", "properties": {}}})
        }
        _ => {
            json!({"type": "function", "function": {"name": name, "description": "Runs it.", "parameters": {"type": "object", "properties": {}}}})
        }
    };
    let tools = ["run_command", "read_file", "search_files"].map(tool);
    let mut request = json!({"model": "gpt-4o", "tools": tools, "messages": messages});
    if api == Api::Anthropic
        && let Some(members) = request.as_object_mut()
    {
        members.insert("system".to_owned(), json!("You are an agent that mends programs."));
    }
    let node = serde_json::from_value(request).ok()?;
    let conversation = recording::from_node(node)?;
    Some(Trace { name: format!("made-{api}-{seed}"), agent: "made here", api, conversation, needles })
}

fn exchange(api: Api, id: &str, said: &str, tool: &str, arguments: &Value, text: &str) -> [Value; 2] {
    if api == Api::Anthropic {
        return [
            json!({"role": "assistant", "content": [{"type": "text", "text": said}, {"type": "tool_use", "id": id, "name": tool, "input": arguments}]}),
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]}),
        ];
    }
    let function = json!({"name": tool, "arguments": arguments.to_string()});
    [
        json!({"role": "assistant", "content": said, "tool_calls": [{"id": id, "type": "function", "function": function}]}),
        json!({"role": "tool", "tool_call_id": id, "content": text}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_the_same_every_time() {
        let bodies = || {
            let one = |trace: Trace| trace.conversation.request_with(999, |_| {}).unwrap();
            made().into_iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(bodies().len(), 4);
        assert_eq!(bodies(), bodies());
        assert!(made().iter().all(|trace| trace.needles.len() > 8));
    }
}
