//! Counts the tokens of answers while they pass.

use std::{mem, sync::Arc};

use serde_json::Value;

use super::Account;

/// The longest event or document that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// Reads an answer of any of the providers, and charges its tokens to an account when it is dropped, so that an answer
/// which a client leaves is charged too.
#[derive(Debug)]
pub struct Meter {
    account: Arc<Account>,
    is_stream: bool,
    line: Vec<u8>,
    input: u64,
    output: u64,
}

impl Meter {
    /// Creates a meter for an answer with this `content-type`.
    #[must_use]
    pub fn new(account: Arc<Account>, content_type: &str) -> Self {
        let is_stream = content_type.starts_with("text/event-stream");
        Self { account, is_stream, line: Vec::new(), input: 0, output: 0 }
    }

    /// Reads a piece of the answer.
    pub fn read(&mut self, data: &[u8]) {
        let is_stream = self.is_stream;
        for piece in data.split_inclusive(|byte| is_stream && *byte == b'\n') {
            if self.line.len() + piece.len() <= MAX_BYTES {
                self.line.extend_from_slice(piece);
            }
            if self.is_stream && piece.ends_with(b"\n") {
                self.count();
            }
        }
    }

    fn count(&mut self) {
        let line = mem::take(&mut self.line);
        let json = if self.is_stream { line.strip_prefix(b"data:") } else { Some(line.as_slice()) };
        let Some(event) = json.and_then(|json| serde_json::from_slice::<Value>(json).ok()) else { return };
        for object in [Some(&event), event.get("message"), event.get("response")].into_iter().flatten() {
            for usage in ["usage", "usageMetadata"].into_iter().filter_map(|name| object.get(name)) {
                // Later events say more: each number is the largest that was told.
                self.input = self.input.max(sum(usage, &INPUT));
                self.output = self.output.max(sum(usage, &OUTPUT));
            }
        }
    }
}

const INPUT: [&str; 5] = [
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "prompt_tokens",
    "promptTokenCount",
];
const OUTPUT: [&str; 4] =
    ["output_tokens", "completion_tokens", "candidatesTokenCount", "thoughtsTokenCount"];

fn sum(usage: &Value, names: &[&str]) -> u64 {
    names.iter().filter_map(|name| usage.get(*name)?.as_u64()).sum()
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.count();
        let provider_tokens = self.input.saturating_add(self.output);
        self.account.charge(provider_tokens);
        let tenant = self.account.name().to_owned();
        metrics::counter!("gateway_tokens_total", "tenant" => tenant).increment(provider_tokens);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::gateway::{Accounts, Settings};

    /// Whether an answer in pieces of this size costs so many tokens.
    fn costs(content_type: &str, answer: &str, step: usize, tokens: u64) -> bool {
        let account = Accounts::default().of("a");
        let mut meter = Meter::new(Arc::clone(&account), content_type);
        answer.as_bytes().chunks(step).for_each(|piece| meter.read(piece));
        drop(meter);
        let may = |tokens| {
            let key = "0".repeat(64);
            let text = format!("[providers]\n[tenants.a]\nkey_sha256 = '{key}'\ntokens_per_day = {tokens}");
            let settings: Settings = text.parse().unwrap();
            account.admit(&settings.tenants["a"], Instant::now()).is_ok()
        };
        may(tokens + 1) && !may(tokens)
    }

    #[test]
    fn tokens_are_counted_in_answers_of_every_provider_in_pieces_of_any_size() {
        let stream = "event: message_start\ndata: {\"message\":{\"usage\":{\"input_tokens\":5,\
             \"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n\nevent: message_delta\n\
             data: {\"usage\":{\"output_tokens\":40}}\n\n";
        for (content_type, answer, tokens) in [
            ("text/event-stream", stream, 52),
            ("application/json", "{\"usage\":{\"prompt_tokens\":9,\n\"completion_tokens\":1}}", 10),
            (
                "text/event-stream; charset=utf-8",
                "data: {\"response\":{\"usage\":{\"input_tokens\":3}}}\n",
                3,
            ),
            (
                "application/json",
                "{\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":2,\"thoughtsTokenCount\":1}}",
                11,
            ),
            ("application/json", "not json", 0),
        ] {
            for step in [1, 7, 4096] {
                assert!(costs(content_type, answer, step, tokens), "{answer} by {step}");
            }
        }
    }
}
