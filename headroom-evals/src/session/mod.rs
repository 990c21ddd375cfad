//! Recorded sessions of coding agents, and their whole bill.
//!
//! [`read`] makes requests of a session's log: what each one held, block by block, and what the provider counted for it.
//! [`statement`](RecordedSession::statement) says what the session cost and where that went;
//! [`cost`](RecordedSession::cost) what it would have cost with blocks of other sizes.
//!
//! # How it is reckoned
//!
//! The bill is the provider's own `usage` of every request, at the prices of the model that answered. A request is
//! counted once, by the id of its answer, in however many files it stands.
//!
//! What a request held is told by the log: for Claude Code the chain of parents of its answer, for Codex the items
//! before it. Blocks are counted in `o200k_base` tokens, times a factor that is fitted to the growth of the session's
//! real prompts. Growth beyond the blocks that can be seen is thinking if the answer before had any, else hidden text of
//! the client. The first prompt beyond its blocks is the head: system prompt and tool definitions, which logs do not
//! hold. Then every request is scaled so that its blocks make up the real prompt exactly.
//!
//! A provider's cache holds prefixes, so a token's position says what it cost: the first `read` tokens were read from
//! the cache, the next `written`, the rest is plain input. Blocks of other sizes move these borders with the text that
//! they stand in.
//!
//! # Epochs
//!
//! Logs hold no signatures, and many no text of thinking. [`body`](RecordedSession::body) puts a signed block without text
//! in the place of each thinking of Claude, as long as its tokens by the counts: what the next prompt grew by beyond the
//! visible blocks, and at most the output less what is visible of it. [`Sent`] says which of them an epoch removed.
//! [`needs`](RecordedSession::needs) finds what later answers use of results that an epoch shrank, and
//! [`Sizes::retrieve`] charges a round for each such result.

mod body;
mod claude;
mod clock;
mod codex;
mod cost;
mod fit;
mod needs;
mod plan;
mod sent;
mod statement;
mod subject;
#[cfg(test)]
mod tests;

use headroom_core::Vocabulary;
use std::collections::HashSet;

pub use self::{
    body::Body,
    cost::{Cost, Rates, Sizes},
    needs::{EpochState, Needs},
    plan::Ttl,
    sent::Sent,
    statement::{Cause, Share, Statement, ToolShare},
};
use crate::ordered_json::Node;

/// An agent whose logs are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// Claude Code, `~/.claude/projects`.
    ClaudeCode,
    /// Codex, `~/.codex/sessions`.
    Codex,
}

impl Client {
    /// Returns the agent's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex",
        }
    }
}

/// What a block of a prompt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockKind {
    /// Text of the user.
    User,
    /// Text of the model.
    Assistant,
    /// Thinking of the model that is kept in the prompt.
    Thinking,
    /// A tool call with its arguments.
    Call,
    /// A tool result.
    Result,
    /// Text that the client adds.
    Reminder,
    /// The summary that a compaction left.
    Summary,
    /// A picture or another document.
    Image,
    /// What the prompt grew by beyond what the log shows.
    Hidden,
}

impl BlockKind {
    /// Returns the name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Thinking => "thinking",
            Self::Call => "calls",
            Self::Result => "results",
            Self::Reminder => "reminders",
            Self::Summary => "summary",
            Self::Image => "images",
            Self::Hidden => "hidden",
        }
    }
}

/// One block of a session's prompts.
#[derive(Clone, Debug)]
pub struct ContextBlock {
    /// What it is.
    pub kind: BlockKind,
    /// The tool of a call or result.
    pub tool: Option<String>,
    /// Its tokens in the provider's count, fitted.
    pub tokens: f64,
    /// The request that first held it.
    pub born: Option<usize>,
    /// Tokens by `o200k_base`.
    estimate: f64,
    /// The line of the log.
    row: usize,
    /// The call's id.
    call: Option<String>,
    /// The block as the client sends it.
    json: String,
}

impl ContextBlock {
    fn new(kind: BlockKind, text: &str, row: usize, json: String) -> Self {
        let estimate = match kind {
            BlockKind::Image => IMAGE,
            _ => count(text),
        };
        Self { kind, tool: None, tokens: 0.0, born: None, estimate, row, call: None, json }
    }

    /// Whether it is a tool result.
    #[must_use]
    pub fn is_result(&self) -> bool {
        self.kind == BlockKind::Result
    }

    fn of_tool(mut self, tool: &str, call: &str) -> Self {
        (self.tool, self.call) = (Some(tool.to_owned()), Some(call.to_owned()));
        self
    }
}

/// Tokens of a picture, about.
const IMAGE: f64 = 1_600.0;

#[expect(clippy::cast_precision_loss, reason = "no text has 2^53 tokens")]
fn count(text: &str) -> f64 {
    Vocabulary::O200kBase.count(text) as f64
}

/// Tokens that the provider counted for a request, each in one field only.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    /// Prompt at the full price.
    pub input: f64,
    /// Prompt read from the cache.
    pub read: f64,
    /// Prompt written to the cache for five minutes.
    pub write: f64,
    /// Prompt written to the cache for an hour.
    pub write_long: f64,
    /// Output.
    pub output: f64,
}

impl Counted {
    /// The whole prompt.
    #[must_use]
    pub fn prompt(&self) -> f64 {
        self.input + self.read + self.written()
    }

    /// What was written to the cache.
    #[must_use]
    pub fn written(&self) -> f64 {
        self.write + self.write_long
    }
}

/// How a request met the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum CacheEvent {
    /// The first request of the log.
    #[default]
    Start,
    /// What the request before left in the cache was read.
    Hit,
    /// The client had compacted the conversation.
    Compaction,
    /// Another model answered.
    ModelSwitch,
    /// The conversation went on from an earlier place.
    Rewind,
    /// The pause before it was longer than the lifetime of the cache.
    Expired,
    /// The pause before it was longer than five minutes, but shorter than the lifetime.
    Pause,
    /// None of these explains the miss.
    Miss,
}

/// One request of a session.
#[derive(Clone, Debug, Default)]
pub struct RecordedRequest {
    /// What tells it from every other request.
    pub id: String,
    /// The model that answered.
    pub model: String,
    /// What the provider counted. Output is at least what can be seen of it.
    pub counted: Counted,
    /// Whether the request stands in another session too, and was counted there.
    pub is_repeated: bool,
    /// Its blocks behind the head.
    context: Vec<u32>,
    /// The blocks of its answer.
    outputs: Vec<u32>,
    /// The line of its answer.
    row: usize,
    /// Compactions before it.
    segment: usize,
    /// Seconds since 1970.
    sent: f64,
    /// Seconds since the request before.
    pause: f64,
    /// By what its blocks are scaled to make up the prompt.
    scale: f64,
    event: CacheEvent,
    /// Tokens that the request before left in the cache and that were not read.
    missed: f64,
}

/// A session with the provider's counts.
#[derive(Clone, Debug)]
pub struct RecordedSession {
    /// The agent.
    pub client: Client,
    /// Every block, in the order of the log.
    pub blocks: Vec<ContextBlock>,
    /// Its requests, in order.
    pub requests: Vec<RecordedRequest>,
    /// Tokens of system prompt and tool definitions.
    pub head: f64,
    /// The provider's tokens for each `o200k_base` token.
    pub factor: f64,
    /// Usage of sub-agents that only shows in this log: id, model and counts.
    pub subagents: Vec<(String, String, Counted)>,
    /// The instructions that the log holds.
    instructions: String,
}

impl RecordedSession {
    fn new(client: Client) -> Self {
        Self {
            client,
            blocks: Vec::new(),
            requests: Vec::new(),
            head: 0.0,
            factor: 1.0,
            subagents: Vec::new(),
            instructions: String::new(),
        }
    }

    fn add(&mut self, block: ContextBlock) -> u32 {
        self.blocks.push(block);
        u32::try_from(self.blocks.len() - 1).unwrap_or(u32::MAX)
    }

    fn block(&self, id: u32) -> Option<&ContextBlock> {
        self.blocks.get(id as usize)
    }

    /// Marks the requests that were seen before, and adds the others to what was seen. Returns how many were.
    pub fn mark_repeated(&mut self, seen: &mut HashSet<String>) -> usize {
        for request in &mut self.requests {
            request.is_repeated = !seen.insert(request.id.clone());
        }
        self.requests.iter().filter(|request| request.is_repeated).count()
    }

    /// Returns how many pauses before its requests were longer than five minutes but no longer than an hour, and how many
    /// were longer. Requests that were counted in another session do not count.
    #[must_use]
    pub fn pauses(&self) -> [u64; 2] {
        let own = || self.requests.iter().filter(|request| !request.is_repeated);
        let longer = |seconds: f64| own().filter(|request| request.pause > seconds).count() as u64;
        let hour = longer(Ttl::Hour.seconds());
        [longer(Ttl::FiveMinutes.seconds()) - hour, hour]
    }

    /// The lifetime that most of the cache was written for. Codex does not tell; OpenAI keeps what was not used again for
    /// five minutes or a little longer.
    #[must_use]
    pub fn ttl(&self) -> Ttl {
        let sum = |of: fn(&Counted) -> f64| self.requests.iter().map(|r| of(&r.counted)).sum::<f64>();
        if sum(|counted| counted.write_long) > sum(|counted| counted.write) {
            Ttl::Hour
        } else {
            Ttl::FiveMinutes
        }
    }
}

/// Reads a session from the lines of its log; `None` if its answers have no `usage`.
#[must_use]
pub fn read(lines: &[Node]) -> Option<RecordedSession> {
    let is_codex = lines.iter().any(|line| line.word("type") == Some("response_item"));
    let mut session = if is_codex { codex::read(lines) } else { claude::read(lines) };
    fit::fit(&mut session);
    (!session.requests.is_empty()).then_some(session)
}

/// A number under a key.
fn number(node: &Node, key: &str) -> f64 {
    match node.get(key) {
        Some(Node::Scalar(value)) => value.as_f64().filter(|number| *number >= 0.0).unwrap_or_default(),
        _ => 0.0,
    }
}

/// The text of content in any form.
fn as_text(content: Option<&Node>) -> String {
    match content {
        None | Some(Node::Null) => String::new(),
        Some(Node::Text(text)) => text.clone(),
        Some(Node::List(parts)) => {
            let texts: Vec<&str> = parts
                .iter()
                .map(|part| part.text().or_else(|| part.word("text")).unwrap_or_default())
                .collect();
            texts.join("\n")
        }
        Some(other) => json(other),
    }
}

fn json(node: &Node) -> String {
    serde_json::to_string(node).unwrap_or_default()
}
