//! Reads sessions of Claude Code: one line for each block of each message, among other lines.

use super::{Conversation, Node, tools};

pub(super) fn read(lines: &[Node]) -> Vec<Conversation> {
    let mut conversations = Vec::new();
    let mut messages: Vec<(Option<String>, Node)> = Vec::new();
    for line in lines {
        // A compaction restarts the conversation with a summary.
        if line.word("subtype") == Some("compact_boundary") {
            conversations.extend(conversation(std::mem::take(&mut messages)));
            continue;
        }
        let kind = line.word("type");
        let Some(message) = line.get("message").filter(|_| matches!(kind, Some("user" | "assistant"))) else {
            continue;
        };
        // Sub-agents have conversations of their own, which are not recorded here in full.
        if line.is_true("isSidechain") || message.word("role") != kind {
            continue;
        }
        let id = message.word("id").map(str::to_owned);
        let content = blocks(message.get("content"));
        match messages.last_mut() {
            // Adjacent blocks of one role are one message on the wire.
            Some((last, earlier))
                if earlier.word("role") == kind && (kind == Some("user") || *last == id) =>
            {
                append(earlier, content);
            }
            _ => {
                let role = Node::from_text(kind.unwrap_or_default());
                messages.push((id, Node::object([("role", role), ("content", Node::List(content))])));
            }
        }
    }
    conversations.extend(conversation(messages));
    conversations
}

fn blocks(content: Option<&Node>) -> Vec<Node> {
    match content {
        Some(Node::List(blocks)) => blocks.clone(),
        Some(Node::Text(text)) => {
            vec![Node::object([("type", Node::from_text("text")), ("text", Node::from_text(text))])]
        }
        _ => Vec::new(),
    }
}

fn append(message: &mut Node, blocks: Vec<Node>) {
    if let Node::Object(members) = message
        && let Some((_, Node::List(content))) = members.iter_mut().find(|(name, _)| name == "content")
    {
        content.extend(blocks);
    }
}

fn conversation(messages: Vec<(Option<String>, Node)>) -> Option<Conversation> {
    let messages: Vec<Node> = messages.into_iter().map(|(_, message)| message).collect();
    let calls = messages.iter().filter_map(|message| message.get("content")?.list()).flatten();
    let names =
        calls.filter(|block| block.word("type") == Some("tool_use")).filter_map(|block| block.word("name"));
    let tools = tools(names, |name| {
        let schema = Node::object([("type", Node::from_text("object"))]);
        Node::object([("name", Node::from_text(name)), ("input_schema", schema)])
    });
    let head = vec![
        ("model".to_owned(), Node::from_text("claude")),
        ("max_tokens".to_owned(), Node::Scalar(8192.into())),
        ("tools".to_owned(), tools),
    ];
    Conversation::new(head, "messages", messages, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_the_messages_that_were_sent() {
        let lines = r#"{"type":"summary","summary":"x"}
{"type":"user","message":{"role":"user","content":"why?"}}
{"type":"assistant","message":{"role":"assistant","id":"m1","content":[{"type":"thinking","thinking":"t"}]}}
{"type":"assistant","message":{"role":"assistant","id":"m1","content":[{"type":"tool_use","id":"a","name":"Bash","input":{}}]}}
{"type":"assistant","isSidechain":true,"message":{"role":"assistant","id":"s","content":[]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}}
{"type":"user","message":{"role":"user","content":"go on"}}
{"type":"assistant","message":{"role":"assistant","id":"m2","content":[{"type":"text","text":"done"}]}}
{"type":"system","subtype":"compact_boundary"}
{"type":"user","message":{"role":"user","content":"summary"}}
{"type":"assistant","message":{"role":"assistant","id":"m3","content":[{"type":"text","text":"yes"}]}}"#;
        let lines: Vec<Node> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let found = read(&lines);
        let turns: Vec<_> = found.iter().map(|conversation| conversation.turns.clone()).collect();
        assert_eq!(turns, [vec![1, 3], vec![1]]);
        let request = String::from_utf8(found[0].request(3).unwrap()).unwrap();
        assert!(request.contains(r#""tools":[{"name":"Bash","#), "{request}");
        assert!(
            request.contains(
                r#"{"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"tool_use""#
            ),
            "{request}"
        );
        assert!(request.ends_with(r#""content":"r"},{"type":"text","text":"go on"}]}]}"#), "{request}");
    }
}
