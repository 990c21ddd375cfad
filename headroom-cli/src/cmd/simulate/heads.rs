//! Heads that change between recorded requests of one conversation.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
};

use headroom_core::Vocabulary;
use serde::Serialize;

use crate::{
    head::{HeadChange, HeadPrint, conversation},
    output::Count,
};

/// So many are listed.
const MAX_ROWS: usize = 8;

/// The heads of request bodies, in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct Heads {
    last: HashMap<(u64, bool), (HeadPrint, u64)>,
    changes: BTreeMap<HeadChange, ChangeSum>,
}

/// How often a place changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct ChangeSum {
    requests: u64,
    /// Tokens of the requests before, which a cache would have held.
    missed: u64,
}

/// One line of the report.
#[derive(Debug, Serialize)]
pub(super) struct HeadRow<'a> {
    #[serde(flatten)]
    change: &'a HeadChange,
    #[serde(flatten)]
    sum: ChangeSum,
}

impl Heads {
    /// Adds a request body.
    pub(super) fn add(&mut self, body: &str) {
        let (Some(head), Some(conversation)) = (HeadPrint::read(body), conversation(body)) else { return };
        let tokens = Vocabulary::O200kBase.count(body) as u64;
        let key = (conversation, head.has_tools());
        if let Some((last, held)) = self.last.get(&key)
            && let Some(change) = last.changes(&head).into_iter().next()
        {
            let sum = self.changes.entry(change).or_default();
            sum.requests += 1;
            sum.missed += (*held).min(tokens);
        }
        self.last.insert(key, (head, tokens));
    }

    /// Returns the changes, those with the most tokens first.
    pub(super) fn rows(&self) -> Vec<HeadRow<'_>> {
        let mut rows: Vec<_> =
            self.changes.iter().map(|(change, sum)| HeadRow { change, sum: *sum }).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.sum.missed));
        rows
    }

    /// Returns the changes in a few lines; nothing if there are none.
    pub(super) fn to_text(&self) -> String {
        let rows = self.rows();
        if rows.is_empty() {
            return String::new();
        }
        let mut text =
            "Heads that change between requests of one conversation, so that no cache holds them:\n"
                .to_owned();
        for HeadRow { change, sum } in rows.iter().take(MAX_ROWS) {
            let _ = writeln!(
                text,
                "  {}: {}, {} requests, {} tokens written again",
                change.position(),
                change.what.as_str(),
                Count(sum.requests),
                Count(sum.missed)
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_date_that_changes_is_found_within_a_conversation_only() {
        let body = |question: &str, day: u32, said: &str| {
            let tools = json!([{"name": "Bash"}]);
            let messages =
                json!([{"role": "user", "content": question}, {"role": "assistant", "content": said}]);
            json!({"system": format!("today is 2026-11-{day}"), "tools": tools, "messages": messages})
                .to_string()
        };
        let mut heads = Heads::default();
        for (question, day, said) in [("a", 10, ""), ("a", 10, "x"), ("b", 12, "y"), ("a", 11, "x")] {
            heads.add(&body(question, day, said));
        }
        let rows = json!(heads.rows());
        assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
        assert_eq!(
            (&rows[0]["place"], &rows[0]["what"], &rows[0]["requests"]),
            (&json!("system"), &json!("date"), &json!(1))
        );
        let text = heads.to_text();
        assert!(text.contains("  system, line 1: a date, 1 requests, "), "{text}");
        assert_eq!(Heads::default().to_text(), "");
    }
}
