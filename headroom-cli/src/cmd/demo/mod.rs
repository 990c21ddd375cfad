//! `headroom demo`: shows on a recorded conversation what happens to a request.

mod args;
mod calls;
mod show;

use std::io;

use headroom_core::{Action, Api, BlockReport, CompressOptions, Engine, Original, Outcome, Retrieval};
use headroom_store::{MemoryStore, OriginalStore, retrieve};
use serde_json::{Value, json};

pub(crate) use self::args::{DemoArgs, EXAMPLES};
use crate::{
    blocks::{place, reason},
    output,
    store::LOCAL_TENANT,
};

/// The conversation: a request of Anthropic Messages, compressed.
const RECORDED: &[u8] = include_bytes!("../../../assets/demo.json.zst");
/// Its length is known; this bounds what a damaged program would unpack.
const MAX_BYTES: usize = 1 << 20;

/// Errors of `headroom demo`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("cannot unpack the conversation in this program")]
    Unpack(#[source] io::Error),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

/// What happens to the conversation.
struct Demo {
    bytes: (usize, usize),
    blocks: Vec<DemoBlock>,
    retrieved: Option<Retrieved>,
}

/// One tool result.
struct DemoBlock {
    report: BlockReport,
    /// The call that it answers.
    call: String,
    before: String,
    after: String,
}

/// What the model asks for, and what it gets.
struct Retrieved {
    arguments: Value,
    answer: String,
}

/// Prints it.
pub(crate) fn run(args: &DemoArgs) -> Result<(), DemoError> {
    let request = zstd::bulk::decompress(RECORDED, MAX_BYTES).map_err(DemoError::Unpack)?;
    let demo = Demo::of_request(&request)?;
    let written = match args.json {
        true => output::write(format!("{}\n", demo.to_json()).as_bytes()),
        false => output::write_painted(&show::render(&demo, output::Paint::new(output::has_colours()))),
    };
    written.map_err(DemoError::Write)
}

impl Demo {
    fn of_request(request: &[u8]) -> Result<Self, DemoError> {
        let options =
            CompressOptions::new().retrieval(Retrieval::ServerTool).epochs(true).tenant(LOCAL_TENANT);
        let (body, originals, report) = match Engine::new().compress(Api::Anthropic, request, &options) {
            Outcome::Rewritten { body, originals, report } => (body, originals, report),
            Outcome::Unchanged { report, .. } => (request.to_vec(), Vec::new(), report),
        };
        let parse = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap_or_default();
        let (before, after) = (parse(request), parse(&body));
        let block = |report: &BlockReport| {
            let (before_text, after_text) =
                place::texts(&before, &after, &report.path, 0).unwrap_or_default();
            DemoBlock {
                call: calls::answered(&before, &report.path).unwrap_or_default(),
                before: before_text,
                after: after_text,
                report: report.clone(),
            }
        };
        let blocks: Vec<_> = report.blocks.iter().map(block).collect();
        let retrieved = retrieved(&blocks, originals)?;
        Ok(Self { bytes: (request.len(), body.len()), blocks, retrieved })
    }

    /// The tokens of all tool results, before and after.
    fn tokens(&self) -> (usize, usize) {
        let count = headroom_core::Vocabulary::O200kBase;
        let sum = |text: fn(&DemoBlock) -> &str| {
            self.blocks.iter().map(|block| headroom_core::TokenCounter::count(&count, text(block))).sum()
        };
        (sum(|block| &block.before), sum(|block| &block.after))
    }

    fn to_json(&self) -> Value {
        let (before, after) = self.tokens();
        let block = |block: &DemoBlock| {
            json!({
                "path": block.report.path, "call": block.call, "kind": block.report.kind.to_string(),
                "tokens_before": block.report.tokens_before, "tokens_after": block.report.tokens_after,
                "what": what(&block.report), "text_before": block.before, "text_after": block.after
            })
        };
        let retrieved = self.retrieved.as_ref().map(|retrieved| {
            json!({"tool": "headroom_retrieve", "arguments": retrieved.arguments, "answer": retrieved.answer})
        });
        json!({
            "bytes_before": self.bytes.0, "bytes_after": self.bytes.1, "tokens_before": before, "tokens_after": after,
            "blocks": self.blocks.iter().map(block).collect::<Vec<_>>(), "retrieved": retrieved
        })
    }
}

/// What happened to a tool result, in a few words.
fn what(report: &BlockReport) -> String {
    match &report.action {
        Action::Edited(steps) => {
            let mut words: Vec<_> = steps.iter().map(|step| reason::of_step(*step)).collect();
            words.dedup();
            words.join(", ")
        }
        Action::Kept(why) => reason::of_block(*why).to_owned(),
        _ => String::new(),
    }
}

/// Fetches some lines that the first marker stands for, as the model would.
fn retrieved(blocks: &[DemoBlock], originals: Vec<Original>) -> Result<Option<Retrieved>, DemoError> {
    let hash = |block: &DemoBlock| {
        let marker = block.after.split_once("[headroom:")?.1;
        marker.split([' ', ']']).next().map(str::to_owned)
    };
    let is_stored = |hash: &String| originals.iter().any(|original| original.handle().to_string() == *hash);
    let Some(hash) = blocks.iter().filter_map(hash).find(is_stored) else { return Ok(None) };
    let arguments = json!({"hash": hash, "lines": "30-33"});
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(DemoError::Runtime)?;
    let answer = runtime.block_on(async {
        let store = MemoryStore::new();
        store.put_many(LOCAL_TENANT, originals).await?;
        retrieve(&store, LOCAL_TENANT, &arguments.to_string()).await
    });
    Ok(answer.ok().map(|answer| Retrieved { arguments, answer }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Vec<u8> {
        zstd::bulk::decompress(RECORDED, MAX_BYTES).unwrap()
    }

    #[test]
    fn the_conversation_is_the_recorded_one() {
        let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tests/fixtures/anthropic/conversation.json");
        assert_eq!(request(), std::fs::read(fixture).unwrap());
        assert!(RECORDED.len() < 100 << 10, "{}", RECORDED.len());
    }

    #[test]
    fn it_shows_what_the_engine_does() {
        let demo = Demo::of_request(&request()).unwrap();
        let (before, after) = demo.tokens();
        assert!(after * 2 < before, "{before} -> {after}");
        assert!(demo.bytes.1 < demo.bytes.0);
        for block in &demo.blocks {
            let is_edited = matches!(block.report.action, Action::Edited(_));
            assert_eq!(block.before != block.after, is_edited, "{}", block.report.path);
            assert!(!block.call.is_empty() && !what(&block.report).is_empty(), "{}", block.report.path);
        }
        // What was fetched back is lines of the original that the model did not see.
        let retrieved = demo.retrieved.expect("a marker stands for something");
        let line = retrieved.answer.lines().find(|line| line.contains("cycle=")).unwrap();
        let first = &demo.blocks[0];
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == ':');
        assert!(first.before.contains(line), "{line}");
    }

    #[test]
    fn it_can_be_read_in_eighty_columns() {
        let text = show::render(&Demo::of_request(&request()).unwrap(), output::Paint::new(false));
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(text.lines().count() < 120, "{}", text.lines().count());
        assert!(text.is_ascii() || !text.contains('\u{1b}'), "no colours");
        assert!(text.contains("headroom_retrieve") && text.contains("headroom wrap claude"), "{text}");
    }
}
