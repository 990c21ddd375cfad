//! What reached the provider of a rebuilt request.

use std::collections::{HashMap, HashSet};

use super::{ContextBlock, Node, as_text, body::RECORDED};

/// What a provider gets of a rebuilt request.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// The text of each result, by the id of its call.
    results: HashMap<String, String>,
    /// The blocks of thinking.
    thinking: HashSet<u32>,
}

impl Sent {
    /// Reads a body that was made by [`RecordedSession::body`](super::RecordedSession::body) and then changed.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Self {
        let mut sent = Self::default();
        let Ok(body) = serde_json::from_slice::<Node>(body) else { return sent };
        let list = |key| body.get(key).and_then(Node::list).unwrap_or_default();
        let parts =
            |message: &'_ Node| message.get("content").and_then(Node::list).unwrap_or_default().to_vec();
        for item in list("messages").iter().flat_map(parts).chain(list("input").iter().cloned()) {
            let call = item.word("tool_use_id").or_else(|| item.word("call_id"));
            let content = item.get("content").or_else(|| item.get("output"));
            match (item.word("type"), call) {
                (Some("thinking"), _) => {
                    let id = item.word("signature").and_then(|signature| signature.strip_prefix(RECORDED));
                    sent.thinking.extend(id.and_then(|id| id.split_once('.')?.0.parse::<u32>().ok()));
                }
                (Some(kind), Some(call)) if kind == "tool_result" || kind.ends_with("_output") => {
                    sent.results.insert(call.to_owned(), as_text(content));
                }
                _ => {}
            }
        }
        sent
    }

    /// Returns what is left of a result's text.
    #[must_use]
    pub fn result(&self, block: &ContextBlock) -> Option<&str> {
        self.results.get(block.call.as_deref()?).map(String::as_str)
    }

    /// Whether a block of thinking is still there.
    #[must_use]
    pub fn has_thinking(&self, block: u32) -> bool {
        self.thinking.contains(&block)
    }
}
