//! The prices of models, as of one day.

use crate::usage::Usage;

/// The date of the table.
pub(crate) const AS_OF: &str = "2026-11-24";

/// Dollars per million tokens: prompt, prompt read from the cache, prompt written to it, written with the longer
/// lifetime, output. A provider without prices for caching has the price of the prompt there.
///
/// Standard prices from the providers' lists as LiteLLM 1.110.2 repeats them, without surcharges for very long prompts
/// and without the prices of batches and service tiers.
const TABLE: &[(&str, [f64; 5])] = &[
    ("claude-fable-5", [10.0, 1.0, 12.5, 20.0, 50.0]),
    ("claude-fable-5-1", [10.0, 0.25, 12.5, 20.0, 50.0]),
    ("claude-haiku-4-5", [1.0, 0.1, 1.25, 2.0, 5.0]),
    ("claude-haiku-5-5", [0.1, 0.01, 0.125, 0.2, 0.5]),
    ("claude-mythos-5", [10.0, 1.0, 12.5, 20.0, 50.0]),
    ("claude-mythos-5-1", [10.0, 0.25, 12.5, 20.0, 50.0]),
    ("claude-opus-4-5", [5.0, 0.5, 6.25, 10.0, 25.0]),
    ("claude-opus-4-6", [5.0, 0.5, 6.25, 10.0, 25.0]),
    ("claude-opus-4-7", [5.0, 0.5, 6.25, 10.0, 25.0]),
    ("claude-opus-4-8", [5.0, 0.5, 6.25, 10.0, 25.0]),
    ("claude-opus-5", [5.0, 0.5, 6.25, 10.0, 25.0]),
    ("claude-opus-5-5", [4.0, 0.2, 5.0, 8.0, 20.0]),
    ("claude-sonnet-4-5", [3.0, 0.3, 3.75, 6.0, 15.0]),
    ("claude-sonnet-4-6", [3.0, 0.3, 3.75, 6.0, 15.0]),
    ("claude-sonnet-5", [2.0, 0.2, 2.5, 4.0, 10.0]),
    ("claude-sonnet-5-5", [2.0, 0.1, 2.5, 4.0, 10.0]),
    ("gemini-2.5-flash", [0.3, 0.03, 0.3, 0.3, 2.5]),
    ("gemini-2.5-flash-lite", [0.1, 0.01, 0.1, 0.1, 0.4]),
    ("gemini-2.5-pro", [1.25, 0.125, 1.25, 1.25, 10.0]),
    ("gemini-3-flash-preview", [0.5, 0.05, 0.5, 0.5, 3.0]),
    ("gemini-3.1-flash-lite", [0.25, 0.025, 0.25, 0.25, 1.5]),
    ("gemini-3.1-pro-preview", [2.0, 0.2, 2.0, 2.0, 12.0]),
    ("gemini-3.5-flash", [1.5, 0.15, 1.5, 1.5, 9.0]),
    ("gemini-3.5-flash-lite", [0.3, 0.03, 0.3, 0.3, 2.5]),
    ("gemini-3.6-flash", [0.75, 0.075, 0.75, 0.75, 3.75]),
    ("gemini-3.7-flash", [0.75, 0.075, 0.75, 0.75, 3.75]),
    ("gemini-3.8-flash", [0.75, 0.075, 0.75, 0.75, 3.75]),
    ("gpt-4.1", [2.0, 0.5, 2.0, 2.0, 8.0]),
    ("gpt-4.1-mini", [0.4, 0.1, 0.4, 0.4, 1.6]),
    ("gpt-4.1-nano", [0.1, 0.025, 0.1, 0.1, 0.4]),
    ("gpt-4o", [2.5, 1.25, 2.5, 2.5, 10.0]),
    ("gpt-4o-mini", [0.15, 0.075, 0.15, 0.15, 0.6]),
    ("gpt-5", [1.25, 0.125, 1.25, 1.25, 10.0]),
    ("gpt-5-codex", [1.25, 0.125, 1.25, 1.25, 10.0]),
    ("gpt-5-mini", [0.25, 0.025, 0.25, 0.25, 2.0]),
    ("gpt-5-nano", [0.05, 0.005, 0.05, 0.05, 0.4]),
    ("gpt-5-pro", [15.0, 15.0, 15.0, 15.0, 120.0]),
    ("gpt-5.1", [1.25, 0.125, 1.25, 1.25, 10.0]),
    ("gpt-5.1-codex", [1.25, 0.125, 1.25, 1.25, 10.0]),
    ("gpt-5.1-codex-max", [1.25, 0.125, 1.25, 1.25, 10.0]),
    ("gpt-5.1-codex-mini", [0.25, 0.025, 0.25, 0.25, 2.0]),
    ("gpt-5.2", [1.75, 0.175, 1.75, 1.75, 14.0]),
    ("gpt-5.2-codex", [1.75, 0.175, 1.75, 1.75, 14.0]),
    ("gpt-5.2-pro", [21.0, 21.0, 21.0, 21.0, 168.0]),
    ("gpt-5.3-codex", [1.75, 0.175, 1.75, 1.75, 14.0]),
    ("gpt-5.4", [2.5, 0.25, 2.5, 2.5, 15.0]),
    ("gpt-5.4-mini", [0.75, 0.075, 0.75, 0.75, 4.5]),
    ("gpt-5.4-nano", [0.2, 0.02, 0.2, 0.2, 1.25]),
    ("gpt-5.4-pro", [30.0, 30.0, 30.0, 30.0, 180.0]),
    ("gpt-5.5", [5.0, 0.5, 5.0, 5.0, 30.0]),
    ("gpt-5.5-pro", [30.0, 30.0, 30.0, 30.0, 180.0]),
    ("gpt-5.6", [4.0, 0.4, 5.0, 10.0, 20.0]),
    ("gpt-5.6-luna", [0.2, 0.02, 0.25, 0.5, 1.2]),
    ("gpt-5.6-sol", [4.0, 0.4, 5.0, 10.0, 20.0]),
    ("gpt-5.6-terra", [2.0, 0.2, 2.5, 5.0, 12.0]),
    ("gpt-6-astra", [10.0, 1.0, 12.5, 25.0, 50.0]),
    ("gpt-6-luna", [0.1, 0.01, 0.125, 0.25, 0.5]),
    ("gpt-6-sol", [2.0, 0.2, 2.5, 5.0, 10.0]),
    ("gpt-6.1-sol", [2.0, 0.1, 2.5, 5.0, 10.0]),
    ("gpt-6.1-terra", [1.0, 0.05, 1.25, 2.5, 5.0]),
    ("o1", [15.0, 7.5, 15.0, 15.0, 60.0]),
    ("o3", [2.0, 0.5, 2.0, 2.0, 8.0]),
    ("o3-mini", [1.1, 0.55, 1.1, 1.1, 4.4]),
    ("o3-pro", [20.0, 20.0, 20.0, 20.0, 80.0]),
    ("o4-mini", [1.1, 0.275, 1.1, 1.1, 4.4]),
];

/// The prices of a model, in dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Price {
    input: f64,
    cache_read: f64,
    cache_write: f64,
    cache_write_long: f64,
    output: f64,
}

impl Price {
    /// The prices of a model by the name that the provider or a cloud uses; `None` if it is not in the table.
    pub(crate) fn for_model(model: &str) -> Option<Self> {
        let name = model.rsplit('/').next().unwrap_or(model);
        // Bedrock: `eu.anthropic.claude-opus-5-5-v1:0`.
        let name = name.rsplit_once("anthropic.").map_or(name, |(_, name)| name);
        // OpenRouter writes `claude-opus-5.5`.
        let dashed = name.starts_with("claude").then(|| name.replace('.', "-"));
        let name = dashed.as_deref().unwrap_or(name);
        let matches = TABLE.iter().filter(|(known, _)| name.strip_prefix(known).is_some_and(is_release));
        let (_, prices) = matches.max_by_key(|(known, _)| known.len())?;
        let [input, cache_read, cache_write, cache_write_long, output] = *prices;
        Some(Self { input, cache_read, cache_write, cache_write_long, output })
    }

    /// The cost of a usage in dollars.
    pub(crate) fn cost(&self, usage: &Usage) -> f64 {
        self.uncached(usage) + dollars(usage.cache_read, self.cache_read) + dollars(usage.output, self.output)
    }

    /// The cost in dollars of tokens that were not sent: new ones at the average price of the uncached prompt, cached
    /// ones at the price of reading the cache.
    pub(crate) fn saving(&self, usage: &Usage, new: i64, cached: i64) -> f64 {
        let average = match usage.uncached() {
            0 => self.input,
            tokens => self.uncached(usage) * 1e6 / tokens as f64,
        };
        (new as f64 * average + cached as f64 * self.cache_read) / 1e6
    }

    fn uncached(&self, usage: &Usage) -> f64 {
        let short = usage.cache_write.saturating_sub(usage.cache_write_long);
        dollars(usage.input, self.input)
            + dollars(short, self.cache_write)
            + dollars(usage.cache_write_long, self.cache_write_long)
    }
}

fn dollars(tokens: u64, price: f64) -> f64 {
    tokens as f64 * price / 1e6
}

/// Whether the rest of a model's name denotes a release and not another model: a date (`-20251101`, `-2026-04-23`,
/// `@20251101`, `-0613`), `latest`, or Bedrock's `-v1:0`.
fn is_release(rest: &str) -> bool {
    let rest =
        rest.split_once("-v").filter(|(_, version)| is_version(version)).map_or(rest, |(rest, _)| rest);
    let Some(rest) = rest.strip_prefix(['-', '@']) else { return rest.is_empty() };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    let is_date = rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && matches!(digits, 4 | 8);
    is_date || rest == "latest"
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(model: &str) -> Option<f64> {
        Price::for_model(model).map(|price| price.input)
    }

    #[test]
    fn a_model_is_known_by_all_its_names() {
        for model in [
            "claude-opus-5-5",
            "claude-opus-5-5-20261012",
            "claude-opus-5-5@20261012",
            "anthropic/claude-opus-5.5",
            "us.anthropic.claude-opus-5-5-20261012-v1:0",
            "anthropic.claude-opus-5-5-v1:0",
            "claude-opus-5-5-latest",
        ] {
            assert_eq!(input(model), Some(4.0), "{model}");
        }
        assert_eq!(input("gpt-4o-2024-08-06"), Some(2.5));
        assert_eq!(input("openai/gpt-5-mini-2025-08-07"), Some(0.25));
        assert_eq!(input("models/gemini-2.5-pro"), Some(1.25));
    }

    #[test]
    fn another_model_is_not_taken_for_a_known_one() {
        for model in [
            "",
            "gpt",
            "gpt-5-turbo",
            "gpt-5.9",
            "claude-opus-5-6",
            "claude-opus-5-5-fast",
            "gpt-50",
            "llama-4",
        ] {
            assert_eq!(Price::for_model(model), None, "{model}");
        }
    }

    #[test]
    fn a_table_without_slips() {
        for (model, [input, read, write, long, output]) in TABLE {
            assert_eq!(TABLE.iter().filter(|(other, _)| other == model).count(), 1, "{model} twice");
            assert!(*read <= *input && *input <= *write && *write <= *long && *input < *output, "{model}");
            assert!(Price::for_model(model).is_some_and(|price| price.input == *input), "{model}");
        }
    }
}
