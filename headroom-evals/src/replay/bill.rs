//! Computes the price of a conversation's requests at a provider with a prompt cache.

use std::collections::HashMap;

use headroom_core::Vocabulary;
use serde::Serialize;

use crate::ordered_json::Node;

/// A provider's prices for the tokens of a prompt.
///
/// Prices are in thousandths of the price of an input token, so that sums are exact on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Prices {
    /// The provider and the kind of cache.
    pub name: &'static str,
    /// Price of a token that was not read from the cache.
    pub write: u64,
    /// Price of a token read from the cache.
    pub read: u64,
    /// Minimum length in tokens of a prompt that is cached.
    pub least: u64,
    /// Cache reads are a multiple of this many tokens.
    pub step: u64,
}

impl Prices {
    /// Anthropic, entries that live for five minutes.
    pub const ANTHROPIC: Self =
        Self { name: "Anthropic, 5 minutes", write: 1_250, read: 100, least: 0, step: 1 };
    /// Anthropic, entries that live for an hour.
    pub const ANTHROPIC_HOUR: Self =
        Self { name: "Anthropic, 1 hour", write: 2_000, read: 100, least: 0, step: 1 };
    /// OpenAI, models that cache automatically and charge nothing for writes.
    pub const OPENAI: Self =
        Self { name: "OpenAI, automatic", write: 1_000, read: 100, least: 1_024, step: 128 };
    /// Gemini, implicit caching.
    pub const GEMINI: Self =
        Self { name: "Gemini, implicit", write: 1_000, read: 100, least: 2_048, step: 1 };
    /// All price lists.
    pub const ALL: [Self; 4] = [Self::ANTHROPIC, Self::ANTHROPIC_HOUR, Self::OPENAI, Self::GEMINI];
}

/// Counts the `o200k_base` tokens of each text once.
#[derive(Debug, Default)]
pub struct Tokens {
    known: HashMap<String, Block>,
}

/// A text and its token count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    id: usize,
    tokens: u64,
}

/// The token counts of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BilledRequest {
    /// Tokens in the same place as in the previous request.
    same: u64,
    all: u64,
}

/// The requests of a conversation, in order.
#[derive(Clone, Debug, Default)]
pub struct Bill {
    requests: Vec<BilledRequest>,
    last: Vec<Block>,
    kept: usize,
}

impl Tokens {
    fn block(&mut self, text: String) -> Block {
        let id = self.known.len();
        *self
            .known
            .entry(text)
            .or_insert_with_key(|text| Block { id, tokens: Vocabulary::O200kBase.count(text) as u64 })
    }

    /// Returns the blocks of a request in the order in which a provider renders them: tools, system prompt, messages.
    #[must_use]
    pub fn blocks(&mut self, request: &Node) -> Vec<Block> {
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
                    // A string equals one text block.
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
    /// Adds the conversation's next request. Its leading blocks that equal those of the previous request are read from
    /// the cache.
    pub fn add(&mut self, blocks: Vec<Block>) {
        let same = self.last.iter().zip(&blocks).take_while(|(last, block)| last == block).count();
        let sum = |blocks: &[Block]| blocks.iter().map(|block| block.tokens).sum::<u64>();
        let tokens = sum(blocks.get(..same).unwrap_or_default());
        self.kept += usize::from(same == self.last.len());
        self.requests.push(BilledRequest { same: tokens, all: sum(&blocks) });
        self.last = blocks;
    }

    /// Returns the tokens of the newest request.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.requests.last().map_or(0, |request| request.all)
    }

    /// Returns the number of requests.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.requests.len()
    }

    /// Returns how many requests preserve the whole previous request as their prefix. The first counts.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Returns the tokens of all requests: those in the same place as before, and the total.
    #[must_use]
    pub fn sent(&self) -> (u64, u64) {
        self.requests.iter().fold((0, 0), |(same, all), request| (same + request.same, all + request.all))
    }

    /// Returns the price of all requests, in thousandths of the price of an input token.
    #[must_use]
    pub fn price(&self, prices: &Prices) -> u64 {
        let one = |request: &BilledRequest| {
            let read = if request.all < prices.least { 0 } else { request.same / prices.step * prices.step };
            prices.read * read + prices.write * (request.all - read)
        };
        self.requests.iter().map(one).sum()
    }
}

/// Returns everything that a model reads of a request, except its own words.
#[must_use]
pub fn visible(request: &Node) -> String {
    let mut parts = Vec::new();
    let items = |key| request.get(key).and_then(Node::list).unwrap_or_default();
    items("tools").iter().for_each(|tool| walk(tool, &mut parts));
    for key in ["system", "instructions", "systemInstruction"] {
        request.get(key).into_iter().for_each(|system| walk(system, &mut parts));
    }
    for list in ["messages", "input", "contents"] {
        for message in items(list).iter().filter(|message| !is_made(message)) {
            walk(message, &mut parts);
        }
    }
    parts.join("\n")
}

fn is_made(message: &Node) -> bool {
    matches!(message.word("role"), Some("assistant" | "model"))
}

/// Returns the text that a model reads of a block: keys, and strings without JSON escapes.
fn text(node: &Node) -> String {
    let mut parts = Vec::new();
    walk(node, &mut parts);
    parts.join("\n")
}

/// Keys that providers do not show to the model.
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
        let one = bill.tokens();
        bill.add(tokens.blocks(&second));
        // "text" and the words, with a line end between.
        let two = bill.tokens();
        assert_eq!((bill.sent(), bill.kept()), ((one, one + two), 2));
        assert_eq!(bill.price(&Prices::ANTHROPIC), 100 * one + 1_250 * two);
        assert_eq!(bill.price(&Prices::OPENAI), 1_000 * (one + two), "too short to be cached");
        let changed =
            node(r#"{"messages":[{"role":"user","content":"other"},{"role":"assistant","content":"four"}]}"#);
        bill.add(tokens.blocks(&changed));
        assert_eq!((bill.sent().0, bill.kept()), (one, 2), "nothing behind a change is read");
    }

    #[test]
    fn what_is_read_is_in_steps_where_the_provider_has_some() {
        let bill = Bill {
            requests: vec![BilledRequest { same: 0, all: 2_000 }, BilledRequest { same: 2_000, all: 2_100 }],
            ..Bill::default()
        };
        assert_eq!(bill.price(&Prices::OPENAI), 1_000 * (2_000 + 180) + 100 * 1_920);
    }

    #[test]
    fn the_words_of_the_model_do_not_count_as_visible() {
        let request = node(
            r#"{"system":"s","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
                {"role":"tool","tool_call_id":"id1","content":"c"}]}"#,
        );
        let seen = visible(&request);
        assert!(["s", "a", "c"].iter().all(|word| seen.lines().any(|line| line == *word)), "{seen}");
        assert!(!seen.lines().any(|line| line == "b" || line == "id1"), "{seen}");
    }
}
