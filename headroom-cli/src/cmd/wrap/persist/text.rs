//! Edits single values in configuration files; every other byte is preserved.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{lines, tables};
use crate::jsonc;

/// The format of a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// With or without comments.
    Json,
    Toml,
    /// A mapping; top-level keys only.
    Yaml,
    /// `NAME=value`, as shells and dotenv read it.
    Env,
}

/// The text is not in its format, or uses syntax that is not supported here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Format {
    /// Returns the value of this key, as written.
    pub(super) fn get(self, text: &str, path: &[&str]) -> Result<Option<String>, Unreadable> {
        let value = match self {
            Self::Json if text.trim().is_empty() => None,
            Self::Json => {
                let Some(Value::Object(_)) = jsonc::parse(text) else { return Err(Unreadable) };
                jsonc::raw(text, path)
            }
            Self::Toml => return tables::get(text, path).map(|value| value.map(str::to_owned)),
            Self::Yaml => lines::get(text, path, lines::YAML)?,
            Self::Env => lines::get(text, path, lines::ENV)?,
        };
        Ok(value.map(str::to_owned))
    }

    /// Returns the text with this value, given in the file's format; `None` if it cannot be set safely.
    pub(super) fn set(self, text: &str, path: &[&str], value: &str) -> Option<String> {
        let after = match self {
            // `jsonc` finds the key itself. The value may have been written differently.
            Self::Json => return jsonc::set(text, path, &serde_json::from_str(value).ok()?),
            Self::Toml => tables::set(text, path, value)?,
            Self::Yaml => lines::set(text, path, value, lines::YAML)?,
            Self::Env => lines::set(text, path, value, lines::ENV)?,
        };
        (self.get(&after, path) == Ok(Some(value.to_owned()))).then_some(after)
    }

    /// Returns the text without this key; `None` if it cannot be removed safely.
    pub(super) fn remove(self, text: &str, path: &[&str]) -> Option<String> {
        let after = match self {
            Self::Json => jsonc::remove(text, path)?,
            Self::Toml => tables::remove(text, path)?,
            Self::Yaml => lines::remove(text, path, lines::YAML)?,
            Self::Env => lines::remove(text, path, lines::ENV)?,
        };
        (self.get(&after, path) == Ok(None)).then_some(after)
    }

    /// Quotes text as a value of the format.
    pub(super) fn quote(self, text: &str) -> String {
        match self {
            // TOML strings have the escapes of JSON.
            Self::Json | Self::Toml => Value::from(text).to_string(),
            // A URL needs no quotes in either.
            Self::Yaml | Self::Env => text.to_owned(),
        }
    }
}

/// The text of a value, with any quotes removed.
pub(super) fn unquoted(value: &str) -> String {
    let value = value.trim();
    if let Ok(Value::String(text)) = serde_json::from_str(value) {
        return text;
    }
    let inner = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.unwrap_or(value).to_owned()
}

/// The key in dotted form.
pub(super) fn name(path: &[String]) -> String {
    path.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_any_quotes() {
        for value in ["http://p", "\"http://p\"", "'http://p'", " http://p "] {
            assert_eq!(unquoted(value), "http://p");
        }
    }

    #[test]
    fn what_is_set_can_be_taken_back_in_every_format() {
        for (format, text, path) in [
            (Format::Json, "{\n  // mine\n  \"a\": 1,\n}\n", &["env", "X"][..]),
            (Format::Toml, "# mine\na = 1\n\n[t]\nb = 2", &["x_base"]),
            (Format::Yaml, "# mine\na: 1\nlist:\n- 1\n", &["x-base"]),
            (Format::Env, "# mine\nexport A=1\nB='2'", &["X"]),
        ] {
            let value = format.quote("http://127.0.0.1:8787/v1");
            let set = format.set(text, path, &value).unwrap_or_else(|| panic!("{format:?}"));
            for line in text.lines().filter(|line| !line.starts_with(['{', '}'])) {
                assert!(set.lines().any(|kept| kept == line), "{line} is gone from {set}");
            }
            assert_eq!(format.get(&set, path), Ok(Some(value)));
            let changed = format.set(&set, path, &format.quote("http://other")).unwrap();
            assert_eq!(
                format.set(&changed, path, &format.get(&set, path).unwrap().unwrap()),
                Some(set.clone())
            );
            let removed = format.remove(&set, path).unwrap();
            assert_eq!(format.get(&removed, path), Ok(None));
            if format != Format::Json {
                assert_eq!(removed.trim_end(), text.trim_end(), "{format:?}");
            }
            assert_eq!(format.remove(&removed, path), None);
        }
    }
}
