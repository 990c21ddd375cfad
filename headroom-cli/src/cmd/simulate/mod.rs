//! `headroom simulate`: the bill of recorded sessions, with and without Headroom.

mod args;
mod arrival;
mod bill;
mod epochs;
mod heads;
mod picture;
mod replayed;
mod show;
mod text;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use headroom_core::Retrieval;
use headroom_evals::{replay::recording, session};
use headroom_store::MemoryStore;
use headroom_tower::{HeadroomLayer, RequestReport};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use self::{
    args::{EXAMPLES, SimulateArgs},
    bill::rates,
};
use self::{
    arrival::{Row, Tool},
    bill::Sessions,
    heads::Heads,
};
use crate::{
    cmd::compress,
    config::{Config, ToolNames},
    output,
    setup::configured,
};

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
    #[error("cannot make a folder for plain-text originals")]
    Folder(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
    #[error("cannot write {}", path.display())]
    Picture { path: PathBuf, source: io::Error },
}

/// The result for all files.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    /// Sessions with the provider's counts.
    sessions: Sessions,
    /// Conversations without.
    conversations: Vec<Row>,
    tools: BTreeMap<String, Tool>,
    #[serde(skip)]
    heads: Heads,
    /// Files without a conversation.
    skipped: usize,
}

/// Replays all files and prints what they cost.
pub(crate) fn run(args: &SimulateArgs, config: &Config) -> Result<(), SimulateError> {
    let mut files = Vec::new();
    for path in &args.paths {
        let found = recording::files(path);
        files.extend(found.map_err(|source| SimulateError::Read { path: path.clone(), source })?);
    }
    let replay = Replay::new(config, args.max_turns)?;
    let mut outcome = Outcome::default();
    // Hidden unless standard error is a terminal.
    let bar = ProgressBar::new(files.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} files  {wide_msg}") {
        bar.set_style(style);
    }
    for file in &files {
        bar.set_message(output::escape(&name(file)).into_owned());
        replay.file(file, &mut outcome, &bar)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    outcome.sessions.finish();
    if outcome.conversations.is_empty() && outcome.sessions.is_empty() {
        return Err(SimulateError::Nothing(files.len()));
    }
    if let Some(path) = &args.svg {
        let picture = picture::draw(&outcome.sessions);
        fs::write(path, picture).map_err(|source| SimulateError::Picture { path: path.clone(), source })?;
    }
    let shown = if args.json { show::json(&outcome, config) } else { show::text(&outcome, config) };
    output::write(shown.as_bytes()).map_err(SimulateError::Write)
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

struct Replay {
    layer: HeadroomLayer,
    has_epochs: bool,
    runtime: Runtime,
    max_turns: Option<usize>,
    /// Where `--retrieval file` writes, until the end.
    _originals: Option<TempDir>,
}

impl Replay {
    fn new(config: &Config, max_turns: Option<usize>) -> Result<Self, SimulateError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().build().map_err(SimulateError::Runtime)?;
        let mut config = config.clone();
        // Logs hold no definitions of tools.
        config.drop_tools = ToolNames::default();
        // Nothing is left behind: not in the user's folders either.
        let originals = match config.retrieval {
            Retrieval::File => {
                let folder = tempfile::tempdir().map_err(SimulateError::Folder)?;
                // A folder within, which the store makes private.
                config.originals_dir = folder.path().join("originals").to_string_lossy().parse().ok();
                Some(folder)
            }
            _ => None,
        };
        // This thread has nothing else to do meanwhile.
        let layer = configured(&config, Arc::new(MemoryStore::new())).blocking_threshold(u64::MAX);
        Ok(Self { layer, has_epochs: config.epochs().is_on(), runtime, max_turns, _originals: originals })
    }

    fn file(&self, file: &Path, outcome: &mut Outcome, bar: &ProgressBar) -> Result<(), SimulateError> {
        let failed = |source| SimulateError::Read { path: file.to_owned(), source };
        let conversations = if recording::is_log(file) {
            let lines = recording::lines(file).map_err(failed)?;
            if let Some(session) = session::read(&lines) {
                drop(lines);
                outcome.sessions.add(self, file, session, bar);
                return Ok(());
            }
            recording::from_lines(lines)
        } else {
            match recording::read(file) {
                // A file that is not text holds no conversation.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => Vec::new(),
                conversations => {
                    if let Ok(body) = fs::read_to_string(file) {
                        outcome.heads.add(&body);
                    }
                    conversations.map_err(failed)?
                }
            }
        };
        if conversations.is_empty() {
            outcome.skipped += 1;
        }
        for conversation in &conversations {
            let row = self.conversation(conversation, file, &mut outcome.tools);
            outcome.conversations.push(row);
        }
        Ok(())
    }

    fn send(&self, request: Vec<u8>) -> (Option<Bytes>, Option<RequestReport>) {
        self.send_with(request, self.has_epochs)
    }

    fn send_with(&self, request: Vec<u8>, epochs: bool) -> (Option<Bytes>, Option<RequestReport>) {
        let settings = compress::local(None).epochs(epochs);
        self.runtime.block_on(compress::through(self.layer.clone(), settings, None, request.into()))
    }
}
