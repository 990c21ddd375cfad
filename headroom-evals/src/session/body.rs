//! The body of each request, as the client would have sent it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{BlockKind, Client, ContextBlock, Node, RecordedSession, Ttl, json};

/// Bytes of thinking for each token by `o200k`: what text has.
const BYTES_PER_TOKEN: f64 = 4.0;
/// Thinking is encrypted in its signature, which is about twice as long.
const SIGNATURE_RATIO: f64 = 2.0;
/// How signatures begin that stand for thinking that the log lacks.
pub(super) const RECORDED: &str = "recorded-";

/// A request's body, and where its blocks stand in it.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// JSON of the Messages or the Responses API.
    pub bytes: Vec<u8>,
    /// The block at each place: message and part, or item and zero.
    places: HashMap<(usize, usize), u32>,
}

impl Body {
    /// Returns the block at a path such as `messages[2].content[0].content`.
    #[must_use]
    pub fn block_at(&self, path: &str) -> Option<u32> {
        let index = |text: &str| -> Option<usize> { text.split_once(']')?.0.parse().ok() };
        let place = match path.strip_prefix("messages[") {
            Some(rest) => (index(rest)?, index(rest.split_once("].content[")?.1)?),
            None => (index(path.strip_prefix("input[")?)?, 0),
        };
        self.places.get(&place).copied()
    }

    /// Returns the blocks in it, in no order.
    pub fn blocks(&self) -> impl Iterator<Item = u32> {
        self.places.values().copied()
    }
}

impl RecordedSession {
    /// Returns the body of a request. Its tools are those that the session calls, since logs do not hold definitions; so
    /// the head is the same in every request. Logs lack the thinking too: a signed block without text takes the place of
    /// each, as long as the provider's counts say that it was.
    #[must_use]
    pub fn body(&self, at: usize, tools: &str) -> Body {
        let Some(request) = self.requests.get(at) else { return Body::default() };
        let mut body = Body::default();
        let model = json(&Node::from_text(&request.model));
        let blocks = request.context.iter().filter_map(|id| Some((*id, self.block(*id)?)));
        let (list, head) = match self.client {
            Client::ClaudeCode => (
                messages(self.by_answer(blocks).into_iter(), self.factor, &mut body.places),
                // Claude Code asks for the longer lifetime in its head too.
                format!(
                    r#""max_tokens":8192,"system":{},"tools":{tools},"messages":"#,
                    match self.ttl() {
                        Ttl::FiveMinutes => r#""You are Claude Code.""#,
                        Ttl::Hour => {
                            r#"[{"type":"text","text":"You are Claude Code.","cache_control":{"type":"ephemeral","ttl":"1h"}}]"#
                        }
                    }
                ),
            ),
            Client::Codex => {
                let instructions = match self.instructions.as_str() {
                    "" => "You are a coding agent.",
                    given => given,
                };
                let instructions = json(&Node::from_text(instructions));
                let head = format!(
                    r#""instructions":{instructions},"tools":{tools},"stream":true,"store":false,"input":"#
                );
                (items(blocks, &mut body.places), head)
            }
        };
        body.bytes = format!(r#"{{"model":{model},{head}[{list}]}}"#).into_bytes();
        body
    }

    /// Moves the blocks of each answer to its first one. Claude Code logs the result of a call before the next call of the
    /// same answer, but sends them behind the whole answer.
    fn by_answer<'a>(
        &self,
        blocks: impl Iterator<Item = (u32, &'a ContextBlock)>,
    ) -> Vec<(u32, &'a ContextBlock)> {
        let outputs = self.requests.iter().enumerate();
        let outputs = outputs.flat_map(|(at, request)| request.outputs.iter().map(move |id| (*id, at)));
        let answers: HashMap<u32, usize> = outputs.collect();
        let mut groups: Vec<Vec<(u32, &ContextBlock)>> = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for (id, block) in blocks {
            let next = groups.len();
            let place = answers.get(&id).map_or(next, |answer| *places.entry(*answer).or_insert(next));
            match groups.get_mut(place) {
                Some(group) => group.push((id, block)),
                None => groups.push(vec![(id, block)]),
            }
        }
        groups.into_iter().flatten().collect()
    }

    /// Returns definitions of the tools that the session calls, as JSON.
    #[must_use]
    pub fn tools(&self) -> String {
        let mut tools: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for block in self.blocks.iter().filter(|block| block.kind == BlockKind::Call) {
            let Some(name) = block.tool.as_deref() else { continue };
            let names = tools.entry(name).or_default();
            let call: Option<Node> = serde_json::from_str(&block.json).ok();
            let input =
                call.as_ref().and_then(|call| call.get("input")).map(Node::members).unwrap_or_default();
            names.extend(input.iter().map(|(name, _)| name.clone()));
        }
        let definition = |(name, inputs): (&str, BTreeSet<String>)| {
            let name = Node::from_text(name);
            let inputs = inputs.into_iter().map(|input| (input, Node::object([])));
            let properties = Node::Object(inputs.filter(|_| self.client == Client::ClaudeCode).collect());
            let schema = Node::object([("type", Node::from_text("object")), ("properties", properties)]);
            match self.client {
                Client::ClaudeCode => {
                    Node::object([("name", name.clone()), ("description", name), ("input_schema", schema)])
                }
                Client::Codex => Node::object([
                    ("type", Node::from_text("function")),
                    ("name", name.clone()),
                    ("description", name),
                    ("parameters", schema),
                ]),
            }
        };
        // Codex defines `apply_patch` in another form.
        let is_function = |name: &str| self.client == Client::ClaudeCode || name != "apply_patch";
        json(&Node::List(tools.into_iter().filter(|(name, _)| is_function(name)).map(definition).collect()))
    }
}

/// Items of the Responses API. Reasoning is encrypted, and logs may lack it.
fn items<'a>(
    blocks: impl Iterator<Item = (u32, &'a ContextBlock)>,
    places: &mut HashMap<(usize, usize), u32>,
) -> String {
    let mut list = String::new();
    let is_shown = |block: &ContextBlock| {
        !block.json.is_empty() && !matches!(block.kind, BlockKind::Thinking | BlockKind::Hidden)
    };
    for (at, (id, block)) in blocks.filter(|(_, block)| is_shown(block)).enumerate() {
        if at > 0 {
            list.push(',');
        }
        list.push_str(&block.json);
        places.insert((at, 0), id);
    }
    list
}

/// Messages: neighbours of one role are one, results stand first in theirs.
fn messages<'a>(
    blocks: impl Iterator<Item = (u32, &'a ContextBlock)> + Clone,
    factor: f64,
    places: &mut HashMap<(usize, usize), u32>,
) -> String {
    let messages = grouped(blocks);
    let mut list = String::new();
    for (at, (is_answer, mut parts)) in messages.into_iter().enumerate() {
        parts.sort_by_key(|(_, block)| !is_answer && block.kind != BlockKind::Result);
        let role = if is_answer { "assistant" } else { "user" };
        let comma = if at > 0 { "," } else { "" };
        list.push_str(&format!(r#"{comma}{{"role":"{role}","content":["#));
        for (part, (id, block)) in parts.into_iter().enumerate() {
            if part > 0 {
                list.push(',');
            }
            match block.kind {
                BlockKind::Thinking => list.push_str(&thinking(id, block.tokens / factor)),
                _ => list.push_str(&block.json),
            }
            places.insert((at, part), id);
        }
        list.push_str("]}");
    }
    list
}

/// A message: whether the model wrote it, and its blocks.
type Message<'a> = (bool, Vec<(u32, &'a ContextBlock)>);

/// Returns the messages of these blocks. Thinking with nothing behind it is left out, as clients do: no answer may end
/// with it.
fn grouped<'a>(blocks: impl Iterator<Item = (u32, &'a ContextBlock)> + Clone) -> Vec<Message<'a>> {
    let answered: BTreeSet<&str> = blocks
        .clone()
        .filter(|(_, block)| block.kind == BlockKind::Result)
        .filter_map(|(_, block)| block.call.as_deref())
        .collect();
    let mut messages: Vec<Message<'a>> = Vec::new();
    let mut thought = Vec::new();
    for (id, block) in blocks {
        let is_answer = match block.kind {
            BlockKind::Hidden => continue,
            BlockKind::Thinking => {
                thought.push((id, block));
                continue;
            }
            BlockKind::Call if block.call.as_deref().is_none_or(|call| !answered.contains(call)) => continue,
            BlockKind::Call | BlockKind::Assistant => true,
            _ => false,
        };
        let before = std::mem::take(&mut thought);
        let parts = before.into_iter().filter(|_| is_answer).chain([(id, block)]);
        match messages.last_mut() {
            Some((last, known)) if *last == is_answer => known.extend(parts),
            None if is_answer => {}
            _ => messages.push((is_answer, parts.collect())),
        }
    }
    messages
}

/// Returns thinking of about so many `o200k` tokens.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn thinking(id: u32, tokens: f64) -> String {
    let bytes = (tokens * BYTES_PER_TOKEN * SIGNATURE_RATIO).min(1e6) as usize;
    let length = "A".repeat(bytes);
    format!(r#"{{"type":"thinking","thinking":"","signature":"{RECORDED}{id}.{length}"}}"#)
}
