//! Reads request bodies, alone or as the `request` of a record.

use super::{Conversation, Node};

pub(super) fn read(node: Node) -> Option<Conversation> {
    let Node::Object(members) = node else { return None };
    let list = Conversation::LISTS.into_iter().find(|list| {
        members
            .iter()
            .any(|(name, value)| name == list && value.list().is_some_and(|items| !items.is_empty()))
    });
    let Some(list) = list else {
        let (_, request) = members.into_iter().find(|(name, _)| name == "request" || name == "body")?;
        return read(request);
    };
    let mut messages = Vec::new();
    let head = members.into_iter().map(|(name, value)| match value {
        Node::List(items) if name == list => {
            messages = items;
            (name, Node::Null)
        }
        value => (name, value),
    });
    let head = head.collect();
    // Items of the Responses API are parts of an answer; a message is a whole answer.
    Conversation::new(head, list, messages, list != "input")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(json: &str) -> Option<Conversation> {
        read(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn every_answer_of_the_model_is_a_turn() {
        for (json, turns) in [
            (
                r#"{"messages": [{"role": "user"}, {"role": "assistant"}, {"role": "tool"}, {"role": "assistant"}]}"#,
                vec![1, 3],
            ),
            (r#"{"meta": 1, "request": {"contents": [{"role": "user"}, {"role": "model"}]}}"#, vec![1]),
            (
                r#"{"input": [{"role": "user", "type": "message"}, {"type": "reasoning"}, {"type": "function_call"},
                    {"type": "function_call_output"}, {"role": "assistant", "type": "message"}]}"#,
                vec![1, 4],
            ),
        ] {
            assert_eq!(conversation(json).unwrap().turns, turns, "{json}");
        }
        for json in
            ["[]", "{}", r#"{"messages": []}"#, r#"{"messages": [{"role": "user"}]}"#, r#"{"input": "text"}"#]
        {
            assert_eq!(conversation(json), None, "{json}");
        }
    }

    #[test]
    fn a_request_has_its_members_in_their_order() {
        let found = conversation(
            r#"{"b": 1.5, "messages": [{"role": "user", "z": 1, "a": 2}, {"role": "assistant"}], "a": null}"#,
        );
        let request = found.unwrap().request(1).unwrap();
        assert_eq!(
            String::from_utf8(request).unwrap(),
            r#"{"b":1.5,"messages":[{"role":"user","z":1,"a":2}],"a":null}"#
        );
    }
}
