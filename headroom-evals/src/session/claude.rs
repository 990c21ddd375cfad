//! Reads the logs of Claude Code: a line for each block of each message, with the line that it follows.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{
    BlockKind, Client, ContextBlock, Counted, IMAGE, Node, RecordedRequest, RecordedSession, as_text, clock,
    json, number,
};

/// A shorter prompt is one of the client's own, such as for a title.
const LEAST_PROMPT: f64 = 500.0;
/// A request is sent right after the newest lines of the user, unless they are older than this many seconds.
const MAX_WAIT: f64 = 900.0;
/// Among how many of the newest lines the one is looked for that was sent.
const NEWEST: usize = 6;

/// One line of a log.
#[derive(Default)]
struct Row<'a> {
    uuid: Option<&'a str>,
    parent: Option<&'a str>,
    /// The line before, for parents that the log lacks.
    before: Option<usize>,
    /// The id of the answer that the line is a part of.
    answer: Option<&'a str>,
    is_user: bool,
    at: Option<f64>,
    blocks: Vec<u32>,
}

struct Reader<'a> {
    session: RecordedSession,
    rows: Vec<Row<'a>>,
    lines: &'a [Node],
    by_uuid: HashMap<&'a str, usize>,
    /// The lines of each answer with `usage`, in order.
    answers: Vec<(&'a str, Vec<usize>)>,
    /// The line of the result of each call.
    results: HashMap<String, usize>,
    tools: HashMap<String, String>,
    compactions: Vec<usize>,
}

pub(super) fn read(lines: &[Node]) -> RecordedSession {
    let mut reader = Reader {
        session: RecordedSession::new(Client::ClaudeCode),
        rows: Vec::with_capacity(lines.len()),
        lines,
        by_uuid: HashMap::new(),
        answers: Vec::new(),
        results: HashMap::new(),
        tools: HashMap::new(),
        compactions: Vec::new(),
    };
    // The log of a sub-agent has nothing but its own lines.
    let is_main = |line: &Node| line.get("message").is_some() && !line.is_true("isSidechain");
    reader.rows(lines.iter().any(is_main));
    reader.requests();
    reader.session
}

impl<'a> Reader<'a> {
    fn rows(&mut self, has_main: bool) {
        let mut before = None;
        let mut places: HashMap<&'a str, usize> = HashMap::new();
        for (at, line) in self.lines.iter().enumerate() {
            let mut row = Row {
                uuid: line.word("uuid"),
                parent: line.word("parentUuid"),
                before,
                at: line.word("timestamp").and_then(clock::seconds),
                ..Row::default()
            };
            if let Some(uuid) = row.uuid {
                self.by_uuid.insert(uuid, at);
            }
            if has_main && line.is_true("isSidechain") {
                self.rows.push(row);
                continue;
            }
            if row.uuid.is_some() {
                before = Some(at);
            }
            match line.word("type") {
                Some("assistant") => self.answer(at, line, &mut row, &mut places),
                Some("user") => self.input(at, line, &mut row),
                Some("attachment") => self.attachment(at, line, &mut row),
                Some("progress") => self.subagent(line),
                Some("system") if line.word("subtype") == Some("compact_boundary") => {
                    self.compactions.push(at);
                }
                _ => {}
            }
            self.rows.push(row);
        }
    }

    fn answer(&mut self, at: usize, line: &'a Node, row: &mut Row<'a>, places: &mut HashMap<&'a str, usize>) {
        let Some(message) = line.get("message") else { return };
        if message.word("model") == Some("<synthetic>") || line.is_true("isApiErrorMessage") {
            return;
        }
        for part in parts(message.get("content")).iter() {
            let block = match part.word("type") {
                Some("text") => {
                    let text = part.word("text").unwrap_or_default();
                    if text.is_empty() {
                        continue;
                    }
                    ContextBlock::new(BlockKind::Assistant, text, at, text_block(text))
                }
                Some("thinking" | "redacted_thinking") => ContextBlock::new(
                    BlockKind::Thinking,
                    part.word("thinking").unwrap_or_default(),
                    at,
                    json(part),
                ),
                Some("tool_use") => {
                    let (Some(id), Some(name)) = (part.word("id"), part.word("name")) else { continue };
                    self.tools.insert(id.to_owned(), name.to_owned());
                    call(part, id, name, at)
                }
                _ => continue,
            };
            row.blocks.push(self.session.add(block));
        }
        row.answer = message.word("id");
        if let (Some(id), Some(_)) = (row.answer, message.get("usage").filter(|usage| **usage != Node::Null))
        {
            let next = self.answers.len();
            let place = *places.entry(id).or_insert(next);
            match self.answers.get_mut(place) {
                Some((_, rows)) => rows.push(at),
                None => self.answers.push((id, vec![at])),
            }
        }
    }

    fn input(&mut self, at: usize, line: &'a Node, row: &mut Row<'a>) {
        row.is_user = true;
        let content = line.get("message").and_then(|message| message.get("content"));
        for part in parts(content).iter() {
            let block = match part.word("type") {
                Some("text") => {
                    let text = part.word("text").unwrap_or_default();
                    if text.is_empty() {
                        continue;
                    }
                    ContextBlock::new(kind_of(line, text), text, at, text_block(text))
                }
                Some("image" | "document") => {
                    ContextBlock::new(BlockKind::Image, "", at, text_block("[image]"))
                }
                Some("tool_result") => {
                    let Some(id) = part.word("tool_use_id") else { continue };
                    self.results.insert(id.to_owned(), at);
                    result(part, id, self.tools.get(id).map_or("?", String::as_str), at)
                }
                _ => continue,
            };
            row.blocks.push(self.session.add(block));
        }
    }

    fn attachment(&mut self, at: usize, line: &'a Node, row: &mut Row<'a>) {
        let Some(attachment) = line.get("attachment") else { return };
        let kind = attachment.word("type").unwrap_or_default();
        if kind.starts_with("hook") && kind != "hook_additional_context" {
            return;
        }
        let text = match attachment.get("content") {
            Some(content) if *content != Node::Null => as_text(Some(content)),
            _ => {
                let left_out = ["type", "hookName", "toolUseID", "hookEvent"];
                let shown =
                    attachment.members().iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
                json(&Node::Object(shown.cloned().collect()))
            }
        };
        let block = ContextBlock::new(BlockKind::Reminder, &text, at, text_block(&text));
        row.blocks.push(self.session.add(block));
    }

    /// Notes the usage of a sub-agent's request that only shows as progress.
    fn subagent(&mut self, line: &Node) {
        let message = line.get("agent").or_else(|| line.get("data")?.get("message")?.get("message"));
        let Some((message, usage)) = message.and_then(|message| Some((message, message.get("usage")?)))
        else {
            return;
        };
        let word = |key| message.word(key).unwrap_or_default().to_owned();
        let found = (word("id"), word("model"), counted(usage));
        match self.session.subagents.iter_mut().find(|(id, ..)| *id == found.0) {
            Some(earlier) => *earlier = found,
            None => self.session.subagents.push(found),
        }
    }

    fn requests(&mut self) {
        let answers = std::mem::take(&mut self.answers);
        let lines_of: HashMap<&str, &[usize]> =
            answers.iter().map(|(id, rows)| (*id, rows.as_slice())).collect();
        // The request for which a line was last taken.
        let mut taken = vec![0_u32; self.rows.len()];
        for (number, (id, rows)) in (1_u32..).zip(&answers) {
            if let Some(request) = self.request(id, rows, &lines_of, &mut taken, number) {
                self.session.requests.push(request);
            }
        }
    }

    fn request(
        &self,
        id: &str,
        rows: &[usize],
        lines_of: &HashMap<&str, &[usize]>,
        taken: &mut [u32],
        number: u32,
    ) -> Option<RecordedRequest> {
        let first = *rows.first()?;
        let messages = || rows.iter().filter_map(|row| self.lines.get(*row)?.get("message"));
        let counts = messages().filter_map(|message| message.get("usage")).map(counted);
        let counts = counts.reduce(|a, b| if b.output > a.output { b } else { a })?;
        if counts.prompt() < LEAST_PROMPT {
            return None;
        }
        let before = self.before(id, first, lines_of, taken, number);
        let context =
            before.iter().filter_map(|row| self.rows.get(*row)).flat_map(|row| row.blocks.iter().copied());
        let outputs =
            rows.iter().filter_map(|row| self.rows.get(*row)).flat_map(|row| row.blocks.iter().copied());
        let answered = self.rows.get(first).and_then(|row| row.at).unwrap_or_default();
        Some(RecordedRequest {
            id: id.to_owned(),
            model: messages().next().and_then(|message| message.word("model")).unwrap_or_default().to_owned(),
            counted: counts,
            context: context.collect(),
            outputs: outputs.collect(),
            row: first,
            segment: self.compactions.partition_point(|row| *row < first),
            sent: self.sent(&before, answered),
            ..RecordedRequest::default()
        })
    }

    /// The lines before an answer, in order: its chain of parents, what else belongs to their answers, and the results
    /// of their calls.
    fn before(
        &self,
        id: &str,
        first: usize,
        lines_of: &HashMap<&str, &[usize]>,
        taken: &mut [u32],
        number: u32,
    ) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut take = |row: usize, chain: &mut Vec<usize>| match taken.get_mut(row) {
            Some(place) if *place != number => {
                *place = number;
                chain.push(row);
                true
            }
            _ => false,
        };
        let mut next = self.parent(first);
        while let Some(row) = next {
            if !take(row, &mut chain) {
                break;
            }
            next = self.parent(row);
        }
        let answers: HashSet<&str> =
            chain.iter().filter_map(|row| self.rows.get(*row)?.answer).filter(|other| *other != id).collect();
        for row in answers.iter().filter_map(|other| lines_of.get(other)).flat_map(|rows| rows.iter()) {
            if *row < first {
                take(*row, &mut chain);
            }
        }
        for place in 0..chain.len() {
            let blocks =
                chain.get(place).and_then(|row| self.rows.get(*row)).map(|row| row.blocks.as_slice());
            for block in blocks.unwrap_or_default().iter().filter_map(|block| self.session.block(*block)) {
                let result = block.call.as_deref().filter(|_| block.kind == BlockKind::Call);
                if let Some(row) = result.and_then(|call| self.results.get(call)).filter(|row| **row < first)
                {
                    take(*row, &mut chain);
                }
            }
        }
        chain.sort_unstable();
        chain
    }

    fn parent(&self, row: usize) -> Option<usize> {
        let row = self.rows.get(row)?;
        let parent = row.parent?;
        self.by_uuid.get(parent).copied().or(row.before)
    }

    /// When the request was sent: after the newest input before the answer.
    fn sent(&self, before: &[usize], answered: f64) -> f64 {
        let has_blocks = |row: &&usize| self.rows.get(**row).is_some_and(|row| !row.blocks.is_empty());
        let newest = before.iter().rev().filter(has_blocks).take(NEWEST);
        let inputs = newest.filter_map(|row| self.rows.get(*row).filter(|row| row.is_user)?.at);
        let sent = inputs.filter(|at| *at <= answered + 1.0).fold(f64::MIN, f64::max);
        if answered - sent < MAX_WAIT { sent } else { answered }
    }
}

/// The parts of content; a string is one text.
fn parts(content: Option<&Node>) -> Cow<'_, [Node]> {
    match content {
        Some(Node::List(parts)) => Cow::Borrowed(parts),
        Some(Node::Text(text)) => {
            let part = Node::object([("type", Node::from_text("text")), ("text", Node::from_text(text))]);
            Cow::Owned(vec![part])
        }
        _ => Cow::Borrowed(&[]),
    }
}

fn call(part: &Node, id: &str, name: &str, at: usize) -> ContextBlock {
    let input = part.get("input").cloned().unwrap_or_else(|| Node::object([]));
    let text = json(&input);
    let call = Node::object([
        ("type", Node::from_text("tool_use")),
        ("id", Node::from_text(id)),
        ("name", Node::from_text(name)),
        ("input", input),
    ]);
    ContextBlock::new(BlockKind::Call, &text, at, json(&call)).of_tool(name, id)
}

fn kind_of(line: &Node, text: &str) -> BlockKind {
    const OF_CLIENT: [&str; 3] = ["<system-reminder", "<local-command", "<command-"];
    if line.is_true("isCompactSummary") {
        BlockKind::Summary
    } else if line.is_true("isMeta") || OF_CLIENT.iter().any(|start| text.trim_start().starts_with(start)) {
        BlockKind::Reminder
    } else {
        BlockKind::User
    }
}

fn text_block(text: &str) -> String {
    json(&Node::object([("type", Node::from_text("text")), ("text", Node::from_text(text))]))
}

/// A result as it was sent, without its pictures.
fn result(part: &Node, id: &str, tool: &str, at: usize) -> ContextBlock {
    let pictures = part.get("content").and_then(Node::list).unwrap_or_default().iter();
    let pictures = pictures.filter(|part| part.word("type") == Some("image")).map(|_| IMAGE).sum::<f64>();
    let text = as_text(part.get("content"));
    let content = match part.get("content") {
        Some(Node::List(parts)) => {
            let shown = |part: &Node| match part.word("type") {
                Some("text") => part.clone(),
                _ => Node::object([("type", Node::from_text("text")), ("text", Node::from_text("[image]"))]),
            };
            Node::List(parts.iter().map(shown).collect())
        }
        Some(Node::Null) | None => Node::from_text(""),
        Some(content) => content.clone(),
    };
    let mut members = vec![
        ("type".to_owned(), Node::from_text("tool_result")),
        ("tool_use_id".to_owned(), Node::from_text(id)),
        ("content".to_owned(), content),
    ];
    if part.is_true("is_error") {
        members.push(("is_error".to_owned(), Node::Scalar(true.into())));
    }
    let mut block =
        ContextBlock::new(BlockKind::Result, &text, at, json(&Node::Object(members))).of_tool(tool, id);
    block.estimate += pictures;
    block
}

fn counted(usage: &Node) -> Counted {
    let written = number(usage, "cache_creation_input_tokens");
    let long =
        usage.get("cache_creation").map_or(0.0, |of| number(of, "ephemeral_1h_input_tokens")).min(written);
    Counted {
        input: number(usage, "input_tokens"),
        read: number(usage, "cache_read_input_tokens"),
        write: written - long,
        write_long: long,
        output: number(usage, "output_tokens"),
    }
}
