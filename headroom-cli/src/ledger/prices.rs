//! The prices of models: the engine's table, and one of the user's own that goes before it.

use std::{collections::BTreeMap, env, fs, path::Path, sync::OnceLock};

use headroom_core::ModelPrices;
use serde::Deserialize;

use crate::{output, usage::Usage};

/// The variable that names the user's own table.
const VARIABLE: &str = "HEADROOM_PRICES";

/// A table of prices.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceTable {
    /// The day of the prices.
    as_of: String,
    models: BTreeMap<String, Row>,
}

/// The prices of a model as they stand in a table: dollars per million tokens, and multiples of the input's.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    input: f64,
    output: f64,
    #[serde(default = "one")]
    read: f64,
    #[serde(default = "one")]
    write: f64,
    #[serde(default)]
    write_long: Option<f64>,
    #[serde(default)]
    least: u32,
}

const fn one() -> f64 {
    1.0
}

impl From<ModelPrices> for Row {
    fn from(prices: ModelPrices) -> Self {
        let times = |price: f64| if prices.input > 0.0 { price / prices.input } else { 1.0 };
        Self {
            input: prices.input,
            output: prices.output,
            read: times(prices.cache_read),
            write: times(prices.cache_write),
            write_long: Some(times(prices.cache_write_long)),
            least: prices.least_cached,
        }
    }
}

impl PriceTable {
    /// The table of the engine.
    fn own() -> Self {
        Self {
            as_of: ModelPrices::as_of().to_owned(),
            models: ModelPrices::all().map(|(model, prices)| (model.to_owned(), Row::from(prices))).collect(),
        }
    }

    /// The table in the program, and above it the user's, if there is one.
    fn all() -> &'static Self {
        static TABLE: OnceLock<PriceTable> = OnceLock::new();
        TABLE.get_or_init(|| {
            let own = Self::own();
            let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()) else { return own };
            match Self::read(Path::new(&path)) {
                Ok(users) => own.under(users),
                Err(reason) => {
                    output::note(&format_args!(
                        "headroom: {VARIABLE}: {reason}; the table of {} holds",
                        own.as_of
                    ));
                    own
                }
            }
        })
    }

    fn read(path: &Path) -> Result<Self, String> {
        let text =
            fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let table: Self =
            toml::from_str(&text).map_err(|error| format!("{}: {}", path.display(), error.message()))?;
        let is_price = |price: f64| price.is_finite() && price >= 0.0;
        let is_fine = |row: &Row| {
            [row.input, row.output, row.read, row.write, row.write_long.unwrap_or(1.0)]
                .into_iter()
                .all(is_price)
        };
        match table.models.iter().find(|(_, row)| !is_fine(row)) {
            Some((model, _)) => Err(format!("{}: a price of {model} is below zero", path.display())),
            None => Ok(table),
        }
    }

    fn under(mut self, users: Self) -> Self {
        self.models.extend(users.models);
        Self { as_of: format!("{}, your own of {}", self.as_of, users.as_of), ..self }
    }

    fn exact(&self, model: &str) -> Option<Price> {
        let rows = self.models.iter().map(|(known, row)| (known.as_str(), row));
        ModelPrices::find(model, rows).map(Price::from_row)
    }

    /// The price of the longest name that this one begins with, else the newest of its family.
    fn nearest(&self, name: &str) -> Option<Price> {
        let begins =
            |known: &str| name.strip_prefix(known).is_some_and(|rest| rest.starts_with(['-', '.', '@', ':']));
        let longest =
            self.models.iter().filter(|(known, _)| begins(known)).max_by_key(|(known, _)| known.len());
        let family = || {
            let words =
                |name: &str| name.split('-').take_while(|word| is_word(word)).collect::<Vec<_>>().join("-");
            let family = words(name);
            let is_same = |known: &str| !family.is_empty() && words(known) == family;
            self.models.iter().rev().find(|(known, _)| is_same(known))
        };
        longest.or_else(family).map(|(_, row)| Price::from_row(row))
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The day of the prices.
pub(crate) fn as_of() -> &'static str {
    &PriceTable::all().as_of
}

/// The prices of a model, in dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Price {
    pub(crate) input: f64,
    pub(crate) cache_read: f64,
    pub(crate) cache_write: f64,
    pub(crate) cache_write_long: f64,
    pub(crate) output: f64,
    /// Tokens below which a prompt is not cached.
    pub(crate) least: u32,
}

impl Price {
    /// The prices of a model by the name that the provider or a cloud uses; `None` if it is not in the table.
    pub(crate) fn for_model(model: &str) -> Option<Self> {
        PriceTable::all().exact(model)
    }

    /// The same, or the prices of the model that is most like it: the one whose name this begins with, else the newest of
    /// its family.
    pub(crate) fn nearest(model: &str) -> Option<Self> {
        let table = PriceTable::all();
        table.exact(model).or_else(|| table.nearest(&plain(model)))
    }

    fn from_row(row: &Row) -> Self {
        Self {
            input: row.input,
            cache_read: row.input * row.read,
            cache_write: row.input * row.write,
            cache_write_long: row.input * row.write_long.unwrap_or(row.write),
            output: row.output,
            least: row.least,
        }
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

/// A model's name as it stands in the table.
fn plain(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model);
    // Bedrock: `eu.anthropic.claude-opus-5-5-v1:0`.
    let name = name.rsplit_once("anthropic.").map_or(name, |(_, name)| name);
    // OpenRouter writes `claude-opus-5.5`.
    if name.starts_with("claude") { name.replace('.', "-") } else { name.to_owned() }
}

fn dollars(tokens: u64, price: f64) -> f64 {
    tokens as f64 * price / 1e6
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
        let table = PriceTable::own();
        assert!(table.models.len() > 50 && table.as_of.len() == 10, "{table:?}");
        for (model, row) in &table.models {
            let long = row.write_long.unwrap();
            assert!(
                row.read <= 1.0 && 1.0 <= row.write && row.write <= long && row.input < row.output,
                "{model}"
            );
            assert!(row.least >= 512, "{model}");
            assert!(table.exact(model).is_some_and(|price| price.input == row.input), "{model}");
        }
    }

    #[test]
    fn an_unknown_model_costs_what_the_most_like_it_costs() {
        let nearest = |model: &str| Price::nearest(model).map(|price| price.input);
        for (model, expected) in [
            ("claude-opus-5-5", Some(4.0)),
            ("claude-opus-5-5-fast", Some(4.0)),
            ("claude-opus-7", Some(4.0)),
            ("claude-3-5-haiku-20241022", Some(0.8)),
            ("gpt-5.3-codex-spark", Some(1.75)),
            ("llama-4", None),
            ("", None),
        ] {
            assert_eq!(nearest(model), expected, "{model}");
        }
    }

    #[test]
    fn a_table_of_the_users_goes_first_and_a_broken_one_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = folder.path().join("p.toml");
            fs::write(&path, text).unwrap();
            PriceTable::read(&path)
        };
        let own = "as_of = '2027-01-01'\n[models]\n'gpt-5.5' = { input = 2.5, output = 20 }\nhouse = { input = 1, output = 1 }";
        let table = PriceTable::own().under(read(own).unwrap());
        let price = table.exact("gpt-5.5-2026-04-23").unwrap();
        assert_eq!((price.input, price.cache_read, price.cache_write_long), (2.5, 2.5, 2.5));
        assert!(
            table.exact("house").is_some() && table.as_of.ends_with("your own of 2027-01-01"),
            "{}",
            table.as_of
        );
        for (text, wanted) in [
            ("as_of = 'x'\n[models]\na = { input = -1, output = 1 }", "a price of a is below zero"),
            ("as_of = 'x'\n[models]\na = { input = 1 }", "missing field `output`"),
            ("models = 3", ""),
        ] {
            assert!(read(text).unwrap_err().contains(wanted), "{text}");
        }
        assert!(PriceTable::read(&folder.path().join("none")).unwrap_err().starts_with("cannot read "));
    }
}
