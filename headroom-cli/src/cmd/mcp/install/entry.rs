//! Finds, inserts and removes an entry in the text of a configuration.

use serde_json::Value;

use super::client::{McpEntry, NAME};
use crate::jsonc;

/// The state of the entry in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExistingEntry {
    /// Absent.
    Missing,
    /// Present, as it would be written.
    Same,
    /// Present, but different.
    Other,
    /// The text cannot be parsed.
    Unreadable,
}

impl McpEntry {
    pub(super) fn find(&self, text: &str) -> ExistingEntry {
        let (is_there, is_same) = match self {
            Self::Json { .. } if text.trim().is_empty() => (false, false),
            Self::Json { parent, value } => {
                let Some(root) = jsonc::parse(text) else { return ExistingEntry::Unreadable };
                let entry = root.get(parent).and_then(|parent| parent.get(NAME));
                (entry.is_some(), entry == Some(value))
            }
            Self::Toml(snippet) => {
                let (Some(root), Some(own)) = (table(text), table(snippet)) else {
                    return ExistingEntry::Unreadable;
                };
                let entry =
                    |table: &toml::Table| table.get("mcp_servers").and_then(|all| all.get(NAME)).cloned();
                (entry(&root).is_some(), entry(&root) == entry(&own))
            }
        };
        match (is_there, is_same) {
            (false, _) => ExistingEntry::Missing,
            (true, true) => ExistingEntry::Same,
            (true, false) => ExistingEntry::Other,
        }
    }

    /// Returns the text with the entry; `None` if it cannot be inserted safely.
    pub(super) fn insert(&self, text: &str) -> Option<String> {
        match self {
            Self::Json { parent, value } => jsonc::insert(text, parent, NAME, value),
            Self::Toml(snippet) => {
                let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                let snippet = if text.is_empty() { snippet.trim_start() } else { snippet };
                let after = format!("{text}{newline}{snippet}");
                // A file that has the servers in one line cannot take a table after it.
                (self.find(&after) == ExistingEntry::Same).then_some(after)
            }
        }
    }

    /// Returns the text without the entry; `None` if it cannot be removed safely.
    pub(super) fn remove(&self, text: &str) -> Option<String> {
        match self {
            Self::Json { parent, .. } => jsonc::remove(text, &[parent, NAME]),
            Self::Toml(snippet) => {
                let snippet = if text.contains(snippet.as_str()) { snippet } else { snippet.trim_start() };
                let after = text.replacen(snippet, "", 1);
                (self.find(&after) == ExistingEntry::Missing && after.len() < text.len()).then_some(after)
            }
        }
    }
}

impl std::fmt::Display for McpEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json { parent, value } => {
                let whole = Value::Object(
                    [(
                        (*parent).to_owned(),
                        Value::Object([(NAME.to_owned(), value.clone())].into_iter().collect()),
                    )]
                    .into_iter()
                    .collect(),
                );
                writeln!(f, "{whole:#}")
            }
            Self::Toml(snippet) => f.write_str(snippet.trim_start()),
        }
    }
}

fn table(text: &str) -> Option<toml::Table> {
    toml::from_str(text).ok()
}
