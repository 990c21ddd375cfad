//! Reads rollouts of Codex: items of the Responses API among events.

use super::{Conversation, Node, tools};

pub(super) fn read(lines: &[Node]) -> Vec<Conversation> {
    let mut conversations = Vec::new();
    let mut instructions = None;
    let mut items: Vec<Node> = Vec::new();
    for line in lines {
        let Some(payload) = line.get("payload") else { continue };
        match line.word("type") {
            Some("session_meta") => {
                let base = payload.get("base_instructions").and_then(|base| base.word("text"));
                instructions = base.or_else(|| payload.word("instructions")).map(str::to_owned);
            }
            Some("response_item") => items.push(payload.clone()),
            // The replacement restarts the history.
            Some("compacted") => {
                conversations.extend(conversation(instructions.as_deref(), std::mem::take(&mut items)));
                items.extend(
                    payload
                        .get("replacement_history")
                        .and_then(Node::list)
                        .unwrap_or_default()
                        .iter()
                        .cloned(),
                );
            }
            _ => {}
        }
    }
    conversations.extend(conversation(instructions.as_deref(), items));
    conversations
}

fn conversation(instructions: Option<&str>, items: Vec<Node>) -> Option<Conversation> {
    let calls = items.iter().filter(|item| item.word("type").is_some_and(|kind| kind.ends_with("_call")));
    let names = calls.filter_map(|item| item.word("name"));
    let tools = tools(names, |name| {
        let schema = Node::object([("type", Node::from_text("object"))]);
        Node::object([
            ("type", Node::from_text("function")),
            ("name", Node::from_text(name)),
            ("parameters", schema),
        ])
    });
    let mut head = vec![("model".to_owned(), Node::from_text("gpt-5.5"))];
    head.extend(instructions.map(|text| ("instructions".to_owned(), Node::from_text(text))));
    head.extend([
        ("input".to_owned(), Node::Null),
        ("tools".to_owned(), tools),
        ("store".to_owned(), Node::Scalar(false.into())),
    ]);
    Conversation::new(head, "input", items, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_become_the_input_that_was_sent() {
        let lines = r#"{"type":"session_meta","payload":{"id":"1","base_instructions":{"text":"be brief"}}}
{"type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"why?"}]}}
{"type":"event_msg","payload":{"type":"token_count"}}
{"type":"response_item","payload":{"type":"reasoning","encrypted_content":"x"}}
{"type":"response_item","payload":{"type":"function_call","name":"shell","arguments":"{}","call_id":"a"}}
{"type":"response_item","payload":{"type":"function_call_output","call_id":"a","output":"r"}}
{"type":"response_item","payload":{"type":"message","role":"assistant","content":[]}}"#;
        let lines: Vec<Node> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let found = read(&lines);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].turns, [1, 4]);
        let request = String::from_utf8(found[0].request(4).unwrap()).unwrap();
        assert!(
            request
                .starts_with(r#"{"model":"gpt-5.5","instructions":"be brief","input":[{"type":"message","#),
            "{request}"
        );
        assert!(request.contains(r#"}],"tools":[{"type":"function","name":"shell","#), "{request}");
    }
}
