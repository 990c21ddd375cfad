//! What a provider with a prompt cache charges for the requests of one conversation.

use std::collections::HashMap;

use serde::Serialize;

use crate::ordered_json::Node;

/// How a provider charges for the tokens of a prompt.
///
/// Prices are in thousandths of the price of an input token, so that sums are exact on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Prices {
    /// What the prices are of.
    pub name: &'static str,
    /// Of a token that was not read from the cache.
    pub write: u64,
    /// Of one that was.
    pub read: u64,
    /// Prompts shorter than this are not cached.
    pub least: u64,
    /// What is read is a multiple of this.
    pub step: u64,
}

impl Prices {
    /// Anthropic, entries that live for five minutes.
    pub const ANTHROPIC: Self =
        Self { name: "Anthropic, 5 minutes", write: 1_250, read: 100, least: 0, step: 1 };
    /// Anthropic, entries that live for an hour.
    pub const ANTHROPIC_HOUR: Self =
        Self { name: "Anthropic, 1 hour", write: 2_000, read: 100, least: 0, step: 1 };
    /// OpenAI, models that cache by themselves and charge nothing for it.
    pub const OPENAI: Self =
        Self { name: "OpenAI, automatic", write: 1_000, read: 100, least: 1_024, step: 128 };
    /// Gemini, implicit caching.
    pub const GEMINI: Self =
        Self { name: "Gemini, implicit", write: 1_000, read: 100, least: 2_048, step: 1 };
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ANTHROPIC, Self::ANTHROPIC_HOUR, Self::OPENAI, Self::GEMINI];
}

/// Counts each text once, by `o200k_base`.
#[derive(Debug, Default)]
pub struct Tokens {
    known: HashMap<String, Block>,
}

/// A text, and its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    id: usize,
    tokens: u64,
}

/// One request, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BilledRequest {
    /// What stood at the same place in the request before.
    same: u64,
    all: u64,
}

/// The requests of a conversation, one after the other.
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
            .or_insert_with_key(|text| Block { id, tokens: bpe_openai::o200k_base().count(text) as u64 })
    }

    /// The blocks of a request in the order in which a provider renders them: tools, system prompt, messages.
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
    pub fn add(&mut self, blocks: Vec<Block>) {
        let same = self.last.iter().zip(&blocks).take_while(|(last, block)| last == block).count();
        let sum = |blocks: &[Block]| blocks.iter().map(|block| block.tokens).sum::<u64>();
        let tokens = sum(blocks.get(..same).unwrap_or_default());
        self.kept += usize::from(same == self.last.len());
        self.requests.push(BilledRequest { same: tokens, all: sum(&blocks) });
        self.last = blocks;
    }

    /// Tokens of the newest request.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.requests.last().map_or(0, |request| request.all)
    }

    /// How many requests there were.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.requests.len()
    }

    /// In how many requests everything of the one before stood where it had stood. The first counts.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Tokens of all requests: those that stood at the same place before, and all.
    #[must_use]
    pub fn sent(&self) -> (u64, u64) {
        self.requests.iter().fold((0, 0), |(same, all), request| (same + request.same, all + request.all))
    }

    /// The price of all requests, in thousandths of the price of an input token.
    #[must_use]
    pub fn price(&self, prices: &Prices) -> u64 {
        let one = |request: &BilledRequest| {
            let read = if request.all < prices.least { 0 } else { request.same / prices.step * prices.step };
            prices.read * read + prices.write * (request.all - read)
        };
        self.requests.iter().map(one).sum()
    }
}

/// Everything that a model reads of a request but its own words.
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
