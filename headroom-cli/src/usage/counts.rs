use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Tokens that a provider counted, each in one field only, however its API sums them up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Prompt at the full price: neither read from the cache nor written to it.
    pub(crate) input: u64,
    /// Prompt read from the provider's cache.
    pub(crate) cache_read: u64,
    /// Prompt written to the cache, with any lifetime.
    pub(crate) cache_write: u64,
    /// The part of `cache_write` that stays for an hour (OpenAI: twelve), which costs more.
    #[serde(default)]
    pub(crate) cache_write_long: u64,
    /// The model's output, thinking included.
    pub(crate) output: u64,
}

impl Usage {
    /// Prompt that was not read from the cache.
    pub(crate) const fn uncached(&self) -> u64 {
        self.input.saturating_add(self.cache_write)
    }

    /// The whole prompt.
    pub(crate) const fn prompt(&self) -> u64 {
        self.uncached().saturating_add(self.cache_read)
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            cache_write_long: self.cache_write_long.saturating_add(other.cache_write_long),
            output: self.output.saturating_add(other.output),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A `usage` object of any provider. The formats share no field with different meanings.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReportedUsage {
    // Anthropic Messages, OpenAI Responses, Bedrock Converse.
    #[serde(alias = "inputTokens")]
    input_tokens: Option<u64>,
    #[serde(alias = "outputTokens")]
    output_tokens: Option<u64>,
    #[serde(alias = "cacheReadInputTokens")]
    cache_read_input_tokens: Option<u64>,
    #[serde(alias = "cacheWriteInputTokens")]
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<Creation>,
    input_tokens_details: Option<Details>,
    // OpenAI Chat Completions and what is compatible with it.
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    // Gemini.
    #[serde(rename = "promptTokenCount")]
    gemini_prompt: Option<u64>,
    #[serde(rename = "candidatesTokenCount")]
    gemini_candidates: Option<u64>,
    #[serde(rename = "thoughtsTokenCount")]
    gemini_thoughts: Option<u64>,
    #[serde(rename = "cachedContentTokenCount")]
    gemini_cached: Option<u64>,
    #[serde(rename = "toolUsePromptTokenCount")]
    gemini_tool_use: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Creation {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    cache_write_tokens_details: Option<WriteDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct WriteDetails {
    ttl_12h_tokens: Option<u64>,
}

impl ReportedUsage {
    /// Merges a later event of the same response. Fields that it omits are kept.
    pub(super) fn update(&mut self, later: Self) {
        macro_rules! take {
            ($($field:ident),* $(,)?) => { $(self.$field = later.$field.or(self.$field);)* };
        }
        take!(
            input_tokens,
            output_tokens,
            cache_read_input_tokens,
            cache_creation_input_tokens,
            cache_creation,
            input_tokens_details,
            prompt_tokens,
            completion_tokens,
            prompt_tokens_details,
            gemini_prompt,
            gemini_candidates,
            gemini_thoughts,
            gemini_cached,
            gemini_tool_use,
        );
    }

    /// The counts, or `None` if the prompt was not counted.
    pub(super) fn counts(&self) -> Option<Usage> {
        // OpenAI's and Gemini's prompts include what was cached, Anthropic's do not.
        let inclusive = |prompt: u64, details: Details, output: u64| {
            let cache_read = details.cached_tokens.unwrap_or(0).min(prompt);
            let cache_write = details.cache_write_tokens.unwrap_or(0).min(prompt - cache_read);
            let long = details.cache_write_tokens_details.and_then(|details| details.ttl_12h_tokens);
            let cache_write_long = long.unwrap_or(0).min(cache_write);
            let input = prompt - cache_read - cache_write;
            Usage { input, cache_read, cache_write, cache_write_long, output }
        };
        if let Some(prompt) = self.gemini_prompt {
            let details = Details { cached_tokens: self.gemini_cached, ..Details::default() };
            let output =
                self.gemini_candidates.unwrap_or(0).saturating_add(self.gemini_thoughts.unwrap_or(0));
            let prompt = prompt.saturating_add(self.gemini_tool_use.unwrap_or(0));
            return Some(inclusive(prompt, details, output));
        }
        if let Some(prompt) = self.prompt_tokens {
            let details = self.prompt_tokens_details.unwrap_or_default();
            return Some(inclusive(prompt, details, self.completion_tokens.unwrap_or(0)));
        }
        let input = self.input_tokens?;
        let output = self.output_tokens.unwrap_or(0);
        if let Some(details) = self.input_tokens_details {
            return Some(inclusive(input, details, output));
        }
        let cache_write = self.cache_creation_input_tokens.unwrap_or(0);
        let for_an_hour = self.cache_creation.and_then(|creation| creation.ephemeral_1h_input_tokens);
        Some(Usage {
            input,
            cache_read: self.cache_read_input_tokens.unwrap_or(0),
            cache_write,
            cache_write_long: for_an_hour.unwrap_or(0).min(cache_write),
            output,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(json: &str) -> Option<Usage> {
        serde_json::from_str::<ReportedUsage>(json).unwrap().counts()
    }

    #[test]
    fn every_token_of_a_prompt_is_in_one_field() {
        for (json, expected) in [
            (
                r#"{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":30,"output_tokens":4,
                   "cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":15}}"#,
                [10, 30, 20, 15, 4],
            ),
            (r#"{"input_tokens":10,"output_tokens":4,"service_tier":"standard"}"#, [10, 0, 0, 0, 4]),
            (
                r#"{"input_tokens":100,"input_tokens_details":{"cached_tokens":60,"cache_write_tokens":10,
                   "cache_write_tokens_details":{"ttl_30m_tokens":4,"ttl_12h_tokens":6}},"output_tokens":7}"#,
                [30, 60, 10, 6, 7],
            ),
            (
                r#"{"prompt_tokens":50,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":40}}"#,
                [10, 40, 0, 0, 5],
            ),
            (r#"{"prompt_tokens":50,"completion_tokens":5,"prompt_tokens_details":null}"#, [50, 0, 0, 0, 5]),
            (
                r#"{"promptTokenCount":80,"cachedContentTokenCount":64,"candidatesTokenCount":3,
                   "thoughtsTokenCount":9,"totalTokenCount":92}"#,
                [16, 64, 0, 0, 12],
            ),
            (
                r#"{"inputTokens":8,"cacheReadInputTokens":2,"cacheWriteInputTokens":3,"outputTokens":1}"#,
                [8, 2, 3, 0, 1],
            ),
            // There cannot be more cached tokens than tokens.
            (r#"{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":40}}"#, [0, 5, 0, 0, 0]),
        ] {
            let [input, cache_read, cache_write, cache_write_long, output] = expected;
            let expected = Usage { input, cache_read, cache_write, cache_write_long, output };
            assert_eq!(counts(json), Some(expected), "{json}");
        }
        assert_eq!(counts(r#"{"output_tokens":4}"#), None);
        assert_eq!(counts("{}"), None);
    }

    #[test]
    fn later_events_overwrite_what_they_name() {
        let mut reported: ReportedUsage =
            serde_json::from_str(r#"{"input_tokens":10,"cache_read_input_tokens":30,"output_tokens":1}"#)
                .unwrap();
        reported.update(serde_json::from_str(r#"{"output_tokens":99}"#).unwrap());
        let expected = Usage { input: 10, cache_read: 30, output: 99, ..Usage::default() };
        assert_eq!(reported.counts(), Some(expected));
    }
}
