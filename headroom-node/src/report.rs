//! What the engine looked at and did.

use headroom_bindings::transforms;
use headroom_core::{self as core, Action, Api, UnchangedReason};
use napi_derive::napi;

/// Describes what the engine looked at and did. Holds no content.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Report {
    /// The wire format, if it was recognised.
    pub api: Option<String>,
    /// The tier that was allowed.
    pub tier: String,
    /// How the model can retrieve elided content.
    pub retrieval: String,
    /// Name of the token counter.
    pub tokenizer: String,
    /// Whether the model's own tokenizer is not public and another is used for it.
    pub estimated: bool,
    /// Length of the original body, in bytes.
    pub bytes_before: u32,
    /// Length of the resulting body, in bytes.
    pub bytes_after: u32,
    /// Tokens that the edits saved.
    pub tokens_saved: u32,
    /// Why nothing was edited, if nothing was.
    pub reason: Option<String>,
    /// The kinds of edits that were made, each once.
    pub transforms: Vec<String>,
    /// Every text of the tool results, in order.
    pub blocks: Vec<BlockReport>,
}

/// Describes one text of a tool result. Holds no content.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct BlockReport {
    /// Position of the text in the body, as a JSON path.
    pub path: String,
    /// The tool that returned the text, if it is known.
    pub tool: Option<String>,
    /// The content kind of the text.
    pub kind: String,
    /// Length of the original text, in bytes of UTF-8.
    pub bytes_before: u32,
    /// Length of the resulting text, in bytes of UTF-8.
    pub bytes_after: u32,
    /// Tokens of the original text; none if no edit was considered and none were counted.
    pub tokens_before: Option<u32>,
    /// Tokens of the resulting text.
    pub tokens_after: Option<u32>,
    /// Why the text is unchanged; none if it was edited.
    pub reason: Option<String>,
    /// The edits that were made.
    pub transforms: Vec<String>,
}

impl From<&core::Report> for Report {
    fn from(report: &core::Report) -> Self {
        Self {
            api: report.api.map(Api::as_str).map(str::to_owned),
            tier: report.tier.as_str().to_owned(),
            retrieval: report.retrieval.as_str().to_owned(),
            tokenizer: report.tokenizer.to_owned(),
            estimated: report.estimated,
            bytes_before: number(report.bytes_before),
            bytes_after: number(report.bytes_after),
            tokens_saved: number(report.tokens_saved),
            reason: report.reason.map(UnchangedReason::as_str).map(str::to_owned),
            transforms: transforms(report).into_iter().map(str::to_owned).collect(),
            blocks: report.blocks.iter().map(BlockReport::from).collect(),
        }
    }
}

impl From<&core::BlockReport> for BlockReport {
    fn from(block: &core::BlockReport) -> Self {
        Self {
            path: block.path.clone(),
            tool: block.tool.clone(),
            kind: block.kind.as_str().to_owned(),
            bytes_before: number(block.bytes_before),
            bytes_after: number(block.bytes_after),
            tokens_before: block.tokens_before.map(number),
            tokens_after: block.tokens_after.map(number),
            reason: match &block.action {
                Action::Kept(reason) => Some(reason.as_str().to_owned()),
                _ => None,
            },
            transforms: match &block.action {
                Action::Edited(edits) => edits.iter().map(|edit| edit.as_str().to_owned()).collect(),
                _ => Vec::new(),
            },
        }
    }
}

/// Returns a length as JavaScript has it. Bodies are shorter than 4 GiB.
pub(crate) fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
