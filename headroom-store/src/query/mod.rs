//! Queries of the model for parts of an original: text in, text out.

mod retrieve;
mod select;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;

use headroom_json::Value;

pub use self::retrieve::{RetrieveCall, retrieve};
use self::select::{find, range};
use crate::units::Units;

/// The default of [`RetrieveQuery::max_bytes`]: 32 KiB, about 8 000 tokens.
const MAX_BYTES: usize = 32 << 10;

/// Selects a part of an original by the arguments of `headroom_retrieve`, and writes the answer for the model.
///
/// The selectors narrow each other: a `path` selects a value, `rows` or `lines` a range of it, and a `query` the
/// matching part of that. The answer always gives the position of the part and the extent of the whole.
///
/// # Example
///
/// ```
/// use headroom_store::RetrieveQuery;
///
/// let log = (1..=100).map(|n| format!("step {n}\n")).collect::<String>();
/// let answer = RetrieveQuery::new().lines("41-42").answer(&log);
/// assert_eq!(answer, "lines 41-42 of 100; ask for other lines or a query:\nstep 41\nstep 42\n");
///
/// let json = r#"{"logs": [{"id": 1, "message": "ok"}, {"id": 2, "message": "refused"}]}"#;
/// assert!(RetrieveQuery::new().rows("2").answer(json).ends_with("\n{\"id\":2,\"message\":\"refused\"}\n"));
/// assert!(RetrieveQuery::new().path("logs[1].message").answer(json).ends_with("\nrefused"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetrieveQuery {
    lines: Option<String>,
    rows: Option<String>,
    path: Option<String>,
    query: Option<String>,
    max_bytes: usize,
}

impl RetrieveQuery {
    /// Selects the whole original, as far as it fits.
    pub const fn new() -> Self {
        Self { lines: None, rows: None, path: None, query: None, max_bytes: MAX_BYTES }
    }

    /// Selects these lines: `120-180`, `120`, `120-`. In a numbered view of a file, they are the printed numbers.
    pub fn lines(mut self, range: impl Into<String>) -> Self {
        self.lines = Some(range.into());
        self
    }

    /// Selects these rows of a JSON array or of JSON lines, counted from 1: `4-396`. The array is the one at the
    /// [`path`](Self::path), otherwise the one with the most items in the document.
    pub fn rows(mut self, range: impl Into<String>) -> Self {
        self.rows = Some(range.into());
        self
    }

    /// Selects the JSON value at this path: `logs[3].message`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Selects matches, best first: of a regular expression if it has a special character, otherwise of words.
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Shows at most about this many bytes of the original. Default: 32 KiB.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Parses the members of a JSON object; any that is missing or not a string, number or list of numbers is ignored.
    pub fn from_arguments(arguments: &str) -> Self {
        let arguments = Value::parse(arguments);
        let word = |key: &str| {
            let value = arguments?.get(key).filter(|value| !value.is_null())?;
            let text = value.text().map_or_else(|| value.raw().to_owned(), Cow::into_owned);
            Some(text).filter(|text| !text.trim().is_empty())
        };
        Self {
            lines: word("lines"),
            rows: word("rows"),
            path: word("path"),
            query: word("query"),
            max_bytes: MAX_BYTES,
        }
    }

    /// Returns the answer for this content.
    #[must_use]
    pub fn answer(&self, content: &str) -> String {
        let (subject, place) = match self.path.as_deref().map(|path| (path, find(content, path))) {
            None => (Cow::Borrowed(content), String::new()),
            Some((path, Ok(value))) => {
                let text = value.text().unwrap_or(Cow::Borrowed(value.raw()));
                (text, format!(" at {path}"))
            }
            Some((_, Err(missing))) => return missing,
        };
        let units = match &self.rows {
            Some(_) => match Units::rows(&subject) {
                Some(units) => units,
                None => {
                    return format!(
                        "There is no JSON array{place}, so it has no rows; ask for lines or a query.\n"
                    );
                }
            },
            None => Units::lines(&subject),
        };
        let asked = self.rows.as_ref().or(self.lines.as_ref());
        let range = match asked.map(|text| (text, range(text))) {
            None => 0..=usize::MAX,
            Some((_, Some(range))) => range,
            Some((text, None)) => {
                return format!("\"{text}\" is no range; write it like \"120-180\". {}\n", units.summary());
            }
        };
        let picked = units.within(&range);
        match &self.query {
            Some(query) => self.found(query, &units, picked, &place),
            None => self.shown(&units, picked, &place),
        }
    }
}

impl Default for RetrieveQuery {
    fn default() -> Self {
        Self::new()
    }
}
