//! The prices of models, as of one day.

use std::sync::LazyLock;

const TABLE: &str = include_str!("prices.txt");

static ROWS: LazyLock<Vec<(&'static str, ModelPrices)>> =
    LazyLock::new(|| TABLE.lines().filter_map(row).collect());

/// The prices of a model in dollars per million tokens, from a table in this crate.
///
/// # Example
///
/// ```
/// use headroom_core::ModelPrices;
///
/// let prices = ModelPrices::for_model("claude-opus-5-5-20261012").unwrap();
/// assert!(prices.cache_read < prices.input && prices.input < prices.cache_write);
/// assert!(ModelPrices::for_model("claude-opus-9").is_none());
/// assert_eq!(ModelPrices::of_family("claude-opus-9"), Some(prices));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelPrices {
    /// A token of the prompt.
    pub input: f64,
    /// A token of the prompt that is read from the cache.
    pub cache_read: f64,
    /// A token of the prompt that is written to the cache, with the shortest lifetime.
    pub cache_write: f64,
    /// The same with the longer lifetime.
    pub cache_write_long: f64,
    /// A token of the answer.
    pub output: f64,
    /// The least prompt that is cached, in tokens.
    pub least_cached: u32,
}

impl ModelPrices {
    /// Returns the day of the table, as `2026-11-24`.
    #[must_use]
    pub fn as_of() -> &'static str {
        TABLE.lines().find_map(|line| line.strip_prefix("# as of ")).unwrap_or_default()
    }

    /// Returns the models of the table and their prices.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        ROWS.iter().copied()
    }

    /// Returns the prices of a model by the name that the provider or a cloud uses; `None` if the table lacks it.
    #[must_use]
    pub fn for_model(model: &str) -> Option<Self> {
        Self::find(model, ROWS.iter().map(|(known, prices)| (*known, *prices)))
    }

    /// Returns the row of a model in a table of one's own, by the rules of [`for_model`](Self::for_model).
    pub fn find<'t, T>(model: &str, table: impl Iterator<Item = (&'t str, T)>) -> Option<T> {
        let name = plain(model);
        let matches = table.filter(|(known, _)| name.strip_prefix(known).is_some_and(is_release));
        Some(matches.max_by_key(|(known, _)| known.len())?.1)
    }

    /// Returns the prices of a model, or of the newest model of its family; `None` if the family is unknown.
    #[must_use]
    pub fn of_family(model: &str) -> Option<Self> {
        const FAMILIES: [(&str, &str); 7] = [
            ("opus", "claude-opus-"),
            ("sonnet", "claude-sonnet-"),
            ("haiku", "claude-haiku-"),
            ("fable", "claude-fable-"),
            ("mythos", "claude-mythos-"),
            ("claude", "claude-opus-"),
            ("gemini", "gemini-"),
        ];
        if let Some(prices) = Self::for_model(model) {
            return Some(prices);
        }
        let name = plain(model);
        let family = FAMILIES.iter().find(|(word, _)| name.contains(word)).map(|(_, family)| *family);
        // Anyone may serve the open weights of `gpt-oss`, at any price.
        let is_gpt = name.starts_with("gpt-") && !name.starts_with("gpt-oss");
        let family = family.or_else(|| is_gpt.then_some("gpt-"))?;
        ROWS.iter().rfind(|(known, _)| known.starts_with(family)).map(|(_, prices)| *prices)
    }
}

/// Returns the provider's own name of a model.
fn plain(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model);
    // Bedrock: `eu.anthropic.claude-opus-5-5-v1:0`.
    let name = name.rsplit_once("anthropic.").map_or(name, |(_, name)| name);
    // OpenRouter writes `claude-opus-5.5`.
    if name.starts_with("claude") { name.replace('.', "-") } else { name.to_owned() }
}

fn row(line: &'static str) -> Option<(&'static str, ModelPrices)> {
    let line = line.split('#').next()?;
    let mut words = line.split_ascii_whitespace();
    let model = words.next()?;
    let mut price = || words.next()?.parse().ok();
    let prices = ModelPrices {
        input: price()?,
        cache_read: price()?,
        cache_write: price()?,
        cache_write_long: price()?,
        output: price()?,
        least_cached: words.next()?.parse().ok()?,
    };
    Some((model, prices))
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
        ModelPrices::for_model(model).map(|prices| prices.input)
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
            assert_eq!(ModelPrices::for_model(model), None, "{model}");
        }
    }

    #[test]
    fn an_unknown_model_has_the_prices_of_the_newest_of_its_family() {
        let is = |model: &str, known: &str| {
            assert_eq!(ModelPrices::of_family(model), ModelPrices::for_model(known), "{model}");
            assert!(ModelPrices::for_model(known).is_some(), "{known}");
        };
        is("claude-sonnet-9", "claude-sonnet-5-5");
        is("claude-3-9-haiku-20261022", "claude-haiku-5-5");
        is("claude", "claude-opus-5-5");
        is("claude-opus-4-6", "claude-opus-4-6");
        is("gpt-9", "gpt-6.1-terra");
        assert_eq!(ModelPrices::of_family("llama-4"), None);
        assert_eq!(ModelPrices::of_family("openai/gpt-oss-120b"), None);
        assert_eq!(ModelPrices::of_family(""), None);
    }

    #[test]
    fn a_table_without_slips() {
        let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), ROWS.len(), "a line of the table cannot be read");
        for (model, prices) in ModelPrices::all() {
            let ModelPrices { input, cache_read, cache_write, cache_write_long, output, .. } = prices;
            assert_eq!(ROWS.iter().filter(|(other, _)| *other == model).count(), 1, "{model} twice");
            let sorted = [cache_read, input, cache_write, cache_write_long].is_sorted() && input < output;
            assert!(sorted, "{model}");
            assert_eq!(ModelPrices::for_model(model), Some(prices), "{model}");
        }
        assert_eq!(ModelPrices::as_of().len(), 10);
    }
}
