//! The part of an original that is asked for.

use std::borrow::Cow;

use headroom_core::Handle;
use headroom_store::RetrieveQuery;
use serde_json::{Value, json};

use super::RetrieveArgs;

/// The requested part of an original; by default all of it.
#[derive(Clone, Debug, Default)]
pub(super) struct RetrievePart {
    lines: Option<String>,
    rows: Option<String>,
    path: Option<String>,
    query: Option<String>,
    max_bytes: Option<usize>,
}

impl RetrievePart {
    pub(super) fn from_args(args: &RetrieveArgs) -> Self {
        Self {
            lines: args.lines.clone(),
            rows: args.rows.clone(),
            path: args.path.clone(),
            query: args.query.clone(),
            max_bytes: args.max_bytes,
        }
    }

    /// A JSON object with the part and the size of the original.
    pub(super) fn answer(&self, handle: Handle, content: &str) -> Value {
        let text = self.of_content(content);
        json!({
            "hash": handle.to_string(),
            "bytes": content.len(),
            "lines": content.lines().count(),
            "text": text,
        })
    }

    /// The whole original, byte for byte, or the part with its place in the whole.
    pub(super) fn of_content<'a>(&self, content: &'a str) -> Cow<'a, str> {
        type Set = fn(RetrieveQuery, String) -> RetrieveQuery;
        let parts: [(&Option<String>, Set); 4] = [
            (&self.lines, RetrieveQuery::lines),
            (&self.rows, RetrieveQuery::rows),
            (&self.path, RetrieveQuery::path),
            (&self.query, RetrieveQuery::query),
        ];
        if self.max_bytes.is_none() && parts.iter().all(|(part, _)| part.is_none()) {
            return Cow::Borrowed(content);
        }
        let slice = parts.iter().fold(RetrieveQuery::new(), |slice, (part, set)| match part {
            Some(part) => set(slice, part.clone()),
            None => slice,
        });
        let slice = self.max_bytes.map_or(slice.clone(), |bytes| slice.max_bytes(bytes));
        Cow::Owned(slice.answer(content))
    }
}
