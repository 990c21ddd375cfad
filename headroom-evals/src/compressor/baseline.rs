//! Baselines: what agents do without Headroom, which is to send everything, forget old results, or truncate long ones.

use super::{Compressor, Failed, Sent, Turn};
use crate::ordered_json::Node;

/// Sends every request unchanged.
#[derive(Clone, Copy, Debug)]
pub struct Whole;

impl Compressor for Whole {
    fn name(&self) -> &str {
        "no compression"
    }

    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed> {
        Ok(Sent { body: turn.body.to_vec(), ..Sent::default() })
    }
}

/// Observation masking: shows only the newest results and replaces the others by a note.
#[derive(Clone, Debug)]
pub struct Masking {
    keep: usize,
    name: String,
}

impl Masking {
    /// Shows the newest `keep` results.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self { keep, name: format!("masking, last {keep} results") }
    }
}

impl Compressor for Masking {
    fn name(&self) -> &str {
        &self.name
    }

    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed> {
        edit(turn.body, |results| {
            let old = results.len().saturating_sub(self.keep);
            for result in results.into_iter().take(old) {
                *result = Node::from_text("[Old tool result content cleared]");
            }
        })
    }
}

/// Truncates long results in the middle.
#[derive(Clone, Debug)]
pub struct Truncation {
    end: usize,
    name: String,
}

impl Truncation {
    /// Shows `end` characters of each end.
    #[must_use]
    pub fn new(end: usize) -> Self {
        Self { end, name: format!("truncation, {} characters", 2 * end) }
    }
}

impl Compressor for Truncation {
    fn name(&self) -> &str {
        &self.name
    }

    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed> {
        edit(turn.body, |results| results.into_iter().for_each(|result| cut(result, self.end)))
    }
}

fn cut(node: &mut Node, end: usize) {
    match node {
        Node::Text(text) => {
            let count = text.chars().count();
            if count > 2 * end {
                let head: String = text.chars().take(end).collect();
                let tail: String = text.chars().skip(count - end).collect();
                *text = format!("{head}\n[... {} characters truncated ...]\n{tail}", count - 2 * end);
            }
        }
        Node::List(items) => items.iter_mut().for_each(|item| cut(item, end)),
        Node::Object(members) => {
            members.iter_mut().filter(|(key, _)| key == "text").for_each(|(_, value)| cut(value, end));
        }
        Node::Null | Node::Scalar(_) => {}
    }
}

/// Edits the tool results of a request.
fn edit(body: &[u8], with: impl FnOnce(Vec<&mut Node>)) -> Result<Sent, Failed> {
    let failed = |error: serde_json::Error| Failed(error.to_string());
    let mut request: Node = serde_json::from_slice(body).map_err(failed)?;
    with(results(&mut request));
    Ok(Sent { body: serde_json::to_vec(&request).map_err(failed)?, ..Sent::default() })
}

/// Returns the tool results of an Anthropic Messages or OpenAI Chat Completions request, oldest first.
fn results(request: &mut Node) -> Vec<&mut Node> {
    let mut found = Vec::new();
    let Some(Node::List(messages)) = member(request, "messages") else { return found };
    for message in messages {
        let is_tool = message.word("role") == Some("tool");
        match member(message, "content") {
            Some(content) if is_tool => found.push(content),
            Some(Node::List(blocks)) => {
                let of_tools = blocks.iter_mut().filter(|block| block.word("type") == Some("tool_result"));
                found.extend(of_tools.filter_map(|block| member(block, "content")));
            }
            _ => {}
        }
    }
    found
}

fn member<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    let Node::Object(members) = node else { return None };
    members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use headroom_core::Api;

    use super::*;

    fn sent(compressor: &mut dyn Compressor, body: &str) -> String {
        let turn = Turn { api: Api::Anthropic, conversation: "", body: body.as_bytes(), answer: None };
        String::from_utf8(compressor.compress(&turn).unwrap().body).unwrap()
    }

    const BODY: &str = r#"{"messages":[{"role":"user","content":"abcdefgh"},{"role":"user","content":[{"type":"tool_result","content":"abcdefgh"}]},{"role":"tool","content":[{"type":"text","text":"ijklmnop"}]}]}"#;

    #[test]
    fn old_results_are_masked() {
        let after = sent(&mut Masking::new(1), BODY);
        assert_eq!(
            after,
            BODY.replace(
                r#""tool_result","content":"abcdefgh""#,
                r#""tool_result","content":"[Old tool result content cleared]""#
            )
        );
        assert_eq!(sent(&mut Masking::new(2), BODY), BODY);
    }

    #[test]
    fn long_results_lose_their_middle() {
        let after = sent(&mut Truncation::new(2), BODY);
        assert!(after.contains(r#""content":"abcdefgh"}"#), "the user's text stays: {after}");
        assert!(after.contains(r"ab\n[... 4 characters truncated ...]\ngh"), "{after}");
        assert!(after.contains(r"ij\n[... 4 characters truncated ...]\nop"), "{after}");
    }
}
