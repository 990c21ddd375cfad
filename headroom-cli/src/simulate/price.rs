//! What a provider with a prompt cache charges for the requests of one conversation.

use std::collections::HashMap;

use super::node::Node;

/// Price of a token that is written to the cache, in prices of an input token.
const WRITE: f64 = 1.25;
/// Price of one that is read from it.
const READ: f64 = 0.1;

/// Counts each text once.
#[derive(Default)]
pub(super) struct Tokens {
    known: HashMap<String, Block>,
}

/// A text, and its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    id: usize,
    tokens: u64,
}

/// The tokens of a conversation's requests, one after the other.
#[derive(Debug, Default)]
pub(super) struct Bill {
    read: u64,
    written: u64,
    /// Of the newest request.
    pub(super) tokens: u64,
    last: Vec<Block>,
}

impl Tokens {
    fn block(&mut self, text: String) -> Block {
        let id = self.known.len();
        *self
            .known
            .entry(text)
            .or_insert_with_key(|text| Block { id, tokens: bpe_openai::o200k_base().count(text) as u64 })
    }

    /// The blocks of a request in the order in which a provider renders them: tools, system prompt, messages.
    pub(super) fn blocks(&mut self, request: &Node) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let items = |key| request.get(key).and_then(Node::list).unwrap_or_default();
        for tool in items("tools") {
            blocks.push(self.block(text(tool)));
        }
        for key in ["system", "instructions", "systemInstruction"] {
            if let Some(system) = request.get(key).filter(|system| **system != Node::Null) {
                blocks.push(self.block(text(system)));
            }
        }
        for message in items("messages") {
            match message.get("content") {
                Some(Node::List(parts)) => blocks.extend(parts.iter().map(|part| self.block(text(part)))),
                Some(content)
                    if message.members().iter().all(|(name, _)| name == "role" || name == "content") =>
                {
                    // A string is one block of text.
                    blocks.push(self.block(text(&Node::object([("text", content.clone())]))));
                }
                _ => {
                    let rest = message.members().iter().filter(|(name, _)| name != "role").cloned().collect();
                    blocks.push(self.block(text(&Node::Object(rest))));
                }
            }
        }
        for item in items("input") {
            blocks.push(self.block(text(item)));
        }
        for content in items("contents") {
            let parts = content.get("parts").and_then(Node::list).unwrap_or_default();
            blocks.extend(parts.iter().map(|part| self.block(text(part))));
        }
        blocks
    }
}

impl Bill {
    /// Adds the conversation's next request. Blocks are in the cache as far as they are those of the last one.
    pub(super) fn add(&mut self, blocks: Vec<Block>) {
        let same = self.last.iter().zip(&blocks).take_while(|(last, block)| last == block).count();
        let sum = |blocks: &[Block]| blocks.iter().map(|block| block.tokens).sum::<u64>();
        let (read, written) = blocks.split_at_checked(same).unwrap_or((&blocks, &[]));
        let (read, written) = (sum(read), sum(written));
        self.read += read;
        self.written += written;
        self.tokens = read + written;
        self.last = blocks;
    }

    /// In prices of an input token.
    pub(super) fn price(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no conversation has 2^53 tokens")]
        let (read, written) = (self.read as f64, self.written as f64);
        READ * read + WRITE * written
    }
}

/// What a model reads of a block: its strings without JSON's escapes, and the keys.
fn text(node: &Node) -> String {
    let mut parts = Vec::new();
    walk(node, &mut parts);
    parts.join("\n")
}

/// Keys that providers do not show to a model.
const HIDDEN: [&str; 5] = ["signature", "id", "tool_use_id", "tool_call_id", "type"];

fn walk(node: &Node, parts: &mut Vec<String>) {
    match node {
        Node::Null => {}
        Node::Text(text) => parts.push(text.clone()),
        Node::Scalar(value) => parts.push(value.to_string()),
        Node::List(items) => items.iter().for_each(|item| walk(item, parts)),
        Node::Object(members) => {
            for (name, value) in members {
                if name != "cache_control" && !HIDDEN.contains(&name.as_str()) {
                    parts.push(name.clone());
                    walk(value, parts);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(json: &str) -> Node {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_block_is_what_the_model_reads() {
        let block = node(
            r#"{"type":"tool_use","id":"x","name":"Bash","input":{"n":1,"b":true,"c":null},"cache_control":{"type":"ephemeral"}}"#,
        );
        assert_eq!(text(&block), "name\nBash\ninput\nn\n1\nb\ntrue\nc");
    }

    #[test]
    fn what_stood_there_before_is_read_and_the_rest_is_written() {
        let mut tokens = Tokens::default();
        let mut bill = Bill::default();
        let first = node(r#"{"messages":[{"role":"user","content":"one two three"}]}"#);
        let second = node(
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"one two three"}]},{"role":"assistant","content":"four"}]}"#,
        );
        bill.add(tokens.blocks(&first));
        let one = bill.tokens;
        bill.add(tokens.blocks(&second));
        // "text" and the words, with a line end between.
        assert_eq!((bill.read, bill.written), (one, bill.tokens));
        let changed =
            node(r#"{"messages":[{"role":"user","content":"other"},{"role":"assistant","content":"four"}]}"#);
        let read = bill.read;
        bill.add(tokens.blocks(&changed));
        assert_eq!(bill.read, read, "nothing behind a change is read");
    }
}
