//! What a conversation of Claude Code says before a call: what the user asked, and which files the agent has edited.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::claude::Call;

/// Read from the end of the file. What was edited before that was most likely read again since.
const MAX_BYTES: u64 = 4 << 20;

/// What was said before a call. Empty if the file cannot be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Transcript {
    /// The latest text of the user.
    pub(super) prompt: Option<String>,
    /// The calls of the agent that may edit files: tool and arguments.
    pub(super) calls: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "type")]
    kind: String,
    /// Whether the client wrote it, not the user.
    #[serde(default, rename = "isMeta")]
    is_meta: bool,
    #[serde(borrow)]
    message: Option<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: &'a RawValue,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    id: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

impl Transcript {
    pub(super) fn before(call: &Call<'_>) -> Self {
        let text = call.transcript.as_deref().and_then(|path| tail(path).ok());
        text.map_or_else(Self::default, |text| Self::parse(&text, call.id.as_deref()))
    }

    /// Reads the lines before the call of this id.
    fn parse(text: &[u8], id: Option<&str>) -> Self {
        let mut transcript = Self::default();
        let is_result = memmem::Finder::new(br#""tool_result""#);
        let is_call = memmem::Finder::new(br#""tool_use""#);
        let is_prompt = memmem::Finder::new(br#""type":"user""#);
        for line in text.split(|byte| *byte == b'\n') {
            // Results are most of a transcript.
            if is_result.find(line).is_some() || is_call.find(line).or_else(|| is_prompt.find(line)).is_none()
            {
                continue;
            }
            let Ok(entry) = serde_json::from_slice::<Entry<'_>>(line) else { continue };
            let Some(message) = entry.message else { continue };
            match entry.kind.as_str() {
                "user" if !entry.is_meta => {
                    transcript.prompt = prompt(message.content).or(transcript.prompt);
                }
                "assistant" => {
                    let parts: Vec<Part<'_>> =
                        serde_json::from_str(message.content.get()).unwrap_or_default();
                    for part in parts.into_iter().filter(|part| part.kind == "tool_use") {
                        if id.is_some() && part.id.as_deref() == id {
                            return transcript;
                        }
                        if let (Some(name), Some(input)) = (part.name, part.input) {
                            transcript.calls.push((name, input.get().to_owned()));
                        }
                    }
                }
                _ => {}
            }
        }
        transcript
    }
}

/// The text of a prompt.
fn prompt(content: &RawValue) -> Option<String> {
    if let Ok(text) = serde_json::from_str::<String>(content.get()) {
        return Some(text);
    }
    let parts: Vec<Part<'_>> = serde_json::from_str(content.get()).ok()?;
    let texts = parts.into_iter().filter(|part| part.kind == "text").filter_map(|part| part.text);
    Some(texts.collect::<Vec<_>>().join("\n")).filter(|text| !text.is_empty())
}

/// The end of a file, from the start of a line.
fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let skipped = metadata.len().saturating_sub(MAX_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut text = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut text)?;
    if skipped > 0 {
        let line = memchr::memchr(b'\n', &text).map_or(text.len(), |end| end + 1);
        text.drain(..line);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"type":"queue-operation","content":"Find out why."}
{"type":"user","message":{"role":"user","content":"Find out why orders fail."}}
{"type":"user","isMeta":true,"message":{"role":"user","content":"a note of the client"}}
{"type":"api-request-blob","message":{"role":"user","content":[{"type":"text","text":"reminder"}]}}
{"type":"assistant","message":{"content":[{"type":"text","text":"I look."}]}}
{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"Edit","input":{"file_path":"/w/data.json","n":1e3}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"\"type\":\"user\""}]}}
not JSON "tool_use"
{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t2","name":"Bash","input":{"command":"ls"}}]}}
{"type":"user","message":{"role":"user","content":[{"type":"text","text":"And"},{"type":"image","source":{}},{"type":"text","text":"since when?"}]}}
{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t3","name":"Write","input":{}}]}}
"#;

    fn call(name: &str, input: &str) -> (String, String) {
        (name.to_owned(), input.to_owned())
    }

    #[test]
    fn the_latest_prompt_and_the_calls_before_are_found() {
        let edit = call("Edit", r#"{"file_path":"/w/data.json","n":1e3}"#);
        let second = Transcript::parse(LINES.as_bytes(), Some("t2"));
        assert_eq!(second.prompt.as_deref(), Some("Find out why orders fail."));
        assert_eq!(second.calls, std::slice::from_ref(&edit));
        let third = Transcript::parse(LINES.as_bytes(), Some("t3"));
        assert_eq!(third.prompt.as_deref(), Some("And\nsince when?"));
        assert_eq!(third.calls, [edit, call("Bash", r#"{"command":"ls"}"#)]);
        assert_eq!(Transcript::parse(LINES.as_bytes(), None).calls.len(), 3);
    }

    #[test]
    fn the_end_of_a_long_file_begins_with_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.jsonl");
        assert!(tail(&path).is_err() && tail(folder.path()).is_err());
        std::fs::write(&path, LINES).unwrap();
        assert_eq!(tail(&path).unwrap(), LINES.as_bytes());
        std::fs::write(&path, format!("{}{LINES}", "x".repeat(5 << 20))).unwrap();
        let end = tail(&path).unwrap();
        assert!(LINES.as_bytes().ends_with(&end) && end.len() > 900, "{}", end.len());
        std::fs::write(&path, "x".repeat(5 << 20)).unwrap();
        assert_eq!(tail(&path).unwrap(), b"");
    }
}
