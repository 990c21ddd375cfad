//! What changed in the heads of conversations, and what that cost.

use std::fmt::Write;

use crate::{
    ledger::HeadBook,
    output::{Count, dollars},
};

/// So many are listed.
const MAX_ROWS: usize = 5;

/// The changes in a few lines; `None` if no head changed.
pub(super) fn to_text(book: &HeadBook) -> Option<String> {
    let accounts = book.accounts();
    if accounts.is_empty() {
        return None;
    }
    let mut text =
        "Heads that changed within a conversation, so that its prompt was written again:\n".to_owned();
    for (change, account) in accounts.iter().take(MAX_ROWS) {
        let times =
            if account.turns == 1 { "once".to_owned() } else { format!("{} times", Count(account.turns)) };
        let _ = writeln!(
            text,
            "  {}: {}, {times}, {} tokens, {}",
            change.position(),
            change.what.as_str(),
            Count(account.missed),
            dollars(account.dollars)
        );
    }
    if accounts.len() > MAX_ROWS {
        let _ = writeln!(text, "  and {} others; --json lists all", accounts.len() - MAX_ROWS);
    }
    Some(text)
}
