//! `headroom inspect`: shows a request before and after, block by block, with reasons.

mod args;
mod table;

use std::{
    collections::HashMap,
    fs,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use bytes::Bytes;
use headroom_core::{Action, Api, BlockReport, CompressOptions, Engine, Outcome, Report, Retrieval};
use headroom_store::MemoryStore;
use headroom_tower::SkipReason;
use serde_json::{Value, json};
use similar::TextDiff;

pub(crate) use self::args::{EXAMPLES, InspectArgs};
use crate::{
    blocks::{place, reason},
    cmd::compress,
    config::{Config, OriginalsDir},
    output::{self, Count, Paint},
    setup::layer,
    store::LOCAL_TENANT,
};

/// Errors of `headroom inspect`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    #[error(
        "nothing to read: standard input is a terminal. Give it a request body, as in `headroom inspect request.json`"
    )]
    Terminal,
    #[error("cannot read {name}")]
    Read { name: String, source: io::Error },
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl InspectError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Terminal)
    }
}

/// Prints what would change in a request.
pub(crate) fn run(args: &InspectArgs, config: &Config) -> Result<(), InspectError> {
    let input = Bytes::from(read(args.file.as_ref())?);
    let Inspection { body, report, skipped } = match &config.originals_dir {
        Some(originals_dir) if config.retrieval == Retrieval::File => {
            with_files(args, config, originals_dir, &input)
        }
        _ => as_sent(args, config, &input)?,
    };
    let texts =
        if args.diff { texts(&report, &input, body.as_deref().unwrap_or(&input)) } else { Vec::new() };
    let shown = if args.json {
        to_json(&report, skipped, &texts)
    } else {
        to_text(&report, skipped, &texts, input.len())
    };
    let written = if args.json { output::write(shown.as_bytes()) } else { output::write_painted(&shown) };
    written.map_err(InspectError::Write)
}

/// What would change in a request.
struct Inspection {
    body: Option<Bytes>,
    report: Report,
    skipped: Option<SkipReason>,
}

/// Compresses the request as the proxy would.
fn as_sent(args: &InspectArgs, config: &Config, input: &Bytes) -> Result<Inspection, InspectError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(InspectError::Runtime)?;
    let layer = layer(config, std::sync::Arc::new(MemoryStore::new())).blocking_threshold(u64::MAX);
    let settings = compress::local(Some(config.retrieval));
    let (body, result) = runtime.block_on(compress::through(layer, settings, args.api, input.clone()));
    let skipped = result.as_ref().and_then(|result| result.skip_reason());
    let report = result.as_ref().and_then(|result| result.report()).cloned().unwrap_or_default();
    Ok(Inspection { body, report, skipped })
}

/// The same with markers that name files, none of which is written.
fn with_files(
    args: &InspectArgs,
    config: &Config,
    originals_dir: &OriginalsDir,
    input: &Bytes,
) -> Inspection {
    let Some(api) = args.api.or_else(|| Api::detect(input)) else {
        return Inspection { body: None, report: Report::default(), skipped: Some(SkipReason::UnknownApi) };
    };
    let options = CompressOptions::new()
        .tier(config.tier)
        .epochs(config.epochs().is_on())
        .cache_hints(config.cache_hints.iter())
        .tenant(LOCAL_TENANT)
        .originals_dir(originals_dir.folder());
    match Engine::new().compress(api, input, &options) {
        Outcome::Rewritten { body, report, .. } => {
            Inspection { body: Some(body.into()), report, skipped: None }
        }
        Outcome::Unchanged { reason, report } => {
            Inspection { body: None, report, skipped: Some(SkipReason::Engine(reason)) }
        }
    }
}

fn read(file: Option<&PathBuf>) -> Result<Vec<u8>, InspectError> {
    match file {
        Some(path) => {
            fs::read(path).map_err(|source| InspectError::Read { name: path.display().to_string(), source })
        }
        None if io::stdin().is_terminal() => Err(InspectError::Terminal),
        None => {
            let mut input = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut input)
                .map_err(|source| InspectError::Read { name: "standard input".to_owned(), source })?;
            Ok(input)
        }
    }
}

/// A block's text before and after; `None` if it cannot be located.
type Texts = Option<(String, String)>;

fn texts(report: &Report, before: &[u8], after: &[u8]) -> Vec<Texts> {
    let parse = |body| serde_json::from_slice::<Value>(body).ok();
    let (Some(before), Some(after)) = (parse(before), parse(after)) else { return Vec::new() };
    let mut changed: HashMap<&str, usize> = HashMap::new();
    let texts = report.blocks.iter().map(|block| {
        let number = changed.entry(&block.path).or_default();
        let texts = place::texts(&before, &after, &block.path, *number);
        if matches!(block.action, Action::Edited(_)) {
            *number += 1;
        }
        texts
    });
    texts.collect()
}

fn to_json(report: &Report, skipped: Option<SkipReason>, texts: &[Texts]) -> String {
    let mut json = json!(report);
    if let (Some(reason), Some(fields)) = (skipped, json.as_object_mut()) {
        fields.insert("reason".to_owned(), json!(reason.as_str()));
    }
    if let Some(blocks) = json.get_mut("blocks").and_then(Value::as_array_mut) {
        for (block, text) in blocks.iter_mut().zip(texts) {
            if let (Some((before, after)), Some(fields)) = (text, block.as_object_mut()) {
                fields.insert("text_before".to_owned(), json!(before));
                fields.insert("text_after".to_owned(), json!(after));
            }
        }
    }
    format!("{json}\n")
}

fn to_text(report: &Report, skipped: Option<SkipReason>, texts: &[Texts], length: usize) -> String {
    let paint = Paint::new(output::has_colours());
    let mut text = String::new();
    let api = report.api.map_or_else(|| "Unknown API".to_owned(), |api| format!("{api} request"));
    let bytes = |bytes: usize| Count(bytes as u64);
    let (before, after) = match skipped {
        None => (report.bytes_before, report.bytes_after),
        Some(_) => (length, length),
    };
    text.push_str(&format!(
        "{}, {} -> {} bytes; tier {}, retrieval {}\n",
        paint.bold(&api),
        bytes(before),
        bytes(after),
        report.tier,
        report.retrieval
    ));
    match skipped {
        Some(reason) => text.push_str(&format!("Sent as it is: {}\n", reason::of_request(reason))),
        None => {
            let about = if report.estimated { ", estimated: the model's tokenizer is not known" } else { "" };
            text.push_str(&format!(
                "{} tokens saved ({}{about})\n",
                paint.good(&Count(report.tokens_saved as u64).to_string()),
                report.tokenizer
            ));
        }
    }
    for tool in &report.listed_tools {
        let what = match tool.kept {
            None => format!("left out, {} tokens", bytes(tool.tokens)),
            Some(reason) => format!("stays: {}", reason.as_str()),
        };
        text.push_str(&format!("Tool {} {what}\n", output::content(&tool.name)));
    }
    for hint in &report.cache_hints {
        text.push_str(&format!("Cache setting added: {hint}\n"));
    }
    for epoch in &report.epochs {
        text.push_str(&format!(
            "Epoch at prompt {}: {} old results shrank by about {} tokens, about {} are written to the cache again\n",
            epoch.prompt,
            bytes(epoch.results),
            bytes(epoch.freed),
            bytes(epoch.rewritten)
        ));
    }
    if !report.blocks.is_empty() {
        text.push('\n');
        text.push_str(&table::render(&report.blocks, paint));
    }
    for (block, texts) in report.blocks.iter().zip(texts) {
        if matches!(block.action, Action::Edited(_)) {
            text.push_str(&changes(block, texts.as_ref(), paint));
        }
    }
    text
}

/// A line diff of a block, with three lines of context.
fn changes(block: &BlockReport, texts: Option<&(String, String)>, paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.bold(&output::content(&block.path)));
    let Some((before, after)) = texts else {
        text.push_str("(not available)\n");
        return text;
    };
    let (before, after) = (output::content(before), output::content(after));
    let diff = TextDiff::from_lines(&*before, &*after);
    for line in diff.unified_diff().missing_newline_hint(false).to_string().lines() {
        let painted = match line.as_bytes().first() {
            Some(b'-') => paint.bad(line),
            Some(b'+') => paint.good(line),
            Some(b'@') => paint.dim(line),
            _ => line.to_owned(),
        };
        text.push_str(&painted);
        text.push('\n');
    }
    text
}
