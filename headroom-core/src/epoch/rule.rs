//! Decides from a few sums whether rewriting is repaid.

use super::ModelPrices;
use crate::Api;

/// How many times over the rewriting must be repaid. Conversations last about as long again as they have lasted, but some end
/// at once; a quarter more than the cost is what pays best on both halves of the recorded sessions.
const MARGIN: f64 = 1.25;
/// Fewer tokens are not worth a rewriting.
const MIN_FREED_TOKENS: usize = 8_000;
/// At least one byte in this many must leave, so that all rewriting of a conversation stays linear in its length.
const MAX_KEPT_RATIO: usize = 8;
/// Bytes of a token: more than texts of agents have, so that a saving is not taken for larger than it is.
const BYTES_PER_TOKEN: usize = 4;

/// The prices by which a conversation is decided, relative to a token of the prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    read: f64,
    write: f64,
}

/// The sums at one prompt, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// Bytes that leave.
    pub(super) freed: usize,
    /// Bytes to the prompt that are written to the cache again, after the change.
    pub(super) rewritten: usize,
    /// All visible bytes before the prompt, before the change.
    pub(super) visible: usize,
    /// The requests so far.
    pub(super) turns: u32,
}

impl Rule {
    /// Returns the rule for a model, with the newest prices of its family where its own are unknown. A model without a
    /// name, which the path of the request has, has those of its API. There is none for a model whose family is unknown:
    /// nobody can say what its cache costs, or whether it has one, as on a server of the user's own.
    pub(crate) fn new(api: Api, model: &str, caches_long: bool) -> Option<Self> {
        let family = match api {
            Api::Anthropic | Api::Converse => "claude",
            Api::OpenAiChat | Api::OpenAiResponses => "gpt-",
            Api::Gemini => "gemini-",
        };
        let prices = ModelPrices::of_family(if model.is_empty() { family } else { model })?;
        Some(Self {
            read: prices.cache_read / prices.input,
            write: if caches_long { prices.cache_write_long } else { prices.cache_write } / prices.input,
        })
    }

    /// Whether a prompt with these sums is an epoch.
    #[expect(clippy::cast_precision_loss, reason = "no body has 2^53 bytes")]
    pub(super) fn is_epoch(&self, sums: &Sums) -> bool {
        let saved = sums.freed as f64 * self.read * f64::from(sums.turns);
        sums.freed / BYTES_PER_TOKEN >= MIN_FREED_TOKENS
            && sums.freed.saturating_mul(MAX_KEPT_RATIO) >= sums.visible
            && saved > MARGIN * self.cost(sums.rewritten)
    }

    #[expect(clippy::cast_precision_loss, reason = "no body has 2^53 bytes")]
    fn cost(&self, rewritten: usize) -> f64 {
        rewritten as f64 * (self.write - self.read)
    }

    /// Returns the expected gain in tokens at the price of the prompt.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "estimates, and a cast of a float saturates"
    )]
    pub(super) fn gain(&self, sums: &Sums) -> usize {
        let saved = sums.freed as f64 * self.read * f64::from(sums.turns) - self.cost(sums.rewritten);
        (saved / BYTES_PER_TOKEN as f64) as usize
    }
}

/// Estimates the tokens of this many bytes.
pub(super) const fn tokens(bytes: usize) -> usize {
    bytes / BYTES_PER_TOKEN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(freed: usize, rewritten: usize, turns: u32) -> Sums {
        Sums { freed, rewritten, visible: freed + rewritten, turns }
    }

    #[test]
    fn a_prompt_is_an_epoch_if_its_rewriting_is_more_than_repaid() {
        // Opus 4.6 reads at a tenth of what it writes at 1.25: 1.25 * 100,000 * 1.15 = 40,000 * 0.1 * 35.9.
        let new = |model, caches_long| Rule::new(Api::Anthropic, model, caches_long).unwrap();
        let rule = new("claude-opus-4-6", false);
        assert!(rule.is_epoch(&sums(40_000, 100_000, 36)));
        assert!(!rule.is_epoch(&sums(40_000, 100_000, 35)));
        // An hour costs 1.9 instead of 1.15, and Opus 5.5 reads at half the price.
        assert!(!new("claude-opus-4-6", true).is_epoch(&sums(40_000, 100_000, 59)));
        assert!(new("claude-opus-4-6", true).is_epoch(&sums(40_000, 100_000, 60)));
        assert!(!new("claude-opus-5-5", false).is_epoch(&sums(40_000, 100_000, 74)));
        assert!(new("claude-opus-5-5", false).is_epoch(&sums(40_000, 100_000, 76)));
    }

    #[test]
    fn little_is_not_worth_it_however_often_it_would_be_read() {
        let rule = Rule::new(Api::OpenAiResponses, "gpt-5.5", false).unwrap();
        assert!(!rule.is_epoch(&sums(31_999, 1_000, 10_000)));
        assert!(rule.is_epoch(&sums(32_000, 1_000, 10_000)));
        assert!(!rule.is_epoch(&sums(32_000, 32_000 * 8, 10_000)), "an eighth must leave");
    }

    #[test]
    fn a_model_without_a_name_has_the_prices_of_its_api() {
        let known = Rule::new(Api::Anthropic, "claude-opus-5-5", false);
        assert!(known.is_some());
        assert_eq!(Rule::new(Api::Anthropic, "", false), known);
        assert_eq!(Rule::new(Api::Converse, "", false), known);
        assert_eq!(Rule::new(Api::Anthropic, "claude-opus-77", false), known);
        assert!(Rule::new(Api::Gemini, "", false).unwrap().read < 0.5);
    }

    #[test]
    fn there_is_no_rule_for_models_whose_cache_nobody_knows() {
        for model in ["llama-4", "qwen3-coder:30b", "gpt-oss:120b", "openai/gpt-oss-20b", "my-deployment"] {
            assert_eq!(Rule::new(Api::OpenAiChat, model, false), None, "{model}");
        }
        assert!(Rule::new(Api::OpenAiChat, "anthropic/claude-sonnet-5.5", false).is_some());
    }
}
