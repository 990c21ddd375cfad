//! `headroom simulate`: prices recorded conversations with and without Headroom.

mod args;
mod show;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use headroom_evals::{
    ordered_json::Node,
    replay::{
        Bill, Prices, Tokens,
        recording::{self, Conversation},
    },
};
use headroom_store::MemoryStore;
use headroom_tower::{HeadroomLayer, RequestReport};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tokio::runtime::Runtime;

pub(crate) use self::args::{EXAMPLES, SimulateArgs};
use crate::{cmd::compress, config::Config, layer, output};

/// Errors of `headroom simulate`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SimulateError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "no conversation in {0} files; supported are sessions of Claude Code and Codex (.jsonl) and request bodies of \
         the Anthropic, OpenAI and Gemini APIs (.json)"
    )]
    Nothing(usize),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

/// The result for all conversations.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    conversations: Vec<Row>,
    tools: BTreeMap<String, Tool>,
    /// Files without a conversation.
    skipped: usize,
}

/// One conversation.
#[derive(Debug, Serialize)]
struct Row {
    file: PathBuf,
    turns: usize,
    /// Tokens of its last request, before and after.
    tokens_before: u64,
    tokens_after: u64,
    /// The cost of all of its requests, in units of one input token.
    bill_before: f64,
    bill_after: f64,
}

/// The results of one tool in the last requests.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Tool {
    results: u64,
    /// Tokens of the results that were considered for edits.
    tokens_before: u64,
    tokens_after: u64,
}

/// Replays all conversations and prints the savings.
pub(crate) fn run(args: &SimulateArgs, config: &Config) -> Result<(), SimulateError> {
    let mut files = Vec::new();
    for path in &args.paths {
        let found = recording::files(path);
        files.extend(found.map_err(|source| SimulateError::Read { path: path.clone(), source })?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(SimulateError::Runtime)?;
    let replay =
        Replay { layer: layer(config, Arc::new(MemoryStore::new())), runtime, max_turns: args.max_turns };
    let mut outcome = Outcome::default();
    // Hidden unless standard error is a terminal.
    let bar = ProgressBar::new(files.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} files  {wide_msg}") {
        bar.set_style(style);
    }
    for file in &files {
        bar.set_message(output::escape(&name(file)).into_owned());
        replay.file(file, &mut outcome)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    if outcome.conversations.is_empty() {
        return Err(SimulateError::Nothing(files.len()));
    }
    let shown = if args.json { show::json(&outcome) } else { show::text(&outcome) };
    output::write(shown.as_bytes()).map_err(SimulateError::Write)
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

struct Replay {
    layer: HeadroomLayer,
    runtime: Runtime,
    max_turns: Option<usize>,
}

impl Replay {
    fn file(&self, file: &Path, outcome: &mut Outcome) -> Result<(), SimulateError> {
        let conversations = match recording::read(file) {
            Ok(conversations) => conversations,
            // A file that is not text holds no conversation.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Vec::new(),
            Err(source) => return Err(SimulateError::Read { path: file.to_owned(), source }),
        };
        if conversations.is_empty() {
            outcome.skipped += 1;
        }
        for conversation in &conversations {
            outcome.conversations.push(self.conversation(conversation, file, &mut outcome.tools));
        }
        Ok(())
    }

    fn conversation(
        &self,
        conversation: &Conversation,
        file: &Path,
        tools: &mut BTreeMap<String, Tool>,
    ) -> Row {
        let mut tokens = Tokens::default();
        let (mut before, mut after) = (Bill::default(), Bill::default());
        let mut last = None;
        let turns = conversation.turns.iter().take(self.max_turns.unwrap_or(usize::MAX));
        for messages in turns.clone() {
            let Ok(request) = conversation.request(*messages) else { continue };
            let (sent, report) = self.send(request.clone());
            let (Ok(raw), Ok(sent)) = (parse(&request), parse(sent.as_deref().unwrap_or(&request))) else {
                continue;
            };
            before.add(tokens.blocks(&raw));
            after.add(tokens.blocks(&sent));
            last = report;
        }
        for block in last.as_ref().and_then(RequestReport::report).iter().flat_map(|report| &report.blocks) {
            let tool = tools.entry(block.tool.clone().unwrap_or_else(|| "(unnamed)".to_owned())).or_default();
            let count = |tokens: Option<usize>| tokens.unwrap_or_default() as u64;
            tool.results += 1;
            tool.tokens_before += count(block.tokens_before);
            tool.tokens_after += count(block.tokens_after);
        }
        Row {
            file: file.to_owned(),
            turns: turns.count(),
            tokens_before: before.tokens(),
            tokens_after: after.tokens(),
            bill_before: in_tokens(before.price(&Prices::ANTHROPIC)),
            bill_after: in_tokens(after.price(&Prices::ANTHROPIC)),
        }
    }

    fn send(&self, request: Vec<u8>) -> (Option<Bytes>, Option<RequestReport>) {
        self.runtime.block_on(compress::through(
            self.layer.clone(),
            compress::local(None),
            None,
            request.into(),
        ))
    }
}

/// Converts thousandths of a token's price to token prices.
fn in_tokens(thousandths: u64) -> f64 {
    thousandths as f64 / 1e3
}

fn parse(body: &[u8]) -> serde_json::Result<Node> {
    serde_json::from_slice(body)
}
