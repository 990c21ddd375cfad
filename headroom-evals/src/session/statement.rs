//! What a session cost, and where that went.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{BlockKind, CacheEvent, Cost, Rates, RecordedSession, plan::plans};

/// Why tokens were written to the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// They were new.
    NewContent,
    /// The first request of a log.
    Start,
    /// A pause longer than the lifetime of the cache.
    Pause,
    /// Another model answered.
    ModelSwitch,
    /// The client had compacted the conversation.
    Compaction,
    /// The conversation went on from an earlier place.
    Rewind,
    /// Nothing in the log explains it.
    Unexplained,
}

impl Cause {
    /// Returns the name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewContent => "new content",
            Self::Start => "first request",
            Self::Pause => "pause beyond the lifetime",
            Self::ModelSwitch => "model switch",
            Self::Compaction => "compaction",
            Self::Rewind => "rewind",
            Self::Unexplained => "unexplained",
        }
    }
}

/// How often something was paid for, and with how many dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// Requests that wrote so.
    pub times: u64,
    /// Dollars.
    pub dollars: f64,
}

/// The results of one tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ToolShare {
    /// Results.
    pub results: u64,
    /// Their tokens, once each.
    pub tokens: f64,
    /// What they cost in all prompts that held them.
    pub dollars: f64,
}

impl ToolShare {
    fn add(&mut self, tokens: f64, dollars: f64, is_new: bool) {
        self.dollars += dollars;
        if is_new {
            self.results += 1;
            self.tokens += tokens;
        }
    }
}

/// What a session cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statement {
    /// Requests that count.
    pub requests: u64,
    /// Dollars.
    pub paid: Cost,
    /// The prompt's part of it, by kind of block: `head`, `user`, `results` and so on.
    pub prompt: BTreeMap<&'static str, Cost>,
    /// The output's part of it, by kind of block.
    pub output: BTreeMap<&'static str, f64>,
    /// Results by tool.
    pub tools: BTreeMap<String, ToolShare>,
    /// Results by the file or command that was asked for: `Read src/main.rs`, `Bash cargo test`.
    pub subjects: BTreeMap<String, ToolShare>,
    /// What was written to the cache, by cause.
    pub writes: BTreeMap<Cause, Share>,
}

impl RecordedSession {
    /// Says what the session cost. Requests that were counted in another session cost nothing.
    pub fn statement(&self, rates: &dyn Fn(&str) -> Rates) -> Statement {
        let mut statement = Statement::default();
        let plans = plans(self, None, rates);
        let subjects = self.subjects();
        for (at, (request, plan)) in self.requests.iter().zip(&plans).enumerate() {
            if request.is_repeated {
                continue;
            }
            statement.requests += 1;
            let rates = rates(&request.model);
            let (read_to, written_to) = (plan.read, plan.read + plan.written);
            let mut start = 0.0;
            let head = (None, self.head_of(at));
            for (id, tokens) in
                std::iter::once(head).chain(self.sizes_of(at).map(|(id, size)| (Some(id), size)))
            {
                let end = start + tokens;
                let read = (end.min(read_to) - start).max(0.0);
                let written = (end.min(written_to) - start.max(read_to)).max(0.0);
                let cost = Cost {
                    read: read * rates.read,
                    write: written * plan.write_rate,
                    input: (tokens - read - written).max(0.0) * rates.input,
                    output: 0.0,
                };
                start = end;
                statement.paid += cost;
                let block = id.and_then(|id| self.block(id));
                *statement.prompt.entry(block.map_or("head", |block| block.kind.name())).or_default() += cost;
                if let Some(block) = block.filter(|block| block.kind == BlockKind::Result) {
                    let is_new = block.born == Some(at);
                    let tool = statement.tools.entry(block.tool.clone().unwrap_or_default()).or_default();
                    tool.add(block.tokens, cost.total(), is_new);
                    if let Some(subject) = id.and_then(|id| subjects.get(&id)) {
                        let subject = statement.subjects.entry(subject.clone()).or_default();
                        subject.add(block.tokens, cost.total(), is_new);
                    }
                }
            }
            self.add_output(at, request.counted.output * rates.output, &mut statement);
            let (cause, rewritten) = cause(request.event, plan.written, request.missed);
            for (cause, tokens) in [(cause, rewritten), (Cause::NewContent, plan.written - rewritten)] {
                let share = statement.writes.entry(cause).or_default();
                share.dollars += tokens * plan.write_rate;
                // What is missed at a hit is too little to count as a miss.
                let is_counted = cause == Cause::NewContent || request.event != CacheEvent::Hit;
                share.times += u64::from(tokens > 0.0 && is_counted);
            }
        }
        statement
    }

    fn add_output(&self, at: usize, dollars: f64, statement: &mut Statement) {
        statement.paid.output += dollars;
        let outputs = || self.requests.get(at).into_iter().flat_map(|request| &request.outputs);
        let blocks = || outputs().filter_map(|id| self.block(*id));
        let all: f64 = blocks().map(|block| block.tokens).sum();
        if all <= 0.0 {
            *statement.output.entry("unseen").or_default() += dollars;
        }
        for block in blocks().filter(|_| all > 0.0) {
            *statement.output.entry(block.kind.name()).or_default() += dollars * block.tokens / all;
        }
    }
}

/// Why a request wrote more than new content, and how much.
fn cause(event: CacheEvent, written: f64, missed: f64) -> (Cause, f64) {
    let missed = written.min(missed);
    match event {
        CacheEvent::Start => (Cause::Start, written),
        CacheEvent::Compaction => (Cause::Compaction, written),
        CacheEvent::Expired => (Cause::Pause, missed),
        CacheEvent::ModelSwitch => (Cause::ModelSwitch, missed),
        CacheEvent::Rewind => (Cause::Rewind, missed),
        CacheEvent::Hit | CacheEvent::Pause | CacheEvent::Miss => (Cause::Unexplained, missed),
    }
}
