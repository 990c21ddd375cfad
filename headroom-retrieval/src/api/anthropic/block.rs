//! A block of a streamed answer.

use headroom_json::Value;

use crate::{
    api::{array, kind},
    edit::set,
};

/// A block while it is received.
#[derive(Debug, Default)]
pub(super) struct StreamedBlock {
    pub(super) index: u64,
    /// The block's index for the client; `None` if it is ours.
    pub(super) shown: Option<u64>,
    /// The block as it began.
    pub(super) start: String,
    /// The text of its deltas, still escaped.
    pub(super) words: String,
    pub(super) thinking: String,
    pub(super) input: String,
    pub(super) signature: Option<String>,
    pub(super) citations: Vec<String>,
    /// Whether an unknown delta was received.
    pub(super) unknown: bool,
}

impl StreamedBlock {
    pub(super) fn add(&mut self, delta: Value<'_>) {
        let inner = |key: &str| delta.get(key).and_then(Value::inner);
        match kind(delta) {
            "text_delta" => self.words.push_str(inner("text").unwrap_or_default()),
            "thinking_delta" => self.thinking.push_str(inner("thinking").unwrap_or_default()),
            "input_json_delta" => self.input.push_str(inner("partial_json").unwrap_or_default()),
            "signature_delta" => self.signature = delta.get("signature").map(|raw| raw.raw().to_owned()),
            "citations_delta" => {
                self.citations.extend(delta.get("citation").map(|citation| citation.raw().to_owned()));
            }
            _ => self.unknown = true,
        }
    }

    /// Returns the block's text; for an unknown block, the block as it began.
    pub(super) fn words(&self) -> &str {
        if self.unknown { &self.start } else { &self.words }
    }

    pub(super) fn id(&self) -> Option<String> {
        Some(Value::parse(&self.start)?.get("id")?.text()?.into_owned())
    }

    /// Returns the block as a request repeats it.
    pub(super) fn whole(&self) -> Option<String> {
        let start = Value::parse(&self.start).filter(|_| !self.unknown)?;
        let mut members = Vec::new();
        let mut grown = |key: &'static str, more: &str| {
            if !more.is_empty() {
                let begun = start.get(key).and_then(Value::inner).unwrap_or_default();
                members.push((key, Some(format!("\"{begun}{more}\""))));
            }
        };
        grown("text", &self.words);
        grown("thinking", &self.thinking);
        if !self.input.is_empty() {
            let quoted = format!("\"{}\"", self.input);
            let input = Value::parse(&quoted).and_then(Value::text)?;
            let input = if Value::parse(&input).is_some_and(Value::is_object) { &*input } else { "{}" };
            members.push(("input", Some(input.to_owned())));
        }
        if let Some(signature) = &self.signature {
            members.push(("signature", Some(signature.clone())));
        }
        if !self.citations.is_empty() {
            members.push(("citations", Some(array(&self.citations))));
        }
        Some(if members.is_empty() { self.start.clone() } else { set(start, &members) })
    }
}
