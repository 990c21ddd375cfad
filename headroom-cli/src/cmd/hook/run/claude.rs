//! What Claude Code passes to a hook of `PostToolUse`, and what it takes back.
//!
//! The shape of a result depends on the tool. Known are those whose text the model sees as it is; all others, and any
//! that has something unknown about it, stay as they are.

use std::{borrow::Cow, ops::Range, path::PathBuf};

use headroom_json::{Tape, TapeValue, Text};

use super::NAME;

const EVENT: &str = "PostToolUse";
const FIELDS: [&str; 7] = [
    "hook_event_name",
    "tool_name",
    "tool_input",
    "tool_response",
    "tool_use_id",
    "transcript_path",
    "agent_id",
];
/// Members of a shell's result with which its text is not what the model sees, or not all of it.
const ELSEWHERE: [&str; 4] =
    ["persistedOutputPath", "rawOutputPath", "structuredContent", "backgroundTaskId"];

/// Reads a call; `None` if it is no JSON.
pub(super) fn parse(input: &str) -> Option<Tape<'_>> {
    Tape::parse(input).ok()
}

/// A call of a tool that has returned.
pub(super) struct Call<'a> {
    pub(super) tool: Cow<'a, str>,
    /// The arguments, as JSON.
    pub(super) arguments: &'a str,
    /// Where the result is in the input.
    pub(super) result: Range<usize>,
    /// The texts of the result that may be replaced.
    pub(super) texts: Vec<Text<'a>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) transcript: Option<PathBuf>,
    /// Whether an agent under the user's own made the call.
    pub(super) is_subagent: bool,
}

impl<'a> Call<'a> {
    /// Returns the call, if any of its texts may be replaced.
    pub(super) fn from_input(input: &Tape<'a>) -> Option<Self> {
        let [event, tool, arguments, result, id, transcript, agent] = input.root().fields(FIELDS).ok()?;
        if string(event?)? != EVENT {
            return None;
        }
        let (tool, result) = (string(tool?)?, result?);
        let texts = texts(&tool, result)?;
        Some(Self {
            tool,
            arguments: arguments.map_or("{}", TapeValue::raw),
            result: result.start()..result.end(),
            texts,
            id: id.and_then(string),
            is_subagent: agent.is_some(),
            transcript: transcript.and_then(string).map(|path| PathBuf::from(path.as_ref())),
        })
    }
}

/// The texts in a result of this tool that the model sees as they are, in their order.
fn texts<'a>(tool: &str, result: TapeValue<'a, '_>) -> Option<Vec<Text<'a>>> {
    // Headroom's own tools return what was asked for.
    if !result.has_distinct_keys() || tool.contains(NAME) {
        return None;
    }
    match tool {
        "Bash" => shell(result),
        "Grep" => {
            let [mode, content] = result.fields(["mode", "content"]).ok()?;
            (string(mode?)? == "content").then_some(vec![content?.text()?])
        }
        _ if tool.starts_with("mcp__") => {
            Some(result.text().map_or_else(|| parts(result), |text| vec![text]))
        }
        _ => None,
    }
}

fn shell<'a>(result: TapeValue<'a, '_>) -> Option<Vec<Text<'a>>> {
    let [stdout, stderr, interrupted, image] =
        result.fields(["stdout", "stderr", "interrupted", "isImage"]).ok()?;
    let is_set = |value: Option<TapeValue<'_, '_>>| value.is_some_and(TapeValue::is_true);
    let elsewhere = result.fields(ELSEWHERE).ok()?;
    if is_set(interrupted) || is_set(image) || elsewhere.iter().flatten().any(|value| !value.is_null()) {
        return None;
    }
    let mut texts = vec![stdout?.text()?, stderr?.text()?];
    texts.sort_by_key(|text| text.start);
    Some(texts)
}

/// The text parts of the content of an MCP tool.
fn parts<'a>(content: TapeValue<'a, '_>) -> Vec<Text<'a>> {
    let text = |part: TapeValue<'a, '_>| {
        let [kind, text] = part.fields(["type", "text"]).ok()?;
        if string(kind?)? == "text" { text?.text() } else { None }
    };
    content.items().filter_map(text).collect()
}

fn string<'a>(value: TapeValue<'a, '_>) -> Option<Cow<'a, str>> {
    value.text()?.decode()
}

/// The answer that replaces the result of the tool by this one.
pub(super) fn answer(result: &str) -> String {
    format!(
        r#"{{"suppressOutput":true,"hookSpecificOutput":{{"hookEventName":"{EVENT}","updatedToolOutput":{result}}}}}"#
    )
}
