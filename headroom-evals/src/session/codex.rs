//! Reads the rollouts of Codex: items of the Responses API among events, which tell the usage.

use std::collections::HashMap;

use super::{
    BlockKind, Client, ContextBlock, Counted, Node, RecordedRequest, RecordedSession, as_text, clock, json,
    number,
};

/// The model of rollouts that do not name theirs.
const MODEL: &str = "gpt-5.3-codex";
/// How text begins that Codex sends in the user's name.
const OF_CLIENT: [&str; 4] = ["<environment_context", "# AGENTS.md", "<user_instructions", "<turn_aborted"];

struct Reader<'a> {
    session: RecordedSession,
    model: &'a str,
    /// What the next request holds.
    context: Vec<u32>,
    /// Inputs since the last request.
    inputs: Vec<u32>,
    /// Outputs since the last request, and when they began.
    outputs: Vec<u32>,
    began: Option<f64>,
    segment: usize,
    tools: HashMap<&'a str, &'a str>,
    last: Option<&'a Node>,
}

pub(super) fn read(lines: &[Node]) -> RecordedSession {
    let mut reader = Reader {
        session: RecordedSession::new(Client::Codex),
        model: MODEL,
        context: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        began: None,
        segment: 0,
        tools: HashMap::new(),
        last: None,
    };
    for (row, line) in lines.iter().enumerate() {
        let (Some(kind), Some(payload)) = (line.word("type"), line.get("payload")) else { continue };
        let at = line.word("timestamp").and_then(clock::seconds);
        match kind {
            "session_meta" => {
                let base = payload.get("base_instructions").and_then(|base| base.word("text"));
                base.or_else(|| payload.word("instructions"))
                    .unwrap_or_default()
                    .clone_into(&mut reader.session.instructions);
            }
            "turn_context" => reader.model = payload.word("model").unwrap_or(reader.model),
            "compacted" => reader.compacted(payload, row),
            "response_item" => reader.response_item(payload, row, at),
            "event_msg" if payload.word("type") == Some("token_count") => reader.counts(payload, row, at),
            _ => {}
        }
    }
    reader.session
}

impl<'a> Reader<'a> {
    /// The history is replaced.
    fn compacted(&mut self, payload: &'a Node, row: usize) {
        self.outputs.clear();
        self.segment += 1;
        let history = payload.get("replacement_history").and_then(Node::list).unwrap_or_default();
        self.context = history.iter().filter_map(|item| self.item(item, row)).collect();
    }

    fn response_item(&mut self, item: &'a Node, row: usize, at: Option<f64>) {
        let Some(block) = self.item(item, row) else { return };
        let is_output = match item.word("type") {
            Some("function_call" | "custom_tool_call" | "reasoning" | "local_shell_call") => true,
            _ => item.word("role") == Some("assistant"),
        };
        if !is_output {
            self.inputs.push(block);
            return;
        }
        if self.outputs.is_empty() {
            self.began = at;
        }
        self.outputs.push(block);
    }

    fn item(&mut self, item: &'a Node, row: usize) -> Option<u32> {
        let block = match item.word("type")? {
            "message" => {
                let text = as_text(item.get("content"));
                ContextBlock::new(kind_of(item, &text), &text, row, json(&without_pictures(item)))
            }
            kind @ ("function_call" | "custom_tool_call" | "local_shell_call") => {
                let name = item.word("name").unwrap_or(kind);
                let call = item.word("call_id").unwrap_or_default();
                self.tools.insert(call, name);
                let text = item.word("arguments").or_else(|| item.word("input"));
                let text =
                    text.map_or_else(|| item.get("action").map(json).unwrap_or_default(), str::to_owned);
                ContextBlock::new(BlockKind::Call, &text, row, json(&without(item, "id"))).of_tool(name, call)
            }
            "function_call_output" | "custom_tool_call_output" => {
                let call = item.word("call_id").unwrap_or_default();
                let output = item.get("output");
                let inner = output.filter(|output| matches!(output, Node::Object(_)));
                let text = as_text(inner.and_then(|output| output.get("content")).or(output));
                let tool = self.tools.get(call).copied().unwrap_or("?");
                let members = without(item, "id").members().to_vec();
                let members = members.into_iter().map(|(name, value)| match name.as_str() {
                    "output" => (name, Node::from_text(&text)),
                    _ => (name, value),
                });
                let sent = json(&Node::Object(members.collect()));
                ContextBlock::new(BlockKind::Result, &text, row, sent).of_tool(tool, call)
            }
            "reasoning" => ContextBlock::new(BlockKind::Thinking, "", row, json(&without(item, "id"))),
            _ => return None,
        };
        Some(self.session.add(block))
    }

    /// A request is over when its tokens were counted.
    fn counts(&mut self, payload: &'a Node, row: usize, at: Option<f64>) {
        let Some(info) = payload.get("info") else { return };
        let (usage, total) = (info.get("last_token_usage"), info.get("total_token_usage"));
        let Some(usage) = usage.filter(|usage| number(usage, "input_tokens") > 0.0) else { return };
        if total.is_some() && total == self.last {
            return;
        }
        self.last = total;
        let prompt = number(usage, "input_tokens");
        let read = number(usage, "cached_input_tokens").min(prompt);
        // Results that came before the counts belong to the next request.
        let line = |block: &u32| self.session.block(*block).map_or(0, |block| block.row);
        let first = self.outputs.iter().map(line).min().unwrap_or(row);
        let (before, after): (Vec<u32>, Vec<u32>) = self.inputs.iter().partition(|block| line(block) < first);
        self.context.extend(before);
        let request = RecordedRequest {
            id: self.id(usage, total),
            model: self.model.to_owned(),
            counted: Counted {
                read,
                write: prompt - read,
                output: number(usage, "output_tokens"),
                ..Counted::default()
            },
            context: self.context.clone(),
            outputs: self.outputs.clone(),
            row,
            segment: self.segment,
            sent: self.began.or(at).unwrap_or_default(),
            ..RecordedRequest::default()
        };
        self.session.requests.push(request);
        self.context.append(&mut self.outputs);
        (self.inputs, self.began) = (after, None);
    }

    /// Codex gives its requests no id. The ids of calls are unique; an answer without one is told by its text and counts.
    fn id(&self, usage: &Node, total: Option<&Node>) -> String {
        let outputs = || self.outputs.iter().filter_map(|block| self.session.block(*block));
        if let Some(call) = outputs().find_map(|block| block.call.as_deref().filter(|call| !call.is_empty()))
        {
            return format!("codex {call}");
        }
        let mut hash = blake3::Hasher::new();
        for block in outputs() {
            hash.update(block.json.as_bytes());
        }
        hash.update(json(usage).as_bytes()).update(total.map(json).unwrap_or_default().as_bytes());
        format!("codex {}", hash.finalize().to_hex())
    }
}

fn kind_of(item: &Node, text: &str) -> BlockKind {
    match item.word("role") {
        Some("assistant") => BlockKind::Assistant,
        Some("developer" | "system") => BlockKind::Reminder,
        _ if OF_CLIENT.iter().any(|start| text.trim_start().starts_with(start)) => BlockKind::Reminder,
        _ => BlockKind::User,
    }
}

fn without(item: &Node, key: &str) -> Node {
    Node::Object(item.members().iter().filter(|(name, _)| name != key).cloned().collect())
}

fn without_pictures(item: &Node) -> Node {
    let picture =
        || Node::object([("type", Node::from_text("input_text")), ("text", Node::from_text("[image]"))]);
    let shown = |part: &Node| if part.word("text").is_some() { part.clone() } else { picture() };
    let members = without(item, "id").members().to_vec();
    let members = members.into_iter().map(|(name, value)| match value {
        Node::List(parts) if name == "content" => (name, Node::List(parts.iter().map(shown).collect())),
        value => (name, value),
    });
    Node::Object(members.collect())
}
