//! Replays whole conversations turn by turn and prices them as a provider with a prompt cache does.

mod bill;
pub mod recording;
mod synthetic;

use headroom_core::Api;
use serde_json::Value;

use self::recording::Conversation;
pub use self::{
    bill::{Bill, Block, Prices, Tokens, visible},
    synthetic::made,
};
use crate::{
    Compressor, File,
    compressor::{Sent, Turn},
    ordered_json::Node,
};

/// A conversation, and the parts of its tool results that were used later.
#[derive(Debug)]
pub struct Trace {
    /// The name of the conversation.
    pub name: String,
    /// The agent.
    pub agent: &'static str,
    /// The wire format.
    pub api: Api,
    /// The messages and turns.
    pub conversation: Conversation,
    /// The texts that were used later.
    pub needles: Vec<Needle>,
}

/// A text of one tool result that the model used in a later message, and that occurs nowhere else before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    /// The text.
    pub text: String,
    /// The tool whose result contains it.
    pub tool: String,
    /// The number of messages until it was used.
    pub distance: u64,
    /// The index of the message that used it.
    pub used: usize,
}

/// Whether a needle was available when it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeedleFate {
    /// The needle was in the request of the turn that used it.
    Visible,
    /// The needle was elided and could be retrieved.
    Aside,
    /// The needle was neither visible nor retrievable.
    Lost,
}

/// The result of replaying one conversation through one compressor.
#[derive(Debug, Default)]
pub struct Replayed {
    /// The prices of the requests.
    pub bill: Bill,
    /// The fate of each needle, by its index.
    pub needles: Vec<(usize, NeedleFate)>,
    /// The number of turns in which the compressor failed, and its first error.
    pub failed: Option<(usize, String)>,
}

impl Trace {
    /// Reads a recorded conversation of `corpora/agent-traces`, with its entry in `corpora/needles.json`.
    #[must_use]
    pub fn read(file: &File, needles: &Value) -> Option<Self> {
        let node: Node = serde_json::from_slice(&file.content).ok()?;
        let format = node.get("meta").and_then(|meta| meta.word("format")).unwrap_or_default();
        let api = if format.starts_with("anthropic") { Api::Anthropic } else { Api::OpenAiChat };
        let conversation = recording::from_node(node)?;
        let base = file.base();
        let entry = needles.get(format!("agent-traces/{base}")).and_then(|entry| entry.get("needles"));
        let needles = entry.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let needles = needles.iter().filter(|needle| needle.get("strength") != Some(&Value::from("weak")));
        let needles = needles.filter_map(needle).collect();
        let name = base.trim_end_matches(".json").to_owned();
        Some(Self { agent: agent(&name), name, api, conversation, needles })
    }
}

fn needle(value: &Value) -> Option<Needle> {
    Some(Needle {
        text: value.get("needle")?.as_str()?.to_owned(),
        tool: value.get("source_tool").and_then(Value::as_str).unwrap_or("(unnamed)").to_owned(),
        distance: value.get("distance").and_then(Value::as_u64).unwrap_or_default(),
        used: usize::try_from(value.get("used_msg")?.as_u64()?).ok()?,
    })
}

fn agent(name: &str) -> &'static str {
    const AGENTS: [(&str, &str); 5] = [
        ("cc-", "Claude Code"),
        ("miniswe-", "mini-SWE-agent"),
        ("pi-", "pi"),
        ("sweagent-", "SWE-agent"),
        ("tau-", "tau-bench"),
    ];
    AGENTS.iter().find(|(start, _)| name.starts_with(start)).map_or("other", |(_, agent)| agent)
}

/// Replays a conversation turn by turn, at most its first `most` turns: skipping turns in between would break the
/// cache.
pub fn replay(trace: &Trace, compressor: &mut dyn Compressor, tokens: &mut Tokens, most: usize) -> Replayed {
    let mut out = Replayed::default();
    for messages in trace.conversation.turns.iter().copied().take(most) {
        let Ok(body) = trace.conversation.request_with(messages, mark) else { continue };
        let turn = Turn {
            api: trace.api,
            conversation: &trace.name,
            body: &body,
            answer: trace.conversation.messages.get(messages),
        };
        let sent = compressor.compress(&turn).and_then(|sent| {
            let read = serde_json::from_slice::<Node>(&sent.body);
            read.map(|read| (sent, read)).map_err(|error| crate::compressor::Failed(error.to_string()))
        });
        let (sent, request) = match sent {
            Ok(sent) => sent,
            Err(error) => {
                out.failed.get_or_insert_with(|| (0, error.to_string())).0 += 1;
                let Ok(request) = serde_json::from_slice(&body) else { continue };
                (Sent { body, ..Sent::default() }, request)
            }
        };
        out.bill.add(tokens.blocks(&request));
        let used: Vec<(usize, &Needle)> =
            trace.needles.iter().enumerate().filter(|(_, needle)| needle.used == messages).collect();
        if used.is_empty() {
            continue;
        }
        let seen = Haystack::new(visible(&request));
        let aside: Vec<Haystack> =
            sent.originals.iter().map(|original| Haystack::new(original.content().to_owned())).collect();
        for (n, needle) in used {
            let found = if seen.has(&needle.text) {
                NeedleFate::Visible
            } else if aside.iter().any(|original| original.has(&needle.text)) {
                NeedleFate::Aside
            } else {
                NeedleFate::Lost
            };
            out.needles.push((n, found));
        }
    }
    out
}

/// A text to search, verbatim and with each run of white space as one space.
#[derive(Debug)]
pub struct Haystack {
    plain: String,
    folded: String,
}

impl Haystack {
    /// Creates a haystack from a text.
    #[must_use]
    pub fn new(plain: String) -> Self {
        let folded = fold(&plain);
        Self { plain, folded }
    }

    /// Whether the text contains the needle.
    #[must_use]
    pub fn has(&self, needle: &str) -> bool {
        self.plain.contains(needle) || self.folded.contains(&fold(needle))
    }
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Puts `cache_control` where Claude Code does: on the last block of the newest message.
fn mark(request: &mut Node) {
    let Node::Object(members) = request else { return };
    let is_anthropic =
        !members.iter().any(|(key, value)| {
            key == "messages"
                && value.list().unwrap_or_default().iter().any(|message| {
                    message.word("role") == Some("tool") || message.get("tool_calls").is_some()
                })
        });
    let messages = members.iter_mut().find(|(key, _)| key == "messages").map(|(_, value)| value);
    let (true, Some(Node::List(messages))) = (is_anthropic, messages) else { return };
    let Some(Node::Object(message)) = messages.last_mut() else { return };
    let Some((_, Node::List(blocks))) = message.iter_mut().find(|(key, _)| key == "content") else { return };
    let thinks = |block: &Node| matches!(block.word("type"), Some("thinking" | "redacted_thinking"));
    if let Some(Node::Object(block)) = blocks.iter_mut().rev().find(|block| !thinks(block)) {
        block.retain(|(key, _)| key != "cache_control");
        block.push(("cache_control".to_owned(), Node::object([("type", Node::from_text("ephemeral"))])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compressor::{Failed, Masking, Own, Truncation, Whole};

    fn run(compressor: &mut dyn Compressor) -> Replayed {
        replay(&made()[0], compressor, &mut Tokens::default(), 60)
    }

    #[test]
    fn what_grows_by_appending_is_read_from_the_cache_and_what_is_masked_is_not() {
        let turns = made()[0].conversation.turns.len();
        let (whole, own, masked) =
            (run(&mut Whole), run(&mut Own::new(Default::default())), run(&mut Masking::new(2)));
        assert_eq!((whole.bill.turns(), whole.bill.kept()), (turns, turns));
        assert_eq!(own.bill.kept(), turns, "the prefix stays");
        assert!(masked.bill.kept() < turns, "masking changes what was sent");
        assert!(own.bill.price(&Prices::ANTHROPIC) < whole.bill.price(&Prices::ANTHROPIC));
        assert!(
            whole.needles.iter().all(|(_, found)| *found == NeedleFate::Visible) && !whole.needles.is_empty()
        );
        assert!(own.needles.iter().all(|(_, found)| *found != NeedleFate::Lost));
        let cut = run(&mut Truncation::new(100));
        assert!(cut.needles.iter().any(|(_, found)| *found == NeedleFate::Lost), "{:?}", cut.needles);
    }

    #[test]
    fn a_compressor_that_fails_is_priced_as_none() {
        struct Broken;
        impl Compressor for Broken {
            fn name(&self) -> &str {
                "broken"
            }
            fn compress(&mut self, _: &Turn<'_>) -> Result<Sent, Failed> {
                Err(Failed("no".to_owned()))
            }
        }
        let (broken, whole) = (run(&mut Broken), run(&mut Whole));
        assert_eq!(broken.bill.price(&Prices::OPENAI), whole.bill.price(&Prices::OPENAI));
        assert_eq!(broken.failed, Some((whole.bill.turns(), "no".to_owned())));
    }
}
